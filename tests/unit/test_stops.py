"""What stops a clock: pauses, caps, restarts, excluded tasks, united; and the sums that tell it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from clockmaking import PAUSES, at, clock, dossier, due, limited, made, pause, told, wall

from workflow.clocks.stops import Moment
from workflow.model import ExtensionTaken, PauseTaken, PhaseRun, TaskRun

if TYPE_CHECKING:
    from workflow.clocks.clock import Clock
    from workflow.model import Dossier


def stopped(within: int, counts: str, received: str, *pauses: PauseTaken, **more: Any) -> str:
    return due(made(within, counts), dossier(at(received), pauses=pauses), **more)


ACROSS_THE_SWAP = pause("2024-04-26 10:00", "2024-05-03 10:00")


@pytest.mark.parametrize(
    ("counts", "number", "expected"),
    [
        ("days", 5, "2024-05-04 17:00"),
        ("hours", 40, "2024-05-04 09:00"),
        ("dates", 7, "2024-05-06 23:59"),
        ("dates-stay", 7, "2024-05-06 23:59"),
        ("elapsed", 168, "2024-05-06 09:00"),
    ],
)
def test_a_pause_across_the_holidays_of_april_2024(counts: str, number: int, expected: str) -> None:
    assert stopped(number, counts, "2024-04-22 09:00", ACROSS_THE_SWAP) == expected


@pytest.mark.parametrize(
    ("counts", "start", "end", "expected"),
    [
        ("dates", "2024-07-06 10:00", "2024-07-10 10:00", "2024-07-10 23:59"),
        ("dates", "2024-07-07 10:00", "2024-07-10 10:00", "2024-07-10 23:59"),
        ("dates", "2024-07-08 10:00", "2024-07-10 10:00", "2024-07-10 23:59"),
        ("dates", "2024-07-08 23:59", "2024-07-09 00:01", "2024-07-09 23:59"),
        ("dates", "2024-07-07 10:00", "2024-07-08 10:00", "2024-07-08 23:59"),
        ("dates", "2024-07-07 10:00", "2024-07-07 12:00", "2024-07-08 23:59"),
        ("dates", "2024-07-08 10:00", "2024-07-13 10:00", "2024-07-15 23:59"),
        ("dates", "2024-07-09 00:00", "2024-07-10 10:00", "2024-07-08 23:59"),
        ("dates-stay", "2024-07-07 10:00", "2024-07-10 10:00", "2024-07-06 23:59"),
    ],
)
def test_a_pause_begun_while_a_rest_day_rolls_on_begins_within_the_period(
    counts: str, start: str, end: str, expected: str
) -> None:
    """Five days from Monday 1 July end on Saturday, the period so on Monday 8 July."""
    assert stopped(5, counts, "2024-07-01 09:00", pause(start, end)) == expected


def test_a_pause_begun_earlier_or_ended_later_never_brings_the_date_forward() -> None:
    """Begun at each hour from Friday to Tuesday, ended each half day after; due on Saturday, and so on Monday."""
    limit, received = made(5, "dates").limits["total"], at("2024-07-01 09:00")
    friday, ends = (
        at("2024-07-05 00:00"),
        [at("2024-07-06 06:00") + n * timedelta(hours=12) for n in range(24)],
    )

    def reached(start: datetime, end: datetime) -> datetime:
        found = limit.due(dossier(received, pauses=(PauseTaken("papers", start, end),)), received, None)
        assert found is not None
        return found

    table = [
        [reached(start, max(start, end)) for start in (friday + n * timedelta(hours=1) for n in range(120))]
        for end in ends
    ]
    assert all(row == sorted(row, reverse=True) for row in table)
    assert all([*column] == sorted(column) for column in zip(*table, strict=True))


def test_a_second_pause_counts_from_the_day_the_first_one_rolled_on_to() -> None:
    both = pause("2024-07-08 10:00", "2024-07-13 10:00"), pause("2024-07-15 08:00", "2024-07-16 09:00")

    assert stopped(5, "dates", "2024-07-01 09:00", *both) == "2024-07-16 23:59"


def test_the_sum_tells_that_the_last_day_rolled_on_when_the_pause_began() -> None:
    stopped_then = dossier(at("2024-07-01 09:00"), pauses=(pause("2024-07-07 10:00", "2024-07-13 10:00"),))
    (found,) = made(5, "dates").deadlines(stopped_then, at=at("2024-07-16 09:00"), explain=True)

    assert told(found)[2:4] == [
        (
            "papers began at 2024-07-07 10:00+07:00, while the last day rolled on: "
            "it is the one on which the clock runs again, 2024-07-13 10:00+07:00"
        ),
        "2024-07-13 is a rest day: moves to the next working day",
    ]
    assert wall(found.due_at) == "2024-07-15 23:59"


def test_an_open_pause_begun_while_a_rest_day_rolls_on_holds_the_date() -> None:
    held = dossier(at("2024-07-01 09:00"), pauses=(pause("2024-07-07 10:00"),))

    (deadline,) = made(5, "dates").deadlines(held, at=at("2024-07-11 09:00"))
    assert (wall(deadline.due_at), deadline.open_pause, deadline.late) == ("2024-07-11 23:59", True, False)


def test_the_rest_day_rule_is_applied_once_after_the_stops() -> None:
    friday_to_saturday = pause("2024-07-02 10:00", "2024-07-03 10:00")
    assert stopped(4, "dates", "2024-07-01 09:00", friday_to_saturday) == "2024-07-08 23:59"
    assert stopped(4, "dates-stay", "2024-07-01 09:00", friday_to_saturday) == "2024-07-06 23:59"


def test_a_stop_before_the_receipt_is_cut_at_it() -> None:
    early = pause("2024-06-24 09:00", "2024-07-02 09:00")
    assert stopped(2, "days", "2024-07-01 09:00", early) == "2024-07-04 17:00"
    assert stopped(2, "days", "2024-07-03 09:00", early) == "2024-07-05 17:00"


@pytest.mark.parametrize(
    ("start", "expected"),
    [("2024-07-03 16:59", "2024-07-05 17:00"), ("2024-07-03 17:00", "2024-07-03 17:00")],
)
def test_a_stop_moves_the_date_only_if_it_begins_before_it(start: str, expected: str) -> None:
    assert stopped(2, "days", "2024-07-01 09:00", pause(start, "2024-07-05 09:00")) == expected


def test_a_stop_that_begins_before_the_moved_date_moves_it_further() -> None:
    pauses = pause("2024-07-02 09:00", "2024-07-04 09:00"), pause("2024-07-05 08:00", "2024-07-08 09:00")
    assert stopped(2, "days", "2024-07-01 09:00", *pauses) == "2024-07-08 17:00"
    assert stopped(2, "days", "2024-07-01 09:00", pauses[1]) == "2024-07-03 17:00"


def test_two_stops_that_touch_on_one_date_count_it_once() -> None:
    pauses = pause("2024-07-02 09:00", "2024-07-03 10:00"), pause("2024-07-03 14:00", "2024-07-04 09:00")
    assert stopped(5, "days", "2024-07-01 09:00", *pauses) == "2024-07-10 17:00"


def test_a_pause_within_a_day_moves_hours_and_no_day() -> None:
    short = pause("2024-07-01 10:00", "2024-07-01 14:00")
    assert stopped(5, "days", "2024-07-01 09:00", short) == "2024-07-08 17:00"
    assert stopped(6, "hours", "2024-07-01 09:00", short) == "2024-07-02 09:00"


def test_a_pause_beyond_its_permitted_number_stops_nothing() -> None:
    assert (
        stopped(2, "days", "2024-07-01 09:00", pause("2024-07-02 09:00", "2024-07-09 09:00", counts=False))
        == "2024-07-03 17:00"
    )


def test_a_cap_lets_the_clock_run_again() -> None:
    long = pause("2024-07-02 09:00", "2024-07-31 09:00", "fee")
    assert stopped(5, "days", "2024-07-01 09:00", long) == "2024-07-10 17:00"
    assert (
        stopped(5, "days", "2024-07-01 09:00", pause("2024-07-02 09:00", "2024-07-03 09:00", "fee"))
        == "2024-07-09 17:00"
    )


@pytest.mark.parametrize("counts", ["days", "days-included", "days-late", "hours", "dates", "elapsed"])
@pytest.mark.parametrize("within", [2, 3, 10])
def test_a_pause_stops_the_clock_up_to_its_cap_to_the_minute(counts: str, within: int) -> None:
    """Begun every seven hours of a fortnight with its weekends, ended up to a day around its cap and long after it."""
    cap = f"pauses: {{fee: {{cap: {{within: {within}, counts: {counts}}}}}}}\n"
    received, total = at("2024-07-01 09:00"), made(900, "elapsed", pauses=cap).limits["total"]
    counted = limited(within, counts).limits["total"]
    for start in (received + n * timedelta(hours=7) for n in range(48)):
        capped_at = counted.due(dossier(start), start, None)
        assert capped_at is not None
        for beyond in (-60, -1, 0, 1, 60, 12 * 60, 24 * 60, 30 * 24 * 60):
            end = capped_at + timedelta(minutes=beyond)
            taken = PauseTaken("fee", start, max(end, start))
            stopped_for = max(min(end, capped_at) - start, timedelta())
            found = total.due(dossier(received, pauses=(taken,)), received, None)
            assert found == received + timedelta(hours=900) + stopped_for


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2024-07-02 18:00", "2024-07-08 17:00"),
        ("2024-07-03 18:00", "2024-07-09 17:00"),
        ("2024-08-30 18:00", "2024-07-10 17:00"),
    ],
)
def test_an_open_pause_reaches_to_the_moment_asked_about_and_to_its_cap(moment: str, expected: str) -> None:
    assert (
        stopped(5, "days", "2024-07-01 09:00", pause("2024-07-02 09:00", name="fee"), known=at(moment))
        == expected
    )


def test_an_open_pause_has_moved_nothing_where_no_moment_is_named() -> None:
    assert stopped(5, "days", "2024-07-01 09:00", pause("2024-07-02 09:00")) == "2024-07-08 17:00"


def test_a_restarting_pause_counts_anew_from_its_end() -> None:
    again = pause("2024-07-02 09:00", "2024-07-10 09:00", "appraisal")
    before = pause("2024-07-01 10:00", "2024-07-02 08:00")
    after = pause("2024-07-11 09:00", "2024-07-12 09:00")
    assert stopped(5, "days", "2024-07-01 09:00", before, again, after) == "2024-07-18 17:00"


def test_the_last_restart_counts() -> None:
    first = pause("2024-07-02 09:00", "2024-07-10 09:00", "appraisal")
    last = pause("2024-07-11 09:00", "2024-07-15 09:00", "appraisal")
    assert stopped(5, "days", "2024-07-01 09:00", last, first) == "2024-07-22 17:00"


def test_a_restarting_pause_begun_after_the_limit_was_missed_takes_no_lateness_away() -> None:
    at_the_due_instant = pause("2024-07-08 17:00", "2024-07-10 09:00", "appraisal")
    just_before = pause("2024-07-08 16:59", "2024-07-10 09:00", "appraisal")
    assert stopped(5, "days", "2024-07-01 09:00", at_the_due_instant) == "2024-07-08 17:00"
    assert stopped(5, "days", "2024-07-01 09:00", just_before) == "2024-07-17 17:00"


def test_a_pause_that_moved_the_date_lets_a_later_one_restart_it() -> None:
    standing = pause("2024-07-05 09:00", "2024-07-12 09:00")
    inside, beyond = (pause(f"2024-07-{day} 09:00", "2024-07-15 09:00", "appraisal") for day in (11, 16))
    assert stopped(5, "days", "2024-07-01 09:00", standing, inside) == "2024-07-22 17:00"
    assert stopped(5, "days", "2024-07-01 09:00", standing, beyond) == "2024-07-15 17:00"


def test_the_cut_off_holds_for_a_restart_too() -> None:
    again = pause("2024-07-02 09:00", "2024-07-10 15:00", "appraisal")
    assert stopped(5, "days-cut", "2024-07-01 09:00", again) == "2024-07-18 17:00"


def test_an_open_restarting_pause_is_a_stop_like_any_other() -> None:
    still = pause("2024-07-02 09:00", name="appraisal")
    assert stopped(5, "days", "2024-07-01 09:00", still, known=at("2024-07-04 09:00")) == "2024-07-10 17:00"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (", stops_for: none", "2024-07-03 17:00"),
        (", stops_for: [fee]", "2024-07-03 17:00"),
        (", stops_for: [papers]", "2024-07-04 17:00"),
        ("", "2024-07-04 17:00"),
    ],
)
def test_only_the_stops_a_limit_names_stop_it(more: str, expected: str) -> None:
    subject = dossier(at("2024-07-01 09:00"), pauses=(pause("2024-07-02 09:00", "2024-07-03 09:00"),))
    assert due(made(2, "days", more), subject) == expected


def test_a_restart_the_limit_does_not_name_leaves_it_alone() -> None:
    subject = dossier(
        at("2024-07-01 09:00"), pauses=(pause("2024-07-02 09:00", "2024-07-03 09:00", "appraisal"),)
    )
    assert due(made(2, "days", ", stops_for: [papers]"), subject) == "2024-07-03 17:00"


def test_the_next_phase_counts_from_the_end_of_the_pause() -> None:
    two = clock("""
