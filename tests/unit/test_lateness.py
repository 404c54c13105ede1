"""Each kind of alert about one dossier: when it is raised, to whom it goes and how it ends, reckoned by hand.

The office keeps 7 to 11 and 13 to 17 from Monday to Friday; 1 July 2024 is a Monday. Sources report within 15 minutes.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from clockmaking import at, calendar, can_tho, wall
from clockmaking import revision as written
from msgspec.structs import replace
from rotating import ORGANISATION

from workflow.alerts.lateness import explained, standing, watch
from workflow.alerts.life import say
from workflow.alerts.office import FAR, Office
from workflow.facts import Acted, Appointment, Fact
from workflow.fold import fold
from workflow.organisation import Standing
from workflow.procedure.language import Names
from workflow.rules import compile_rules
from workflow.sources import Cadence, SourceDefinition, Speakers

if TYPE_CHECKING:
    from workflow.alerts.life import Life
    from workflow.clocks.calendar import Calendar
    from workflow.messages import Alert, AlertSaid
    from workflow.model import Deadline

PROCEDURE = """
states:
  open: {}
  checking:
    role: expert
    limit: {within: 16, counts: hours}
    tasks:
      advice: {asked: ask, answered: answer, limit: {within: 2, counts: days}}
  waiting: {}
  approved: {}
  returned: {final: true}
actions:
  receive: {moves: [{from: [open], to: checking}], milestone: received}
  ask: {moves: [{from: [checking]}]}
  answer: {moves: [{from: any}]}
  apologise: {moves: [{from: any}]}
  suspend: {moves: [{from: [checking], to: waiting}], milestone: paused, pause: papers}
  resume: {moves: [{from: [waiting], to: checking}], milestone: resumed, pause: papers}
  issue: {moves: [{from: [checking]}], milestone: issued}
  approve: {moves: [{from: [checking], to: approved}], milestone: ready}
  return_result: {moves: [{from: [approved, checking], to: returned}], milestone: returned}
