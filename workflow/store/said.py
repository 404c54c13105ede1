"""What was said last of each fact: an index of the outbox, on the disk for as long as it is needed."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from workflow.errors import StoreCorrupt
from workflow.model import Outcome, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflow.store.store import Reading

DECISION: Final = "decision"
BATCHES: Final = 20
"""Batches of messages held at once: each is some hundred kilobytes."""
_PUT: Final = (
    "INSERT INTO said VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version,"
    " outcome = excluded.outcome WHERE excluded.version >= version"
)
_MAKE: Final = (
    "CREATE TABLE said (subject TEXT, source TEXT, id TEXT, revision INTEGER, version INTEGER, outcome BLOB,"
    " PRIMARY KEY (subject, source, id, revision)) WITHOUT ROWID"
)
_GET: Final = "SELECT source, id, revision, outcome FROM said WHERE subject = ?"
_decode: Final = msgspec.json.Decoder(Outcome).decode


class SaidOfFact(Struct, frozen=True, gc=False):
    """A message of the outbox, as far as it is a decision: what became of one fact. `outcome` and `supersedes` as JSON,
    empty where there is none."""

    says: str = ""
    subject: str = ""
    source: str = ""
    id: str = ""
    revision: int = 0
    version: int = 0
    outcome: Raw = Raw()
    supersedes: Raw = Raw()


_messages: Final = msgspec.json.Decoder(list[SaidOfFact]).decode


def decisions(reading: Reading) -> Iterator[SaidOfFact]:
    """All decisions with an outcome, in the order they were said. Raises StoreCorrupt where they cannot be read."""
    after = 0
    while batches := reading.outbox(after, BATCHES):
        for after, content in batches:
            yield from (one for one in _said(after, content) if one.says == DECISION and one.outcome)


def _said(number: int, content: bytes) -> list[SaidOfFact]:
    try:
        return _messages(content)
    except msgspec.DecodeError as fault:
        raise StoreCorrupt(
            "row {number} of the outbox is not what was said, it cannot be read ({fault}); restore the last backup",
            number=number,
            fault=str(fault),
        ) from fault


class Said:
    """What was said last of each fact."""

    def __init__(self, index: sqlite3.Connection) -> None:
        """`indexed` makes one."""
        self._index = index

    def of(self, subjects: Iterable[str]) -> dict[str, dict[tuple[str, str, int], Outcome]]:
        """By dossier and fact (source, id, revision)."""
        return {
            subject: {
                (source, identifier, revision): _outcome(outcome)
                for source, identifier, revision, outcome in self._index.execute(_GET, (subject,))
            }
            for subject in subjects
        }


@contextmanager
def indexed(reading: Reading) -> Iterator[Said]:
    """What was said last of each fact, by one reading of the whole outbox. The index is a temporary file of SQLite."""
    index = sqlite3.connect("", isolation_level=None)
    try:
        index.execute("PRAGMA journal_mode = OFF")
        index.execute("PRAGMA synchronous = OFF")
        index.execute("BEGIN")
        index.execute(_MAKE)
        index.executemany(
            _PUT,
            (
                (one.subject, one.source, one.id, one.revision, one.version, bytes(one.outcome))
                for one in decisions(reading)
            ),
        )
        yield Said(index)
    finally:
        index.close()


def _outcome(content: bytes) -> Outcome:
    """An outcome read back. In JSON the instants of a deadline are texts like any other."""
    found = _decode(content)
    if not any(one.kind == "deadline" for one in found.violations):
        return found
    return replace(found, violations=tuple(map(_violation, found.violations)))


def _violation(one: Violation) -> Violation:
    if one.kind != "deadline":
        return one
    return replace(one, expected=_instant(one.expected), found=_instant(one.found))


def _instant(value: str | datetime) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
