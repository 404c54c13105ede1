"""The sum of a deadline tells each step that led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clockmaking import at, clock, dossier, made, pause, told, wall

from workflow.model import ExtensionTaken, PhaseRun

if TYPE_CHECKING:
    from workflow.clocks.clock import Clock
    from workflow.model import Deadline, Dossier


def explained(made_clock: Clock, subject: Dossier, moment: str) -> Deadline:
    (found,) = made_clock.deadlines(subject, at=at(moment), explain=True)
    return found


def test_a_sum_tells_every_stop_and_what_it_moved() -> None:
    subject = dossier(
        at("2024-04-22 15:30"),
        pauses=(
            pause("2024-04-26 10:00", "2024-05-03 10:00"),
            pause("2024-05-06 09:00", "2024-05-31 09:00", "fee"),
            pause("2024-05-20 09:00", "2024-05-21 09:00"),
            pause("2024-05-07 09:00", "2024-05-08 09:00", counts=False),
        ),
        extensions=(ExtensionTaken("total", 1, at("2024-04-25 08:00")),),
    )
    found = explained(made(4, "days-cut"), subject, "2024-06-03 09:00")
    label = found.calendar
    assert told(found) == [
        "receipt of the dossier",
        "at or after the cut-off 15:00, or on a rest day: counts from the next opening",
        "extended by 1 by the decision of 2024-04-25 08:00+07:00",
        "5 working days, the first day not counted",
        "pause fee stops the clock until 2024-05-08 17:00+07:00 at most",
        "pause papers of 2024-05-07 09:00+07:00 is beyond its permitted number: stops no clock",
        "stopped by papers from 2024-04-26 10:00+07:00 to 2024-05-03 10:00+07:00: 2 working days",
        "stopped by fee from 2024-05-06 09:00+07:00 to 2024-05-08 17:00+07:00: 2 working days",
        "papers began at 2024-05-20 09:00+07:00, when the date had passed: moves nothing",
        f"counted by calendar {label}",
    ]
    assert wall(found.due_at) == "2024-05-08 17:00"
    assert [wall(line.at) for line in found.sum if line.at] == [
        "2024-04-22 15:30",
        "2024-04-23 07:00",
        "2024-05-03 17:00",
        "2024-05-06 17:00",
        "2024-05-08 17:00",
    ]


def test_a_sum_tells_hours_to_the_minute() -> None:
    subject = dossier(at("2024-07-01 09:00"), pauses=(pause("2024-07-01 09:30", "2024-07-01 13:45"),))
    assert told(explained(made(6, "hours"), subject, "2024-07-02 09:00"))[1:3] == [
        "plus 6 working hours",
        "stopped by papers from 2024-07-01 09:30+07:00 to 2024-07-01 13:45+07:00: 2:15 working hours",
    ]
    assert told(explained(made(6, "elapsed"), subject, "2024-07-02 09:00"))[1:] == [
        "plus 6 hours",
        "stopped by papers from 2024-07-01 09:30+07:00 to 2024-07-01 13:45+07:00: 4:15 hours",
    ]


def test_a_sum_tells_restarts_rest_days_and_days_that_are_too_late() -> None:
    again = dossier(
        at("2024-07-01 09:00"), pauses=(pause("2024-07-02 09:00", "2024-07-03 09:00", "appraisal"),)
    )
    assert told(explained(made(3, "dates"), again, "2024-07-02 09:00"))[:4] == [
        "receipt of the dossier",
        "counts anew from the end of pause appraisal",
        "3 calendar days, the first day not counted",
        "2024-07-06 is a rest day: moves to the next working day",
    ]
    assert told(explained(made(3, "dates-late"), dossier(at("2024-07-01 09:00")), "2024-07-02 09:00"))[
        1:
    ] == [
        "3 calendar days, the first day not counted",
        "day 3 is already too late: the day before is the last",
    ]


def test_a_sum_marks_a_date_beyond_the_cover_of_its_calendar() -> None:
    found = explained(made(20, "days-included"), dossier(at("2026-12-14 09:00")), "2026-12-15 09:00")
    assert told(found)[-1] == (
        "2027-01-08 lies after 2026-12-31, up to which the calendar knows the holidays: may still move"
    )


def test_a_sum_tells_the_chosen_number_and_the_given_date() -> None:
    two = clock("""
registers: {group: {type: text}, day: {type: time}}
limits:
  a: {binds: {end: any}, within: {register: group, values: {I: 2}}, counts: days-included}
  b: {binds: {end: any}, until: day, counts: given}
""")
    subject = dossier(at("2024-07-01 09:00"), registers=["I", at("2024-07-03 09:00")])
    chosen, given = two.deadlines(subject, at=at("2024-07-01 10:00"), explain=True)
    assert told(chosen)[1] == "2 chosen by group = I"
    assert told(chosen)[2] == "2 working days, the first day included"
    assert told(given) == ["given by day"]


def test_nothing_is_explained_unasked() -> None:
    (found,) = made(5, "days").deadlines(dossier(at("2024-07-01 09:00")), at=at("2024-07-02 09:00"))
    assert found.sum == ()


def test_a_sum_tells_calendar_days() -> None:
    subject = dossier(at("2024-07-01 09:00"), pauses=(pause("2024-07-02 09:00", "2024-07-05 09:00"),))
    assert told(explained(made(5, "dates-stay"), subject, "2024-07-09 09:00"))[1:] == [
        "5 calendar days, the first day not counted",
        "stopped by papers from 2024-07-02 09:00+07:00 to 2024-07-05 09:00+07:00: 3 calendar days",
    ]
    assert told(explained(made(5, "dates-included"), subject, "2024-07-09 09:00"))[1] == (
        "5 calendar days, the first day included"
    )


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        ("binds: {end: any}, from: {action: close}", "first close"),
        ("binds: {end: any}, from: {action: close, which: last}", "last close"),
        ("binds: {end: any}, from: {entering: open}", "entering state open"),
        ("binds: {end: any}, from: {milestone: submitted}", "milestone submitted"),
        ("binds: {state: open}", "entering state open"),
        ("binds: {phase: check}", "start of phase check"),
    ],
)
def test_a_sum_begins_with_what_the_limit_counts_from(limit: str, line: str) -> None:
    begun = at("2024-07-01 09:00")
    subject = dossier(
        begun,
        firsts=[begun],
        lasts=[begun],
        since=begun,
        submitted_at=begun,
        phases=(PhaseRun("check", begun),),
    )
    one_limit = (
        f"phases: {{check: {{starts: [close]}}}}\nlimits: {{total: {{{limit}, within: 1, counts: days}}}}"
    )
    assert told(explained(clock(one_limit), subject, "2024-07-02 09:00"))[0] == line
