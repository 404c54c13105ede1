"""Bytes to facts and back: the one door of every event, whatever brought it here.

The envelope is CloudEvents 1.0, structured or binary. What is taken is a `Fact` with UTC times and texts in
normalisation form C; what is not raises an InputError with a reason code and a JSON path. No I/O, no clock.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn
from unicodedata import normalize

from msgspec import Struct, ValidationError, convert
from msgspec.json import Encoder

from consumers.contract import times
from consumers.contract.limits import DEFAULT_LIMITS, REVISION_MAX, WHOLE_MAX, Limits
from consumers.contract.messages import BODIES, MESSAGES, SEQUENCE_DIGITS, Attributes
from consumers.contract.mismatch import mismatch
from consumers.contract.reasons import refusal, shown
from consumers.contract.rules import check
from consumers.contract.strict import read_object
from workflow.canonical import plain_body, time_text
from workflow.errors import InputError, Words
from workflow.facts import Fact, is_bare

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SPEC_VERSION: Final = "1.0"
STRUCTURED: Final = "application/cloudevents+json"
HEADER_PREFIX: Final = "ce_"

_JSON_TYPE: Final = re.compile(r"application/(?:[a-z0-9.\-]+\+)?json(?:\s*;.*)?", re.ASCII | re.IGNORECASE)
_VERSION: Final = re.compile(r"(.+)\.v[0-9]+", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,16}", re.ASCII)
_READERS: Final = {name: times.reader_of(body) for name, body in BODIES.items()}
_VERSIONS: Final = {name.rpartition(".")[0]: name for name in BODIES}
_encode: Final = Encoder().encode


class RawRecord(Struct, frozen=True, gc=False):
    """One message as it came. `place` names it in errors: file:line, or topic/partition/offset."""

    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    place: str = "message"


def decode(record: RawRecord, *, zone: ZoneInfo | None = None, limits: Limits = DEFAULT_LIMITS) -> Fact:
    """The fact a message tells. Unknown fields are ignored; `zone` reads times without an offset.

    Raises InputError with a `code` of `consumers.contract.reasons`, the `place` and the JSON `path` among its
    values; HostileInput where a limit is passed.
    """
    try:
        if record.headers and _is_binary(record):
            tree = _binary(record, limits)
        else:
            tree = read_object(record.value, "$", limits)
        fact = _fact(tree, times.Reading(zone, limits.earliest, limits.latest), limits.identity_chars_max)
        _check_key(record.key, fact.subject)
    except InputError as error:
        error.values["place"] = record.place
        raise
    return fact


def encode(fact: Fact) -> bytes:
    """A fact as a structured CloudEvents message, UTF-8. The same fact gives the same bytes.

    Times are in UTC with six decimals, `sequence` has 16 digits so that it sorts as text; fields at their default
    are left out. Raises InputError (`time_without_zone`).
    """
    body = plain_body(fact)
    message: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "type": body.pop("type"),
        "source": fact.source,
        "id": fact.id,
        "subject": fact.subject,
        "datacontenttype": "application/json",
    }
    if fact.sequence:
        message["sequence"] = f"{fact.sequence:0{SEQUENCE_DIGITS}d}"
    if fact.revision:
        message["revision"] = fact.revision
    if fact.recorded_at:
        message["recordedtime"] = time_text(fact.recorded_at, fact)
    data = message["data"] = {"occurred_at": time_text(fact.occurred_at, fact)}
    if fact.entered_at:
        data["entered_at"] = time_text(fact.entered_at, fact)
    data.update(body)
    return _encode(message)


def _fact(tree: dict[str, Any], reading: times.Reading, identity_chars_max: int) -> Fact:
    kind = _checked_type(tree)
    data = tree.get("data")
    occurred_at = entered_at = None
    if isinstance(data, dict):
        # A body's type is the message's; a field of this name in `data` means nothing here.
        data.pop("type", None)
        occurred_at = times.time(data.get("occurred_at"), "$.data.occurred_at", reading)
        if "entered_at" in data:
            entered_at = times.time(data["entered_at"], "$.data.entered_at", reading)
        _READERS[kind](data, "$.data", reading)
    if "recordedtime" in tree:
        tree["recordedtime"] = times.time(tree["recordedtime"], "$.recordedtime", reading)
    try:
        message = convert(tree, MESSAGES[kind])
    except ValidationError as error:
        raise mismatch(error, tree) from error
    _check_identity(message, identity_chars_max)
    fact = Fact(
        message.subject,
        message.source,
        message.id,
        occurred_at if isinstance(occurred_at, datetime) else _no_time(occurred_at),
        message.data,
        _sequence(message.sequence),
        message.revision,
        entered_at if entered_at is None or isinstance(entered_at, datetime) else _no_entry(entered_at),
        message.recordedtime,
    )
    check(fact)
    return fact


def _checked_type(tree: dict[str, Any]) -> str:
    """The message's type, once the attributes that say how to read the rest are as they must be."""
    if tree.get("specversion") != SPEC_VERSION:
        raise refusal(
            "specversion", "$.specversion", expected=SPEC_VERSION, found=shown(tree.get("specversion"))
        )
    kind = tree.get("type")
    if not isinstance(kind, str) or kind not in BODIES:
        raise _unknown(kind)
    if "data_base64" in tree:
        raise refusal("binary_data", "$.data_base64")
    content = tree.get("datacontenttype")
    if isinstance(content, str) and content != "application/json" and not _JSON_TYPE.fullmatch(content):
        raise refusal("content_type", "$.datacontenttype", expected="application/json", found=shown(content))
    return kind


