"""By whose working hours a dossier is counted: the unit that received it, whoever holds it later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from clockmaking import at, calendar, clock, dossier, due, one, pause, told, wall
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from workflow.alerts.office import Office
from workflow.clocks.timetable import Timetable
from workflow.facts import Acted, Appointment, Fact, Opened, Recipient
from workflow.fold import fold
from workflow.model import AppointmentTold
from workflow.organisation import hours_of, sound
from workflow.procedure.language import Revision
from workflow.rules import compile_rules
from workflow.yamltree import parse

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.clocks.clock import Clock
    from workflow.facts import Body
    from workflow.model import Dossier

WARD = "{week: {mon: [07:00-12:00, 13:00-18:00], tue: [07:00-12:00, 13:00-18:00], sat: [07:00-12:00]}}"
DESK = "{week: {mon: [08:00-10:00], tue: [08:00-10:00], wed: [08:00-10:00], thu: [08:00-10:00], fri: [08:00-10:00]}}"
TWO = calendar(more=f"units: {{ward: {WARD}, desk: {DESK}}}\n")
UNITS = {
    "branch": ("ward",),
    "counter": ("desk",),
    "office": ("nothing-of-ours",),
    "of-a-kind": ("x", "desk"),
}
BODY = """
pauses: {papers: {cap: {within: 2, counts: hours}}}
limits:
  total: {binds: {end: any}, within: %s, counts: %s, date: committed}
