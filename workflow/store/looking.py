"""What a store holds beside its dossiers, counted: facts by source, dead letters, definitions, codes. Reads only."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import and_, exists, func, or_, select, text

from workflow.alerts.feeds import DayCount
from workflow.store.faults import translated
from workflow.store.rows import from_us, to_us
from workflow.store.tables import (
    BESIDE_ONLY,
    CHANNELS,
    DEAD_LETTERS,
    DEFINITIONS,
    DELIVERIES,
    DOSSIERS,
    FACTS,
    IS_BLOCKED,
    IS_OPEN,
    NOTICES,
    OUTBOX,
    POSITIONS,
    TO_DELIVER,
    TO_SEND,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Select

    from workflow.organisation import Organisation
    from workflow.store.store import Store

LINKED = "dossier.linked.v1"


class SourceSeen(Struct, frozen=True):
    """What a source has told: how many facts, and when the last of them occurred and was recorded."""

    source: str
    facts: int
    last_at: datetime
    recorded_at: datetime


class Letters(Struct, frozen=True):
    """How many dead letters lie there for one reason, and when the last was recorded."""

    reason: str
    count: int
    recorded_at: datetime


class Held(Struct, frozen=True):
    """One archived definition: its fingerprint, and when it was first used."""

    kind: str
    name: str
    revision: str
    fingerprint: str
    recorded_at: datetime


class Unmodelled(Struct, frozen=True):
    """A code that dossiers name though another procedure judges them, and how many are."""

    code: str
    dossiers: int


class StrangeUnit(Struct, frozen=True):
    """A unit that holds dossiers, or held them last, and that the organisation has not; how many, and one of them."""

    unit: str
    dossiers: int
    dossier: str


class Channel(Struct, frozen=True):
    """How a channel stands: alerts not yet delivered, of which the oldest has waited `oldest_s` seconds; deliveries
    `parked`, refused for good; `failures`, attempts in a row that failed, and the last `fault` with its moment."""

    name: str
    since: datetime
    waiting: int
    oldest_s: float
    parked: int
    failures: int
    delivered_at: datetime | None
    failed_at: datetime | None
    fault: str | None


class Backlog(Struct, frozen=True):
    """What waits: blocked dossiers, dead letters, what the relay has still to send, and what each channel has.

    `batches` rows of the outbox hold `messages`; the oldest has waited `oldest_s` seconds, 0 where there is none. The
    earliest moment at which a ticker has yet to look at a dossier passed `due_s` seconds ago, 0 where none has.
    """

    blocked: int
    dead_letters: tuple[Letters, ...]
    batches: int
    messages: int
    oldest_s: float
    channels: tuple[Channel, ...] = ()
    due_s: float = 0.0


class Reached(Struct, frozen=True):
    """How far a partition of a stream was read: the next position, by which claim, of which log."""

    stream: str
    partition: int
    position: int
    epoch: int
    log: str


class Contents(Struct, frozen=True):
    """All a store holds beside its dossiers."""

    facts: int
    sources: tuple[SourceSeen, ...]
    dead_letters: tuple[Letters, ...]
    definitions: tuple[Held, ...]
    unmodelled: tuple[Unmodelled, ...]


def contents(store: Store) -> Contents:
    """What the store holds, each list in the order of its names. Raises a StoreError."""
    told, held = FACTS.c, DEFINITIONS.c
    sources = [
        SourceSeen(name, count, from_us(last), from_us(at))
        for name, count, last, at in _rows(
            store,
            select(told.source, func.count(), func.max(told.occurred_at), func.max(told.recorded_at))
            .group_by(told.source)
            .order_by(told.source),
        )
    ]
    kept = _rows(
        store,
        select(held.kind, held.name, held.revision, held.fingerprint, held.recorded_at).order_by(
            held.kind, held.name, held.recorded_at, held.revision
        ),
    )
    return Contents(
        facts=sum(source.facts for source in sources),
        sources=tuple(sources),
        dead_letters=dead_letters(store),
        definitions=tuple(
            Held(kind, name, revision, fingerprint, from_us(at))
            for kind, name, revision, fingerprint, at in kept
        ),
        unmodelled=unmodelled(store),
    )


def dead_letters(store: Store) -> tuple[Letters, ...]:
    """The dead letters that were not taken since, by their reasons. Raises a StoreError."""
    letters = DEAD_LETTERS.c
    asked = (
        select(letters.reason, func.count(), func.max(letters.recorded_at))
        .where(letters.redriven_at.is_(None))
        .group_by(letters.reason)
        .order_by(letters.reason)
    )
    return tuple(Letters(reason, count, from_us(at)) for reason, count, at in _rows(store, asked))


def backlog(store: Store, now: datetime) -> Backlog:
    """What waits at this moment; by indexes of what waits, so it costs no more than that. Raises a StoreError."""
    outbox = OUTBOX.c
    counts = func.count(), func.coalesce(func.sum(outbox.messages), 0), func.min(outbox.recorded_at)
    ((batches, messages, oldest),) = _rows(store, select(*counts).where(TO_SEND))
    ((blocked,),) = _rows(store, select(func.count()).select_from(DOSSIERS).where(IS_BLOCKED))
    ((due,),) = _rows(store, select(func.min(DOSSIERS.c.next_due_at)))
    return Backlog(
        int(blocked),
        dead_letters(store),
        int(batches),
        int(messages),
        _age_s(oldest, now),
        channels(store, now),
        _age_s(due, now),
    )


def channels(store: Store, now: datetime) -> tuple[Channel, ...]:
    """How each channel stands that was ever named in a routes file, by its name. Raises a StoreError."""
    known, told, made = CHANNELS.c, NOTICES.c, DELIVERIES.c
    undelivered = (
        (select(told.channel, told.routed_at).where(TO_DELIVER))
        .union_all(
            select(made.channel, told.routed_at)
            .join(NOTICES, told.delivery == made.id)
            .where(IS_OPEN, made.state == "waiting")
        )
        .subquery()
    )
    waiting = {
        name: (int(count), oldest)
        for name, count, oldest in _rows(
            store,
            select(undelivered.c.channel, func.count(), func.min(undelivered.c.routed_at)).group_by(
                undelivered.c.channel
            ),
        )
    }
    parked = dict(
        _rows(
            store,
            select(made.channel, func.count()).where(IS_OPEN, made.state == "parked").group_by(made.channel),
        )
    )
    asked = select(known.name, known.since, known.failures, known.delivered_at, known.failed_at, known.fault)
    return tuple(
        Channel(
            name,
            from_us(since),
            waiting.get(name, (0, None))[0],
            _age_s(waiting.get(name, (0, None))[1], now),
            int(parked.get(name, 0)),
            failures,
            None if delivered is None else from_us(delivered),
            None if failed is None else from_us(failed),
            fault,
        )
        for name, since, failures, delivered, failed, fault in _rows(store, asked.order_by(known.name))
    )


def _age_s(oldest: int | None, now: datetime) -> float:
    return 0.0 if oldest is None else max(0.0, (now - from_us(oldest)).total_seconds())


def positions(store: Store) -> tuple[Reached, ...]:
    """How far each partition was read. Raises a StoreError."""
    known = POSITIONS.c
    asked = select(known.stream, known.partition, known.position, known.epoch, known.log)
    return tuple(Reached(*row) for row in _rows(store, asked.order_by(known.stream, known.partition)))


def unmodelled(store: Store) -> tuple[Unmodelled, ...]:
    """The codes that dossiers name and another procedure judges, the most frequent first. Raises a StoreError."""
    named = DOSSIERS.c
    asked = (
        select(named.code, func.count())
        .where(named.code.is_not(None), named.code != named.procedure)
        .group_by(named.code)
        .order_by(func.count().desc(), named.code)
    )
    return tuple(Unmodelled(code, count) for code, count in _rows(store, asked))


def strange_units(store: Store, organisation: Organisation | None) -> tuple[StrangeUnit, ...]:
    """The units of dossiers that the organisation has not, the most frequent first; none without an organisation.

    Nobody answers for such a unit: what is said of its dossiers reaches their officer alone. Raises a StoreError.
    """
    if organisation is None:
        return ()
    held = DOSSIERS.c
    asked = (
        select(held.unit, func.count(), func.min(held.subject))
        .where(held.unit.is_not(None))
        .group_by(held.unit)
        .order_by(func.count().desc(), held.unit)
    )
    return tuple(StrangeUnit(*row) for row in _rows(store, asked) if row[0] not in organisation.units)


def day_count(store: Store, source: str, since: datetime, until: datetime) -> DayCount:
    """What we have of a day, half-open, of the dossiers a source has told of. Reads those alone that are open or ended
    since the day began: no other was received, released or open in it. Raises a StoreError."""
    one, begins, ends = DOSSIERS.c, to_us(since), to_us(until)
    told = exists().where(FACTS.c.subject == one.subject, FACTS.c.source == source)
    received = and_(one.received_at >= begins, one.received_at < ends)
    released = and_(one.released_at >= begins, one.released_at < ends)
    counts = 0, 0, 0
    codes: list[bytes] = []
    running = one.ended_at.is_(None)
    for ended, still_open in ((running, running), (one.ended_at >= begins, one.ended_at >= ends)):
        open_ = and_(one.received_at < ends, still_open)
        asked = select(one.subject, received, released, open_)
        for subject, *flags in _rows(store, asked.where(ended, or_(received, released, open_), told)):
            in_day, out, waits = map(bool, flags)
            counts = counts[0] + in_day, counts[1] + out, counts[2] + waits
            codes += [subject.encode()] if in_day else []
    digest = sha256(b"".join(code + b"\n" for code in sorted(codes)))
    return DayCount(*counts, digest.hexdigest())


def dossiers(store: Store) -> int:
    """How many dossiers there are. Raises a StoreError."""
    ((count,),) = _rows(store, select(func.count()).select_from(DOSSIERS))
    return int(count)


def facts(store: Store) -> int:
    """How many facts there are. Raises a StoreError."""
    ((count,),) = _rows(store, select(func.count()).select_from(FACTS))
    return int(count)


def two_thirds_received(store: Store, until: datetime) -> datetime | None:
    """The moment by which two thirds of the dossiers received by `until` had been; None of none. Raises a StoreError.

    A share of the dossiers and not of the time: a single one received long before or after the others moves nothing.
    """
    at = DOSSIERS.c.received_at
    counted = at <= to_us(until)
    ((count,),) = _rows(store, select(func.count()).where(counted))
    found = select(at).where(counted).order_by(at).offset(max(2 * count // 3 - 1, 0)).limit(1)
    return next((from_us(moment) for (moment,) in _rows(store, found)), None)


def blocked(store: Store) -> frozenset[str]:
    """The dossiers that cannot be judged. Raises a StoreError."""
    asked = select(DOSSIERS.c.subject).where(DOSSIERS.c.blocked.is_not(None))
    return frozenset(subject for (subject,) in _rows(store, asked))


def linked(store: Store) -> list[str]:
    """The codes of dossiers that say they are linked to others, in their order. Raises a StoreError."""
    these = text(BESIDE_ONLY), FACTS.c.type == LINKED
    asked = select(FACTS.c.subject).where(*these).distinct().order_by(FACTS.c.subject)
    return [subject for (subject,) in _rows(store, asked)]


def _rows(store: Store, asked: Select[Any]) -> Iterator[Any]:
    with translated(store.name), store.engine.connect() as plain:
        connection = plain.execution_options(reads=True)
        with connection.begin():
            yield from connection.execute(asked)
