"""The loop of the ticker, a round at a time: what is judged over several subjects, how often, and by whom."""

from __future__ import annotations

from datetime import date
from functools import cache
from io import StringIO
from threading import Event
from typing import TYPE_CHECKING

from keeping import messages
from msgspec.structs import replace
from rotating import BRANCH, OFFICER, appointed, at, moved
from test_judge_several import department, received

from consumers import ticking
from consumers.apply import apply
from consumers.health import Health
from consumers.metrics import Metrics
from consumers.ticking import ACTS_S, SEVERAL_S, WORK, Ticking
from workflow import log
from workflow.catalogue import Catalogue
from workflow.clocks.calendar import Calendar, Covers
from workflow.facts import Acted, Actor, Fact
from workflow.store.alerts import lives
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from workflow.organisation import Organisation
    from workflow.store.store import Store


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Rounds(Event):
    """Lets a loop go round so many times, and waits for nothing."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def wait(self, timeout: float | None = None) -> bool:
        del timeout
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


@cache
def at_work_at_all_hours() -> Catalogue:
    """The department without quiet hours: a ticker says the same whatever the hour of the test."""
    known = department()
    assert known.organisation is not None
    return like(known, known.calendars, replace(known.organisation, calendar="none"))


@cache
def without_calendar_of_this_year() -> Catalogue:
    """The department, whose calendars end long before the clock of any machine."""
    known = department()
    calendars = {}
    for name, calendar in known.calendars.items():
        days = tuple(day for day in calendar.definition.days if day.on.year <= 2021)
        covers = Covers(calendar.definition.covers.since, date(2021, 12, 31))
        calendars[name] = Calendar(replace(calendar.definition, covers=covers, days=days))
    return like(known, calendars, known.organisation)


def like(known: Catalogue, calendars: dict[str, Calendar], organisation: Organisation | None) -> Catalogue:
    revisions = [rules.revision for family in known.families.values() for rules in family.values()]
    return Catalogue(revisions, calendars, known.sources, organisation, None, known.rotation_rules)


def loop(store: Store, known: Catalogue | None = None, clock: Clock | None = None) -> Ticking:
    return Ticking(
        store, known or at_work_at_all_hours(), Health((ticking.PART,)), Metrics(), passed_s=clock or Clock()
    )


def tell(store: Store, *facts: Fact, known: Catalogue | None = None) -> None:
    apply(store, known or at_work_at_all_hours(), messages(*facts), now=at("2021-08-01"))


def noted(on: str) -> Fact:
    """An act of the officer at the post that was left."""
    body = Acted(action="note", procedure="1.004237", actor=Actor(id=OFFICER, role="officer"), unit=BRANCH)
    return Fact("H13-1", "one-stop", f"note-{on}", at(on), body, 1)


def kinds(store: Store) -> set[str]:
    with store.reading() as reading:
        return {life.alert.kind for life in lives(reading.alerts()).values() if life.n}


def test_a_judgment_that_cannot_be_made_is_logged_and_keeps_back_neither_the_others_nor_dossiers(
    store: Store,
) -> None:
    out = StringIO()
    log.start(out, "json")
    tell(store, received("F-1", "2021-05-03"), received("F-2", "2021-05-20"), known=department())
    loop(store, without_calendar_of_this_year()).run(Rounds(2))
    assert {"feedback_repeated", "feedback_late"} <= kinds(store)
    assert "judgment_failed" in out.getvalue()


def test_what_is_judged_over_several_waits_a_quarter_of_an_hour_for_the_next_time(store: Store) -> None:
    clock = Clock()
    going = loop(store, clock=clock)
    tell(store, received("F-1", "2021-05-03"))
    going.run(Rounds(1))
    tell(store, received("F-2", "2021-05-20"))
    clock.seconds = SEVERAL_S - 1
    going.run(Rounds(2))
    assert "feedback_repeated" not in kinds(store)
    assert "feedback_late" in kinds(store)
    clock.seconds = SEVERAL_S
    going.run(Rounds(1))
    assert "feedback_repeated" in kinds(store)


def test_one_ticker_of_several_judges_over_several_subjects_and_the_others_go_on(where: str) -> None:
    store, other = open_store(where), open_store(where)
    tell(store, received("F-1", "2021-05-03"), received("F-2", "2021-05-20"))
    with other.alone(WORK) as free:
        assert free
        loop(store).run(Rounds(2))
        assert "feedback_repeated" not in kinds(store)
        assert "feedback_late" in kinds(store)
    loop(store).run(Rounds(1))
    assert "feedback_repeated" in kinds(store)
    other.close()
    store.close()


def test_acts_after_a_move_are_looked_through_once_a_day(store: Store) -> None:
    clock = Clock()
    going = loop(store, clock=clock)
    tell(store, appointed("2021-03-01"), moved("2021-06-03"))
    going.run(Rounds(1))
    tell(store, noted("2021-07-01"))
    clock.seconds = ACTS_S - 1
    going.run(Rounds(1))
    assert "acting_after_move" not in kinds(store)
    clock.seconds += SEVERAL_S
    going.run(Rounds(1))
    assert "acting_after_move" in kinds(store)