"""


def counted(within: int, counts: str, more: str = "", **given: Any) -> Clock:
    return clock(BODY % (within, counts) + more, given=TWO, hours_of=UNITS, **given)


def received(unit: str | None, at_time: str = "2024-07-01 09:00", **more: Any) -> Dossier:
    return dossier(at(at_time), hours_of=unit, **more)


@pytest.mark.parametrize(
    ("unit", "hours", "days"),
    [
        (None, "2024-07-02 09:00", "2024-07-02 17:00"),
        ("office", "2024-07-02 09:00", "2024-07-02 17:00"),
        ("stranger", "2024-07-02 09:00", "2024-07-02 17:00"),
        ("branch", "2024-07-01 18:00", "2024-07-02 18:00"),
        ("ward", "2024-07-01 18:00", "2024-07-02 18:00"),
        ("counter", "2024-07-05 09:00", "2024-07-02 10:00"),
        ("of-a-kind", "2024-07-05 09:00", "2024-07-02 10:00"),
    ],
)
def test_eight_hours_and_one_day_by_the_hours_of_each_unit(unit: str | None, hours: str, days: str) -> None:
    """From Monday at nine; the last that is known of nobody is counted as one of no unit."""
    assert due(counted(8, "hours"), received(unit)) == hours
    assert due(counted(1, "days"), received(unit)) == days


def test_a_day_only_one_unit_works_is_a_working_day_for_it_alone() -> None:
    """The ward works on Saturdays and not on Wednesdays."""
    assert due(counted(2, "dates"), received("ward", "2024-07-04 09:00")) == "2024-07-06 23:59"
    assert due(counted(2, "dates"), received("counter", "2024-07-04 09:00")) == "2024-07-08 23:59"
    assert due(counted(1, "days"), received("ward", "2024-07-02 09:00")) == "2024-07-06 12:00"


def test_the_cut_off_moves_to_the_opening_of_the_unit() -> None:
    assert due(counted(1, "hours-cut"), received("counter", "2024-07-01 15:00")) == "2024-07-02 09:00"
    assert due(counted(1, "hours-cut"), received("ward", "2024-07-01 15:00")) == "2024-07-02 08:00"


def test_a_procedure_of_a_kind_with_hours_counts_by_them_where_no_unit_is_known() -> None:
    kind = counted(8, "hours", "units: [hall, desk, ward]")

    assert due(kind, received(None)) == due(kind, received("stranger")) == "2024-07-05 09:00"
    assert due(kind, received("office")) == "2024-07-02 09:00"
    assert due(kind, received("branch")) == "2024-07-01 18:00"


def test_pauses_caps_slips_and_minutes_are_counted_by_the_same_hours() -> None:
    made, stopped = counted(8, "hours"), pause("2024-07-01 09:30", "2024-07-01 16:30")

    assert due(made, received("branch", pauses=(stopped,))) == "2024-07-02 09:00"
    assert due(made, received("counter", pauses=(stopped,))) == "2024-07-05 09:30"
    open_still = replace(stopped, ended_at=None)
    capped = {unit: made.capped_at(open_still, None, unit) for unit in (None, "branch", "counter")}
    assert {unit: wall(when) for unit, when in capped.items() if when is not None} == {
        None: "2024-07-01 13:30",
        "branch": "2024-07-01 11:30",
        "counter": "2024-07-02 09:30",
    }
    over_by_then = {unit: made.capped_at(stopped, None, unit) for unit in (None, "branch", "counter")}
    assert over_by_then == {**capped, "counter": None}
    slip = AppointmentTold(at("2024-07-02 00:00").date(), "first", at("2024-07-01 09:00"))
    printed = [wall(made.printed(slip, unit)) for unit in (None, "branch", "counter")]
    assert printed == ["2024-07-02 17:00", "2024-07-02 18:00", "2024-07-02 10:00"]
    monday, tuesday = at("2024-07-01 07:00"), at("2024-07-02 07:00")
    assert [made.minutes(monday, tuesday, tuesday, unit) for unit in (None, "branch", "counter")] == [
        480,
        600,
        120,
    ]
    assert wall(made.after(monday, 60, monday, "counter")) == "2024-07-01 09:00"
    assert wall(made.before(tuesday, 60, monday, "branch")) == "2024-07-01 17:00"


@pytest.mark.parametrize(
    ("unit", "hours", "line"),
    [
        (None, None, None),
        ("stranger", None, None),
        ("office", None, "by the usual hours, which unit office works by"),
        ("branch", "ward", "by the hours ward, which unit branch works by"),
    ],
)
def test_a_date_says_whose_hours_counted(unit: str | None, hours: str | None, line: str | None) -> None:
    slip = AppointmentTold(at("2024-07-03 00:00").date(), "first", at("2024-07-01 09:00"))
    found = counted(1, "days").deadlines(
        received(unit, appointments=(slip,)), at=at("2024-07-01 09:00"), explain=True
    )

    for kind in ("committed", "benchmark"):
        date = one(found, kind)
        assert date.hours == hours
        said = [text for text in told(date) if text.startswith("by the")]
        assert said == ([] if line is None else [line])


def test_without_a_unit_a_date_says_the_hours_of_the_procedures_units() -> None:
    found = counted(1, "days", "units: [desk]").deadlines(
        received(None), at=at("2024-07-01 09:00"), explain=True
    )

    assert "by the hours desk, those of the procedure's units" in told(one(found, "committed"))


def test_one_table_is_made_for_each_revision_and_hours_however_many_ask() -> None:
    fresh = calendar(more=f"units: {{ward: {WARD}}}\n")
    tables = [
        Timetable(fresh, kinds, told).worktime(unit, None)
        for kinds, told in (((), {"a": ("ward",), "b": ("ward",)}), (("ward",), {"c": ("none",)}))
        for unit in (None, "a", "b", "c")
    ]

    assert len({id(table) for table in tables}) == 2


def test_a_timetable_is_another_only_where_the_calendar_does_not_say_it_itself() -> None:
    plain = Timetable(TWO).fingerprint("f")

    assert plain == Timetable(TWO, hours_of={"office": ("none",), "ward": ("ward",)}).fingerprint("f") == "f"
    others = {Timetable(TWO, hours_of={"a": (name,)}).fingerprint("f") for name in ("ward", "desk")}
    assert len({plain, *others}) == 3


ORGANISATION = """\
organisation: small
revision: "1"
name: {vi: Sở, en: Department}
calendar: test
kinds: {department: {vi: Sở, en: Department}, desk: {vi: Một cửa, en: Desk}}
posts: {director: {vi: Giám đốc, en: Director}}
units:
  whole: {name: {vi: Sở, en: Whole}, kind: department, head: director}
  ward: {name: {vi: Phường, en: Ward}, kind: department, head: director}
  one: {name: {vi: Một, en: One}, kind: desk, head: director}
  two: {name: {vi: Hai, en: Two}, kind: desk, head: director, hours: ward}
