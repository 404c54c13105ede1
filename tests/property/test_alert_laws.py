"""The laws of alerts: a function of facts and the time, told once, in any order of arrival, and never a moment missed.

A small office is played in memory: facts arrive, the ticker looks when it was told to. What stands is held against an
oracle that knows nothing of deadlines, causes or lives: it compares hours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from workflow.alerts.lateness import standing, watch
from workflow.alerts.life import Life, say
from workflow.alerts.office import FAR, Office
from workflow.facts import Acted, Fact
from workflow.fold import fold
from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Counting,
    Limit,
    Move,
    Names,
    Revision,
    State,
)
from workflow.rules import compile_rules
from workflow.sources import Cadence, SourceDefinition, Speakers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.messages import AlertSaid

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEP_HOURS, ALL_HOURS, DELAY_HOURS = 10, 40, 6
HORIZON = 120
NAMES = Names(vi="Mẫu", en="Sample")


def move(source: str, to: str | None, **more: object) -> Action:
    return Action(moves=(Move(sources=(source,), to=to),), **more)  # type: ignore[arg-type] # as the language names them


RULES = compile_rules(
    Revision(
        procedure="p",
        revision="1",
        name=NAMES,
        figures="sample",
        zone="UTC",
        initial="new",
        states={
            "new": State(),
            "checking": State(limit=Limit(counts="hours", within=STEP_HOURS)),
            "approved": State(),
            "returned": State(final=True),
        },
        actions={
            "receive": move("new", "checking", milestone="received"),
            "approve": move("checking", "approved"),
            "return_result": move("approved", "returned", milestone="returned"),
        },
        counting={"hours": Counting(unit="elapsed_hours", reaching="in_time")},
        limits={
            "all": Limit(
                counts="hours",
                within=ALL_HOURS,
                binds=Binds(end="any"),
                starts=Anchor(action="receive"),
                date="committed",
                headline=True,
            )
        },
    )
)
OFFICE = Office(
    {
        "gate": SourceDefinition(
            source="gate",
            name=NAMES,
            zone="UTC",
            authority="time",
            precision="second",
            reports="steps",
            cadence=Cadence(working_minutes=30, calendar="none"),
            delay_minutes=DELAY_HOURS * 60,
            speakers=Speakers(principals=("gate",)),
            voids="own",
        )
    },
    None,
    {},
)


class Told(NamedTuple):
    """An act in hours after the start: when it took place, and when we hear of it."""

    action: str
    hour: int
    heard: int


@st.composite
def lives(draw: st.DrawFn) -> list[Told]:
    """One dossier's way, as far as it goes, each act heard of within the delay of its source."""
    way = ["receive", "approve", "return_result"][: draw(st.integers(1, 3))]
    hours = sorted(draw(st.lists(st.integers(0, 70), min_size=len(way), max_size=len(way), unique=True)))
    return [
        Told(action, hour, hour + draw(st.integers(0, DELAY_HOURS - 1)))
        for action, hour in zip(way, hours, strict=True)
    ]


class Desk:
    """Hears facts, ticks when it was told to, and keeps all that was said."""

    def __init__(self) -> None:
        self.heard: list[Fact] = []
        self.lives: dict[str, Life] = {}
        self.said: list[AlertSaid] = []
        self.next_at = FAR

    def look(self, now: datetime) -> list[AlertSaid]:
        judgment = fold(RULES, "D", self.heard)
        dates = judgment.rules.clock.deadlines(judgment.dossier, at=now)
        watched = watch(OFFICE, judgment.rules, judgment.dossier, dates, now)
        said = {name: life.alert.rung for name, life in self.lives.items() if life.state != "retracted"}
        found, self.next_at = standing(OFFICE, judgment.rules, judgment.dossier, watched, now, said=said)
        spoken = say(self.lives, found, now)
        self.lives |= {life.alert.id: life for life in spoken.lives}
        self.said += spoken.said
        return spoken.said

    def until(self, hour: float) -> None:
        """Ticks at each moment that comes by then."""
        while self.next_at <= START + hour * HOUR:
            at = self.next_at
            self.look(at)
            assert self.next_at > at

    def hear(self, told: Iterable[Told], hour: int) -> None:
        for one in told:
            body = Acted(action=one.action, procedure="p")
            self.heard.append(Fact("D", "gate", one.action, START + one.hour * HOUR, body))
        self.look(START + hour * HOUR)