pauses: {fee: {on_resume: next_phase}}
phases: {check: {starts: [close]}, supply: {starts: [close]}}
limits:
  check: {binds: {phase: check}, within: 5, counts: days}
  supply: {binds: {phase: supply}, within: 2, counts: days}
""")
    resumed = at("2024-07-10 09:00")
    runs = PhaseRun("check", at("2024-07-01 09:00"), resumed), PhaseRun("supply", resumed)
    subject = dossier(
        at("2024-07-01 09:00"), phases=runs, pauses=(pause("2024-07-03 09:00", "2024-07-10 09:00", "fee"),)
    )
    assert due(two, subject, "supply") == "2024-07-12 17:00"
    assert due(two, subject, "check") == "2024-07-15 17:00"


def test_an_extension_leaves_room_for_a_stop_that_would_have_come_too_late() -> None:
    late = pause("2024-07-05 09:00", "2024-07-08 09:00")
    subject = dossier(at("2024-07-01 09:00"), pauses=(late,))
    assert due(made(2, "days"), subject) == "2024-07-03 17:00"
    subject.extensions = (ExtensionTaken("total", 3, at("2024-07-03 09:00")),)
    assert due(made(2, "days"), subject) == "2024-07-09 17:00"


TASKS = """
states:
  open:
    tasks:
      tax: {asked: ask, answered: answer, clock: excluded}
      expert: {asked: ask, answered: answer, clock: excluded, limit: {within: 1, counts: days}, on_silence: SILENCE}
      tax-counted: {asked: ask, answered: answer, limit: {within: 1, counts: days}}
  closed: {final: true}