"""


def test_a_unit_works_by_the_hours_it_names_else_those_of_its_name_else_those_of_its_kind() -> None:
    organisation = sound(ORGANISATION.encode(), "organisation.yaml")
    table = Timetable(TWO, hours_of=hours_of(organisation))

    found = {unit: table.hours(unit) for unit in ("whole", "ward", "one", "two")}
    assert found == {"whole": None, "ward": "ward", "one": "desk", "two": "ward"}
    assert hours_of(None) == {}


def test_alerts_speak_in_the_same_hours() -> None:
    office = Office({}, sound(ORGANISATION.encode(), "organisation.yaml"), {"test": TWO})
    early, now = at("2024-07-01 06:00"), at("2024-07-01 06:00")

    assert [wall(office.speaking_at(early, unit, now)) for unit in ("whole", "one", "two")] == [
        "2024-07-01 07:00",
        "2024-07-01 08:00",
        "2024-07-01 07:00",
    ]


def test_what_is_past_is_said_at_the_next_opening_by_who_looks_at_night_and_at_once_by_a_look_as_of_then() -> (
    None
):
    office = Office({}, sound(ORGANISATION.encode(), "organisation.yaml"), {"test": TWO})
    before, night, day = at("2024-07-01 09:00"), at("2024-07-02 05:00"), at("2024-07-02 10:00")

    said = [office.spoken_at(before, unit, night) for unit in ("whole", "one")]
    assert [wall(one) for one in said] == ["2024-07-02 07:00", "2024-07-02 08:00"]
    assert office.spoken_at(before, "whole", night, live=False) <= night
    assert office.spoken_at(before, "whole", day) == day


MOMENTS = st.timedeltas(timedelta(), timedelta(days=15)).map(at("2024-06-24 00:00").__add__)


@given(st.lists(st.tuples(MOMENTS, MOMENTS, st.sampled_from(["whole", "one", "two", None])), min_size=1))
def test_what_may_be_said_is_said_when_whoever_looks_at_its_moment_and_then_now_would_say_it(
    asked: list[tuple[datetime, datetime, str | None]],
) -> None:
    """Looks in any order, one office for all: what it remembers of the present is of that present alone."""
    office = Office({}, sound(ORGANISATION.encode(), "organisation.yaml"), {"test": TWO})
    for moment, now, unit in asked:
        first = office.speaking_at(moment, unit, now)
        expected = office.speaking_at(now, unit, now) if first <= now else first
        assert office.spoken_at(moment, unit, now) == expected
        assert office.spoken_at(moment, unit, now, live=False) == first


# Which unit it is

PROCEDURE = """
procedure: p
revision: "1"
name: {vi: Thủ tục, en: Procedure}
figures: sample
zone: Asia/Ho_Chi_Minh
calendar: test
initial: sent
states: {sent: {}, open: {}, closed: {final: true}}
actions:
  submit: {moves: [{from: [sent]}]}
  receive: {moves: [{from: [sent], to: open}], milestone: received}
  refused: {moves: [{from: [open]}], role: [head]}
  hand: {moves: [{from: [open]}]}
  close: {moves: [{from: [open], to: closed}], milestone: returned}