def played(way: list[Told], until: int = HORIZON) -> Desk:
    desk = Desk()
    for hour in sorted({one.heard for one in way}):
        desk.until(hour)
        desk.hear([one for one in way if one.heard == hour], hour)
    desk.until(until)
    return desk


def kinds(desk: Desk) -> set[str]:
    return {life.alert.kind for life in desk.lives.values() if life.state != "retracted"}


def late_kinds(way: list[Told], hour: int) -> set[str]:
    """The oracle: which latenesses a person with a watch would name at an hour, the delay of the source being over."""
    at = {one.action: one.hour for one in way}
    received, left, ended = at["receive"], at.get("approve", 999), at.get("return_result", 999)
    found = set()
    if hour > received + STEP_HOURS + DELAY_HOURS and left > received + STEP_HOURS:
        found.add("step_late")
    if hour > received + ALL_HOURS + DELAY_HOURS and ended > received + ALL_HOURS:
        found.add("dossier_late")
    return found


@given(lives())
def test_the_latenesses_that_stand_are_those_a_watch_tells(way: list[Told]) -> None:
    desk = played(way)
    assert kinds(desk) & {"step_late", "dossier_late"} == late_kinds(way, HORIZON)


@given(lives(), st.integers(0, ALL_HOURS + 2 * DELAY_HOURS))
def test_at_any_hour_between_two_ticks_looking_again_says_nothing(way: list[Told], after: int) -> None:
    """So the moment the ticker was given is never too late."""
    hour = way[0].hour + after
    heard = [one for one in way if one.heard <= hour]
    if way[0] not in heard:
        return
    desk = played(heard, until=hour)
    assert desk.look(START + hour * HOUR) == []
    assert kinds(desk) & {"step_late", "dossier_late"} == late_kinds(heard, hour)


@given(lives())
def test_any_order_of_arrival_within_the_delay_tells_the_same_latenesses(way: list[Told]) -> None:
    """Heard at once when they took place, and heard in any order within the delay: the same, and none retracted."""
    at_once = played([one._replace(heard=one.hour) for one in way])
    desk = played(way)
    final = {
        name: (life.alert.due_at, life.alert.ended_at)
        for name, life in desk.lives.items()
        if life.alert.kind in ("step_late", "dossier_late")
    }
    assert final == {
        name: (life.alert.due_at, life.alert.ended_at)
        for name, life in at_once.lives.items()
        if life.alert.kind in ("step_late", "dossier_late")
    }
    late = [one.change for one in desk.said if one.alert.kind in ("step_late", "dossier_late")]
    assert "retracted" not in late
    assert late.count("raised") == len(final)


@given(lives())
def test_all_facts_told_again_say_nothing_new(way: list[Told]) -> None:
    desk = played(way)
    before = len(desk.said)
    desk.heard += desk.heard
    assert desk.look(START + HORIZON * HOUR) == []
    assert len(desk.said) == before


@given(lives(), st.integers(72, HORIZON))
def test_what_was_missed_while_we_were_down_comes_out_once_with_its_true_date(
    way: list[Told], up: int
) -> None:
    down = Desk()
    down.hear(way, up)
    down.until(HORIZON)
    on_time = played(way)
    for kind in ("step_late", "dossier_late"):
        missed = [life.alert.due_at for life in down.lives.values() if life.alert.kind == kind]
        assert missed == [life.alert.due_at for life in on_time.lives.values() if life.alert.kind == kind]


@given(lives())
def test_what_a_later_fact_proves_wrong_is_retracted(way: list[Told]) -> None:
    """Everything is heard of too late, one after the other: what stands at the end is the truth all the same."""
    desk = Desk()
    for number, one in enumerate(reversed(way)):
        desk.hear([one], 80 + number)
    desk.until(HORIZON)
    assert kinds(desk) & {"step_late", "dossier_late"} == late_kinds(way, HORIZON)