pauses: {papers: {cap: {within: 2, counts: days}}}
limits: {all: {binds: {end: any}, within: 5, counts: days, date: committed, from: {action: receive}}}
"""
UNIT = "branch-ninh-kieu"
HEAD = "branch-director@branch-ninh-kieu"
ABOVE = "land-registration-director@land-registration"
DIRECTOR = "director@can-tho-department"
GATE = SourceDefinition(
    source="gate",
    name=Names(vi="Cổng", en="Gate"),
    zone="UTC",
    authority="time",
    precision="second",
    reports="steps",
    cadence=Cadence(working_minutes=30, calendar="none"),
    delay_minutes=15,
    speakers=Speakers(principals=("gate",)),
    voids="own",
)
OFFICE = Office({"gate": GATE}, ORGANISATION, {"vn-can-tho": can_tho()})
MONDAY = "2024-07-01 08:00"


class Desk:
    """One dossier under an office: facts are heard when they take place, and it is looked at when it was told to."""

    def __init__(
        self,
        *,
        kind: str = "dossier",
        office: Office = OFFICE,
        calendar: Calendar | None = None,
        text: str = PROCEDURE,
    ) -> None:
        revision = replace(written(text), kind=kind)
        self.rules = compile_rules(revision, {"vn-can-tho": calendar or can_tho()})
        self.office = office
        self.facts: list[Fact] = []
        self.lives: dict[str, Life] = {}
        self.said: list[AlertSaid] = []
        self.next_at = FAR

    def tell(self, action: str, when: str, **more: Any) -> None:
        """An act is heard of at once."""
        body = Acted(action=action, procedure="p", unit=UNIT, **more)
        self.until(when)
        self.facts.append(Fact("D", "gate", f"{action}-{when}", at(when), body))
        self.look(at(when))

    def until(self, when: str) -> None:
        """Ticks at each moment that comes by then."""
        while self.next_at <= at(when):
            self.look(self.next_at)

    def look(self, now: datetime) -> None:
        judgment = fold(self.rules, "D", self.facts)
        rules = judgment.rules
        dates = rules.clock.deadlines(judgment.dossier, at=now)
        watched = watch(self.office, rules, judgment.dossier, dates, now)
        said = {name: life.alert.rung for name, life in self.lives.items() if life.state != "retracted"}
        found, next_at = standing(self.office, rules, judgment.dossier, watched, now, said=said)
        assert next_at > now
        self.next_at = next_at
        spoken = say(self.lives, found, now)
        self.lives |= {life.alert.id: life for life in spoken.lives}
        self.said += spoken.said

    def dates(self, when: str) -> tuple[Deadline, ...]:
        """Its deadlines as of a moment."""
        judgment = fold(self.rules, "D", self.facts)
        return judgment.rules.clock.deadlines(judgment.dossier, at=at(when))

    def explained(self, kind: str, when: str) -> Alert:
        """The last alert of a kind with its sum as of a moment."""
        rules, dossier = (judgment := fold(self.rules, "D", self.facts)).rules, judgment.dossier
        watched = watch(self.office, rules, dossier, rules.clock.deadlines(dossier, at=at(when)), at(when))
        return explained(rules, dossier, watched, at(when), self.last(kind))

    def sum(self, kind: str, when: str) -> list[tuple[str, str | None]]:
        """The sum of the last alert of a kind as of a moment: each line, and the date it reaches."""
        return [
            (line.text.format(**line.values), None if line.at is None else wall(line.at))
            for line in self.explained(kind, when).sum
            if "calendar}" not in line.text
        ]

    def story(self, kind: str) -> list[tuple[str, str]]:
        """What was said of a kind, and when by the wall clock."""
        return [(one.change, wall(one.said_at)) for one in self.said if one.alert.kind == kind]

    def last(self, kind: str) -> Alert:
        return [one.alert for one in self.said if one.alert.kind == kind][-1]


def slip(day: int, cause: Any = "first") -> Appointment:
    return Appointment(at=date(2024, 7, day), cause=cause)


def received(day: int | None = None, **more: Any) -> Desk:
    """A dossier received on Monday at eight, its committed date the closing of Monday the 8th."""
    desk = Desk(**more)
    desk.tell("receive", MONDAY, **({} if day is None else {"appointment": slip(day)}))
    return desk


def test_an_apology_is_due_from_the_opening_of_the_last_working_day_before_the_date_and_said_once() -> None:
    """The slip names Monday the 8th, so it is Friday the 5th at seven, and the source's quarter of an hour."""
    desk = received(8)
    desk.until("2024-07-08 16:00")
    assert desk.story("apology_due") == [("raised", "2024-07-05 07:15")]
    alert = desk.last("apology_due")
    assert (wall(alert.due_at), alert.to) == ("2024-07-08 17:00", ("holder", HEAD))  # type: ignore[arg-type]


def test_a_result_that_was_issued_and_not_made_ready_is_warned_of_and_late() -> None:
    desk = received(8)
    desk.tell("issue", "2024-07-03 09:00")
    desk.until("2024-07-10 12:00")
    assert desk.story("apology_due")[:1] == [("raised", "2024-07-05 07:15")]
    assert desk.story("dossier_at_risk")[:1] == [("raised", "2024-07-08 07:00")]
    assert desk.story("dossier_late")[:1] == [("raised", "2024-07-09 07:00")]
    desk.tell("approve", "2024-07-10 13:00")
    assert desk.story("dossier_late")[-1:] == [("resolved", "2024-07-10 13:00")]


def test_once_it_has_ended_without_being_made_ready_the_issue_counts() -> None:
    desk = received(8)
    desk.tell("issue", "2024-07-03 09:00")
    desk.tell("return_result", "2024-07-10 13:00")
    said = desk.story("dossier_late")
    assert (said[0], said[-1]) == (("raised", "2024-07-09 07:00"), ("retracted", "2024-07-10 13:00"))


