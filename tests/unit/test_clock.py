"""Due dates with known answers: swaps, rest days, cut-offs, summer time, and what each limit counts from."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest
from clockmaking import ROME, at, clock, dossier, due, limited, total, wall

from workflow.clocks import counters
from workflow.model import ExtensionTaken, PauseTaken, PhaseRun, TaskRun

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("received", "days", "expected"),
    [
        ("2018-12-28 09:00", 1, "2019-01-02 17:00"),
        ("2018-12-28 09:00", 4, "2019-01-05 17:00"),
        ("2019-04-26 09:00", 1, "2019-05-02 17:00"),
        ("2019-04-26 09:00", 3, "2019-05-04 17:00"),
        ("2024-04-26 09:00", 1, "2024-05-02 17:00"),
        ("2024-04-26 09:00", 3, "2024-05-04 17:00"),
        ("2025-04-25 09:00", 1, "2025-04-26 17:00"),
        ("2025-04-25 09:00", 4, "2025-05-05 17:00"),
        ("2025-12-31 09:00", 1, "2026-01-05 17:00"),
        ("2025-12-31 09:00", 6, "2026-01-10 17:00"),
        ("2026-08-21 09:00", 1, "2026-08-22 17:00"),
        ("2026-08-28 09:00", 1, "2026-09-03 17:00"),
    ],
)
def test_working_days_follow_the_swapped_days(received: str, days: int, expected: str) -> None:
    assert total(days, "days", received) == expected


@pytest.mark.parametrize(
    ("received", "days", "expected"),
    [("2019-12-30 09:00", 20, "2020-02-04 17:00"), ("2026-02-12 09:00", 2, "2026-02-23 17:00")],
)
def test_a_count_crosses_new_year_and_tet(received: str, days: int, expected: str) -> None:
    assert total(days, "days", received) == expected


@pytest.mark.parametrize(
    ("counts", "number", "expected"),
    [
        ("days", 0, "2024-07-08 17:00"),
        ("days", 1, "2024-07-08 17:00"),
        ("days-included", 1, "2024-07-08 17:00"),
        ("days-included", 2, "2024-07-09 17:00"),
        ("days-cut", 1, "2024-07-09 17:00"),
        ("hours", 8, "2024-07-08 17:00"),
        ("dates", 1, "2024-07-08 23:59"),
        ("dates-stay", 1, "2024-07-07 23:59"),
    ],
)
def test_a_receipt_on_saturday(counts: str, number: int, expected: str) -> None:
    assert total(number, counts, "2024-07-06 09:00") == expected


@pytest.mark.parametrize(
    ("counts", "number", "received", "expected"),
    [
        ("days-cut", 1, "2024-07-09 14:59", "2024-07-10 17:00"),
        ("days-cut", 1, "2024-07-09 15:00", "2024-07-11 17:00"),
        ("hours-cut", 8, "2024-07-09 14:59", "2024-07-10 14:59"),
        ("hours-cut", 8, "2024-07-09 15:00", "2024-07-10 17:00"),
        ("hours-cut", 0, "2024-07-09 15:00", "2024-07-10 07:00"),
        ("days-cut", 0, "2024-04-26 15:00", "2024-05-02 17:00"),
    ],
)
def test_the_cut_off_at_15_00(counts: str, number: int, received: str, expected: str) -> None:
    assert total(number, counts, received) == expected


@pytest.mark.parametrize(
    ("counts", "number", "expected"),
    [
        ("days", 1, "2024-07-02 17:00"),
        ("days-late", 2, "2024-07-02 17:00"),
        ("days-late", 1, "2024-07-01 17:00"),
        ("dates-stay", 1, "2024-07-02 23:59"),
        ("dates-included", 1, "2024-07-01 23:59"),
        ("dates-late", 2, "2024-07-02 23:59"),
        ("elapsed", 48, "2024-07-03 10:00"),
        ("hours", 5, "2024-07-01 17:00"),
    ],
)
def test_each_unit_from_a_monday_morning(counts: str, number: int, expected: str) -> None:
    assert total(number, counts, "2024-07-01 10:00") == expected


def test_midnight_counts_as_the_day_it_begins() -> None:
    made = limited(1, "dates-stay")
    midnight = at("2024-07-02 00:00")
    assert due(made, dossier(midnight)) == "2024-07-03 23:59"
    assert due(made, dossier(midnight - MICROSECOND)) == "2024-07-02 23:59"


def test_a_calendar_day_ends_with_its_last_microsecond() -> None:
    limit = limited(1, "dates-stay").limits["total"]
    found = limit.due(dossier(at("2024-07-01 10:00")), at("2024-07-01 10:00"), None)
    assert found == at("2024-07-03 00:00") - MICROSECOND


@pytest.mark.parametrize(
    ("counts", "received", "expected"),
    [
        ("dates", "2024-06-06 09:00", "2024-07-08 23:59"),
        ("dates-stay", "2024-06-06 09:00", "2024-07-06 23:59"),
        ("dates", "2024-03-30 09:00", "2024-05-02 23:59"),
        ("dates", "2024-04-04 09:00", "2024-05-04 23:59"),
    ],
)
def test_a_period_of_30_days_that_ends_on_a_rest_day(counts: str, received: str, expected: str) -> None:
    assert total(30, counts, received) == expected


def test_without_a_calendar_saturday_and_sunday_are_the_rest_days() -> None:
    made = limited(30, "dates", bare=True)
    assert due(made, dossier(at("2024-06-06 09:00"))) == "2024-07-08 23:59"
    assert due(made, dossier(at("2024-03-31 09:00"))) == "2024-04-30 23:59"


@pytest.mark.parametrize(
    ("received", "hours", "dates"),
    [
        ("2024-03-30 12:00", "2024-03-31 13:00", "2024-03-31 23:59"),
        ("2024-10-26 12:00", "2024-10-27 11:00", "2024-10-27 23:59"),
    ],
)
def test_a_day_of_24_hours_and_a_calendar_day_part_at_the_change_of_summer_time(
    received: str, hours: str, dates: str
) -> None:
    subject = dossier(at(received, ROME))
    for counts, number, expected in (("elapsed", 24, hours), ("dates-stay", 1, dates)):
        made = limited(number, counts, zone="Europe/Rome", bare=True)
        assert due(made, subject, zone=ROME) == expected


def test_equal_to_the_minute_is_in_time_or_late_as_the_limit_says() -> None:
    instant = at("2024-07-01 17:00")
    in_time, late = limited(6, "hours").limits["total"], limited(6, "hours-late").limits["total"]
    assert not in_time.late(instant, instant)
    assert in_time.late(instant + MICROSECOND, instant)
    assert late.late(instant, instant)
    assert not late.late(instant - MICROSECOND, instant)


def test_where_the_nth_day_is_too_late_the_day_before_is_good_to_its_end() -> None:
    limit = limited(90, "dates-late").limits["total"]
    start = at("2024-01-01 00:00")
    end = limit.due(dossier(start), start, None)
    assert end == at("2024-03-31 00:00") - MICROSECOND
    assert not limit.late(at("2024-03-30 23:59"), end)
    assert limit.late(at("2024-03-31 00:00"), end)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("2024-04-11 23:59", "2024-04-29 17:00"),
        ("2024-04-12 00:00", "2024-05-02 17:00"),
        (None, "2024-05-02 17:00"),
    ],
)
def test_a_due_date_follows_what_was_announced_on_12_april_2024(known: str | None, expected: str) -> None:
    made = limited(12, "days")
    assert due(made, dossier(at("2024-04-10 09:00")), known=at(known) if known else None) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [("2025-12-24 23:59", "2026-01-02 17:00"), ("2025-12-25 00:00", "2026-01-05 17:00")],
)
def test_a_due_date_follows_what_was_announced_on_25_december_2025(known: str, expected: str) -> None:
    assert due(limited(8, "days"), dossier(at("2025-12-22 09:00")), known=at(known)) == expected


def test_the_same_question_has_the_same_answer_when_asked_again() -> None:
    made, subject = limited(12, "days"), dossier(at("2024-04-10 00:00"))
    asked = [due(made, subject, known=at(known)) for known in ("2024-04-11 00:00", "2024-04-13 00:00") * 2]
    assert asked == ["2024-04-29 17:00", "2024-05-02 17:00"] * 2


def test_due_instants_are_told_in_utc_whatever_zone_the_receipt_came_in() -> None:
    limit = limited(6, "hours").limits["total"]
    received = at("2024-07-01 10:00")
    found = [limit.due(dossier(anchor), anchor, None) for anchor in (received, received.astimezone(UTC))]
    assert found[0] == found[1]
    assert {each.tzinfo for each in found if each is not None} == {UTC}


def test_a_unit_kind_of_the_procedure_counts_by_its_own_hours() -> None:
    made = clock("units: [phu-loi-ward-pasc]\nlimits: {total: {within: 1, counts: days}}")
    assert due(made, dossier(at("2024-07-01 10:00"))) == "2024-07-02 18:00"
    assert due(made, dossier(at("2024-07-01 10:00"), unit="elsewhere")) == "2024-07-02 18:00"


def test_an_extension_adds_to_its_limit_alone() -> None:
    made = clock("limits: {total: {within: 5, counts: days}, other: {within: 5, counts: days}}")
    taken = (
        ExtensionTaken("total", 3, at("2024-07-02 09:00")),
        ExtensionTaken("total", 1, at("2024-07-03 09:00")),
    )
    subject = dossier(at("2024-07-01 10:00"), extensions=taken)
    assert due(made, subject) == "2024-07-12 17:00"
    assert due(made, subject, "other") == "2024-07-08 17:00"


CHOICE = """
registers: {group: {type: text}, fast: {type: flag}}
limits:
  by-group: {within: {register: group, values: {I: 45, II: 30}}, counts: dates-stay}
  by-flag: {within: {register: fast, values: {"true": 1}, otherwise: 3}, counts: dates-stay}
