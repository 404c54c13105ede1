"""The canonical form of a fact: RFC 8785 JSON over its typed columns, and its digest.

In it: subject, source, id, revision, type, `occurred_at`, `entered_at`, `sequence` and the body. Not in it: the
envelope, `recorded_at` and any position in a stream, so that the same fact met twice has the same form. Fields at
their default are left out, so a field added later does not change old digests. Texts are in normalisation form C,
times in UTC with six decimals, dates as yyyy-mm-dd.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args
from unicodedata import is_normalized, normalize

import msgspec.inspect as types
from msgspec import to_builtins
from msgspec.json import Encoder

from workflow.errors import InputError
from workflow.facts import Body

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.facts import Fact

Plain: TypeAlias = Any
"""Texts, whole numbers, flags, None, and lists and maps of them."""

WHOLE_MAX: Final = 2**53 - 1
"""Largest whole number of RFC 8785 (section 3.2.2.3, I-JSON): others write larger ones with loss."""

_sorted: Final = Encoder(order="sorted").encode
_as_given: Final = Encoder().encode
_CLASSES: Final = bytes(
    ord(":") if byte in b":,[-" else ord("0") if byte in b"0123456789" else byte for byte in range(256)
)
_LONG_NUMBER: Final = b":" + b"0" * len(str(WHOLE_MAX))
_BELOW_ASTRAL: Final = bytes(range(0xF0))
"""Bytes of UTF-8 that no character beyond U+FFFF begins with."""


def _may_hold_times(kind: types.Type) -> bool:
    match kind:
        case types.DateTimeType() | types.Metadata(type=types.AnyType()):
            return True
        case types.UnionType(types=members):
            return any(map(_may_hold_times, members))
        case types.VarTupleType(item_type=item):
            return _may_hold_times(item)
        case types.StructType(fields=fields):
            return any(_may_hold_times(field.type) for field in fields)
    return False


def _may_hold_numbers(kind: types.Type) -> bool:
    match kind:
        case types.IntType():
            return True
        case types.UnionType(types=members):
            return any(map(_may_hold_numbers, members))
        case types.VarTupleType(item_type=item) | types.DictType(value_type=item):
            return _may_hold_numbers(item)
        case types.StructType(fields=fields):
            return any(_may_hold_numbers(field.type) for field in fields)
    return False


def _fields(may_hold: Callable[[types.Type], bool]) -> dict[type, tuple[str, ...]]:
    """The fields of each body that may hold a value of some kind."""
    return {
        info.cls: tuple(field.encode_name for field in info.fields if may_hold(field.type))
        for info in types.multi_type_info(get_args(Body))
        if isinstance(info, types.StructType)
    }


_TIMES: Final = (datetime,)
_TIMED: Final = _fields(_may_hold_times)
"""What msgspec alone would write with as many decimals as it has."""
_COUNTED: Final = _fields(_may_hold_numbers)
"""Where a number may be larger than others read exactly."""


def canonical(fact: Fact) -> bytes:
    """The canonical form of a fact, UTF-8. Equal facts give equal bytes, whichever system read them.

    Source: RFC 8785. Raises InputError (`number_too_large`, `repeated_key`, `time_without_zone`) for a value that
    has no canonical form.
    """
    text = _sorted(_columns(fact, plain_body(fact) if _says_any(fact.body, _TIMED) else fact.body))
    if _has_numbers(fact) and _LONG_NUMBER in text.translate(_CLASSES):
        _check_numbers(_columns(fact, plain_body(fact)), fact)
    if text.isascii():
        return text
    form: Plain = None
    if not is_normalized("NFC", text.decode()):
        form = _composed(_columns(fact, plain_body(fact)), fact)
        text = _sorted(form)
    if text.translate(None, _BELOW_ASTRAL):
        # msgspec sorts names by code point, RFC 8785 by UTF-16 unit: they part where a name has such a character.
        return _as_given(_by_utf16(form or _columns(fact, plain_body(fact))))
    return text


def digest(fact: Fact) -> bytes:
    """SHA-256 of the canonical form: 32 bytes. Raises InputError as `canonical` does."""
    return sha256(canonical(fact)).digest()


def same_content(one: Fact, other: Fact) -> bool:
    """Whether two facts say the same; their recorded times may differ. Raises InputError as `canonical` does."""
    return one == other or canonical(one) == canonical(other)


def plain_body(fact: Fact) -> dict[str, Plain]:
    """The body of a fact with its type as JSON values, its times in UTC with six decimals; defaults left out.

    Raises InputError (`time_without_zone`).
    """
    form: dict[str, Plain] = to_builtins(fact.body, builtin_types=_TIMES)
    for name in _TIMED[type(fact.body)]:
        if (value := form.get(name)) is not None:
            form[name] = (
                time_text(value, fact) if isinstance(value, datetime) else _with_time_texts(value, fact)
            )
    return form


def time_text(value: datetime, fact: Fact) -> str:
    """An instant in UTC with six decimals, RFC 3339. Raises InputError (`time_without_zone`) for a naive one."""
    if value.tzinfo is not UTC:
        if value.utcoffset() is None:
            raise InputError(
                "{place}: expected times with an offset, found {found}; give the reader of this fact a zone",
                reason="time_without_zone",
                place=_place(fact),
                found=value.isoformat(),
            )
        value = value.astimezone(UTC)
    text: str = to_builtins(value)  # half the price of isoformat
    return text if value.microsecond else text[:-1] + ".000000Z"


def _has_numbers(fact: Fact) -> bool:
    """Whether a fact has numbers but those of its place, which are seen at once to be small."""
    small = abs(fact.sequence) <= WHOLE_MAX and abs(fact.revision) <= WHOLE_MAX
    return not small or _says_any(fact.body, _COUNTED)


def _says_any(body: Body, names: dict[type, tuple[str, ...]]) -> bool:
    for name in names[body.__class__]:  # noqa: SIM110 - a generator would cost more than the fields
        if getattr(body, name):
            return True
    return False


def _columns(fact: Fact, body: Body | dict[str, Plain]) -> dict[str, Plain]:
    form: dict[str, Plain] = {
        "body": body,
        "id": fact.id,
        "occurred_at": time_text(fact.occurred_at, fact),
        "source": fact.source,
        "subject": fact.subject,
    }
    if fact.entered_at is not None:
        form["entered_at"] = time_text(fact.entered_at, fact)
    if fact.revision:
        form["revision"] = fact.revision
    if fact.sequence:
        form["sequence"] = fact.sequence
    return form


def _with_time_texts(value: Plain, fact: Fact) -> Plain:
    if isinstance(value, datetime):
        return time_text(value, fact)
    if isinstance(value, dict):
        return {
            name: inner if type(inner) is str else _with_time_texts(inner, fact)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_with_time_texts(inner, fact) for inner in value]
    return value


def _check_numbers(value: Plain, fact: Fact) -> None:
    if isinstance(value, int) and not -WHOLE_MAX <= value <= WHOLE_MAX:
        raise InputError(
            "{place}: expected whole numbers up to {expected}, found {found}; send it as text",
            reason="number_too_large",
            place=_place(fact),
            expected=WHOLE_MAX,
            found=value,
        )
    if isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_numbers(inner, fact)


def _composed(value: Plain, fact: Fact) -> Plain:
    if isinstance(value, str):
        return normalize("NFC", value)
    if isinstance(value, list | tuple):
        return [_composed(inner, fact) for inner in value]
    if not isinstance(value, dict):
        return value
    composed = {normalize("NFC", name): _composed(inner, fact) for name, inner in value.items()}
    if len(composed) < len(value):
        raise InputError(
            "{place}: expected each name once, found two that differ in their Unicode form only; send one value",
            reason="repeated_key",
            place=_place(fact),
        )
    return composed


def _by_utf16(value: Plain) -> Plain:
    if isinstance(value, dict):
        names = sorted(value, key=_utf16)
        return {name: _by_utf16(value[name]) for name in names}
    if isinstance(value, list | tuple):
        return [_by_utf16(inner) for inner in value]
    return value


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _place(fact: Fact) -> str:
    return f"{fact.subject} {fact.source} {fact.id}"