def test_an_apology_that_was_told_ends_it_and_none_is_asked_for_the_new_date() -> None:
    desk = received(8)
    desk.tell("apologise", "2024-07-05 09:00", appointment=slip(12, "apology"))
    desk.until("2024-07-08 16:00")
    assert desk.story("apology_due") == [("raised", "2024-07-05 07:15"), ("resolved", "2024-07-05 09:00")]


def test_without_an_apology_the_date_passes_and_the_lateness_takes_its_place() -> None:
    """Late from the first instant after 17:00 on the 8th; said when the office opens on the 9th."""
    desk = received(8)
    desk.until("2024-07-09 12:00")
    assert desk.story("apology_due")[1:] == [("resolved", "2024-07-09 07:00")]
    assert desk.story("dossier_late") == [("raised", "2024-07-09 07:00")]


def test_no_apology_is_due_where_the_dossier_came_after_that_opening() -> None:
    desk = received(2)
    desk.until("2024-07-02 16:00")
    assert desk.story("apology_due") == []


def test_a_slip_that_names_another_day_than_the_committed_limit_gives_is_said_and_over_at_the_end() -> None:
    """Five working days after Monday the 1st end on Monday the 8th; the slip says the 9th."""
    desk = received(9)
    desk.tell("approve", "2024-07-03 09:00")
    desk.tell("return_result", "2024-07-04 09:00")
    assert desk.story("appointment_differs") == [
        ("raised", "2024-07-01 08:15"),
        ("resolved", "2024-07-04 09:00"),
    ]
    alert = desk.last("appointment_differs")
    assert (wall(alert.due_at), alert.to) == ("2024-07-09 17:00", ("holder", HEAD))  # type: ignore[arg-type]
    assert desk.sum("appointment_differs", "2024-07-04 09:00") == [
        ("printed on the slip", "2024-07-09 17:00"),
        ("first receive", "2024-07-01 08:00"),
        ("5 working days, the first day not counted", "2024-07-08 17:00"),
    ]


def test_a_slip_that_names_the_day_of_the_committed_limit_does_not_differ() -> None:
    desk = received(8)
    desk.until("2024-07-20 12:00")
    assert desk.story("appointment_differs") == []


def test_a_pause_that_comes_after_the_slip_makes_it_neither_wrong_nor_right() -> None:
    """Waiting moves the committed date from the 8th to the 9th: a slip of the 8th was right, one of the 9th wrong."""
    for day, said in ((8, []), (9, ["raised"])):
        desk = received(day)
        desk.tell("suspend", "2024-07-02 09:00")
        desk.tell("resume", "2024-07-03 09:00")
        desk.until("2024-07-05 12:00")
        committed = next(one for one in desk.dates("2024-07-05 12:00") if one.kind == "committed")
        assert wall(committed.due_at) == "2024-07-09 17:00"
        assert [change for change, _ in desk.story("appointment_differs")] == said


def test_a_later_slip_leaves_the_first_as_right_or_wrong_as_it_was() -> None:
    for day, said in ((8, []), (9, ["raised"])):
        desk = received(day)
        desk.tell("apologise", "2024-07-05 09:00", appointment=slip(12, "apology"))
        desk.until("2024-07-08 12:00")
        assert [change for change, _ in desk.story("appointment_differs")] == said


def test_a_second_first_slip_of_another_day_differs_and_one_of_the_same_day_does_not() -> None:
    for day, said in ((8, []), (12, ["raised"])):
        desk = received(8)
        desk.tell("apologise", "2024-07-02 09:00", appointment=slip(day))
        desk.until("2024-07-03 12:00")
        assert [change for change, _ in desk.story("appointment_differs")] == said
    assert desk.sum("appointment_differs", "2024-07-03 12:00") == [
        ("printed on the slip", "2024-07-08 17:00"),
        ("printed on a later slip, without a cause that moves the date", "2024-07-12 17:00"),
    ]


def test_a_slip_that_is_no_first_one_is_held_against_nothing() -> None:
    desk = Desk()
    desk.tell("receive", MONDAY, appointment=slip(20, "correction"))
    desk.until("2024-07-08 12:00")
    assert desk.story("appointment_differs") == []


