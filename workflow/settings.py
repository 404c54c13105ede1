"""Settings from the environment: every `DUNGHEN_` key is known and well formed, or nothing starts.

An option of the command line has its own environment twin; what is here has no option: structures of settings, each
field under the structure's prefix and its name, such as the named limits under `DUNGHEN_LIMIT_`. Units, defaults and
reasons stand with the structures themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

S = TypeVar("S", bound=msgspec.Struct)
_WORDS: Final[dict[object, str]] = {
    int: "a positive whole number",
    bool: "true or false",
    datetime: "a time such as 2100-01-01T00:00:00Z",
}
PREFIX: Final = "DUNGHEN_"
LIMIT: Final = "DUNGHEN_LIMIT_"
TESTS: Final = "DUNGHEN_TEST_"
"""Reserved for the test suite, which starts the real command in an environment of its own."""


def keys_of(kind: type[msgspec.Struct], prefix: str = LIMIT) -> tuple[str, ...]:
    """The environment keys of a structure of settings, in the order of its fields."""
    return tuple(prefix + name.upper() for name in kind.__struct_fields__)


def settings_from(environ: Mapping[str, str], defaults: S, prefix: str = LIMIT) -> S:
    """`defaults` with each field replaced that the environment names.

    Raises `UsageError` naming key and value where one is malformed, or a number is not positive.
    """
    return msgspec.structs.replace(
        defaults,
        **{
            field.name: _read(key, environ[key], field.type)
            for key, field in zip(
                keys_of(type(defaults), prefix), msgspec.structs.fields(defaults), strict=True
            )
            if key in environ
        },
    )


def _read(key: str, value: str, kind: object) -> object:
    try:
        found: object = msgspec.convert(value, type=kind, strict=False)
    except msgspec.ValidationError:
        found = None
    if found is None or (isinstance(found, int) and not isinstance(found, bool) and found <= 0):
        raise UsageError(
            "{key}={value}: expected {expected}; correct it or unset it",
            key=key,
            value=value,
            expected=_expected(kind),
            reason="malformed_setting",
        )
    return found


def _expected(kind: object) -> str:
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(str(one) or "nothing" for one in get_args(plain))
    return _WORDS.get(plain, "a text")


def unknown_keys(environ: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """The `DUNGHEN_` keys of the environment that are not among the known ones, sorted."""
    ours = {key for key in environ if key.startswith(PREFIX) and not key.startswith(TESTS)}
    return sorted(ours.difference(known))


def refuse_unknown(environ: Mapping[str, str], known: Iterable[str]) -> None:
    """Raises `UsageError` naming the first `DUNGHEN_` key nothing reads, and its value: most often a slip of typing."""
    for key in unknown_keys(environ, known):
        raise UsageError(
            "{key}={value}: nothing reads this setting; unset it, or see docs/commands.md for those there are",
            key=key,
            value=environ[key],
            reason="unknown_setting",
        )
