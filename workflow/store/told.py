"""The outbox read once: whether each row gives its check sum, and what all of them say was written.

Facts are added up, one sum for each part of them, since there may be more than memory holds; alerts and dead letters
go into a temporary file of SQLite.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from workflow.messages import AlertSaid
from workflow.store.breaches import Broken, instant
from workflow.store.wrote import KeptDefinition, Step, Wrote, checksum, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.store.reading import Reading
    from workflow.store.witness import Trees

PARTS: Final = 1 << 16
MASK: Final = (1 << 64) - 1
_ROWS: Final = (
    "SELECT seq, recorded_at, messages, withheld, content, wrote, checksum FROM outbox ORDER BY seq"
)
_MAKE: Final = (
    "CREATE TABLE alerts (id TEXT PRIMARY KEY, messages INTEGER NOT NULL, said BLOB, kept BLOB) WITHOUT ROWID",
    "CREATE TABLE letters (digest BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID",
)
_SAID: Final = (
    "INSERT INTO alerts VALUES (?, 1, ?, NULL) ON CONFLICT DO UPDATE SET messages = messages + 1,"
    " said = excluded.said, kept = NULL"
)
_KEPT: Final = "INSERT INTO alerts VALUES (?, 0, NULL, ?) ON CONFLICT DO UPDATE SET kept = excluded.kept"
_LETTER: Final = "INSERT OR IGNORE INTO letters VALUES (?, ?)"


class Decided(Struct, frozen=True, gc=False, tag="decision", tag_field="says"):
    """A decision of the outbox, as far as it names a fact."""

    subject: str
    source: str
    id: str
    revision: int


class SaidLast(NamedTuple):
    """What the outbox says of an alert: how many messages, the last, and the digest of its row where it was written
    since and no message tells it whole."""

    id: str
    messages: int
    said: bytes | None
    kept: bytes | None


_messages: Final = msgspec.json.Decoder(list[Decided | AlertSaid]).decode
_encode: Final = msgspec.json.Encoder().encode


class Told:
    """What the outbox says. `read_through` fills it; `broken` are the rows that are not what was written."""

    def __init__(self, reading: Reading, index: sqlite3.Connection, trees: Trees) -> None:
        """`told` makes one; `trees` grow by all facts."""
        self.sums = [0] * PARTS
        self.steps: dict[tuple[str, int], Step] = {}
        self.definitions: dict[tuple[str, str, str], list[KeptDefinition]] = {}
        self.retaken: dict[bytes, int | None] = {}
        self.trees = trees
        self._reading, self._index = reading, index

    def read_through(self) -> Iterator[Broken]:
        """Reads every row, the first first; those that are not what was written, and steps that lead from nowhere."""
        for seq, at, messages, withheld, *columns, proof in self._reading.ask(_ROWS):
            content, wrote = map(bytes, columns)
            found = checksum(at, messages, bool(withheld), content, wrote)
            if found != proof:
                yield Broken("checksum", "outbox", str(seq), str(proof), str(found))
            self._alerts(said_in(content))
            yield from self._wrote(seq, _read(wrote))

    def _alerts(self, said: list[Decided | AlertSaid]) -> None:
        rows = [(one.alert.id, _encode(one)) for one in said if isinstance(one, AlertSaid)]
        self._index.executemany(_SAID, rows)

    def _wrote(self, seq: int, wrote: Wrote) -> Iterator[Broken]:
        facts = facts_of(wrote)
        self.trees.add(wrote, facts)
        for one in facts:
            part = int.from_bytes(one[0][:2], "big")
            self.sums[part] = (self.sums[part] + hash(one)) & MASK
        for definition in wrote.definitions:
            self.definitions.setdefault(definition[:3], []).append(definition)
        self.retaken.update(wrote.retaken)
        self._index.executemany(_KEPT, wrote.alerts)
        self._index.executemany(_LETTER, wrote.letters)
        for step in wrote.steps:
            before = self.steps.get(step[:2])
            self.steps[step[:2]] = step
            if before is not None and step.before is not None and step.before != before.after:
                name = f"{step.stream}/{step.partition} before {seq}"
                yield Broken("gone", "outbox", name, str(step.before), str(before.after))

    def alerts(self) -> Iterator[SaidLast]:
        """What is said of each alert, by its id."""
        return map(SaidLast._make, self._index.execute("SELECT * FROM alerts ORDER BY id"))

    def letter(self, digest: bytes) -> bool:
        """Whether a dead letter was buried, and was not asked for before."""
        return self._index.execute("DELETE FROM letters WHERE digest = ?", (digest,)).rowcount == 1

    def letters_left(self, now_us: int) -> Iterator[Broken]:
        """Those that were not asked for, and whose time is not over."""
        left = self._index.execute("SELECT digest, expires_at FROM letters WHERE expires_at > ?", (now_us,))
        for digest, at in left:
            yield Broken(
                "gone", "dead_letters", bytes(digest).hex()[:16], f"kept until {instant(at)}", "none"
            )


def said_in(content: bytes) -> list[Decided | AlertSaid]:
    """The messages of a row; none where they cannot be read, which its check sum shows."""
    try:
        return _messages(content)
    except msgspec.MsgspecError:
        return []


def facts_of(wrote: Wrote) -> list[tuple[bytes, bytes, int]]:
    """The facts a row tells of; none where it cannot be read."""
    try:
        return wrote.facts()
    except (ValueError, struct.error):
        return []


def _read(wrote: bytes) -> Wrote:
    try:
        return read(wrote)
    except msgspec.MsgspecError:
        return Wrote()


def wrote_in(reading: Reading) -> Iterator[tuple[int, bytes, Wrote]]:
    """Each row of the outbox again: its number, its messages, and what it says was written."""
    for seq, content, wrote in reading.ask("SELECT seq, content, wrote FROM outbox ORDER BY seq"):
        yield seq, bytes(content), _read(bytes(wrote))


@contextmanager
def told(reading: Reading, trees: Trees) -> Iterator[Told]:
    """What the outbox of a store says, its facts added to `trees`. The index is a temporary file of SQLite."""
    index = sqlite3.connect("", isolation_level=None)
    try:
        index.execute("PRAGMA journal_mode = OFF")
        index.execute("PRAGMA synchronous = OFF")
        index.execute("BEGIN")
        for statement in _MAKE:
            index.execute(statement)
        yield Told(reading, index, trees)
    finally:
        index.close()
