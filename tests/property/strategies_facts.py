"""Random histories of random small procedures, drawn from a `random.Random`.

The same generator serves Hypothesis and the seeded long run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace
from oracle.offices import CALENDAR, UNITS
from strategies_procedures import ROLES, chance, procedure

from workflow.facts import (
    Acted,
    Actor,
    Appointment,
    Body,
    Fact,
    Heartbeat,
    Opened,
    Rated,
    Recipient,
    Scalar,
    Voided,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.procedure.language import Revision

SUBJECT = "000.00.16.H13-240102-0001"
START = datetime(2024, 1, 2, 1, 0, tzinfo=UTC)
UNKNOWN_SOURCE = "stray"
SOURCES = ("gate", "desk", "post", UNKNOWN_SOURCE)
PEOPLE = ("an", "binh", "chi")


class Case(NamedTuple):
    """A procedure, how its sources are read (as plain dicts), and the facts of one dossier."""

    revision: Revision
    sources: dict[str, dict[str, Any]]
    facts: list[Fact]


def cases() -> st.SearchStrategy[Case]:
    """Cases for Hypothesis: drawn by a seed (a shrinkable Random is ten times slower), cut to fewer facts as it
    shrinks."""
    return drawn(lambda rng: sometimes_in_an_office(rng, case(rng)))


def sometimes_in_an_office(rng: Random, one: Case) -> Case:
    """The case as it is, or counted by the working hours of the units its facts name."""
    if chance(rng, 60):
        return one
    hours = replace(one.revision.counting["hours"], unit="working_hours")
    units = rng.choice(((), ("hall",), ("hall", "early")))
    revision = replace(one.revision, calendar=CALENDAR.name, units=units, counting={"hours": hours})
    told = {(fact.source, fact.id, fact.revision): _in_a_unit(rng, fact) for fact in one.facts}
    return Case(revision, one.sources, [told[fact.source, fact.id, fact.revision] for fact in one.facts])


def _in_a_unit(rng: Random, fact: Fact) -> Fact:
    if not isinstance(fact.body, Acted | Opened):
        return fact
    return replace(fact, body=replace(fact.body, unit=rng.choice((None, *UNITS))))


def drawn(make: Callable[[Random], Case]) -> st.SearchStrategy[Case]:
    """Cases made from a seed, with no more facts than a number that Hypothesis shrinks."""

    def cut(seed: int, most: int) -> Case:
        return first_facts(make(Random(seed)), most)

    return st.builds(cut, st.integers(0, 2**48), st.integers(1, 40))


def first_facts(one: Case, most: int) -> Case:
    """The case with no more than its first facts."""
    return one._replace(facts=one.facts[:most])


def case(rng: Random) -> Case:
    """One procedure with one history."""
    revision = procedure(rng)
    sources = readings(rng)
    return Case(revision, sources, history(rng, revision, sources))


def readings(rng: Random) -> dict[str, dict[str, Any]]:
    """How each known source is read."""
    return {
        source: {
            "order": rng.choice(("time", "sequence")),
            "rank": rng.randrange(2),
            "voids": rng.choice(("none", "own", "any")),
        }
        for source in SOURCES
        if source != UNKNOWN_SOURCE
    }


def history(rng: Random, revision: Revision, sources: dict[str, dict[str, Any]]) -> list[Fact]:
    """Facts of one dossier as they may arrive: legal and illegal steps, corrections, repetitions."""
    facts: list[Fact] = []
    state, hours = revision.initial, 0
    for number in range(rng.randint(1, 9)):
        hours += rng.choice((0, 0, 1, 1, 2, 5))
        body, state = _step(rng, revision, state)
        facts.append(_fact(rng, f"f{number}", body, hours, number))
    facts += [_revised(rng, revision, rng.choice(facts)) for _ in range(rng.choice((0, 0, 1, 2)))]
    for number in range(rng.choice((0, 0, 0, 1, 2, 3))):
        void = _void(rng, f"v{number}", facts, hours)
        facts.append(void)
        if chance(rng, 20):
            again = _void(rng, f"v{number}", facts, hours)
            facts.append(replace(again, source=void.source, revision=void.revision + 1))
        if chance(rng, 5):
            facts.append(
                replace(void, revision=3, body=_acted(rng, revision, rng.choice(list(revision.actions))))
            )
    facts = list({(fact.source, fact.id, fact.revision): fact for fact in facts}.values())
    facts += [rng.choice(facts) for _ in range(rng.choice((0, 0, 1, 3)))]
    rng.shuffle(facts)
    del sources
    return facts


def _fact(rng: Random, name: str, body: Body, hours: int, number: int) -> Fact:
    """A fact near its place: now and then much earlier or later, or with a sequence that is missing or shared."""
    if chance(rng, 12):
        hours += rng.choice((-5, -2, 3, 9))
    sequence = number + 1
    if chance(rng, 25):
        sequence = rng.choice((0, 0, number, number + 4))
    recorded = START + timedelta(hours=hours, minutes=30 * rng.randrange(20)) if chance(rng, 85) else None
    return Fact(
        subject=SUBJECT,
        source=rng.choice(SOURCES),
        id=name,
        occurred_at=START + timedelta(hours=hours),
        body=body,
        sequence=sequence,
        recorded_at=recorded,
    )


def _step(rng: Random, revision: Revision, state: str) -> tuple[Body, str]:
    """The next thing told, and the state a dossier would be in if it were legal."""
    roll = rng.randrange(100)
    if roll < 4:
        return _opened(rng, revision), state
    if roll < 7:
        return Heartbeat() if chance(rng, 50) else Rated(channel="web", scores={"time": 2}), state
    if roll < 9:
        return _acted(rng, revision, "no_such_action"), state
    legal = [
        (name, move)
        for name, action in revision.actions.items()
        for move in action.moves
        if state in move.sources or (move.sources == "any" and state != revision.initial)
    ]
    if legal and roll < 80:
        name, move = rng.choice(legal)
        return _acted(rng, revision, name), move.to or state
    return _acted(rng, revision, rng.choice(list(revision.actions))), state


def _acted(rng: Random, revision: Revision, action: str) -> Acted:
    return Acted(
        action=action,
        actor=Actor(id=rng.choice(PEOPLE), role=rng.choice((*ROLES, None))) if chance(rng, 85) else None,
        to=Recipient(unit="u1", officer=rng.choice(PEOPLE)) if chance(rng, 15) else None,
        appointment=_slip(rng) if chance(rng, 15) else None,
        data=_data(rng, revision),
    )


def _slip(rng: Random) -> Appointment:
    at = START + timedelta(days=rng.randint(1, 3))
    return Appointment(
        at=at if chance(rng, 50) else at.date(), cause=rng.choice(("first", "correction", "apology"))
    )


def _data(rng: Random, revision: Revision) -> dict[str, Scalar]:
    told: dict[str, Scalar] = {}
    for name, register in revision.registers.items():
        if chance(rng, 60) or register.keep == "count":
            continue
        told[register.source or name] = _value(rng, register.type)
    return told


def _value(rng: Random, kind: str) -> Scalar:
    if kind != "text" and chance(rng, 10):
        return rng.choice(("unreadable", "1.2.3", ""))
    if kind == "integer":
        return rng.choice((0, 1, 2, 3, "2"))
    if kind == "money":
        return rng.choice(("0.50", "1", "1.80", 2))
    return rng.choice(("plain", "grave", "other"))


def _opened(rng: Random, revision: Revision) -> Opened:
    state = rng.choice((*revision.states, None, None, "no_such_state"))
    return Opened(
        state=state,
        received_at=START - timedelta(hours=2) if chance(rng, 40) else None,
        ended_at=START + timedelta(hours=rng.randint(1, 20)) if chance(rng, 30) else None,
        appointments=(_slip(rng),) if chance(rng, 30) else (),
        data=_data(rng, revision),
    )


def _revised(rng: Random, revision: Revision, fact: Fact) -> Fact:
    """The same record sent again, changed."""
    if isinstance(fact.body, Acted):
        body: Body = _acted(rng, revision, rng.choice((fact.body.action, *revision.actions)))
    else:
        body = fact.body
    return Fact(
        subject=fact.subject,
        source=fact.source,
        id=fact.id,
        occurred_at=fact.occurred_at + timedelta(hours=rng.choice((0, 0, 1, -3))),
        body=body,
        sequence=fact.sequence if chance(rng, 70) else fact.sequence + 2,
        revision=rng.randint(1, 2),
        recorded_at=fact.recorded_at and fact.recorded_at + timedelta(hours=1),
    )


def _void(rng: Random, name: str, facts: list[Fact], hours: int) -> Fact:
    """A correction of a fact, of a void, of itself, or of something that never came."""
    target = rng.choice(facts)
    if chance(rng, 35):
        target = rng.choice([fact for fact in facts if isinstance(fact.body, Voided)] or facts)
    target_id, target_source = target.id, target.source
    if chance(rng, 15):
        target_id = rng.choice((name, f"v{rng.randrange(3)}", "never"))
    source = target_source if chance(rng, 60) else rng.choice(SOURCES)
    body = Voided(
        target_id=target_id,
        target_source=target_source if source != target_source or chance(rng, 40) else None,
        target_revision=rng.choice((None, None, None, 0, 1)),
        reason="mistyped",
    )
    void = _fact(rng, name, body, rng.randint(0, hours + 2), 0)
    return Fact(
        subject=void.subject,
        source=source,
        id=void.id,
        occurred_at=void.occurred_at,
        body=body,
        recorded_at=void.recorded_at,
        revision=rng.choice((0, 0, 0, 1)),
    )
