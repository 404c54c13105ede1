"""The deadlines of a dossier side by side: their kinds and order, what meets each, which calendar counts."""

from __future__ import annotations

import pytest
from clockmaking import at, clock, dossier, one, wall

from workflow.model import AppointmentTold, Deadline, PauseTaken, PhaseRun, TaskRun

FULL = """
states:
  open:
    limit: {within: 1, counts: days, basis: step}
    tasks: {tax: {asked: ask, answered: answer, limit: {within: 2, counts: days}}}
  drafted: {}
  closed: {final: true}
  refused: {final: true}
actions:
  ask: {moves: [{from: [open]}]}
  answer: {moves: [{from: [open]}]}
  draft: {moves: [{from: [open], to: drafted}]}
  close: {moves: [{from: [drafted], to: closed}]}
  refuse: {moves: [{from: any, to: refused}]}
phases: {check: {starts: [ask]}}
limits:
  draft-by: {binds: {action: draft}, within: 3, counts: days}
  answer-after-asking: {binds: {action: answer}, from: {action: ask}, within: 3, counts: days}
  legal: {binds: {end: any}, date: statutory, within: 15, counts: days, basis: "Law 1, art. 2"}
  promised: {binds: {end: any}, date: committed, within: 10, counts: days}
  archived: {binds: {end: [closed]}, within: 30, counts: days}
  checked: {binds: {phase: check}, within: 5, counts: days}
  asked-only-in-guards: {within: 1, counts: days}
"""
RECEIVED = at("2024-07-01 09:00")
SLIP = AppointmentTold(at("2024-07-12 11:00"), "first", RECEIVED)


def all_kinds(**more: object) -> tuple[Deadline, ...]:
    values: dict[str, object] = {
        "since": at("2024-07-02 09:00"),
        "phases": (PhaseRun("check", at("2024-07-02 09:00")),),
        "tasks": (TaskRun("open", "tax", "a", at("2024-07-02 10:00")),),
        "appointments": (SLIP,),
    }
    subject = dossier(RECEIVED, **(values | more))
    return clock(FULL).deadlines(subject, at=at("2024-07-03 09:00"))


def test_the_deadlines_stand_in_one_order_each_with_its_kind() -> None:
    assert [(d.kind, d.rule, wall(d.due_at)) for d in all_kinds()] == [
        ("appointment", "appointment", "2024-07-12 11:00"),
        ("benchmark", "appointment", "2024-07-12 11:00"),
        ("committed", "promised", "2024-07-15 17:00"),
        ("statutory", "legal", "2024-07-22 17:00"),
        ("limit", "archived", "2024-08-12 17:00"),
        ("limit", "draft-by", "2024-07-04 17:00"),
        ("step", "step/open", "2024-07-03 17:00"),
        ("phase", "checked", "2024-07-09 17:00"),
        ("task", "task/open/tax", "2024-07-04 17:00"),
    ]


def test_a_deadline_cites_its_basis_its_anchor_and_its_calendar() -> None:
    legal = one(all_kinds(), "statutory")
    assert (legal.basis, legal.starts_at) == ("Law 1, art. 2", RECEIVED)
    assert legal.calendar is not None
    assert legal.calendar.startswith("vn-can-tho@2024-04-12#")


def test_the_law_and_the_promise_are_met_when_the_dossier_is_issued() -> None:
    issued = at("2024-07-03 08:00")
    found = all_kinds(issued_at=issued)
    assert one(found, "committed").met_at == one(found, "statutory").met_at == issued
    assert [d.met_at for d in found if d.rule == "archived"] == [None]


def test_a_dossier_never_issued_is_judged_at_its_end() -> None:
    ended = at("2024-07-16 09:00")
    subject = dossier(RECEIVED, state="refused", ended_at=ended)
    found = clock(FULL).deadlines(subject, at=at("2024-12-01 09:00"))
    assert [(d.rule, d.met_at, d.late) for d in found] == [("promised", ended, True), ("legal", ended, False)]


