"""Facts and dossiers as rows, and back. Times are whole microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from workflow.canonical import plain_body
from workflow.facts import Acted, Appointment, Body, Fact, Opened
from workflow.model import AppointmentTold, Dossier
from workflow.store.tables import DOSSIER_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DECIMAL: Final = 1
_DAY: Final = 2
_LOOSE: Final = ("registers", "appointments")
"""Fields of a dossier whose values no type tells apart once they are text."""

_body: Final = msgspec.json.Decoder[Body](Body)
_json: Final = msgspec.json.Encoder(order="sorted")
_pack: Final = msgspec.msgpack.Encoder()
_Packed: Final = msgspec.defstruct(
    "Packed",
    [
        (field.name, list[Any] if field.name in _LOOSE else field.type)
        for field in msgspec.structs.fields(Dossier)
    ],
    array_like=True,
    frozen=True,
)


class Told(NamedTuple):
    """A fact with the bytes it came as."""

    fact: Fact
    received: bytes


class DossierRow(NamedTuple):
    """What the store keeps of one subject; `dossier` is None where no fact of a dossier is among its facts."""

    columns: Mapping[str, Any]
    dossier: Dossier | None


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The instant so many microseconds after 1970, UTC."""
    return EPOCH + timedelta(microseconds=value)


def row_of(told: Told, digest: bytes, recorded_at: int, salt: bytes) -> tuple[Any, ...]:
    """A fact as its row, in the order of `FACT_COLUMNS`."""
    fact = told.fact
    body = plain_body(fact)
    return (
        fact.subject,
        fact.source,
        fact.id,
        fact.revision,
        body["type"],
        micros(fact.occurred_at),
        None if fact.entered_at is None else micros(fact.entered_at),
        recorded_at,
        fact.sequence,
        _json.encode(body),
        told.received,
        salt,
        sha256(salt + told.received).digest(),
        digest,
    )


def fact_of(columns: Mapping[str, Any]) -> Fact:
    """The fact of a row."""
    entered_at = columns["entered_at"]
    return Fact(
        columns["subject"],
        columns["source"],
        columns["id"],
        instant(columns["occurred_at"]),
        _dated(_body.decode(columns["told"])),
        columns["sequence"],
        columns["revision"],
        None if entered_at is None else instant(entered_at),
        instant(columns["recorded_at"]),
    )


def blank(subject: str) -> dict[str, Any]:
    """The row of a subject of which nothing is known yet, in version 0."""
    return {**dict.fromkeys(DOSSIER_COLUMNS), "subject": subject, "version": 0, "facts": 0, "deviated": 0}


def pack(dossier: Dossier) -> bytes:
    """A dossier as bytes; equal dossiers give equal bytes."""
    values = {name: getattr(dossier, name) for name in Dossier.__struct_fields__}
    values["registers"] = [_marked(value) for value in dossier.registers]
    values["appointments"] = [(_marked(one.at), one.cause, one.told_at) for one in dossier.appointments]
    return _pack.encode(_Packed(**values))


def unpack(data: bytes) -> Dossier:
    """The dossier in bytes that `pack` made."""
    packed: Any = _unpacker.decode(data)
    values = {name: getattr(packed, name) for name in Dossier.__struct_fields__}
    values["appointments"] = tuple(AppointmentTold(*one) for one in packed.appointments)
    return Dossier(**values)


def _marked(value: object) -> object:
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode())
    if isinstance(value, date) and not isinstance(value, datetime):
        return msgspec.msgpack.Ext(_DAY, value.isoformat().encode())
    return value


def _unmarked(code: int, data: memoryview) -> Decimal | date:
    text = bytes(data).decode()
    return Decimal(text) if code == _DECIMAL else date.fromisoformat(text)


_unpacker: Final = msgspec.msgpack.Decoder(_Packed, ext_hook=_unmarked)


def _dated(body: Body) -> Body:
    """A body with the dates of its slips, which JSON has only as text."""
    if isinstance(body, Acted) and body.appointment is not None:
        return replace(body, appointment=_slip(body.appointment))
    if isinstance(body, Opened) and body.appointments:
        return replace(body, appointments=tuple(map(_slip, body.appointments)))
    return body


def _slip(slip: Appointment) -> Appointment:
    text = str(slip.at)
    whole_day = len(text) == len("2026-01-31")
    return replace(slip, at=date.fromisoformat(text) if whole_day else datetime.fromisoformat(text))
