"""The printed appointment and the benchmark, rule by rule."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from clockmaking import at, calendar, clock, dossier, one, told, wall

from workflow.model import AppointmentTold, Deadline, PauseTaken

if TYPE_CHECKING:
    from workflow.clocks.clock import Clock
    from workflow.facts import AppointmentCause

PAUSES = "pauses: {papers: {}, fee: {cap: {within: 2, counts: days}}}\n"
OWN_CLOCK = clock(
    f"{PAUSES}limits: {{promised: {{binds: {{end: any}}, date: committed, within: 9, counts: days}}}}"
)
NO_CLOCK = clock(PAUSES)
RECEIVED = "2024-07-01 09:00"


def committed(counts: str) -> Clock:
    return clock(
        f"{PAUSES}limits: {{promised: {{binds: {{end: any}}, date: committed, within: 9, counts: {counts}}}}}"
    )


def slip(printed: str, cause: AppointmentCause = "first", told_at: str = RECEIVED) -> AppointmentTold:
    """A slip that names a time, or a day alone."""
    timed = " " in printed
    return AppointmentTold(at(printed) if timed else date.fromisoformat(printed), cause, at(told_at))


def pause(start: str, end: str | None, name: str = "papers", *, counts: bool = True) -> PauseTaken:
    return PauseTaken(name, at(start), at(end) if end else None, counts)


def judged(
    made: Clock,
    slips: list[AppointmentTold],
    *pauses: PauseTaken,
    now: str = "2024-07-31 09:00",
    **more: datetime,
) -> tuple[Deadline, ...]:
    subject = dossier(at(RECEIVED), appointments=tuple(slips), pauses=pauses, **more)
    return made.deadlines(subject, at=at(now), explain=True)


def benchmark(
    made: Clock, slips: list[AppointmentTold], *pauses: PauseTaken, now: str = "2024-07-31 09:00"
) -> str:
    return wall(one(judged(made, slips, *pauses, now=now), "benchmark").due_at)


def test_a_slip_that_names_a_day_is_due_at_its_closing_time() -> None:
    assert benchmark(OWN_CLOCK, [slip("2024-07-12")]) == "2024-07-12 17:00"
    assert benchmark(OWN_CLOCK, [slip("2024-07-12 10:30")]) == "2024-07-12 10:30"


def test_without_a_calendar_a_day_is_due_at_its_end() -> None:
    assert (
        benchmark(clock(PAUSES.replace("days", "dates-stay"), bare=True), [slip("2024-07-12")])
        == "2024-07-12 23:59"
    )


def test_a_printed_day_that_became_a_day_off_stays_with_the_closing_time_it_had() -> None:
    before = slip("2024-04-29", told_at="2024-04-10 09:00")
    after = slip("2024-04-29", told_at="2024-04-12 09:00")
    assert benchmark(OWN_CLOCK, [before]) == "2024-04-29 17:00"
    assert benchmark(OWN_CLOCK, [after]) == "2024-04-29 23:59"


def test_pauses_told_after_the_slip_move_it_by_working_days() -> None:
    paused = pause("2024-07-03 09:00", "2024-07-05 09:00")
    assert benchmark(OWN_CLOCK, [slip("2024-07-12")], paused) == "2024-07-16 17:00"
    assert benchmark(OWN_CLOCK, [slip("2024-07-12 10:30")], paused) == "2024-07-16 10:30"


@pytest.mark.parametrize("started", ["2024-06-28 09:00", RECEIVED])
def test_a_pause_that_began_no_later_than_the_slip_was_told_is_in_it_already(started: str) -> None:
    assert (
        benchmark(OWN_CLOCK, [slip("2024-07-12")], pause(started, "2024-07-05 09:00")) == "2024-07-12 17:00"
    )


def test_caps_and_permitted_numbers_hold_for_the_benchmark() -> None:
    long = pause("2024-07-03 09:00", "2024-07-30 09:00", "fee")
    assert benchmark(OWN_CLOCK, [slip("2024-07-12")], long) == "2024-07-16 17:00"
    not_permitted = pause("2024-07-03 09:00", "2024-07-30 09:00", counts=False)
    assert benchmark(OWN_CLOCK, [slip("2024-07-12")], not_permitted) == "2024-07-12 17:00"


def test_pauses_are_united_before_they_move_the_date() -> None:
    pauses = (
        pause("2024-07-03 09:00", "2024-07-05 09:00"),
        pause("2024-07-04 09:00", "2024-07-05 09:00", "fee"),
    )
    assert benchmark(OWN_CLOCK, [slip("2024-07-12")], *pauses) == "2024-07-16 17:00"


def test_a_pause_after_the_date_has_passed_moves_nothing() -> None:
    assert (
        benchmark(OWN_CLOCK, [slip("2024-07-12")], pause("2024-07-12 17:00", "2024-07-20 09:00"))
        == "2024-07-12 17:00"
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ("days", "2024-07-15 10:30"),
        ("hours", "2024-07-15 13:30"),
        ("dates", "2024-07-15 10:30"),
        ("dates-stay", "2024-07-13 10:30"),
        ("elapsed", "2024-07-13 11:30"),
        ("{unit: given_date, reaching: in_time}", "2024-07-15 10:30"),
    ],
)
def test_a_shift_is_counted_in_the_unit_of_the_committed_limit(counts: str, expected: str) -> None:
    if counts.startswith("{"):
        made = clock(f"""{PAUSES}registers: {{day: {{type: date}}}}
