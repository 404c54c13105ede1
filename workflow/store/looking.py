"""What a store holds beside its dossiers, counted: facts by source, dead letters, definitions, codes. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import func, select

from workflow.store.faults import translated
from workflow.store.rows import from_us
from workflow.store.tables import DEAD_LETTERS, DEFINITIONS, DOSSIERS, FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Select

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
    """A code that dossiers name and no procedure is known for, and how many name it."""

    code: str
    dossiers: int


class Contents(Struct, frozen=True):
    """All a store holds beside its dossiers."""

    facts: int
    sources: tuple[SourceSeen, ...]
    dead_letters: tuple[Letters, ...]
    definitions: tuple[Held, ...]
    unmodelled: tuple[Unmodelled, ...]


def contents(store: Store) -> Contents:
    """What the store holds, each list in the order of its names. Raises a StoreError."""
    facts, letters, held = FACTS.c, DEAD_LETTERS.c, DEFINITIONS.c
    sources = [
        SourceSeen(name, count, from_us(last), from_us(at))
        for name, count, last, at in _rows(
            store,
            select(facts.source, func.count(), func.max(facts.occurred_at), func.max(facts.recorded_at))
            .group_by(facts.source)
            .order_by(facts.source),
        )
    ]
    dead = _rows(
        store,
        select(letters.reason, func.count(), func.max(letters.recorded_at))
        .group_by(letters.reason)
        .order_by(letters.reason),
    )
    kept = _rows(
        store,
        select(held.kind, held.name, held.revision, held.fingerprint, held.recorded_at).order_by(
            held.kind, held.name, held.recorded_at, held.revision
        ),
    )
    return Contents(
        facts=sum(source.facts for source in sources),
        sources=tuple(sources),
        dead_letters=tuple(Letters(reason, count, from_us(at)) for reason, count, at in dead),
        definitions=tuple(
            Held(kind, name, revision, fingerprint, from_us(at))
            for kind, name, revision, fingerprint, at in kept
        ),
        unmodelled=unmodelled(store),
    )


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


def dossiers(store: Store) -> int:
    """How many dossiers there are. Raises a StoreError."""
    ((count,),) = _rows(store, select(func.count()).select_from(DOSSIERS))
    return int(count)


def received_between(store: Store) -> tuple[datetime, datetime] | None:
    """When the first and the last dossier was received; None where none was. Raises a StoreError."""
    at = DOSSIERS.c.received_at
    ((first, last),) = _rows(store, select(func.min(at), func.max(at)))
    return None if first is None else (from_us(first), from_us(last))


def linked(store: Store) -> list[str]:
    """The codes of dossiers that say they are linked to others, in their order. Raises a StoreError."""
    asked = select(FACTS.c.subject).where(FACTS.c.type == LINKED).distinct().order_by(FACTS.c.subject)
    return [subject for (subject,) in _rows(store, asked)]


def _rows(store: Store, asked: Select[Any]) -> Iterator[Any]:
    with translated(store.name), store.engine.connect() as plain:
        connection = plain.execution_options(reads=True)
        with connection.begin():
            yield from connection.execute(asked)
