"""An error as the store keeps it, so that whoever reads it later has it in their own language.

Kept are the template, which is the key of its translation, and its values, as one JSON text: the same error gives the
same text. Stores written before hold the English itself; it is told as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
from msgspec import Struct

from workflow.errors import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.errors import DunghenError


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    said: str
    values: dict[str, _Value]


_Value: TypeAlias = "_Kept | str | int | float | None"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Kept).decode


def as_kept(error: DunghenError | Words) -> str:
    """An error, or a text of ours with its values, as text for the store."""
    return _encode(_built(error.template, error.values)).decode()


def retold(text: str, translate: Callable[[str], str]) -> str:
    """What `as_kept` made of an error, in the language of `translate`; any other text as it stands."""
    try:
        found = _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text
    return _filled(found, translate)


def english(text: str) -> str:
    """What `as_kept` made of an error in the language of its template, as it goes to other programs."""
    return retold(text, str)


def _built(template: str, values: Mapping[str, object]) -> _Kept:
    return _Kept(template, {name: _value(one) for name, one in values.items()})


def _value(value: object) -> _Value:
    if isinstance(value, Words):
        return _built(value.template, value.values)
    return value if value is None or isinstance(value, int | float) else str(value)


def _filled(found: _Kept, translate: Callable[[str], str]) -> str:
    values = {
        name: _filled(one, translate) if isinstance(one, _Kept) else one for name, one in found.values.items()
    }
    return translate(found.said).format(**values)
