"""Bytes to a JSON object, strictly: what readers may understand differently is refused, not guessed.

msgspec alone lets through a repeated key (the last wins), U+0000, whole numbers of any size and any depth up to its
recursion limit. A message is first read and looked at as a whole, cheaply; only where that leaves a doubt is it walked.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NoReturn, TypeAlias
from unicodedata import is_normalized, normalize

from msgspec import DecodeError, Meta
from msgspec.json import Decoder, Encoder

from consumers.contract.limits import WHOLE_MAX
from consumers.contract.reasons import refusal, shown
from workflow.errors import Words

if TYPE_CHECKING:
    from consumers.contract.limits import Limits

Json: TypeAlias = Any
"""A JSON value, not yet typed: dict, list, str, int, float, bool or None."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_encode: Final = Encoder().encode
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_WHOLE_DIGITS: Final = len(str(WHOLE_MAX))
_PLAIN_LEVELS: Final = 5
"""Objects and lists in one another, as many as the contract needs."""
_DOUBTS: Final = (b"\\u0000", b"\\u0022", b"\\u003a", b"\\u003A", b" :", b"\t:", b"\n:", b"\r:")
"""Bytes that make counting names unsafe: the escapes of a quote and a colon, and white space before a colon; and the
escape of U+0000."""


def read_object(value: bytes, path: str, limits: Limits) -> dict[str, Json]:
    """The JSON object that a message, or the data of one, consists of, its texts in normalisation form C.

    A UTF-8 byte order mark in front is dropped (RFC 8259 section 8.1 lets a reader do so). Raises InputError with
    the reason and the JSON path below `path`; HostileInput where a limit is passed.
    """
    if len(value) > limits.message_bytes_max:
        raise refusal("message_too_large", path, expected=limits.message_bytes_max, found=len(value))
    value = value.removeprefix(BYTE_ORDER_MARK)
    if not value:
        raise refusal("empty_message", path)
    plain = _plain(value) if limits.depth_max >= _PLAIN_LEVELS else None
    tree = _read(value, path, limits) if plain is None else plain
    again = _encode(tree)
    if plain is None or _doubtful(value, again, limits):
        _walk(_reread(value, path), path, limits)
    if not again.isascii() and not is_normalized("NFC", again.decode()):
        tree = _composed(tree, path)
    return tree


def step(path: str, name: str) -> str:
    """The JSON path (RFC 9535) of a field of the object at `path`."""
    return f"{path}.{name}" if _NAME.fullmatch(name) else f"{path}[{name!a}]"


class _NotWholeError(Exception):
    """A number with a fraction or an exponent was met."""


def _not_whole(text: str) -> NoReturn:
    raise _NotWholeError(text)


_decode: Final = Decoder(float_hook=_not_whole).decode


_Within: TypeAlias = str | bool | Annotated[int, Meta(ge=-WHOLE_MAX, le=WHOLE_MAX)] | None
_Fifth: TypeAlias = list[_Within] | dict[str, _Within] | _Within
_Fourth: TypeAlias = list[_Fifth] | dict[str, _Fifth] | _Within
_Third: TypeAlias = list[_Fourth] | dict[str, _Fourth] | _Within
_Second: TypeAlias = list[_Third] | dict[str, _Third] | _Within
_decode_plain: Final = Decoder(dict[str, _Second]).decode


def _plain(value: bytes) -> dict[str, Json] | None:
    """The object, where it is of few levels and its numbers are whole and not too large; None for all others."""
    try:
        return _decode_plain(value)
    except (DecodeError, UnicodeDecodeError):
        return None


def _read(value: bytes, path: str, limits: Limits) -> dict[str, Json]:
    """The object, whatever it holds. Raises InputError where it is none, or too deep."""
    if value.count(b"{") + value.count(b"[") > limits.depth_max:
        _check_depth(value, path, limits.depth_max)
    try:
        tree = _decode(value)
    except (DecodeError, UnicodeDecodeError, _NotWholeError) as error:
        _walk(_reread(value, path), path, limits)
        raise refusal("not_json", path, found=str(error)) from error
    if not isinstance(tree, dict):
        raise refusal("not_an_object", path, found=shown(tree))
    return tree


class _Pairs(dict[str, Json]):
    """An object that remembers the first name it met twice."""

    def __init__(self, pairs: list[tuple[str, Json]]) -> None:
        super().__init__(pairs)
        self.repeated: str | None = None
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                self.repeated = name
                break
            seen.add(name)


class _Wrong(NamedTuple):
    """A token that is no value of ours, and the reason why."""

    text: str
    reason: str


