"""Rotation judged over a store: every officer's duties against what was said of them, in one transaction.

Runs at ticks and after a register was brought in. It reads what is stored and says only differences, so that it may run
as often as one likes, and stop anywhere.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from consumers.differences import begin, own_lives, tell
from workflow.alerts import acts_in, say
from workflow.careers import career
from workflow.facts import Acted
from workflow.messages import Alert, AlertSaid
from workflow.moving import SAID_KINDS, standing
from workflow.rotation import Act, acted_after
from workflow.standing import stand
from workflow.store import beside
from workflow.worktime import midnight

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.alerts import Life
    from workflow.careers import Career
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.rotation import ActedAfter
    from workflow.store.store import Reading, Store


class Rotated(Struct, frozen=True):
    """What a pass did: officers looked at, and what was said."""

    officers: int = 0
    said: tuple[AlertSaid, ...] = ()


def judge_rotation(store: Store, catalogue: Catalogue, *, now: datetime, acts: bool = True) -> Rotated:
    """Says what must be said about rotation at `now`; one transaction.

    `acts`: whether the acts of officers who left a post are looked through too, which reads all acts since then; alerts
    about acts said before stay as they are without it. Nothing is said where there are no rules of rotation. Raises
    DefinitionError, CalendarRange, StoreError.
    """
    rotation = catalogue.rotation()
    if rotation is None:
        return Rotated()
    should: list[Alert] = []
    told: list[Fact] = []
    with store.writing() as writing:
        begin(writing, "rotation")
        known = own_lives(writing, SAID_KINDS)
        found = list(beside.officers(writing))
        for officer, facts in found:
            own = career(catalogue.orders, officer, facts, valid_at=now)
            after = acts_after(writing, catalogue, own, until=now) if acts else ()
            should += standing(rotation, own, after, now, said=known)
            told += facts
        if not acts:
            should += [life.alert for life in known.values() if _stays(life)]
        said = tell(writing, catalogue, say(known, should, now, acts=acts_in(told)), now)
    return Rotated(len(found), said)


def acts_after(
    reading: Reading,
    catalogue: Catalogue,
    told: Career,
    *,
    until: datetime | None = None,
    known_at: datetime | None = None,
) -> list[ActedAfter]:
    """The uncorrected acts of an officer in posts left before, at the two times. Raises StoreError."""
    rotation = catalogue.rotation()
    left = [held.until for held in told.holdings if held.until is not None]
    if rotation is None or not left:
        return []
    since = midnight(min(left) + timedelta(days=1), rotation.zone)
    dossiers = beside.dossiers_of(reading, told.officer, since)
    by_dossier = groupby(reading.facts(dossiers) if dossiers else (), key=lambda fact: fact.subject)
    acts = [
        act
        for _, facts in by_dossier
        for one in stand(catalogue.orders, facts, known_at, until).placed
        if (act := _act(one.fact)) is not None
    ]
    return acted_after(rotation, told, acts)


def _act(fact: Fact) -> Act | None:
    body = fact.body
    if not isinstance(body, Acted) or body.actor is None:
        return None
    return Act(fact.subject, body.actor.id, body.action, body.unit, body.actor.role, fact.occurred_at)


def _stays(life: Life) -> bool:
    return life.alert.kind == "acting_after_move" and life.state != "retracted"
