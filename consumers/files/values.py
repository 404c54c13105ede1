"""One field of a mapping as a function from a row's cells to its value.

Cells are text or None; an empty cell, one of blanks only and the texts a mapping calls `absent` are None too. Text is
taken as it is, in normalisation form C (Unicode UAX 15), so that one Vietnamese word has one spelling. Every reader
raises InputError with its reason, and with the `column` it read among the values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar
from unicodedata import normalize

from consumers.files.times import DATE_SHAPES, Times, day, instant, shown
from workflow.errors import InputError, Words
from workflow.facts import is_bare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from consumers.files.limits import FileLimits
    from consumers.files.mapping import Column

T = TypeVar("T")
Cells: TypeAlias = "Sequence[str | None]"
Reader: TypeAlias = "Callable[[Cells], T]"
Uncoded: TypeAlias = "list[tuple[str, str]]"
"""Fields and values that their list of codes does not have, of the row being read."""

LISTED: Final = "\x1f"
"""Stands before each text of a JSON list in one cell (the unit separator, which no text has)."""

_COMMA_NUMBER: Final = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,18}", re.ASCII)


class Context:
    """What the readers of one mapping share: where columns lie, zone, limits, and the row's uncoded values."""

    def __init__(self, columns: Mapping[str, int], zone: ZoneInfo | None, limits: FileLimits) -> None:
        """`columns` gives the place of each in the cells."""
        self.columns = columns
        self.zone = zone
        self.limits = limits
        self.uncoded: Uncoded = []


def column_names(column: Column) -> tuple[str, ...]:
    """The columns a field reads: none for a constant."""
    if column.columns is not None:
        return column.columns
    return () if column.column is None else (column.column,)


def label(column: Column) -> str:
    """The name of what a field reads, as errors give it."""
    return column.join.join(column_names(column)) or "constant"


def composed(found: str) -> str:
    """A text in the one spelling by which texts are compared: an accented letter may be typed as several."""
    return found if found.isascii() else normalize("NFC", found)


def text(name: str, column: Column, context: Context) -> Reader[str | None]:
    """Reads the field `name` as text: codes, decimals and time shapes applied; None where it is absent."""
    raw = _raw(column, context)
    convert = _conversion(name, column, context)
    chars_max = context.limits.text_chars_max

    def read(cells: Cells) -> str | None:
        found = raw(cells)
        if found is None:
            return None
        if LISTED in found and name != "documents":
            raise _listed(found) if found.startswith(LISTED) else _not_text(found)
        return convert(_clean(found.removeprefix(LISTED), chars_max)) or None

    return _naming(label(column), read)


def whole(name: str, column: Column, context: Context) -> Reader[int | None]:
    """Reads the field `name` as a whole number."""
    raw = text(name, column, context)

    def read(cells: Cells) -> int | None:
        found = raw(cells)
        if found is None:
            return None
        if not _WHOLE.fullmatch(found):
            raise InputError(
                "expected {expected}, found {found}; correct it",
                reason="whole_number",
                expected=Words("a whole number"),
                found=shown(found),
            )
        return int(found)

    return _naming(label(column), read)


def time(column: Column, context: Context) -> Reader[datetime | None]:
    """Reads a field as an instant in UTC; a date is the first instant of that day in the mapping's zone."""
    raw = _raw(column, context)
    known = times(column, context)

    def read(cells: Cells) -> datetime | None:
        found = raw(cells)
        return None if found is None else known[found]

    return _naming(label(column), read)


def needed_time(column: Column, context: Context, known: Times) -> Reader[datetime]:
    """Reads a field as `time` does, through `known`; a row without it is refused (`time_missing`)."""
    raw = _raw(column, context)

    def read(cells: Cells) -> datetime:
        found = raw(cells)
        if found is None:
            raise InputError(
                "expected {expected} for {field} in the column {column}, found {found}; correct it",
                field="occurred_at",
                column=label(column),
                reason="time_missing",
                expected=Words("a time"),
                found=Words("nothing"),
            )
        return known[found]

    return _naming(label(column), read)


def time_or_date(column: Column, context: Context) -> Reader[datetime | date | None]:
    """Reads a field as an instant, or as a date where its shape has no time of day."""
    shape = column.format or "iso"
    if shape not in DATE_SHAPES:
        return time(column, context)
    raw = _raw(column, context)

    def read(cells: Cells) -> date | None:
        found = raw(cells)
        return None if found is None else day(shape, found)

    return _naming(label(column), read)


def times(column: Column, context: Context) -> Times:
    """The instants of a column's texts, each parsed once."""
    return Times(column.format or "iso", context.zone, context.limits)