def test_what_took_place_after_the_moment_asked_about_has_not_met_anything() -> None:
    found = all_kinds(issued_at=at("2024-07-09 08:00"), ended_at=at("2024-07-09 09:00"))
    assert one(found, "committed").met_at is None
    assert one(found, "step").rule == "step/open"


def test_an_open_dossier_is_late_against_the_moment_asked_about() -> None:
    made, subject = clock(FULL), dossier(RECEIVED)
    assert not one(made.deadlines(subject, at=at("2024-07-15 17:00")), "committed").late
    assert one(made.deadlines(subject, at=at("2024-07-15 17:01")), "committed").late


def test_an_ended_dossier_has_no_step_no_task_and_nothing_ahead() -> None:
    found = all_kinds(ended_at=at("2024-07-03 09:00"), state="closed")
    assert {d.kind for d in found} == {"appointment", "benchmark", "committed", "statutory", "limit", "phase"}
    assert [d.rule for d in found if d.kind == "limit"] == ["archived"]


def test_an_answered_task_has_no_deadline() -> None:
    answered = TaskRun("open", "tax", "a", at("2024-07-02 10:00"), at("2024-07-02 11:00"))
    assert "task" not in [d.kind for d in all_kinds(tasks=(answered,))]


def test_the_limit_of_an_action_that_can_no_longer_come_is_not_shown() -> None:
    subject = dossier(RECEIVED, state="drafted")
    assert "draft-by" not in [d.rule for d in clock(FULL).deadlines(subject, at=at("2024-07-03 09:00"))]


@pytest.mark.parametrize(("came", "shown"), [("2024-07-02 10:00", False), ("2024-07-02 08:00", True)])
def test_the_limit_of_an_action_that_came_since_its_anchor_is_not_shown(came: str, shown: bool) -> None:  # noqa: FBT001 - a case
    made = clock("""
actions:
  ask: {moves: [{from: [open]}]}
  answer: {moves: [{from: [open]}]}
  close: {moves: [{from: [open], to: closed}]}
states: {open: {}, closed: {final: true}}
limits:
  answer-by: {binds: {actions: [answer]}, from: {action: ask, which: last}, within: 3, counts: days}
""")
    asked = at("2024-07-02 09:00")
    subject = dossier(RECEIVED, firsts=[asked, at(came)], lasts=[asked, at(came)])
    found = [d.rule for d in made.deadlines(subject, at=at("2024-07-03 09:00"))]
    assert found == (["answer-by"] if shown else [])


def test_a_phase_is_met_by_its_end_or_by_the_issue_within_it() -> None:
    begun, ended, issued = at("2024-07-02 09:00"), at("2024-07-03 08:00"), at("2024-07-02 15:00")
    assert one(all_kinds(phases=(PhaseRun("check", begun, ended),)), "phase").met_at == ended
    assert (
        one(all_kinds(phases=(PhaseRun("check", begun, ended),), issued_at=issued), "phase").met_at == issued
    )
    assert one(all_kinds(phases=(PhaseRun("check", begun),), issued_at=issued), "phase").met_at == issued
    assert one(all_kinds(phases=(PhaseRun("check", begun),), issued_at=RECEIVED), "phase").met_at is None


def test_each_run_of_a_phase_is_timed_on_its_own() -> None:
    runs = PhaseRun("check", RECEIVED, at("2024-07-02 09:00")), PhaseRun("check", at("2024-07-03 08:00"))
    found = [d for d in all_kinds(phases=runs) if d.kind == "phase"]
    assert [(d.starts_at, wall(d.due_at)) for d in found] == [
        (RECEIVED, "2024-07-08 17:00"),
        (runs[1].started_at, "2024-07-10 17:00"),
    ]


def test_a_phase_limit_with_an_anchor_of_its_own_is_told_once() -> None:
    made = clock("""
phases: {check: {starts: [close]}}
limits: {checked: {binds: {phase: check}, from: {milestone: received}, within: 5, counts: days, date: statutory}}
""")
    runs = PhaseRun("check", RECEIVED, at("2024-07-02 09:00")), PhaseRun("check", at("2024-07-03 08:00"))
    found = made.deadlines(dossier(RECEIVED, phases=runs), at=at("2024-07-03 09:00"))
    assert [(d.kind, d.starts_at, d.met_at) for d in found] == [("statutory", RECEIVED, None)]


