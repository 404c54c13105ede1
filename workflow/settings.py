"""Settings from the environment: every `DUNGHEN_` key is known and well formed, or nothing starts.

An option of the command line has its own environment twin; what is here has no option: structures of settings, each
field under the structure's prefix and its name, such as the named limits under `DUNGHEN_LIMIT_`. Units, defaults and
reasons stand with the structures themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from workflow import masking
from workflow.errors import UsageError, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

S = TypeVar("S", bound=msgspec.Struct)
Whole32 = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""What Kafka and the clock of the machine take as a number of milliseconds or bytes: a greater one fails in them."""
_MOST: Final = 2**63 - 1
_WORDS: Final[dict[object, Words]] = {
    bool: Words("true or false"),
    datetime: Words("a time such as 2100-01-01T00:00:00Z"),
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

    Raises `UsageError` naming key and value where one is malformed, or a number is not positive or too great.
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
    if found is None or (isinstance(found, int) and not isinstance(found, bool) and not 0 < found <= _MOST):
        raise UsageError(
            "{key}={value}: expected {expected}; correct it or unset it",
            key=key,
            value=value,
            expected=_expected(kind),
            reason="malformed_setting",
        )
    return found


def _expected(kind: object) -> Words:
    plain, most = kind, _MOST
    if get_origin(kind) is Annotated:
        plain, meta = get_args(kind)
        most = meta.le or most
    if get_origin(plain) is Literal:
        return Words("one of {words}, or nothing", words=", ".join(filter(None, get_args(plain))))
    if plain is int:
        return Words("a whole number from 1 to {most}", most=most)
    return _WORDS.get(plain, Words("a text"))


def in_order(least: tuple[str, object], most: tuple[str, object]) -> None:
    """Raises UsageError where the second of two settings, each its key and its value, is below the first."""
    if most[1] < least[1]:  # type: ignore[operator] # two of one type that has an order
        raise UsageError(
            "{key}={value}: expected no less than {other}={floor}; correct one of the two",
            key=most[0],
            value=most[1],
            other=least[0],
            floor=least[1],
            reason="out_of_order",
        )


def secret_in(file: Path, named_by: str) -> str:
    """The secret a file holds, without the space around it; from now on it is masked wherever it would be logged.

    Raises UsageError, with the option or setting that named the file, where it cannot be read or holds nothing.
    """
    try:
        secret = file.read_text(encoding="utf-8").strip()
        found = Words("an empty file")
    except UnicodeDecodeError:
        secret, found = "", Words("bytes that are no text")
    except OSError as fault:
        secret, found = "", Words("{cause}", cause=fault.strerror or type(fault).__name__)
    if not secret:
        raise UsageError(
            "{file}: expected a file that holds a password and nothing else, found {found}; correct it, or the path "
            "in {named_by}",
            file=file,
            found=found,
            named_by=named_by,
            reason="no_secret",
        )
    masking.hide(secret)
    return secret


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