"""


def test_a_number_is_chosen_by_a_register() -> None:
    made, received = clock(CHOICE), at("2024-07-01 10:00")
    group_one = dossier(received, registers=["I", True])
    assert due(made, group_one, "by-group") == "2024-08-15 23:59"
    assert due(made, group_one, "by-flag") == "2024-07-02 23:59"
    assert due(made, dossier(received, registers=["II", False]), "by-flag") == "2024-07-04 23:59"


@pytest.mark.parametrize("group", [None, "III"])
def test_a_register_without_a_choice_gives_no_limit(group: str | None) -> None:
    limit = clock(CHOICE).limits["by-group"]
    received = at("2024-07-01 10:00")
    assert limit.due(dossier(received, registers=[group, None]), received, None) is None


GIVEN = """
registers: {until: {type: date}, moment: {type: time}}
limits:
  by-date: {binds: {end: any}, until: until, counts: given}
  by-time: {binds: {end: any}, until: moment, counts: given}
"""


def test_a_given_date_is_due_at_its_end_and_a_given_time_at_its_instant() -> None:
    made = clock(GIVEN)
    moment = at("2024-07-05 11:00")
    subject = dossier(registers=[date(2024, 7, 6), moment])
    assert due(made, subject, "by-date") == "2024-07-06 23:59"
    assert due(made, subject, "by-time") == "2024-07-05 11:00"


def test_a_given_date_that_is_not_told_yet_gives_no_limit() -> None:
    assert clock(GIVEN).limits["by-date"].anchor(dossier(registers=[None, None])) is None


ANCHORS = """
states: {open: {limit: {within: 1, counts: elapsed}}, later: {}, closed: {final: true}}
actions:
  ask: {moves: [{from: [open], to: later}]}
  begin: {moves: [{from: [open]}]}
  close: {moves: [{from: [later], to: closed}]}
