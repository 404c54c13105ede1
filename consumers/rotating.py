"""Rotation judged over a store: every officer's duties against what was said of them, in one transaction.

Runs at ticks and after a register was brought in. It reads what is stored and says only differences, so that it may run
as often as one likes, and stop anywhere.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from workflow.alerts import acts_in, say
from workflow.careers import career
from workflow.facts import Acted
from workflow.messages import AlertSaid, encode
from workflow.moving import TOPIC, standing
from workflow.rotation import Act, acted_after
from workflow.standing import stand
from workflow.store import beside
from workflow.store.alerts import lives, row
from workflow.store.rows import to_us
from workflow.worktime import midnight

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.alerts import Life
    from workflow.careers import Career
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.rotation import ActedAfter
    from workflow.store.store import Reading, Store

STREAM: Final = "judge/rotation"
"""Its position is no place in a log: two passes at once wait for each other there."""


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
    said: list[AlertSaid] = []
    count = 0
    with store.writing() as writing:
        writing.claim(STREAM, 0, log=STREAM)
        found = list(beside.officers(writing))
        known = _by_officer(lives(writing.alerts([officer for officer, _ in found])))
        for officer, facts in found:
            count += 1
            own = known.get(officer, {})
            told = career(catalogue.orders, officer, facts, valid_at=now)
            after = acts_after(writing, catalogue, told, until=now) if acts else ()
            should = standing(rotation, told, after, now, said=own)
            if not acts:
                should += [life.alert for life in own.values() if _stays(life)]
            spoken = say(own, should, now, acts=acts_in(facts))
            writing.keep_alerts([row(life) for life in spoken.lives])
            said += spoken.said
        if said:
            writing.archive(catalogue.around(), to_us(now))
            writing.say(to_us(now), len(said), encode(said))
    return Rotated(count, tuple(said))


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


def _by_officer(found: dict[str, Life]) -> dict[str, dict[str, Life]]:
    by_officer: dict[str, dict[str, Life]] = {}
    for name, life in found.items():
        if life.alert.topic == TOPIC:
            by_officer.setdefault(life.alert.subject, {})[name] = life
    return by_officer
