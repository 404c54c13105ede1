"""What judgments over several subjects ask of a store: facts of officers, ratings, acts of officers who left."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from workflow.store.bodies import FACT_COLUMNS, Bodies
from workflow.store.rows import AlertRow, to_us
from workflow.store.tables import BESIDE_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.store.store import Reading

_BESIDE: Final = (
    f"SELECT {FACT_COLUMNS} FROM facts WHERE subject IN (SELECT subject FROM facts WHERE {BESIDE_ONLY}"
    " AND type >= %s AND type < %s) ORDER BY subject, recorded_at"
)


def officers(reading: Reading) -> Iterator[tuple[str, list[Fact]]]:
    """Each officer's code with all facts about the officer, by the codes."""
    yield from _subjects(reading, "officer.", "officer/")


def rated(reading: Reading) -> Iterator[tuple[str, list[Fact]]]:
    """Each dossier that was rated with all its facts, by the codes."""
    yield from _subjects(reading, "dossier.rated.", "dossier.rated/")


class Left(NamedTuple):
    """From when on an officer is looked for, and in which units."""

    since: datetime
    units: frozenset[str]


class _Actor(Struct, frozen=True, gc=False):
    id: str


class _Head(Struct, frozen=True, gc=False):
    """Who acted and where: all that is read of an act that does not concern us."""

    actor: _Actor | None = None
    unit: str | None = None


_head: Final = msgspec.json.Decoder(_Head).decode


def dossiers_of(reading: Reading, left: Mapping[str, Left]) -> dict[str, list[str]]:
    """The dossiers in which these officers are told to have acted in units they left, by officer.

    Looks once through all acts since the first of them left.
    """
    found: dict[str, dict[str, None]] = {}
    if not left:
        return {}
    statement = (
        "SELECT subject, occurred_at, told FROM facts WHERE type = 'dossier.acted.v1' AND occurred_at >= %s"
    )
    since = {officer: to_us(one.since) for officer, one in left.items()}
    for subject, at, told in reading.ask(statement, (min(since.values()),)):
        head = _head(told)
        if head.actor is None or head.actor.id not in left:
            continue
        officer = head.actor.id
        if at >= since[officer] and head.unit in left[officer].units:
            found.setdefault(officer, {})[subject] = None
    return {officer: sorted(dossiers) for officer, dossiers in found.items()}


def alerts_of(reading: Reading, kinds: Sequence[str]) -> list[AlertRow]:
    """The alerts of these kinds that were ever said, by their ids. Looks through all alerts."""
    places = ", ".join(["%s"] * len(kinds))
    statement = f"SELECT {', '.join(AlertRow._fields)} FROM alerts WHERE kind IN ({places}) ORDER BY id"
    return [AlertRow._make(row) for row in reading.ask(statement, tuple(kinds))]


def judged_by(reading: Reading, procedures: Sequence[str]) -> list[str]:
    """The dossiers that these procedures judge, by their codes."""
    if not procedures:
        return []
    places = ", ".join(["%s"] * len(procedures))
    statement = f"SELECT subject FROM dossiers WHERE procedure IN ({places}) ORDER BY subject"
    return [subject for (subject,) in reading.ask(statement, tuple(procedures))]


def _subjects(reading: Reading, first: str, after: str) -> Iterator[tuple[str, list[Fact]]]:
    bodies = Bodies()
    facts = map(bodies.fact, reading.ask(_BESIDE, (first, after)))
    for subject, found in groupby(facts, key=lambda fact: fact.subject):
        yield subject, list(found)