phases: {first: {starts: [begin]}, second: {starts: [ask]}}
limits:
  from-first: {from: {action: ask}, within: 1, counts: elapsed}
  from-last: {from: {action: ask, which: last}, within: 1, counts: elapsed}
  from-entering: {from: {entering: later}, within: 1, counts: elapsed}
  from-submission: {from: {milestone: submitted}, within: 1, counts: elapsed}
  from-issue: {from: {milestone: issued}, within: 1, counts: elapsed}
  stay: {binds: {state: later}, within: 1, counts: elapsed}
  phase: {binds: {phase: second}, within: 1, counts: elapsed}
"""
HOURS = [at(f"2024-07-01 {hour:02}:00") for hour in range(24)]


def test_each_limit_counts_from_its_own_anchor() -> None:
    made = clock(ANCHORS)
    subject = dossier(
        HOURS[1],
        state="later",
        since=HOURS[2],
        firsts=[HOURS[3]],
        lasts=[HOURS[4]],
        submitted_at=HOURS[5],
        issued_at=HOURS[6],
        phases=(PhaseRun("second", HOURS[7], HOURS[8]), PhaseRun("second", HOURS[9])),
    )
    found = {rule: limit.anchor(subject) for rule, limit in made.limits.items()}
    assert found == {
        "from-first": HOURS[3],
        "from-last": HOURS[4],
        "from-entering": HOURS[2],
        "from-submission": HOURS[5],
        "from-issue": HOURS[6],
        "stay": HOURS[2],
        "phase": HOURS[9],
        "step/open": None,
    }


def test_an_anchor_that_is_not_known_gives_no_deadline() -> None:
    subject = dossier()
    assert [limit.anchor(subject) for limit in clock(ANCHORS).limits.values()] == [None] * 8


@pytest.mark.parametrize(
    ("milestone", "hour"),
    [
        ("received", 1),
        ("ready", 2),
        ("paused", 5),
        ("resumed", 6),
        ("extended", 7),
        ("returned", 8),
        ("rejected", None),
    ],
)
def test_a_limit_may_count_from_any_milestone(milestone: str, hour: int | None) -> None:
    made = clock(f"limits: {{total: {{from: {{milestone: {milestone}}}, within: 1, counts: elapsed}}}}")
    subject = dossier(
        HOURS[1],
        ready_at=HOURS[2],
        pauses=(PauseTaken("a", HOURS[3], HOURS[4]), PauseTaken("a", HOURS[5], HOURS[6])),
        extensions=(ExtensionTaken("other", 1, HOURS[7]),),
        ended_at=HOURS[8],
        ended_by="returned",
    )
    assert made.limits["total"].anchor(subject) == (None if hour is None else HOURS[hour])


def test_the_limit_of_a_task_counts_from_the_last_asking_where_no_run_is_named() -> None:
    made = clock("""
