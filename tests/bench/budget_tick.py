"""One evaluation of the budget of lateness when nothing is due, over a million dossiers, on both databases.

`python -m tests.bench budget_tick [--dossiers=N]`: nine in ten dossiers are open, in fifteen units, thirty procedures
and six steps; the rows are put as the store puts them. It ends with 1 where an evaluation takes longer than a second
(the quickest of five: what else runs on the machine is not ours), or the databases disagree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from servers.postgres import Postgres
from workflow.catalogue import JUDGE_VERSION
from workflow.figures.budget import BANDS_MIN, budgets
from workflow.risk.table import Cell, Risk, RiskTable
from workflow.store.budgets import counts
from workflow.store.opening import open_store
from workflow.store.rows import DossierRow, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.figures.budget import Budget
    from workflow.store.store import Store

YEAR: Final = datetime(2025, 1, 1, tzinfo=UTC)
AT: Final = datetime(2025, 11, 20, 3, tzinfo=UTC)
SECONDS_MAX: Final = 1.0
ROUNDS: Final = 5
BATCH: Final = 10_000
HOUR: Final = 3_600_000_000
STEPS: Final = ("received", "assigning", "appraising", "approving", "signing", "issuing")
RISK: Final = Risk(
    RiskTable(
        risk="appointment",
        revision="bench",
        since=YEAR,
        until=AT,
        dossiers=100,
        late=1,
        threshold_percent=20,
        cells=tuple(
            Cell(procedure=f"procedure-{n}", dossiers=1_000, minutes=tuple(range(60, 3_000, 60)))
            for n in range(30)
        ),
    )
)


def rows(number: int) -> Iterator[DossierRow]:
    """Made-up rows, the same each time."""
    random, now, year = Random(7), to_us(AT), to_us(YEAR)
    blank: dict[str, Any] = dict.fromkeys(DossierRow._fields)
    for place in range(number):
        released = random.randrange(year, now) if random.random() < 0.1 else None
        due = (released or now) + random.randrange(-20 * HOUR, 900 * HOUR)
        waits = released is None and random.random() < 0.1
        known: dict[str, Any] = {
            "subject": f"000.00.01.H13-{place:08}",
            "procedure": f"procedure-{random.randrange(30)}",
            "revision": "1",
            "fingerprint": "0" * 64,
            "judge_version": JUDGE_VERSION,
            "state": "returned" if released else random.choice(STEPS),
            "unit": f"branch-{random.randrange(15)}",
            "received_at": year,
            "released_at": released,
            "ended_at": released,
            "appointment_due_at": due,
            "appointment_late": None if released is None else released > due,
            "deviated": False,
            "minutes_left": random.randrange(9_000) if waits else None,
            "next_due_at": due if released is None else None,
            "version": 1,
            "facts": 6,
            "last_recorded_at": year,
            "alerts": 0,
            "judgment": bytes(400),
        }
        yield DossierRow(**{**blank, **known})


def fill(store: Store, number: int) -> None:
    """Puts the rows, a batch in a transaction."""
    batch: list[DossierRow] = []
    for row in rows(number):
        batch.append(row)
        if len(batch) == BATCH:
            _put(store, batch)
            batch = []
    _put(store, batch)


def _put(store: Store, batch: list[DossierRow]) -> None:
    with store.writing() as writing:
        writing.put(batch)


def measured(store: Store) -> tuple[float, list[Budget]]:
    """The seconds of the quickest of a few evaluations, and what they found."""
    borders = [AT + timedelta(minutes=minutes) for minutes in BANDS_MIN]
    took: list[float] = []
    found: list[Budget] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = budgets(*counts(store, YEAR, AT, borders), RISK)
        took.append(time.perf_counter() - began)
    return min(took), found


def main() -> int:
    """Both databases, the same rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=1_000_000)
    number = parser.parse_args().dossiers
    good, said = True, []
    with ExitStack() as undone:
        folder = Path(undone.enter_context(tempfile.TemporaryDirectory()))
        server = Postgres()
        undone.callback(server.close)
        server.run("CREATE DATABASE bench")
        for name, where in (("SQLite", str(folder / "store.db")), ("PostgreSQL", server.url("bench"))):
            store = open_store(where)
            undone.callback(store.close)
            fill(store, number)
            if name == "PostgreSQL":
                server.run("VACUUM ANALYZE dossiers", "bench")
            seconds, found = measured(store)
            said.append(found)
            good = good and seconds <= SECONDS_MAX
            print(f"{name}: {number:,} dossiers, {found[0].expected:,} open: {seconds:.3f} s an evaluation")
    whole = said[0][0]
    print(f"{whole.late:,} of {whole.released:,} late, {whole.overdue:,} overdue, {len(said[0]) - 1} units")
    return int(not good or said[0] != said[1])


if __name__ == "__main__":
    sys.exit(main())
