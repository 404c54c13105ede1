"""What a risk table fitted to the earlier part of a log says of the later part: public logs and made-up months.

`python -m tests.bench risk_backtest`: the public logs lie in DUNGHEN_TEST_DATA, by default `../shared/data` beside the
repository; of one that is not there nothing is said. It ends with 1 where a table does worse than saying the later
part's own share of every dossier by more than a hundredth: a table must never be worse than knowing nothing.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from consumers.files.factfile import open_facts
from consumers.files.mapping import read_mapping
from workflow.cli.reference import MONTHLY, after, branches, courses_of
from workflow.cli.simulate import department_of
from workflow.facts import Acted
from workflow.procedure.reader import read_procedures
from workflow.risk.backtest import trial
from workflow.risk.stays import Course, course
from workflow.risk.table import Moment, Stay
from workflow.rules import compile_rules
from workflow.simulation.department import Truth, simulate
from workflow.simulation.office import run
from workflow.simulation.volumes import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.facts import Fact
    from workflow.risk.table import RiskTable

ROOT: Final = Path(__file__).resolve().parents[2]
DATA: Final = Path(os.environ.get("DUNGHEN_TEST_DATA") or ROOT.parent / "shared" / "data")
FINES, RECEIPT = DATA / "road_traffic_fines_full.csv.gz", DATA / "receipt_wabo.xes.gz"
SKILL_MIN: Final = -0.01
LIMIT: Final = timedelta(days=90)
"""Within what a fine must be sent after it was created."""
WEEK: Final = timedelta(days=7)
MONTHS: Final = 4
DOSSIERS: Final = 800


def fines() -> Iterator[Course]:
    """Each fine that was sent, from its creation on: one step, one limit of calendar days, looked at once a week."""
    for subject, facts in _dossiers(FINES, "fines"):
        times = {one.body.action: one.occurred_at for one in facts if isinstance(one.body, Acted)}
        created, sent = times.get("create_fine"), times.get("send_fine")
        if created is None or sent is None:
            continue
        due, late = created + LIMIT, sent >= created + LIMIT
        stay = Stay(subject, "fines", "created", "", _minutes(sent - created), 0)
        weeks = range((min(sent, due) - created) // WEEK + 1)
        moments = [Moment("fines", "created", "", _minutes(due - created - n * WEEK), late) for n in weeks]
        yield Course(created, sent, late, (stay,), tuple(moments))


def receipt() -> Iterator[Course]:
    """Each dossier of the receipt phase against the deadline its log gives."""
    (revision,) = read_procedures(ROOT / "tests" / "histories" / "receipt" / "procedure.yaml")
    rules, at = compile_rules(revision), datetime(2012, 1, 23, 14, 42, 54, 644000, UTC)
    for subject, facts in _dossiers(RECEIPT, "receipt"):
        found = course(rules, subject, facts, at)
        if found is not None:
            yield found


def months() -> Iterator[Course]:
    """Made-up months, in which lateness is drawn by lot: nothing foretells it, and the table should say so."""
    at = datetime(2025, 9, 1, tzinfo=UTC)
    for month in range(1, MONTHS + 1):
        body = department_of(date(2025, month, 1))
        rules = {route.revision.procedure: route.rules for route in body.routes}
        facts: dict[str, list[Fact]] = {}
        for one in simulate(body, DOSSIERS, Rates(), Random(month)):
            if not isinstance(one, Truth):
                facts.setdefault(one.subject, []).append(one)
        for subject, told in facts.items():
            code = next(one.body.procedure for one in told if isinstance(one.body, Acted))
            found = course(rules[code or ""], subject, told, at)
            if found is not None:
                yield found


def queues() -> Iterator[Course]:
    """A made-up year in which dossiers come late because they wait for an officer."""
    yield from courses_of(run(branches(2023, MONTHLY), 2023, None), after(2023))


def show(name: str, table: RiskTable) -> bool:
    """Prints a table's test; whether it is good enough."""
    test = table.test
    assert test is not None
    skill = test.skill or 0.0
    print(
        f"{name}: fitted to {table.dossiers:,} dossiers released {table.since:%Y-%m-%d}..{table.until:%Y-%m-%d}"
    )
    print(
        f"  {table.late:,} of them late; tested on {test.moments:,} later moments, {test.undecided} undecided"
    )
    print(f"  Brier {test.brier:.4f}, of the share alone {test.brier_base:.4f}, skill {skill:+.3f}")
    for band in test.bands:
        if band.moments:
            said, came = band.expected / band.moments, band.late / band.moments
            print(
                f"  {band.low:3}-{band.high:3} %: {band.moments:7,} moments, said {said:6.1%}, came {came:6.1%}"
            )
    return skill >= SKILL_MIN


def main() -> int:
    """All three; 1 where one is worse than it may be."""
    tests = [
        ("months, late by lot", months, datetime(2025, 3, 15, tzinfo=UTC)),
        ("a year of queues", queues, datetime(2023, 9, 1, tzinfo=UTC)),
    ]
    if RECEIPT.is_file():
        tests.append(("receipt", receipt, datetime(2011, 6, 1, tzinfo=UTC)))
    if FINES.is_file():
        tests.append(("fines", fines, datetime(2006, 1, 1, tzinfo=UTC)))
    good = [show(name, trial(told(), split, revision="test")) for name, told, split in tests]
    return int(not all(good))


def _dossiers(log: Path, name: str) -> Iterator[tuple[str, list[Fact]]]:
    mapping = read_mapping(ROOT / "tests" / "histories" / name / "mapping.yaml")
    for subject, facts in open_facts(log, mapping).dossiers():
        yield subject, list(facts)


def _minutes(span: timedelta) -> int:
    return span // timedelta(minutes=1)


if __name__ == "__main__":
    sys.exit(main())
