"""A month of the department: what its rates say against a straight count of what was made up."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import pytest

from consumers.files.entries import Messages
from consumers.files.limits import DEFAULT_LIMITS
from workflow.choosing import choose
from workflow.clocks.calendar import read_calendars
from workflow.figures.rates import Measure, Period, Share, measure, rates
from workflow.fold import fold
from workflow.procedure.reader import read_procedures
from workflow.rules import compile_family
from workflow.simulation.department import Truth
from workflow.sources import orders, read_sources

if TYPE_CHECKING:
    from workflow.facts import Fact
    from workflow.procedure.language import Revision

PROCESSES: Final = Path(__file__).resolve().parents[1] / "processes"
COMMAND: Final = Path(sys.executable).with_name("dunghen")
NOW: Final = datetime(2026, 3, 31, 17, tzinfo=UTC)
"""The end of the month in Cần Thơ: from then on nothing has happened yet."""
MONTH: Final = Period("2026-03", datetime(2026, 2, 28, 17, tzinfo=UTC), NOW)


READY: Final = frozenset(
    one.procedure
    for one in read_procedures(PROCESSES / "can-tho")
    if any(action.milestone == "ready" for action in one.actions.values())
)


class Month(NamedTuple):
    """What was made up, and what the rates ask of it once it is judged."""

    truths: list[Truth]
    measures: list[Measure]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """A month told in full and judged."""
    folder = tmp_path_factory.mktemp("month")
    stream, truth = folder / "stream.jsonl", folder / "truth.jsonl"
    words = ["simulate", "--seed", "11", "--dossiers", "1500", "--until", "2026-04-01", "--undamaged"]
    subprocess.run([COMMAND, *words, "--out", stream, "--truth", truth], check=True, capture_output=True)
    told: dict[str, list[Fact]] = {}
    for entry in Messages(stream, DEFAULT_LIMITS).entries(0):
        told.setdefault(entry.fact.subject, []).append(entry.fact)
    truths = [msgspec.json.decode(line, type=Truth) for line in truth.read_bytes().splitlines()]
    return Month(truths, _judged([one for one in truths if one.dossier in told], told))


def _judged(truths: list[Truth], told: dict[str, list[Fact]]) -> list[Measure]:
    calendars, sources = read_calendars(PROCESSES / "calendars"), orders(read_sources(PROCESSES / "sources"))
    revisions: dict[str, list[Revision]] = {}
    for revision in read_procedures(PROCESSES / "can-tho"):
        revisions.setdefault(revision.procedure, []).append(revision)
    families = {code: compile_family(found, calendars, sources) for code, found in revisions.items()}
    judgments = [
        fold(choose(families[one.procedure], told[one.dossier]), one.dossier, told[one.dossier])
        for one in truths
    ]
    return [measure(one.rules, one.dossier, NOW) for one in judgments]


def _released(truth: Truth) -> bool:
    """With a slip, and over: ready at the desk, or ended; a procedure without a ready result, issued."""
    makes_ready = truth.procedure in READY
    issued_at = None if makes_ready else truth.issued_at
    return truth.benchmark is not None and (truth.ready_at or issued_at or truth.ended_at) is not None


def test_the_late_rate_of_each_unit_is_a_straight_count_of_what_was_made_up(month: Month) -> None:
    late = Counter(one.unit for one in month.truths if _released(one) and one.late)
    released = Counter(one.unit for one in month.truths if _released(one))

    found = {one.group: one.late_appointment for one in rates(month.measures, [MONTH], "unit", now=NOW)}

    assert {unit: share for unit, share in found.items() if share.denominator} == {
        unit: Share(late[unit], count) for unit, count in released.items()
    }
    assert sum(late.values()) > 20


def test_the_other_reading_adds_what_lies_open_past_its_date(month: Month) -> None:
    received = [one for one in month.truths if one.received_at is not None]
    (found,) = rates(month.measures, [MONTH], now=NOW)

    assert found.late_or_overdue == Share(sum(one.late for one in received), len(received))
    assert found.late_or_overdue.numerator > found.late_appointment.numerator


def test_an_undamaged_month_follows_its_procedures(month: Month) -> None:
    (found,) = rates(month.measures, [MONTH], now=NOW)

    assert found.followed.numerator == found.followed.denominator > 500
    assert found.both.numerator == found.both.denominator - found.late_appointment.numerator
    assert found.approved.numerator == 0