states: {open: {tasks: {tax: {asked: close, answered: close, limit: {within: 1, counts: elapsed}}}}, closed: {}}
actions: {close: {moves: [{from: [open], to: closed}]}}
""")
    runs = (
        TaskRun("open", "tax", "a", HOURS[1]),
        TaskRun("open", "tax", "b", HOURS[2]),
        TaskRun("open", "fee", "a", HOURS[3]),
    )
    assert made.limits["task/open/tax"].anchor(dossier(tasks=runs)) == HOURS[2]


def test_a_full_memory_is_emptied_and_the_answers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MEMO_MAX", 2)
    made = limited(1, "days")
    found = [due(made, dossier(at(f"2024-07-{day:02} 00:00"))) for day in (1, 2, 3, 4, 1)]
    assert found == [f"2024-07-{day:02} 17:00" for day in (2, 3, 4, 5, 2)]
    counts = made.limits["total"].counts
    assert counts is not None
    assert 1 <= len(counts.at(None, None).dues(1)) <= 2


def test_a_guard_counts_a_time_of_its_own() -> None:
    made = limited(1, "days")
    hours = made.counting("hours")
    assert wall(made.due_within(hours, 5, at("2024-07-01 10:00"), None, None)) == "2024-07-01 17:00"
    assert made.counting(hours) == hours