def _whole(text: str) -> int | _Wrong:
    # Python refuses to read very long numbers, and takes long for long ones.
    if len(text) > _WHOLE_DIGITS + 1 or abs(int(text)) > WHOLE_MAX:
        return _Wrong(text, "number_too_large")
    return int(text)


def _doubtful(value: bytes, again: bytes, limits: Limits) -> bool:
    """Whether a plain message must be walked. `again` is what msgspec made of it, written anew without white space.

    Where nothing doubtful is in it, each name's end is told by `":` alone, and `again` has as many of these as the
    message unless a name came twice. A message shorter than its texts may be, or with too few bytes for too many
    items (each takes two), cannot pass these limits.
    """
    if value == again:
        unsafe = b"\\" in value and b"\\u0000" in value
    else:
        unsafe = value.count(b'":') != again.count(b'":') or any(doubt in value for doubt in _DOUBTS)
    return (
        unsafe
        or len(value) > limits.text_chars_max
        or len(value) > 2 * min(limits.list_items_max, limits.data_fields_max)
    )


def _check_depth(value: bytes, path: str, depth_max: int) -> None:
    depth = 0
    for token in _TOKENS.finditer(value):
        first = value[token.start()]
        if first in b"[{":
            depth += 1
            if depth > depth_max:
                raise refusal("too_deep", path, expected=depth_max)
        elif first in b"]}":
            depth -= 1


def _reread(value: bytes, path: str) -> Json:
    """The message read slowly, with what msgspec hides: repeated names, numbers as written, half characters."""
    try:
        return json.loads(
            value.decode(),
            object_pairs_hook=_Pairs,
            parse_int=_whole,
            parse_float=lambda text: _Wrong(text, "number_not_whole"),
            parse_constant=lambda text: _Wrong(text, "not_finite"),
        )
    except UnicodeDecodeError as error:
        raise refusal("not_utf8", path, found=f"byte {error.start}: 0x{value[error.start]:02x}") from error
    except json.JSONDecodeError as error:
        raise refusal("not_json", path, found=_broken(error)) from error


def _broken(error: json.JSONDecodeError) -> str:
    """Where the text stops being JSON: at its end it was cut."""
    cut = error.msg.startswith("Unterminated") or error.pos >= len(error.doc.rstrip())
    if cut:
        return Words("a text that breaks off after {characters} characters", characters=len(error.doc))
    return Words(
        "a text that is none from character {position} on ({said})", position=error.pos + 1, said=error.msg
    )


def _walk(value: Json, path: str, limits: Limits) -> None:
    """Raise the refusal of the first fault at or below `path`, in the order of the message."""
    match value:
        case _Wrong():
            raise refusal(value.reason, path, expected=WHOLE_MAX, found=shown(value.text))
        case str():
            _check_text(value, path, limits)
        case _Pairs():
            _check_names(value, path, limits)
            for name, inner in value.items():
                _walk(inner, step(path, name), limits)
        case list():
            if len(value) > limits.list_items_max:
                raise refusal("list_too_long", path, expected=limits.list_items_max, found=len(value))
            for index, inner in enumerate(value):
                _walk(inner, f"{path}[{index}]", limits)


def _check_text(text: str, path: str, limits: Limits) -> None:
    if len(text) > limits.text_chars_max:
        raise refusal("text_too_long", path, expected=limits.text_chars_max, found=len(text))
    if "\0" in text:
        raise refusal("nul_character", path, found=shown(text))
    half = _SURROGATE.search(text)
    if half:
        raise refusal("lone_surrogate", path, found=ascii(half[0]))


def _check_names(pairs: _Pairs, path: str, limits: Limits) -> None:
    if len(pairs) > limits.data_fields_max:
        raise refusal("too_many_fields", path, expected=limits.data_fields_max, found=len(pairs))
    if pairs.repeated is not None:
        raise refusal("repeated_key", step(path, pairs.repeated), found=shown(pairs.repeated))
    for name in pairs:
        _check_text(name, path, limits)


def _composed(value: Json, path: str) -> Json:
    """The value with every text in normalisation form C, so that one text has one spelling."""
    match value:
        case str():
            return normalize("NFC", value)
        case list():
            return [_composed(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
        case dict():
            composed: dict[str, Json] = {}
            for name, inner in value.items():
                key = normalize("NFC", name)
                if key in composed:
                    raise refusal("repeated_key", step(path, key), found=shown(key))
                composed[key] = _composed(inner, step(path, key))
            return composed
    return value
