"""A year of the department made up and judged in memory: simulated, folded, its alerts worked out at the year's end.

`python -m tests.bench year_in_memory [--dossiers=N]`: two processes, each with half of the dossiers, and no store. What
the alerts say must be what was made up: every dossier that nothing was done to is late exactly where its truth says so.
Judging is told apart from making up: both are seconds of computing, since the machine may be busy with other things.
Nothing is kept of a dossier but what it counts for, so memory does not grow with their number. It ends with 1 where the
truth differs, or where a million dossiers would take more than ten minutes of both together on each of two cores.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

import month

from workflow.alerts.lateness import standing, watch
from workflow.fold import fold
from workflow.simulation.department import department, dossiers
from workflow.simulation.volumes import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.catalogue import Catalogue
    from workflow.simulation.department import Made

YEAR: Final = 2025
END: Final = datetime(YEAR, 12, 31, 10, tzinfo=UTC)
PROCESSES: Final = 2
A_MILLION: Final = 1_000_000
SECONDS_MAX: Final = 600.0
LATE: Final = ("dossier_late", "feedback_late")


class Half(NamedTuple):
    """What one process judged: its dossiers, facts, alerts by kind, and what differed from the truth. Its seconds of
    computing, those of them spent judging, and the most memory it held, in MiB."""

    dossiers: int
    facts: int
    alerts: Counter[str]
    wrong: list[str]
    worked_s: float
    judging_s: float
    memory: int


def half(number: int, seed: int) -> Half:
    """A year of so many dossiers."""
    known = month.catalogue()
    began = time.process_time()
    count, facts, alerts, wrong, judging_s = 0, 0, Counter[str](), list[str](), 0.0
    for made in _year(known, number, seed):
        judged = time.process_time()
        kinds = _judged(known, made)
        judging_s += time.process_time() - judged
        count += 1
        facts += len(made.messages)
        alerts.update(kinds)
        truth = made.truth
        if not truth.planted and made.messages and truth.late != any(kind in LATE for kind in kinds):
            wrong.append(truth.dossier)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Half(count, facts, alerts, wrong, time.process_time() - began, judging_s, memory)


def _year(known: Catalogue, number: int, seed: int) -> Iterator[Made]:
    body, random = known.organisation, Random(seed)
    assert body is not None
    work = known.calendars[body.calendar].worktime(None, None)
    for at in range(1, 13):
        of_month = department(known.families.values(), body, work, date(YEAR, at, 1))
        share = number * at // 12 - number * (at - 1) // 12
        yield from dossiers(of_month, share, Rates(), random, until=END)


def _judged(known: Catalogue, made: Made) -> list[str]:
    """The kinds of the alerts that stand at the year's end, once all sources have had their delay."""
    facts = [fact for _, fact in made.messages]
    if not facts:
        return []
    judgment = fold(known.rules_for(facts), made.truth.dossier, facts)
    rules, dossier, office = judgment.rules, judgment.dossier, known.office
    watched = watch(office, rules, dossier, rules.clock.deadlines(dossier, at=END), END)
    if not watched.up:
        return []
    # What is true by now was said at some time of the year, whatever the hour of its end.
    said = Everything()
    return [alert.kind for alert in standing(office, rules, dossier, watched, END, said=said)[0]]


class Everything(dict[str, int]):
    """Holds every id, said to its first rung."""

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, _: str, /, __: object = None) -> int:
        return 0


def main() -> int:
    """Two processes at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=A_MILLION)
    number = parser.parse_args().dossiers
    began = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        halves = list(pool.map(half, [number // PROCESSES] * PROCESSES, range(1, PROCESSES + 1)))
    took_s = time.perf_counter() - began
    count, facts = sum(one.dossiers for one in halves), sum(one.facts for one in halves)
    alerts = sum((one.alerts for one in halves), Counter[str]())
    wrong = [one for each in halves for one in each.wrong]
    worked_s, judging_s = max(one.worked_s for one in halves), max(one.judging_s for one in halves)
    print(
        f"{count:,} dossiers, {facts:,} facts in {PROCESSES} processes: {took_s:.0f} s by the clock of the wall"
    )
    print(f"each computed {worked_s:.0f} s with at most {max(one.memory for one in halves)} MiB of memory")
    print(
        f"of them judging {judging_s:.0f} s: {count / judging_s:,.0f} dossiers/s, {facts / judging_s:,.0f} facts/s; "
        f"the others made the year up"
    )
    print(f"alerts at the year's end: {', '.join(f'{kind} {n:,}' for kind, n in alerts.most_common())}")
    print(f"late otherwise than the truth says: {len(wrong)}", *wrong[:5])
    a_million = A_MILLION / count
    print(
        f"a million dossiers on each of two cores: {judging_s * a_million:.0f} s judging, "
        f"{worked_s * a_million:.0f} s with making them up"
    )
    return int(bool(wrong) or worked_s / count * A_MILLION > SECONDS_MAX)


if __name__ == "__main__":
    sys.exit(main())