ALL = PROCEDURE[PROCEDURE.index("limits: ") :]
CHECK = "check: {starts: [receive], ends: [ask]}"
SUPPLY = "supply: {starts: [ask], ends: [issue]}"


@pytest.mark.parametrize(("phases", "said"), [(CHECK, ["raised"]), (f"{CHECK}, {SUPPLY}", [])])
def test_a_slip_is_not_held_against_a_phase_that_others_follow(phases: str, said: list[str]) -> None:
    """It promises the result: two days of checking end on the 3rd, but the dossier is not done by then."""
    limit = "limits: {check: {binds: {phase: check}, within: 2, counts: days, date: committed}}"
    desk = Desk(text=PROCEDURE.replace(ALL, f"phases: {{{phases}}}\n{limit}\n"))
    desk.tell("receive", MONDAY, appointment=slip(20))
    desk.until("2024-07-02 12:00")
    assert [date.due_at for date in desk.dates(MONDAY) if date.kind == "committed"] == [
        at("2024-07-03 17:00")
    ]
    assert [change for change, _ in desk.story("appointment_differs")] == said


def test_a_slip_told_before_its_limit_begins_to_count_is_held_against_nothing() -> None:
    """The committed limit counts from the receipt; a slip of another day was told an hour before it."""
    desk = Desk()
    desk.tell("apologise", "2024-07-01 07:00", appointment=slip(20))
    desk.tell("receive", MONDAY)
    desk.until("2024-07-08 12:00")
    assert desk.story("appointment_differs") == []


def test_a_calendar_announced_after_the_slip_makes_it_not_wrong() -> None:
    """With Thursday the 4th off, announced on the 2nd, five working days end on the 9th; on the 1st, on the 8th."""
    off = "[{date: 2024-07-04, kind: off, instrument: swap, announced: 2024-07-02}]"
    for day, said in ((8, []), (9, ["raised"])):
        desk = Desk(calendar=calendar(off))
        desk.tell("receive", MONDAY, appointment=slip(day))
        desk.until("2024-07-05 12:00")
        committed = next(one for one in desk.dates("2024-07-05 12:00") if one.kind == "committed")
        assert wall(committed.due_at) == "2024-07-09 17:00"
        assert [change for change, _ in desk.story("appointment_differs")] == said
    assert desk.sum("appointment_differs", "2024-07-05 12:00")[-1][1] == "2024-07-08 17:00"
    assert desk.explained("appointment_differs", "2024-07-05 12:00").sum[-1].values == {
        "calendar": desk.last("appointment_differs").calendar
    }


def test_a_pause_beyond_its_cap_is_said_when_the_cap_is_over_and_ends_with_the_pause() -> None:
    """Two working days from Tuesday the 2nd end on Thursday the 4th at 17:00; said on Friday at seven."""
    desk = received(8)
    desk.tell("suspend", "2024-07-02 09:00")
    desk.until("2024-07-05 08:00")
    assert desk.story("pause_cap_exceeded") == [("raised", "2024-07-05 07:00")]
    alert = desk.last("pause_cap_exceeded")
    assert (wall(alert.due_at), alert.to) == ("2024-07-04 17:00", ("holder", HEAD))  # type: ignore[arg-type]
    assert alert.calendar is not None
    assert [wall(line.at) for line in alert.sum if line.at] == ["2024-07-02 09:00", "2024-07-04 17:00"]
    assert alert.sum[-1].values == {"calendar": alert.calendar}
    desk.tell("resume", "2024-07-05 10:00")
    assert desk.story("pause_cap_exceeded")[1:] == [("resolved", "2024-07-05 10:00")]
    assert wall(desk.last("pause_cap_exceeded").ended_at) == "2024-07-05 10:00"  # type: ignore[arg-type]


def test_a_pause_that_ends_within_its_cap_is_not_said() -> None:
    desk = received(8)
    desk.tell("suspend", "2024-07-02 09:00")
    desk.tell("resume", "2024-07-04 16:00")
    desk.until("2024-07-06 12:00")
    assert desk.story("pause_cap_exceeded") == []