counting: {hours: {unit: working_hours, reaching: in_time}}
limits:
  done: {binds: {action: close}, within: 8, counts: hours, headline: true}
"""
RULES = compile_rules(parse(PROCEDURE.encode(), "p.yaml", Revision), {"test": TWO}, hours_of=UNITS)


def fact(body: Body, when: str, number: int) -> Fact:
    return Fact(subject="A", source="s", id=str(number), occurred_at=at(when), body=body)


def acted(action: str, unit: str | None, when: str, number: int, to: str | None = None) -> Fact:
    recipient = None if to is None else Recipient(unit=to)
    return fact(Acted(action=action, unit=unit, to=recipient), when, number)


def lived(*acts: Fact) -> tuple[str | None, list[str]]:
    """Whose hours counted, and when `done` was due where it was missed."""
    judged = fold(RULES, "A", list(acts))
    return judged.dossier.hours_of, [wall(missed.due_at) for missed in judged.dossier.missed]


SUBMITTED = acted("submit", "counter", "2024-07-01 08:30", 0)
RECEIVED = acted("receive", "branch", "2024-07-01 09:00", 1)
HANDED = acted("hand", "counter", "2024-07-01 14:00", 2, to="office")
CLOSED = acted("close", "office", "2024-07-02 17:30", 3)


def test_the_unit_that_receives_binds_and_handing_over_moves_no_date() -> None:
    assert lived(RECEIVED, CLOSED) == ("branch", ["2024-07-01 18:00"])
    assert lived(RECEIVED, HANDED, CLOSED) == ("branch", ["2024-07-01 18:00"])
    assert lived(SUBMITTED, RECEIVED, HANDED, CLOSED) == ("branch", ["2024-07-01 18:00"])
    assert fold(RULES, "A", [RECEIVED, HANDED]).dossier.unit == "office"


def test_a_receipt_that_names_no_unit_leaves_the_first_that_was_named() -> None:
    unnamed = replace(RECEIVED, body=Acted(action="receive"))

    assert lived(SUBMITTED, unnamed, HANDED, CLOSED) == ("counter", [])
    assert lived(unnamed, HANDED, CLOSED) == ("counter", [])
    assert lived(unnamed, acted("hand", None, "2024-07-01 14:00", 2, to="branch"), CLOSED)[0] == "branch"
    assert lived(unnamed, CLOSED) == ("office", ["2024-07-02 09:00"])


def test_what_is_refused_names_no_unit() -> None:
    refused = acted("refused", "counter", "2024-07-01 10:00", 4)

    assert lived(replace(RECEIVED, body=Acted(action="receive")), refused, CLOSED)[0] == "office"


@pytest.mark.parametrize("state", ["open", None])
def test_an_opening_names_the_unit(state: str | None) -> None:
    opened = fact(
        Opened(procedure="p", state=state, unit="branch", received_at=at("2024-07-01 09:00")),
        "2024-07-01 09:00",
        1,
    )
    closed = [CLOSED] if state is not None else []

    assert lived(opened, *closed) == ("branch", ["2024-07-01 18:00"] * len(closed))
    if state is None:
        assert lived(SUBMITTED, opened)[0] == "branch"
        assert lived(opened, acted("receive", "counter", "2024-07-01 10:00", 2))[0] == "branch"


def test_a_refused_slip_is_due_by_the_same_hours() -> None:
    """A printed day counts even where its event is refused."""
    act = Acted(
        action="refused",
        unit="counter",
        appointment=Appointment(at=at("2024-07-03 00:00").date(), cause="first"),
    )
    judged = fold(RULES, "A", [RECEIVED, fact(act, "2024-07-01 10:00", 5)]).dossier
    (benchmark,) = [
        d for d in RULES.clock.deadlines(judged, at=at("2024-07-01 11:00")) if d.kind == "benchmark"
    ]

    assert judged.hours_of == "branch"
    assert wall(benchmark.due_at) == "2024-07-03 23:59"
