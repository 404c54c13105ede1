"""A fact as its row tells it, and the row a fact becomes."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from workflow.canonical import canonical
from workflow.errors import StoreCorrupt
from workflow.factrows import FactRows
from workflow.facts import Acted, Appointment, Body, Fact, Opened
from workflow.store.rows import EPOCH, FactRow, fact_row, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row: TypeAlias = Sequence[Any]

SALT_BYTES: Final = 16
MEMO_MAX: Final = 100_000
"""Bodies remembered by their bytes: most acts of a log say one of a few thousand things. Some 40 MB at most."""

_decode: Final = msgspec.json.Decoder(Body).decode
_TYPES: Final = {body: str(body.__struct_config__.tag) for body in get_args(Body)}
_DAY_CHARS: Final = len("2026-01-01")
_PREFIX: Final = len(b'{"body":')

FACT_COLUMNS: Final = "subject, source, id, revision, occurred_at, entered_at, recorded_at, sequence, told"
_REVISION, _OCCURRED, _SEQUENCE = 3, 4, 7


class Told(Struct, frozen=True, gc=False):
    """A fact, the message it came in, and where: what a dead letter keeps."""

    fact: Fact
    received: bytes
    place: str = ""
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Prepared(Struct, frozen=True, gc=False):
    """A fact ready to be stored: `fact` says what its row will tell, so that a replay reads the same."""

    fact: Fact
    told: bytes
    digest: bytes


class Bodies:
    """Bodies by their bytes. One for each reader: it remembers what it has read, but what one dossier alone says."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._memo: dict[bytes, Body] = {}

    def read(self, told: bytes) -> Body:
        """The body a row tells."""
        body = self._memo.get(told)
        if body is None:
            body = read_body(told)
            if body.__class__ is not Acted or body.submitted_at is None:
                if len(self._memo) >= MEMO_MAX:
                    self._memo.clear()
                self._memo[told] = body
        return body

    def dossier(self, rows: Sequence[Row]) -> Sequence[Fact]:
        """The facts of one dossier, from rows of FACT_COLUMNS.

        Acts of one source that lie in the order of time and sequence are given as rows, without an object for each.
        """
        subject, source = rows[0][:2]
        first = self._told(rows[0])
        known = isinstance(first, Opened) and first.state is None
        found = FactRows(subject, source, self.fact(rows[0]) if known else None)
        add, seen, last, latest = found.rows.append, self._memo.get, -1, rows[0][_OCCURRED]
        for row in rows[known:]:
            _, teller, identifier, revision, occurred_at, _, _, sequence, told = row
            body = seen(told) or self._told(row)
            if (
                sequence <= last
                or occurred_at < latest
                or revision
                or teller != source
                or body.__class__ is not Acted
            ):
                return [self.fact(row) for row in rows]
            last, latest = sequence, occurred_at
            add((EPOCH + timedelta(0, 0, occurred_at), body, identifier, sequence))
        if not found.rows or (known and (rows[0][_REVISION] or rows[0][_SEQUENCE] >= found.rows[0][3])):
            return [self.fact(row) for row in rows]
        return found

    def fact(self, row: Row) -> Fact:
        """The fact of a row of FACT_COLUMNS. Raises StoreCorrupt where its content cannot be read."""
        subject, source, identifier, revision, occurred_at, entered_at, recorded_at, sequence, told = row
        return Fact(
            subject,
            source,
            identifier,
            from_us(occurred_at),
            self._memo.get(told) or self._told(row),
            sequence,
            revision,
            None if entered_at is None else from_us(entered_at),
            from_us(recorded_at),
        )

    def _told(self, row: Row) -> Body:
        try:
            return self.read(row[-1])
        except ValueError as fault:
            raise StoreCorrupt(
                "dossier {dossier}: the content of fact {fact} of source {source} is not what was appended, it cannot "
                "be read ({fault}); list all such facts with dunghen audit verify, and restore the last backup",
                dossier=row[0],
                source=row[1],
                fact=row[2],
                fault=str(fault),
            ) from fault


def read_body(told: bytes) -> Body:
    """The body in canonical JSON. Dates of slips come as text and are made instants or days again."""
    body: Body = _decode(told)
    if isinstance(body, Acted) and body.appointment is not None:
        _read_slip(body.appointment)
    elif isinstance(body, Opened):
        for one in body.appointments:
            _read_slip(one)
    return body


def prepare(fact: Fact, bodies: Bodies) -> Prepared:
    """A fact ready to be stored, its body read back from its row. Raises InputError where it has no canonical form."""
    form = canonical(fact)
    # The fields of the canonical form are sorted: the body first, then `entered_at`, then `id`.
    end = form.rindex(b',"id":')
    if fact.entered_at is not None:
        end = form.rindex(b',"entered_at":', 0, end)
    told = form[_PREFIX:end]
    if fact.occurred_at.tzinfo is not UTC or fact.recorded_at is not None or not _as_told(fact.body, told):
        fact = Fact(
            fact.subject,
            fact.source,
            fact.id,
            fact.occurred_at.astimezone(UTC),
            bodies.read(told),
            fact.sequence,
            fact.revision,
            fact.entered_at,
        )
    return Prepared(fact, told, sha256(form).digest())


def row(one: Prepared, received: bytes, recorded_at: int, salt: bytes) -> FactRow:
    """The row of a fact."""
    fact = one.fact
    return fact_row(
        (
            fact.subject,
            fact.source,
            fact.id,
            fact.revision,
            _TYPES[type(fact.body)],
            to_us(fact.occurred_at),
            None if fact.entered_at is None else to_us(fact.entered_at),
            recorded_at,
            fact.sequence,
            one.told,
            received,
            salt,
            sha256(salt + received).digest(),
            one.digest,
        )
    )


def salts(number: int) -> list[bytes]:
    """Fresh salts: without them a name could be guessed from the hash of an erased message."""
    drawn = os.urandom(SALT_BYTES * number)
    return [drawn[at : at + SALT_BYTES] for at in range(0, len(drawn), SALT_BYTES)]


def _as_told(body: Body, told: bytes) -> bool:
    """Whether a body is what its row will be read as: its texts have one form, and its times are UTC."""
    if body.__class__ is not Acted or not told.isascii():
        return False
    slip, submitted_at = body.appointment, body.submitted_at
    if submitted_at is not None and submitted_at.tzinfo is not UTC:
        return False
    return slip is None or (isinstance(slip.at, datetime) and slip.at.tzinfo is UTC)


def _read_slip(one: Appointment) -> None:
    """Completes a slip that was just decoded, which nobody else has seen."""
    text = str(one.at)
    at = date.fromisoformat(text) if len(text) == _DAY_CHARS else datetime.fromisoformat(text)
    force_setattr(one, "at", at)
