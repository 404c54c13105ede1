"""Rotation judged over a store: every officer's duties against what was said of them, in one transaction.

Runs at ticks and after a register was brought in. It reads what is stored and says only differences, so that it may run
as often as one likes, and stop anywhere.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from consumers.differences import begin, own_lives, tell
from consumers.feedback import findings
from workflow.alerts.life import acts_in, say
from workflow.clocks.worktime import midnight
from workflow.facts import Acted
from workflow.messages import Alert, AlertSaid
from workflow.rotation.careers import career
from workflow.rotation.duties import Act, acted_after
from workflow.rotation.moving import SAID_KINDS, standing
from workflow.standing import stand
from workflow.store import beside
from workflow.store.beside import Left

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from workflow.alerts.life import Life
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.rotation.careers import Career
    from workflow.rotation.duties import ActedAfter, Rotation
    from workflow.store.store import Reading, Store


class Rotated(Struct, frozen=True):
    """What a pass did: officers looked at, and what was said."""

    officers: int = 0
    said: tuple[AlertSaid, ...] = ()


def judge_rotation(store: Store, catalogue: Catalogue, *, now: datetime, acts: bool = True) -> Rotated:
    """Says what must be said about rotation at `now`; one transaction.

    `acts`: whether the acts of officers who left a post are looked through too, which reads all acts since then, before
    the transaction, so that no writer waits meanwhile; alerts about acts said before stay as they are without it.
    Nothing is said where there are no rules of rotation. Raises DefinitionError, CalendarRange, StoreError.
    """
    rotation = catalogue.rotation()
    if rotation is None:
        return Rotated()
    should: list[Alert] = []
    searched = _searched(store, catalogue, rotation, now) if acts else None
    with store.writing() as writing:
        begin(writing, "rotation")
        known = own_lives(writing, SAID_KINDS)
        found = officers(writing, catalogue, valid_at=now)
        careers = _careers(catalogue, found, now)
        after = {}
        if searched is not None:
            still = searched.asked == _Asked.of(careers, rotation, known)
            after = acts_after(
                writing, catalogue, careers, until=now, dossiers=searched.dossiers if still else None
            )
        for one in careers:
            should += standing(rotation, one, after.get(one.officer, ()), now, said=known)
        if not acts:
            should += [life.alert for life in known.values() if _stays(life)]
        human = acts_in(
            one.fact for _, facts in found for one in stand(catalogue.orders, facts, None, None).placed
        )
        said = tell(writing, catalogue, say(known, should, now, acts=human, all_acts=True), now)
    return Rotated(len(found), said)


class _Asked(NamedTuple):
    """What a search for acts after a move hangs on: who left what, and how much was said of such acts."""

    left: dict[str, Left]
    said: dict[str, int]

    @classmethod
    def of(cls, careers: Sequence[Career], rotation: Rotation, known: Mapping[str, Life]) -> _Asked:
        """As careers and alerts stand."""
        said = {name: life.n for name, life in known.items() if life.alert.kind == "acting_after_move"}
        return cls(_all_left(careers, rotation), said)


class _Searched(NamedTuple):
    """The dossiers in which officers acted after a move, by officer, as of when it was asked."""

    asked: _Asked
    dossiers: dict[str, list[str]]


def _searched(store: Store, catalogue: Catalogue, rotation: Rotation, now: datetime) -> _Searched:
    """Looks through all acts. It counts as long as nobody else left, and no other pass said more: what was acted since
    is for the next pass."""
    with store.reading() as reading:
        careers = _careers(catalogue, officers(reading, catalogue, valid_at=now), now)
        asked = _Asked.of(careers, rotation, own_lives(reading, SAID_KINDS))
        return _Searched(asked, beside.dossiers_of(reading, asked.left))


def _careers(catalogue: Catalogue, found: Sequence[tuple[str, list[Fact]]], now: datetime) -> list[Career]:
    return [career(catalogue.orders, officer, facts, valid_at=now) for officer, facts in found]


def officers(
    reading: Reading,
    catalogue: Catalogue,
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> list[tuple[str, list[Fact]]]:
    """Each officer's code with the facts about the officer, and what feedback on the officer came to at the two times,
    by the codes. Raises StoreError."""
    found = dict(beside.officers(reading))
    for officer, more in findings(reading, catalogue, known_at=known_at, valid_at=valid_at).items():
        found[officer] = [*found.get(officer, ()), *more]
    return sorted(found.items())


def acts_after(
    reading: Reading,
    catalogue: Catalogue,
    careers: Sequence[Career],
    *,
    until: datetime | None = None,
    known_at: datetime | None = None,
    dossiers: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[ActedAfter]]:
    """The uncorrected acts of officers in posts left before, at the two times, by officer. `dossiers`: those to look
    into, by officer; without them all acts are looked through. Raises StoreError."""
    rotation = catalogue.rotation()
    if rotation is None:
        return {}
    if dossiers is None:
        dossiers = beside.dossiers_of(reading, _all_left(careers, rotation))
    named = sorted({dossier for each in dossiers.values() for dossier in each})
    acts: dict[str, list[Act]] = {}
    for _, facts in groupby(reading.facts(named) if named else (), key=lambda fact: fact.subject):
        for one in stand(catalogue.orders, facts, known_at, until).placed:
            act = _act(one.fact)
            if act is not None and act.officer in dossiers:
                acts.setdefault(act.officer, []).append(act)
    return {
        one.officer: acted_after(rotation, one, acts[one.officer]) for one in careers if one.officer in acts
    }


def _all_left(careers: Sequence[Career], rotation: Rotation) -> dict[str, Left]:
    return {one.officer: found for one in careers if (found := _left(one, rotation)) is not None}


def _left(career: Career, rotation: Rotation) -> Left | None:
    """From when on, and where, an act may lie after a move; None for who left no post."""
    left = [(held.until, held.unit) for held in career.holdings if held.until is not None]
    if not left:
        return None
    first = min(until for until, _ in left)
    return Left(midnight(first + timedelta(days=1), rotation.zone), frozenset(unit for _, unit in left))


def _act(fact: Fact) -> Act | None:
    body = fact.body
    if not isinstance(body, Acted) or body.actor is None:
        return None
    return Act(fact.subject, body.actor.id, body.action, body.unit, body.actor.role, fact.occurred_at)


def _stays(life: Life) -> bool:
    return life.alert.kind == "acting_after_move" and life.state != "retracted"
