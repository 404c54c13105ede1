"""What goes out, as it stands on the wire: CloudEvents 1.0, structured JSON, around what `workflow.messages` says.

The same message gives the same bytes, however often it is sent: nothing here but what the outbox holds.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

import msgspec
from msgspec import Struct, defstruct

from consumers.contract.messages import Word
from consumers.contract.topics import DEAD_LETTERS, LETTER_HEADERS
from workflow.kept import english
from workflow.messages import AlertSaid, Decision
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from workflow.messages import Message
    from workflow.store.rows import DeadLetter

SENDER: Final = "urn:dunghen"
"""The CloudEvents source of everything we send. With the id it is what a consumer tells repeats by."""
STRUCTURED: Final = b"application/cloudevents+json; charset=UTF-8"
SCHEMA: Final = "urn:dunghen:event:"


class Envelope(Struct, frozen=True, kw_only=True, tag_field="type"):
    """The CloudEvents attributes of what we send.

    `id`: that of the fact or alert with the number of its change, so a repeat has the id of what it repeats. `source`:
    always `urn:dunghen`. `subject`: the dossier, officer, source or unit it is about, also the record's key. `time`:
    when it was judged. `dataschema`: the `$id` of the schema of this type.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Word
    source: Literal["urn:dunghen"] = SENDER
    subject: Word
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    data: Any


SAID: Final[dict[str, type[Struct]]] = {"decision.made.v1": Decision, "alert.said.v1": AlertSaid}
"""What each outgoing type carries in `data`."""


def _message(name: str, said: type[Struct]) -> type[Envelope]:
    found = defstruct(
        said.__name__ + "Message",
        [("data", said)],
        bases=(Envelope,),
        module=__name__,
        frozen=True,
        kw_only=True,
        tag=name,
        tag_field="type",
    )
    return cast("type[Envelope]", found)


OUTGOING: Final = {name: _message(name, said) for name, said in SAID.items()}
"""The Struct of each outgoing type."""

_HEADERS: Final = (("content-type", STRUCTURED),)
_encode: Final = msgspec.json.Encoder().encode


class Record(NamedTuple):
    """One record as the broker takes it."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def record(message: Message, said_at: datetime, prefix: str) -> Record:
    """The record of a message. `said_at`: when its batch was recorded (UTC); `prefix`: of our topics.

    One header, as structured mode has it: CloudEvents' own SDK takes any `ce_` header for binary mode.
    """
    kind = "decision.made.v1" if message.topic == "decisions" else "alert.said.v1"
    envelope = OUTGOING[kind](
        id=message.id,
        subject=message.key,
        time=said_at,
        dataschema=SCHEMA + kind,
        data=msgspec.Raw(message.data),
    )
    return Record(prefix + message.topic, message.key.encode(), _encode(envelope), _HEADERS)


def letter_record(letter: DeadLetter, prefix: str) -> Record:
    """The record of a dead letter: key, value and headers as they came, behind them where it lay and why it is here."""
    told = {
        "__connect.errors.exception.message": english(letter.detail),
        "dunghen.reason": letter.reason,
        "dunghen.place": letter.place,
        "dunghen.first-seen": from_us(letter.recorded_at).isoformat(),
    }
    if place := _OFFSET.fullmatch(letter.place):
        told |= {f"__connect.errors.{name}": value for name, value in place.groupdict().items()}
    ours = [(name, told[name].encode()) for name in LETTER_HEADERS if name in told]
    return Record(prefix + DEAD_LETTERS.name, letter.key, letter.value, (*headers_of(letter), *ours))


def headers_of(letter: DeadLetter) -> tuple[tuple[str, bytes], ...]:
    """The headers a dead letter came with."""
    return tuple((name, base64.b64decode(value)) for name, value in _decode_headers(letter.headers))


_OFFSET: Final = re.compile(r"(?P<topic>[A-Za-z0-9._-]+)/(?P<partition>[0-9]+)/(?P<offset>[0-9]+)", re.ASCII)
_decode_headers: Final = msgspec.json.Decoder(list[tuple[str, str]]).decode