def choice(name: str, column: Column, context: Context, options: tuple[str, ...]) -> Reader[str | None]:
    """Reads the field `name` as one of a closed list of words."""
    raw = text(name, column, context)

    def read(cells: Cells) -> str | None:
        found = raw(cells)
        if found is None or found in options:
            return found
        raise InputError(
            "expected one of {expected}, found {found}; give the mapping `codes`",
            reason=name,
            expected=", ".join(options),
            found=shown(found),
        )

    return _naming(label(column), read)


def identity(name: str, column: Column, context: Context) -> Reader[str]:
    """Reads a dossier's code or an event's id: present, and short enough to be a key."""
    raw = code(name, column, context)
    chars_max = context.limits.identity_chars_max

    def read(cells: Cells) -> str:
        found = raw(cells)
        if found is not None and len(found) <= chars_max:
            return found
        raise InputError(
            "expected {expected} for {field} in the column {column}, found {found}; correct it",
            field=name,
            column=label(column),
            reason=f"{name}_missing" if found is None else f"{name}_too_long",
            expected=Words("1 to {most} characters", most=chars_max),
            found=Words("nothing") if found is None else shown(found),
        )

    return _naming(label(column), read)


def code(name: str, column: Column, context: Context) -> Reader[str | None]:
    """Reads the field `name` as a code: no blank before or after it; None where it is absent."""
    raw = text(name, column, context)

    def read(cells: Cells) -> str | None:
        found = raw(cells)
        if found is None or is_bare(found):
            return found
        raise InputError(
            "expected {expected} for {field} in the column {column}, found {found}; trim it where it is written",
            field=name,
            column=label(column),
            reason="blanks_around",
            expected=Words("a code with no blank before or after it"),
            found=shown(found),
        )

    return _naming(label(column), read)


def _raw(column: Column, context: Context) -> Reader[str | None]:
    absent = frozenset(map(composed, column.absent or ()))
    places = tuple(context.columns[name] for name in column_names(column))
    if not places:
        constant = column.constant
        return lambda _: constant
    if len(places) == 1:
        (place,) = places
        return lambda cells: _present(cells[place], absent)

    def joined(cells: Cells) -> str | None:
        found = (_present(cells[place], absent) for place in places)
        return column.join.join(one for one in found if one) or None

    return joined


def _present(found: str | None, absent: frozenset[str]) -> str | None:
    if not found or (found.isspace() and not found.startswith(LISTED)):
        return None
    return found if composed(found) not in absent else None


def _conversion(name: str, column: Column, context: Context) -> Callable[[str], str]:
    shape, zone = column.format, context.zone
    codes = column.codes and {composed(told): ours for told, ours in column.codes.items()}

    def convert(found: str) -> str:
        if codes is not None:
            if found not in codes:
                context.uncoded.append((name, found))
            found = codes.get(found, found)
        if column.decimal == "comma":
            found = _with_point(found)
        if shape is None:
            return found
        return (day(shape, found) if shape in DATE_SHAPES else instant(shape, found, zone)).isoformat()

    return convert


def _with_point(found: str) -> str:
    if not _COMMA_NUMBER.fullmatch(found):
        raise InputError(
            "expected {expected}, found {found}; correct it, or the mapping's `decimal`",
            reason="decimal",
            expected=Words("a number such as 1.234,50"),
            found=shown(found),
        )
    return found.replace(".", "").replace(",", ".")


def _clean(found: str, chars_max: int) -> str:
    if len(found) > chars_max:
        raise InputError(
            "expected {expected}, found {found}; shorten it, or raise the reader's limit",
            reason="text_too_long",
            expected=Words("at most {most} characters", most=chars_max),
            found=Words("{count} characters", count=len(found)),
        )
    if "\0" in found or (not found.isascii() and any("\ud800" <= one <= "\udfff" for one in found)):
        raise _not_text(found)
    return composed(found)


def _listed(found: str) -> InputError:
    return InputError(
        "expected {expected}, found {found}; name the path of the value inside",
        reason="not_a_value",
        expected=Words("one value"),
        found=shown(f"[{', '.join(found.split(LISTED)[1:])}]"),
    )


def _not_text(found: str) -> InputError:
    return InputError(
        "expected {expected}, found {found}; correct it",
        reason="not_text",
        expected=Words("one text"),
        found=shown(found),
    )


def _naming(column: str, read: Reader[T]) -> Reader[T]:
    """`read`, with the column's name in the errors it raises."""

    def named(cells: Cells) -> T:
        try:
            return read(cells)
        except InputError as error:
            error.values.setdefault("column", column)
            raise

    return named