def test_a_result_that_lies_ready_for_thirty_days_is_said_and_over_when_it_is_returned() -> None:
    """Ready on Wednesday 3 July at 9:00; thirty days later is Friday 2 August at 9:00."""
    desk = received(8)
    desk.tell("approve", "2024-07-03 09:00")
    desk.until("2024-08-02 12:00")
    assert desk.story("result_not_collected") == [("raised", "2024-08-02 09:15")]
    assert desk.sum("result_not_collected", "2024-08-02 12:00") == [
        ("ready at the desk", "2024-07-03 09:00"),
        ("plus 30 days", "2024-08-02 09:00"),
    ]
    desk.tell("return_result", "2024-08-05 10:00")
    assert desk.story("result_not_collected")[1:] == [("resolved", "2024-08-05 10:00")]


def test_a_result_collected_on_the_thirtieth_day_is_not_said() -> None:
    desk = received(8)
    desk.tell("approve", "2024-07-03 09:00")
    desk.tell("return_result", "2024-08-02 09:00")
    desk.until("2024-08-30 12:00")
    assert desk.story("result_not_collected") == []


def test_each_rung_is_said_once_and_tells_one_head_more() -> None:
    """One working day past Monday the 8th closes on the 9th, three on the 11th, each at 17:00. The delay over, the
    office is shut: said when it opens, on the 10th and the 12th."""
    desk = received(8)
    desk.until("2024-08-30 12:00")
    assert desk.story("dossier_late") == [
        ("raised", "2024-07-09 07:00"),
        ("escalated", "2024-07-10 07:00"),
        ("escalated", "2024-07-12 07:00"),
    ]
    late = [one.alert for one in desk.said if one.alert.kind == "dossier_late"]
    assert [one.to for one in late] == [
        ("holder", HEAD),
        ("holder", HEAD, ABOVE),
        ("holder", HEAD, ABOVE, DIRECTOR),
    ]
    assert [one.rung for one in late] == [0, 1, 2]
    assert {wall(one.due_at) for one in late} == {"2024-07-08 17:00"}  # type: ignore[arg-type]


def test_the_head_of_a_unit_that_stands_no_more_is_not_told_and_one_above_is() -> None:
    """Its last day is Tuesday the 9th: what is said on it still goes to its head, the rung after it no more."""
    unit = replace(ORGANISATION.units[UNIT], standing=Standing(to=date(2024, 7, 9)))
    ended = replace(ORGANISATION, units={**ORGANISATION.units, UNIT: unit})
    desk = received(8, office=Office({"gate": GATE}, ended, {"vn-can-tho": can_tho()}))
    desk.until("2024-08-30 12:00")
    late = [one.alert for one in desk.said if one.alert.kind == "dossier_late"]
    assert [one.to for one in late] == [("holder", HEAD), ("holder", ABOVE, DIRECTOR)]


def test_where_no_unit_of_the_line_stands_all_are_told() -> None:
    gone = {
        name: replace(one, standing=Standing(to=date(2024, 7, 1))) for name, one in ORGANISATION.units.items()
    }
    office = Office({}, replace(ORGANISATION, units=gone), {"vn-can-tho": can_tho()})
    assert office.heads(UNIT, at("2024-07-02 00:00")) == office.heads(UNIT, at("2024-07-01 23:59"))
    assert office.heads(UNIT, at("2024-07-02 00:00")) == (HEAD, ABOVE, DIRECTOR)
    assert office.heads("nowhere", at("2024-07-02 00:00")) == ()


def test_a_result_that_comes_between_two_rungs_stops_them() -> None:
    desk = received(8)
    desk.tell("approve", "2024-07-10 09:00")
    desk.until("2024-08-30 12:00")
    assert desk.story("dossier_late") == [
        ("raised", "2024-07-09 07:00"),
        ("escalated", "2024-07-10 07:00"),
        ("resolved", "2024-07-10 09:00"),
    ]