def _unknown(kind: object) -> InputError:
    if kind is None:
        return refusal("missing_field", "$.type")
    name = _VERSION.fullmatch(kind) if isinstance(kind, str) else None
    if name and name[1] in _VERSIONS:
        return refusal("unknown_version", "$.type", expected=_VERSIONS[name[1]], found=shown(kind))
    return refusal("unknown_type", "$.type", found=shown(kind))


def _check_identity(message: Attributes, chars_max: int) -> None:
    together = message.subject + message.source + message.id
    if together.isprintable() and len(together) <= chars_max and " " not in together:
        return
    for name in ("subject", "source", "id"):
        text = getattr(message, name)
        if len(text) > chars_max:
            raise refusal("text_too_long", f"$.{name}", expected=chars_max, found=len(text))
        if not text.isprintable():
            raise refusal("unprintable_identity", f"$.{name}", found=shown(text))
        if not is_bare(text):
            raise refusal("blanks_around", f"$.{name}", found=shown(text))


def _no_time(occurred_at: object) -> NoReturn:
    if occurred_at is None:
        raise refusal("missing_field", "$.data.occurred_at")
    raise refusal("wrong_type", "$.data.occurred_at", expected=Words("a time"), found=shown(occurred_at))


def _no_entry(entered_at: object) -> NoReturn:
    raise refusal("wrong_type", "$.data.entered_at", expected=Words("a time"), found=shown(entered_at))


def _sequence(value: int | str) -> int:
    if isinstance(value, int):
        return value
    # The digits of every script are digits to Python.
    digits = value.isdigit() and value.isascii() and len(value) <= SEQUENCE_DIGITS
    sequence = int(value) if digits else WHOLE_MAX + 1
    if sequence > WHOLE_MAX:
        raise refusal("sequence", "$.sequence", expected=WHOLE_MAX, found=shown(value))
    return sequence


def _check_key(key: bytes | None, subject: str) -> None:
    if key is None or key == subject.encode():
        return
    found = key.decode(errors="backslashreplace")
    if normalize("NFC", found) != subject:
        raise refusal("key_differs", "$.subject", expected=shown(subject), found=shown(found))


def _is_binary(record: RawRecord) -> bool:
    """Whether the attributes are in the headers (CloudEvents Kafka binding, section 3.2)."""
    names = {name.lower(): value for name, value in record.headers}
    content = names.get("content-type", b"")
    return HEADER_PREFIX + "specversion" in names and not content.lower().startswith(STRUCTURED.encode())


def _binary(record: RawRecord, limits: Limits) -> dict[str, Any]:
    """The message that headers and value make together, as if it had come structured."""
    tree: dict[str, Any] = {}
    for header, value in record.headers:
        lower = header.lower()
        if lower == "content-type":
            name = "datacontenttype"
        elif lower.startswith(HEADER_PREFIX):
            name = lower.removeprefix(HEADER_PREFIX)
        else:
            continue
        if name in tree:
            raise refusal("repeated_key", f"$.{name}", found=shown(header))
        tree[name] = _header_text(name, value, limits)
    if "revision" in tree:
        tree["revision"] = _revision(tree["revision"])
    tree["data"] = read_object(record.value, "$.data", limits)
    return tree


def _header_text(name: str, value: bytes, limits: Limits) -> str:
    if len(value) > limits.text_chars_max:
        raise refusal("text_too_long", f"$.{name}", expected=limits.text_chars_max, found=len(value))
    try:
        text = normalize("NFC", value.decode())
    except UnicodeDecodeError as error:
        raise refusal(
            "not_utf8", f"$.{name}", found=f"byte {error.start}: 0x{value[error.start]:02x}"
        ) from error
    if "\0" in text:
        raise refusal("nul_character", f"$.{name}", found=shown(text))
    return text


def _revision(text: str) -> int:
    """A header has only text, so here a revision's digits are its number."""
    if not _DIGITS.fullmatch(text):
        raise refusal("revision", "$.revision", expected=REVISION_MAX, found=shown(text))
    return int(text)
