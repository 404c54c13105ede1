"""A retroactive change of one calendar day over open dossiers: how long until all are judged anew and all is said.

`python -m tests.bench retroactive [--dossiers=N]`: dossiers of December 2025 that are open on the 25th, when the swap
of 2 January 2026 is announced, in SQLite with all that was said of them. A few hundred walks are made up and told under
many codes. It ends with 1 where putting the new calendar into force takes more than thirty seconds of computing for
100,000 of them, or so many times less for fewer: the machine may be busy with other things.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import month
from msgspec.structs import replace

from consumers.apply import apply
from consumers.sweep import Sweep
from consumers.ticker import DOSSIERS_A_TICK, tick
from workflow.catalogue import Catalogue
from workflow.cli.main import COLLECT_AFTER
from workflow.clocks.calendar import Calendar
from workflow.simulation.department import department, dossiers
from workflow.simulation.volumes import Rates
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.facts import Fact
    from workflow.store.store import Store

ANNOUNCED: Final = date(2025, 12, 25)
KNOWN: Final = datetime(2025, 12, 25, 3, tzinfo=UTC)
ACTIVATED: Final = datetime(2025, 12, 25, 8, tzinfo=UTC)
WALKS: Final = 600
SECONDS_MAX: Final = 30.0
AT: Final = 100_000


def before(known: Catalogue) -> Catalogue:
    """The definitions as they were before the swap was announced."""
    calendars = {}
    for name, calendar in known.calendars.items():
        days = tuple(day for day in calendar.definition.days if day.announced != ANNOUNCED)
        calendars[name] = Calendar(replace(calendar.definition, days=days))
    revisions = [rules.revision for family in known.families.values() for rules in family.values()]
    return Catalogue(revisions, calendars, known.sources, known.organisation, None, known.rotation_rules)


def told(known: Catalogue, number: int) -> Iterator[Fact]:
    """The facts of so many open dossiers, one dossier after the other."""
    body = known.organisation
    assert body is not None
    work = known.calendars[body.calendar].worktime(None, None)
    of_month = department(known.families.values(), body, work, date(2025, 12, 1))
    made = dossiers(of_month, WALKS, Rates(), Random(11), until=KNOWN)
    walks = [one for one in made if one.truth.ended_at is None and one.messages]
    for place in range(number):
        walk = walks[place % len(walks)]
        for _, fact in walk.messages:
            yield replace(fact, subject=f"{fact.subject}-{place // len(walks):04}")


def fill(store: Store, known: Catalogue, number: int) -> int:
    """Applies the facts and says what is due; how many facts there are."""
    count, batch = 0, []
    for fact in told(known, number):
        batch.append(fact)
        if len(batch) == month.BATCH:
            count += _applied(store, known, batch)
            batch = []
    count += _applied(store, known, batch)
    while tick(store, known, now=KNOWN).dossiers == DOSSIERS_A_TICK:
        pass
    return count


def _applied(store: Store, known: Catalogue, batch: list[Fact]) -> int:
    apply(store, known, month.decoded(month.messages(batch)), now=KNOWN)
    return len(batch)


def main() -> int:
    """One store, one change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=AT)
    number = parser.parse_args().dossiers
    gc.set_threshold(COLLECT_AFTER)
    known = month.catalogue()
    older = before(known)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "open.db")
        facts = fill(store, older, number)
        began, worked = time.perf_counter(), time.process_time()
        moved: Counter[str] = Counter()
        sweep = Sweep(store, known, ACTIVATED)
        for swept in sweep.batches():
            moved.update(change.what for one in swept.moved for change in one.changes)
        took_s, worked_s = time.perf_counter() - began, time.process_time() - worked
        store.close()
    print(
        f"{number:,} open dossiers, {facts:,} facts: {sweep.row.dossiers:,} judged anew, {sweep.row.moved:,} moved"
    )
    print(f"moved: {', '.join(f'{what} {count:,}' for what, count in moved.most_common())}")
    print(
        f"{took_s:.1f} s, {worked_s:.1f} s of them computing: {number / worked_s:,.0f} dossiers/s of computing"
    )
    return int(worked_s > SECONDS_MAX * number / AT or not sweep.row.moved)


if __name__ == "__main__":
    sys.exit(main())