def test_what_falls_due_at_night_or_at_the_weekend_waits_for_the_next_opening() -> None:
    """Friday the 5th at 17:00 is followed by Monday the 8th at seven, and lunch by 13:00."""
    desk = received(5)
    desk.until("2024-07-08 06:59")
    assert desk.story("dossier_late") == []
    desk.until("2024-07-08 07:00")
    assert desk.story("dossier_late") == [("raised", "2024-07-08 07:00")]
    noon = Desk()
    noon.tell("receive", MONDAY, appointment=Appointment(at=at("2024-07-02 10:50")))
    noon.until("2024-07-02 17:00")
    assert noon.story("dossier_late") == [("raised", "2024-07-02 13:00")]


def test_after_an_outage_nothing_new_is_said_while_nobody_is_at_work() -> None:
    """Late since Monday the 8th at 17:00, and nobody looked before Wednesday the 10th at five."""
    desk = received(8)
    desk.look(at("2024-07-10 05:00"))
    assert desk.story("dossier_late") == []
    assert wall(desk.next_at) == "2024-07-10 07:00"
    desk.until("2024-07-10 07:00")
    assert desk.story("dossier_late") == [("raised", "2024-07-10 07:00")]


def test_after_an_outage_no_rung_is_climbed_while_nobody_is_at_work_and_what_was_said_stands() -> None:
    desk = received(8)
    desk.until("2024-07-09 12:00")
    desk.look(at("2024-07-11 05:00"))
    assert desk.story("dossier_late") == [("raised", "2024-07-09 07:00")]
    assert wall(desk.next_at) == "2024-07-11 07:00"
    desk.tell("approve", "2024-07-11 06:00")
    assert desk.story("dossier_late")[1:] == [("resolved", "2024-07-11 06:00")]


def test_a_rung_that_waited_for_the_opening_is_climbed_then() -> None:
    desk = received(8)
    desk.until("2024-07-09 12:00")
    desk.look(at("2024-07-11 05:00"))
    desk.until("2024-07-11 08:00")
    assert desk.story("dossier_late")[1:] == [("escalated", "2024-07-11 07:00")]


def test_eighty_percent_of_a_steps_time_is_at_risk_and_only_its_holder_is_told() -> None:
    """Sixteen working hours from Monday 8:00 end on Wednesday at 8:00; 80 % of those 48 hours are 38.4, so Tuesday at
    22:24, and said on Wednesday at seven. Late from the first instant after 8:00."""
    desk = received(8)
    desk.until("2024-07-03 09:00")
    assert desk.story("step_at_risk") == [("raised", "2024-07-03 07:00"), ("resolved", "2024-07-03 08:15")]
    assert desk.last("step_at_risk").to == ("holder",)
    assert desk.story("step_late") == [("raised", "2024-07-03 08:15")]
    assert desk.last("step_late").to == ("holder", HEAD)


def test_a_task_that_is_answered_late_resolves_its_alert_and_is_not_wrong() -> None:
    """Two working days from Tuesday the 2nd end on Thursday at 17:00."""
    desk = received(31)
    desk.tell("ask", "2024-07-02 09:00")
    desk.until("2024-07-05 08:00")
    tasks = [one for one in desk.said if one.alert.rule.startswith("task/")]
    assert [(one.change, one.alert.kind, wall(one.said_at)) for one in tasks][-1] == (
        "raised",
        "step_late",
        "2024-07-05 07:00",
    )
    desk.tell("answer", "2024-07-05 10:00")
    late = [one for one in desk.said if one.alert.kind == "step_late" and one.alert.rule.startswith("task/")]
    assert [one.change for one in late] == ["raised", "resolved"]
    assert {one.alert.id for one in late} == {late[0].alert.id}
    assert wall(late[-1].alert.ended_at) == "2024-07-05 10:00"  # type: ignore[arg-type]
    desk.until("2024-07-20 12:00")
    assert [one.change for one in desk.said if one.alert.id == late[0].alert.id] == ["raised", "resolved"]


