"""What a transaction wrote beside its messages, kept in the outbox row of its batch: each fact, alert, definition and
dead letter by a digest, and how far it moved its streams. `dunghen audit verify` holds the tables to it.

A check sum over the row holds the row to itself. Neither is secret: they show what was changed behind the engine, not
who would make the whole store anew (docs/auditor.md).
"""

from __future__ import annotations

from hashlib import sha256
from operator import attrgetter
from struct import Struct as Layout
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.catalogue import Definition
    from workflow.store.rows import AlertRow, DeadLetter, FactRow, Position

DIGEST_BYTES: Final = 32
UNTOLD: Final = frozenset(("waiting", "history", "retracted", "acknowledged", "snoozed"))
"""States of an alert of which its last message, if there is one, may not tell all that its row keeps."""
_ACT: Final = b'"act":{'
_digests: Final = attrgetter("digest")
_received: Final = attrgetter("received_hash")
_recorded: Final = attrgetter("recorded_at")
_HEAD: Final = Layout(">qq?")


class Step(NamedTuple):
    """How far a stream's partition was read, by the claim `epoch`. Without `before` the position was set by hand."""

    stream: str
    partition: int
    before: int | None
    after: int
    epoch: int


class KeptAlert(NamedTuple):
    """An alert whose row its messages do not tell whole, by the SHA-256 of its content."""

    id: str
    digest: bytes


class KeptDefinition(NamedTuple):
    """A definition that was archived, by the SHA-256 of its content, and when (microseconds)."""

    kind: str
    name: str
    revision: str
    fingerprint: str
    digest: bytes
    recorded_at: int


class KeptLetter(NamedTuple):
    """A dead letter, by the SHA-256 of what never changes of it, and when its time is over (microseconds)."""

    digest: bytes
    expires_at: int


class Retaken(NamedTuple):
    """A dead letter, by its digest, that was taken after all at `at` (microseconds), or with None stays."""

    letter: bytes
    at: int | None


class Wrote(Struct, frozen=True, array_like=True):
    """What one transaction wrote. `digests`, `received`, `recorded`: of its facts, one behind the other."""

    digests: bytes = b""
    received: bytes = b""
    recorded: bytes = b""
    steps: tuple[Step, ...] = ()
    definitions: tuple[KeptDefinition, ...] = ()
    alerts: tuple[KeptAlert, ...] = ()
    letters: tuple[KeptLetter, ...] = ()
    retaken: tuple[Retaken, ...] = ()

    def facts(self) -> list[tuple[bytes, bytes, int]]:
        """Digest, hash of the received bytes and recorded instant of each fact."""
        number = len(self.digests) // DIGEST_BYTES
        places = range(0, number * DIGEST_BYTES, DIGEST_BYTES)
        return list(
            zip(
                (self.digests[at : at + DIGEST_BYTES] for at in places),
                (self.received[at : at + DIGEST_BYTES] for at in places),
                Layout(f">{number}q").unpack(self.recorded),
                strict=True,
            )
        )


class Record:
    """Takes note of what a transaction writes, until its outbox row says so."""

    def __init__(self) -> None:
        """Nothing written yet."""
        self.recorded_at = 0
        self._facts: list[FactRow] = []
        self._steps: list[Step] = []
        self._definitions: list[KeptDefinition] = []
        self._alerts: list[KeptAlert] = []
        self._letters: list[KeptLetter] = []
        self._retaken: list[Retaken] = []

    def __bool__(self) -> bool:
        rare = self._definitions or self._alerts or self._letters or self._retaken
        return bool(self._facts or self._steps or rare)

    def facts(self, rows: Sequence[FactRow]) -> None:
        """Facts that were appended."""
        self._facts += rows

    def moved(self, position: Position) -> None:
        """A stream that was read on."""
        stream, partition, before, after, epoch = position
        if before != after:
            self._steps.append(Step(stream, partition, before, after, epoch))

    def step(self, step: Step, at: int) -> None:
        """A position that was set by hand."""
        self._steps.append(step)
        self.recorded_at = at

    def archived(self, kept: Iterable[Definition], at: int) -> None:
        """Definitions that were archived."""
        self._definitions += (KeptDefinition(*one[:4], sha256(one.content).digest(), at) for one in kept)
        self.recorded_at = at

    def alerts(self, rows: Iterable[AlertRow]) -> None:
        """Alerts that were written."""
        self._alerts += (
            KeptAlert(row.id, sha256(row.content).digest())
            for row in rows
            if row.state in UNTOLD or _ACT in row.content
        )

    def letter(self, one: DeadLetter) -> None:
        """A dead letter that was buried."""
        self._letters.append(KeptLetter(letter_digest(one), one.expires_at))
        self.recorded_at = one.recorded_at

    def retaken(self, letter: DeadLetter, at: int | None) -> None:
        """A dead letter that was taken after all; without `at` it stays."""
        self._retaken.append(Retaken(letter_digest(letter), at))
        self.recorded_at = self.recorded_at if at is None else at

    def taken(self) -> bytes:
        """All that was noted, for an outbox row."""
        facts = self._facts
        return _encode(
            Wrote(
                b"".join(map(_digests, facts)),
                b"".join(map(_received, facts)),
                Layout(f">{len(facts)}q").pack(*map(_recorded, facts)),
                tuple(self._steps),
                tuple(self._definitions),
                tuple(self._alerts),
                tuple(self._letters),
                tuple(self._retaken),
            )
        )


_encode: Final = msgspec.msgpack.Encoder().encode
read: Final = msgspec.msgpack.Decoder(Wrote).decode
"""What an outbox row says was written. Raises msgspec.DecodeError for other bytes."""


def checksum(recorded_at: int, messages: int, withheld: bool, content: bytes, wrote: bytes) -> int:  # noqa: FBT001 - columns
    """CRC-32 of what never changes of an outbox row."""
    return crc32(wrote, crc32(content, crc32(_HEAD.pack(recorded_at, messages, withheld))))


def letter_digest(one: DeadLetter) -> bytes:
    """SHA-256 of what never changes of a dead letter: all but the reason and its words, told anew at each try."""
    told = (one.place, one.key, one.value, one.headers, one.recorded_at, one.expires_at)
    return sha256(_encode(told)).digest()