def test_a_clock_that_stands_says_so_until_its_cap() -> None:
    made = clock("""
pauses: {fee: {cap: {within: 2, counts: days}}}
limits: {total: {binds: {end: any}, within: 5, counts: days}}
""")
    subject = dossier(RECEIVED, pauses=(PauseTaken("fee", at("2024-07-02 09:00")),))
    standing = [
        one(made.deadlines(subject, at=at(moment)), "limit").open_pause
        for moment in ("2024-07-02 10:00", "2024-07-04 17:00", "2024-07-04 17:01")
    ]
    assert standing == [True, True, False]


@pytest.mark.parametrize(
    ("moment", "ended", "expected"),
    [
        ("2024-04-11 09:00", None, "2024-04-29 17:00"),
        ("2024-04-12 09:00", None, "2024-05-02 17:00"),
        ("2024-05-20 09:00", "2024-04-11 10:00", "2024-04-29 17:00"),
        ("2024-05-20 09:00", "2024-04-12 10:00", "2024-05-02 17:00"),
    ],
)
def test_an_open_dossier_is_counted_by_the_newest_calendar_and_a_closed_one_by_that_of_its_end(
    moment: str, ended: str | None, expected: str
) -> None:
    made = clock("limits: {total: {binds: {end: any}, within: 12, counts: days}}")
    subject = dossier(at("2024-04-10 09:00"), ended_at=at(ended) if ended else None)
    assert wall(one(made.deadlines(subject, at=at(moment)), "limit").due_at) == expected


def test_limits_are_found_by_what_they_bind() -> None:
    made = clock("""
states:
  open:
    limit: {within: 1, counts: days}
    tasks: {tax: {asked: ask, answered: answer, limit: {within: 1, counts: days}}}
  refused: {final: true}
  closed: {final: true}
actions:
  ask: {moves: [{from: [open]}]}
  answer: {moves: [{from: [open]}]}
  close: {moves: [{from: [open], to: closed}]}
phases: {first: {starts: [ask]}}
limits:
  all: {binds: {actions: any}, within: 1, counts: days}
  some: {binds: {actions: [ask, close]}, within: 1, counts: days}
  one: {binds: {action: close}, within: 1, counts: days}
  end: {binds: {end: any}, within: 1, counts: days}
  good: {binds: {end: [closed]}, within: 1, counts: days}
  phase: {binds: {phase: first}, within: 1, counts: days}
  stay: {binds: {state: open}, within: 1, counts: days}
""")

    def ids(found: tuple) -> list[str]:  # type: ignore[type-arg]
        return [limit.id for limit in found]

    assert ids(made.for_action("close")) == ["all", "some", "one"]
    assert ids(made.for_action("answer")) == ["all"]
    assert ids(made.for_end("closed")) == ["end", "good"]
    assert ids(made.for_end("refused")) == ["end"]
    assert ids(made.for_phase("first")) == ["phase"]
    assert ids(made.for_stay("open")) == ["stay", "step/open"]
    assert ids(made.for_task("open", "tax")) == ["task/open/tax"]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("a: {binds: {end: any}, %s}, b: {binds: {end: any}, headline: true, %s}", "b"),
        ("a: {binds: {end: any}, %s}, b: {binds: {phase: two}, %s}", "a"),
        ("a: {binds: {phase: one}, %s}, b: {binds: {phase: two}, %s}", "b"),
        ("a: {binds: {action: close}, %s}, b: {binds: {end: [open]}, %s}", None),
    ],
)
def test_the_headline_says_whether_a_dossier_ended_late(limits: str, expected: str | None) -> None:
    body = limits.replace("%s", "within: 1, counts: days")
    made = clock(f"phases: {{one: {{starts: [close]}}, two: {{starts: [close]}}}}\nlimits: {{{body}}}")
    headline = made.headline("closed")
    assert (headline.id if headline else None) == expected