def test_a_task_that_is_answered_late_before_anybody_looked_is_known_all_the_same() -> None:
    desk = received(31)
    for action, when in (("ask", "2024-07-02 09:00"), ("answer", "2024-07-05 10:00")):
        body = Acted(action=action, procedure="p", unit=UNIT)
        desk.facts.append(Fact("D", "gate", action, at(when), body))
    desk.look(at("2024-07-05 10:30"))
    late = [one for one in desk.said if one.alert.rule.startswith("task/")]
    assert [(one.change, one.state) for one in late] == [("raised", "resolved")]


def test_a_task_that_is_answered_in_time_says_nothing_of_lateness() -> None:
    desk = received(31)
    desk.tell("ask", "2024-07-02 09:00")
    desk.tell("answer", "2024-07-04 17:00")
    desk.until("2024-07-20 12:00")
    assert [one for one in desk.said if one.alert.rule.startswith("task/") and "late" in one.alert.kind] == []


def test_of_two_agencies_asked_at_one_instant_the_one_still_silent_keeps_the_alert_up() -> None:
    desk = received(31)
    for agency in ("a", "b"):
        body = Acted(action="ask", procedure="p", unit=UNIT, task=agency)
        desk.facts.append(Fact("D", "gate", f"ask-{agency}", at("2024-07-02 09:00"), body))
    desk.until("2024-07-05 08:00")
    desk.tell("answer", "2024-07-05 10:00", task="a")
    changes = [
        one.change for one in desk.said if one.alert.rule.startswith("task/") and "late" in one.alert.kind
    ]
    assert changes == ["raised"]
    desk.tell("answer", "2024-07-05 11:00", task="b")
    late = [one for one in desk.said if one.alert.rule.startswith("task/") and "late" in one.alert.kind]
    assert [one.change for one in late] == ["raised", "resolved"]
    assert wall(late[-1].alert.ended_at) == "2024-07-05 11:00"  # type: ignore[arg-type]


def test_feedback_is_due_at_eighty_percent_of_its_time_and_late_after_it_and_its_focal_officer_is_told() -> (
    None
):
    """Without a slip the committed date counts: Monday the 8th at 17:00. From Monday 8:00 that is 177 hours, 80 % of
    them 141.6: Sunday the 7th at 5:36, said on Monday at seven."""
    desk = received(kind="feedback")
    desk.until("2024-07-09 12:00")
    assert desk.story("feedback_due") == [("raised", "2024-07-08 07:00"), ("resolved", "2024-07-09 07:00")]
    assert desk.story("feedback_late") == [("raised", "2024-07-09 07:00")]
    for kind in ("feedback_due", "feedback_late"):
        alert = desk.last(kind)
        assert alert.topic == "alerts.feedback"
        assert alert.to == ("holder", HEAD, *OFFICE.focal(UNIT))
    assert OFFICE.focal(UNIT) == ("focal-officer@can-tho-department",)
    assert desk.story("dossier_late") == desk.story("dossier_at_risk") == []


def test_a_complaint_is_late_as_feedback_but_has_no_focal_officer() -> None:
    desk = received(kind="complaint")
    desk.until("2024-07-09 12:00")
    assert desk.last("feedback_late").to == ("holder", HEAD)


def test_what_fell_due_before_its_source_went_live_is_history_and_the_next_is_sent() -> None:
    """Live from Thursday the 4th: the step's limit of the 3rd was before it, the date of the 8th is after it."""
    live = Office(
        {"gate": replace(GATE, live_from=at("2024-07-04 00:00"))}, ORGANISATION, {"vn-can-tho": can_tho()}
    )
    desk = received(8, office=live)
    desk.until("2024-07-09 12:00")
    step = next(life for name, life in desk.lives.items() if name.startswith("step_late"))
    assert (step.state, step.n) == ("history", 0)
    assert desk.story("step_late") == []
    assert desk.story("dossier_late") == [("raised", "2024-07-09 07:00")]