actions:
  ask: {moves: [{from: [open]}]}
  answer: {moves: [{from: [open]}]}
  close: {moves: [{from: [open], to: closed}]}
"""


def tasked(silence: str = "wait", more: str = "") -> Clock:
    return made(5, "days", more, pauses=PAUSES + TASKS.replace("SILENCE", silence))


def run(task: str, asked: str, answered: str | None = None, agency: str = "a", **more: Any) -> TaskRun:
    return TaskRun("open", task, agency, at(asked), at(answered) if answered else None, **more)


def waiting(*runs: TaskRun, **more: Any) -> Dossier:
    return dossier(at("2024-07-01 09:00"), tasks=runs, **more)


def test_overlapping_waits_and_pauses_are_united() -> None:
    subject = waiting(
        run("tax", "2024-07-02 09:00", "2024-07-04 09:00"),
        run("expert", "2024-07-03 09:00", "2024-07-05 09:00"),
        pauses=(pause("2024-07-02 14:00", "2024-07-03 14:00"),),
    )
    assert due(tasked(), subject) == "2024-07-11 17:00"


def test_a_wait_that_counts_stops_nothing() -> None:
    assert (
        due(tasked(), waiting(run("tax-counted", "2024-07-02 09:00", "2024-07-04 09:00")))
        == "2024-07-08 17:00"
    )


def test_a_wait_ends_with_its_recall_or_when_the_state_is_left() -> None:
    recalled = run("tax", "2024-07-02 09:00", recalled_at=at("2024-07-03 09:00"))
    left = run("tax", "2024-07-02 09:00", left_at=at("2024-07-04 09:00"))
    assert due(tasked(), waiting(recalled)) == "2024-07-09 17:00"
    assert due(tasked(), waiting(left)) == "2024-07-10 17:00"


@pytest.mark.parametrize(
    ("silence", "expected"),
    [("wait", "2024-07-12 17:00"), ("proceed", "2024-07-09 17:00"), ("reject", "2024-07-09 17:00")],
)
def test_silence_that_means_something_ends_the_wait_at_the_limit(silence: str, expected: str) -> None:
    silent = waiting(run("expert", "2024-07-02 09:00", "2024-07-08 09:00"))
    assert due(tasked(silence), silent) == expected


def test_a_task_is_named_in_stops_for_by_its_id() -> None:
    subject = waiting(
        run("tax", "2024-07-02 09:00", "2024-07-04 09:00"),
        run("expert", "2024-07-04 09:00", "2024-07-05 09:00"),
    )
    assert due(tasked("wait", ", stops_for: [expert]"), subject) == "2024-07-09 17:00"


def test_a_task_does_not_stop_its_own_limit_but_a_pause_does() -> None:
    limit = tasked().limits["task/open/expert"]
    asked = run("expert", "2024-07-02 09:00")
    now = at("2024-07-31 09:00")
    alone = limit.due(waiting(asked), asked.asked_at, now)
    paused = limit.due(
        waiting(asked, pauses=(pause("2024-07-03 09:00", "2024-07-04 09:00"),)), asked.asked_at, now
    )
    assert alone is not None and wall(alone) == "2024-07-03 17:00"  # noqa: PT018 - one instant
    assert paused is not None and wall(paused) == "2024-07-04 17:00"  # noqa: PT018 - one instant


def test_the_moment_asked_about_may_lie_apart_from_what_is_announced() -> None:
    limit = made(5, "days").limits["total"]
    subject = dossier(at("2024-04-22 09:00"), pauses=(pause("2024-04-24 09:00"),))
    known_before = limit.due_at(
        subject, at("2024-04-22 09:00"), Moment(at("2024-04-26 09:00"), at("2024-04-01 09:00"), None)
    )
    known_after = limit.due_at(subject, at("2024-04-22 09:00"), Moment(at("2024-04-26 09:00"), None, None))
    assert known_before is not None and wall(known_before) == "2024-05-03 17:00"  # noqa: PT018 - one instant
    assert known_after is not None and wall(known_after) == "2024-05-04 17:00"  # noqa: PT018 - one instant