limits: {{promised: {{binds: {{end: any}}, date: committed, until: day, counts: {counts}}}}}""")
    else:
        made = committed(counts)
    subject = dossier(
        at(RECEIVED),
        registers=[None],
        appointments=(slip("2024-07-12 10:30"),),
        pauses=(pause("2024-07-03 09:00", "2024-07-04 10:00"),),
    )
    found = one(made.deadlines(subject, at=at("2024-07-31 09:00")), "benchmark")
    assert wall(found.due_at) == expected


def test_without_committed_limit_or_calendar_mondays_to_fridays_count() -> None:
    bare = clock("pauses: {papers: {}}", bare=True)
    assert (
        benchmark(bare, [slip("2024-07-12")], pause("2024-07-04 09:00", "2024-07-08 09:00"))
        == "2024-07-16 23:59"
    )


def test_a_slip_after_a_supplement_is_compared_where_the_procedure_has_a_clock_and_replaces_where_it_has_none() -> (
    None
):
    slips = [slip("2024-07-12"), slip("2024-07-25", "after_supplement", "2024-07-08 09:00")]
    supplement = pause("2024-07-03 09:00", "2024-07-08 09:00")
    assert benchmark(OWN_CLOCK, slips, supplement) == "2024-07-17 17:00"
    assert benchmark(NO_CLOCK, slips, supplement) == "2024-07-25 17:00"
    assert (
        benchmark(NO_CLOCK, slips, supplement, pause("2024-07-09 09:00", "2024-07-10 09:00"))
        == "2024-07-26 17:00"
    )


@pytest.mark.parametrize("cause", ["extension", "correction"])
@pytest.mark.parametrize(
    ("told_at", "expected"),
    [("2024-07-12 17:00", "2024-07-25 17:00"), ("2024-07-12 17:01", "2024-07-12 17:00")],
)
def test_an_extension_or_correction_replaces_the_date_unless_it_has_passed(
    cause: AppointmentCause, told_at: str, expected: str
) -> None:
    slips = [slip("2024-07-12"), slip("2024-07-25", cause, told_at)]
    assert benchmark(OWN_CLOCK, slips) == expected


def test_whether_the_date_has_passed_is_asked_as_things_stood_when_the_slip_was_told() -> None:
    slips = [slip("2024-07-12"), slip("2024-07-25", "extension", "2024-07-15 09:00")]
    during = pause("2024-07-11 09:00", "2024-07-18 09:00")
    later = pause("2024-07-15 10:00", "2024-07-18 09:00")
    assert benchmark(OWN_CLOCK, slips, during) == "2024-07-25 17:00"
    assert benchmark(OWN_CLOCK, slips, later) == "2024-07-12 17:00"


def test_the_last_replacing_slip_is_the_base() -> None:
    slips = [
        slip("2024-07-12"),
        slip("2024-07-16", "extension", "2024-07-10 09:00"),
        slip("2024-07-19", "correction", "2024-07-16 09:00"),
    ]
    assert benchmark(OWN_CLOCK, slips) == "2024-07-19 17:00"


@pytest.mark.parametrize("cause", ["apology", "first"])
def test_an_apology_and_a_second_first_slip_never_move_it(cause: AppointmentCause) -> None:
    slips = [slip("2024-07-12"), slip("2024-07-25", cause, "2024-07-10 09:00")]
    assert benchmark(OWN_CLOCK, slips) == "2024-07-12 17:00"


def test_an_apology_alone_gives_no_benchmark() -> None:
    found = judged(OWN_CLOCK, [slip("2024-07-12", "apology")])
    assert [d.kind for d in found] == ["appointment", "committed"]


def test_the_appointment_is_the_last_slip_as_printed() -> None:
    slips = [slip("2024-07-12"), slip("2024-07-25", "apology", "2024-07-10 09:00")]
    found = one(judged(OWN_CLOCK, slips, pause("2024-07-03 09:00", "2024-07-05 09:00")), "appointment")
    assert wall(found.due_at) == "2024-07-25 17:00"
    assert told(found) == ["printed on the slip: 2024-07-25, due at its closing time"]


@pytest.mark.parametrize(
    ("stops", "met"),
    [
        (
            {"ready_at": "2024-07-12 17:00", "issued_at": "2024-07-11 09:00", "ended_at": "2024-07-13 09:00"},
            "2024-07-12 17:00",
        ),
        ({"issued_at": "2024-07-11 09:00", "ended_at": "2024-07-13 09:00"}, "2024-07-11 09:00"),
        ({"ended_at": "2024-07-13 09:00"}, "2024-07-13 09:00"),
    ],
)
def test_the_appointment_is_judged_when_the_result_is_ready_else_issued_else_at_the_end(
    stops: dict[str, str], met: str
) -> None:
    stopped_at = {name: at(text) for name, text in stops.items()}
    found = judged(OWN_CLOCK, [slip("2024-07-12")], **stopped_at)  # type: ignore[arg-type] # `now` is not among them
    for kind in ("appointment", "benchmark"):
        assert one(found, kind).met_at == at(met)
        assert one(found, kind).late == (met > "2024-07-12 17:00")


@pytest.mark.parametrize(
    ("stops", "met"),
    [
        ({"issued_at": "2024-07-11 09:00"}, None),
        ({"issued_at": "2024-07-11 09:00", "ready_at": "2024-07-12 17:01"}, "2024-07-12 17:01"),
        ({"issued_at": "2024-07-11 09:00", "ended_at": "2024-07-13 09:00"}, "2024-07-11 09:00"),
        ({"issued_at": "2024-07-11 09:00", "ended_at": "2024-08-01 09:00"}, None),
        ({"ended_at": "2024-07-13 09:00"}, "2024-07-13 09:00"),
    ],
)
def test_where_an_action_makes_it_ready_an_issued_result_has_not_met_the_appointment_of_an_open_dossier(
    stops: dict[str, str], met: str | None
) -> None:
    made = clock(
        f"{PAUSES}states: {{open: {{}}}}\nactions: {{make_ready: {{milestone: ready, moves: [{{from: any}}]}}}}"
    )
    stopped_at = {name: at(text) for name, text in stops.items()}
    found = judged(made, [slip("2024-07-12")], **stopped_at)  # type: ignore[arg-type] # `now` is not among them
    for kind in ("appointment", "benchmark"):
        assert one(found, kind).met_at == (None if met is None else at(met))
        assert one(found, kind).late == ((met or "2024-07-31") > "2024-07-12 17:00")


def test_an_open_pause_leaves_the_benchmark_standing() -> None:
    still = pause("2024-07-03 09:00", None)
    found = one(judged(OWN_CLOCK, [slip("2024-07-12")], still, now="2024-07-05 09:00"), "benchmark")
    assert (wall(found.due_at), found.open_pause, found.late) == ("2024-07-16 17:00", True, False)


def test_a_dossier_without_a_slip_has_neither() -> None:
    assert [d.kind for d in judged(OWN_CLOCK, [])] == ["committed"]


def test_only_the_shift_follows_a_later_announcement() -> None:
    later = calendar("[{date: 2024-07-15, kind: off, announced: 2024-07-11}]")
    made = clock(PAUSES, given=later)
    paused = pause("2024-07-03 09:00", "2024-07-04 09:00")
    assert benchmark(made, [slip("2024-07-12")], paused, now="2024-07-10 09:00") == "2024-07-15 17:00"
    assert benchmark(made, [slip("2024-07-12")], paused, now="2024-07-11 09:00") == "2024-07-16 17:00"


def test_the_sum_of_a_benchmark_tells_every_slip_and_stop() -> None:
    slips = [
        slip("2024-07-12"),
        slip("2024-07-16 11:00", "extension", "2024-07-10 09:00"),
        slip("2024-07-30", "after_supplement", "2024-07-11 09:00"),
        slip("2024-07-31", "correction", "2024-07-29 09:00"),
    ]
    pauses = pause("2024-07-11 10:00", "2024-07-12 09:00"), pause("2024-07-22 09:00", "2024-07-23 09:00")
    found = one(judged(OWN_CLOCK, slips, *pauses), "benchmark")
    assert told(found) == [
        "slip of 2024-07-10 09:00+07:00, extension: replaces the date",
        "slip of 2024-07-11 09:00+07:00, after_supplement: compared, moves nothing",
        "slip of 2024-07-29 09:00+07:00, correction: told when the date had passed, moves nothing",
        "printed on the slip",
        "stopped by papers from 2024-07-11 10:00+07:00 to 2024-07-12 09:00+07:00: 1 working days",
        "papers began at 2024-07-22 09:00+07:00, when the date had passed: moves nothing",
        f"counted by calendar {found.calendar}",
    ]
    assert wall(found.due_at) == "2024-07-17 11:00"


def test_the_rest_day_rule_is_applied_once_to_a_shifted_date() -> None:
    pauses = pause("2024-07-03 09:00", "2024-07-04 09:00"), pause("2024-07-05 09:00", "2024-07-06 09:00")
    found = one(judged(committed("dates"), [slip("2024-07-12")], *pauses), "benchmark")
    assert wall(found.due_at) == "2024-07-15 17:00"
    assert "2024-07-14 is a rest day: moves to the next working day" in told(found)
    assert benchmark(committed("dates"), [slip("2024-07-13")]) == "2024-07-13 23:59"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-07-14 10:00", "2024-07-17 10:00", "2024-07-17 17:00"),
        ("2024-07-15 10:00", "2024-07-17 10:00", "2024-07-17 17:00"),
        ("2024-07-14 10:00", "2024-07-20 10:00", "2024-07-22 17:00"),
        ("2024-07-15 17:00", "2024-07-17 10:00", "2024-07-15 17:00"),
    ],
)
def test_a_pause_begun_while_a_shifted_date_rolls_on_moves_it(start: str, end: str, expected: str) -> None:
    """Friday 12 July, moved two days by the first pause, is a Sunday and rolls to Monday the 15th."""
    pauses = pause("2024-07-03 09:00", "2024-07-05 09:00"), pause(start, end)

    assert benchmark(committed("dates"), [slip("2024-07-12")], *pauses) == expected
