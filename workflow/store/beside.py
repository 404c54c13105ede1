"""What judgments over several subjects ask of a store: facts of officers, ratings, and the acts of one officer."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec

from workflow.facts import Acted
from workflow.store.bodies import FACT_COLUMNS, Bodies
from workflow.store.rows import AlertRow, to_us
from workflow.store.tables import BESIDE_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.store.store import Reading

_HOLDS: Final = {"sqlite": "instr(told, %s) > 0", "postgresql": "position(%s::bytea in told) > 0"}
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


def dossiers_of(reading: Reading, officer: str, since: datetime) -> list[str]:
    """The dossiers in which an officer is told to have acted from `since` on. Looks through all acts since then."""
    # The database sorts out by the bytes of the code what cannot concern the officer; then the fact itself is asked.
    statement = (
        f"SELECT {FACT_COLUMNS} FROM facts WHERE type = 'dossier.acted.v1' AND occurred_at >= %s"
        f" AND {_HOLDS[reading.dialect]} ORDER BY subject, recorded_at"
    )
    bodies = Bodies()
    found = map(bodies.fact, reading.ask(statement, (to_us(since), _in_json(officer))))
    return list(dict.fromkeys(fact.subject for fact in found if _by(fact, officer)))


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


def _in_json(text: str) -> bytes:
    """A code as it stands in canonical JSON, without its quotes."""
    return msgspec.json.encode(text)[1:-1]


def _by(fact: Fact, officer: str) -> bool:
    return isinstance(fact.body, Acted) and fact.body.actor is not None and fact.body.actor.id == officer
