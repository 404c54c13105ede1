"""Times as files write them: a closed list of named shapes, each read into an aware UTC datetime or a date.

A shape without an offset is local time of the mapping's zone. A local time that a clock change repeats is the
earlier of the two; one that a clock change leaves out is refused. A date is the first instant of that local day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from workflow.errors import InputError, Words

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from consumers.files.limits import FileLimits

TimeShape: TypeAlias = Literal[
    "iso",
    "date",
    "yyyyMMdd",
    "dd/MM/yyyy",
    "dd.MM.yyyy",
    "yyyy-MM-dd HH:mm",
    "yyyy-MM-dd HH:mm:ss",
    "yyyyMMddHHmm",
    "yyyyMMddHHmmss",
    "dd/MM/yyyy HH:mm",
    "dd/MM/yyyy HH:mm:ss",
    "dd.MM.yyyy HH:mm",
    "dd.MM.yyyy HH:mm:ss",
    "d/M/yyyy",
    "d/M/yyyy H:mm",
    "d/M/yyyy H:mm:ss",
    "epoch_s",
    "epoch_ms",
]
"""`iso`: RFC 3339 with a `T`, the offset may be missing where the mapping has a zone; `date`: yyyy-MM-dd;
`epoch_s`, `epoch_ms`: whole seconds or milliseconds since 1970-01-01 UTC; the others read as they look,
`d`, `M` and `H` with one digit or two, as a sheet shows them."""

REMEMBERED_MAX: Final = 65_536
"""Distinct time texts remembered: dates repeat (4,916 days in 13 years), instants do not and must not fill memory."""

DATE_SHAPES: Final = frozenset({"date", "yyyyMMdd", "dd/MM/yyyy", "dd.MM.yyyy", "d/M/yyyy"})
WITH_OFFSET: Final = frozenset({"iso", "epoch_s", "epoch_ms"})
"""Shapes that can name their instant without the mapping's zone."""

_PARTS: Final = {
    "yyyy": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d\d)",
    "dd": r"(?P<day>\d\d)",
    "HH": r"(?P<hour>\d\d)",
    "mm": r"(?P<minute>\d\d)",
    "ss": r"(?P<second>\d\d)",
    "M": r"(?P<month>\d\d?)",
    "d": r"(?P<day>\d\d?)",
    "H": r"(?P<hour>\d\d?)",
}
_PART: Final = re.compile("|".join(_PARTS))
"""The words of a shape, the longer ones first."""
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,15}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _pattern(shape: str) -> re.Pattern[str]:
    pattern = re.escape("yyyy-MM-dd" if shape == "date" else shape)
    return re.compile(_PART.sub(lambda word: _PARTS[word[0]], pattern), re.ASCII)


_PATTERNS: Final = {shape: _pattern(shape) for shape in get_args(TimeShape) if shape not in WITH_OFFSET}


class Times(dict[str, datetime]):
    """Texts of one column and their instants in UTC. Reading an unseen text parses, checks and remembers it.

    Raises InputError (`time`, `time_without_zone`, `no_such_local_time`, `time_out_of_range`) where the text is no
    time of the shape, or lies outside the limits.
    """

    def __init__(self, shape: TimeShape, zone: ZoneInfo | None, limits: FileLimits) -> None:
        """`zone` reads times that name no offset."""
        super().__init__()
        self.shape: TimeShape = shape
        self.zone = zone
        self._limits = limits

    def __missing__(self, text: str) -> datetime:
        value = instant(self.shape, text, self.zone)
        if not self._limits.earliest <= value < self._limits.latest:
            raise InputError(
                "expected a time from {expected}, found {found}; correct it, or widen the reader's limits",
                reason="time_out_of_range",
                expected=f"{self._limits.earliest:%Y-%m-%d} to {self._limits.latest:%Y-%m-%d}",
                found=shown(text),
            )
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[text] = value
        return value


def instant(shape: TimeShape, text: str, zone: ZoneInfo | None) -> datetime:
    """The instant in UTC that `text` names. Raises InputError as `Times` does, but for the range."""
    try:
        if shape == "iso":
            return _iso(text, zone)
        if shape in DATE_SHAPES:
            return _at_midnight(day(shape, text), zone, text)
        if shape in WITH_OFFSET:
            return _since_epoch(shape, text)
        parts = _matched(shape, text)
        return _local(_clock(**parts), zone, text)
    except (ValueError, OverflowError) as error:
        raise _no_time(shape, text) from error


def day(shape: TimeShape, text: str) -> date:
    """The calendar date that `text` names under one of `DATE_SHAPES`. Raises InputError (`time`)."""
    try:
        return date(**_matched(shape, text))
    except ValueError as error:
        raise _no_time(shape, text) from error


def shown(text: str) -> str:
    """A found text as an error repeats it: at most 60 characters, what cannot be printed escaped."""
    cut = text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004 - the length named above
    return repr(cut)


def _matched(shape: TimeShape, text: str) -> dict[str, int]:
    found = _PATTERNS[shape].fullmatch(text)
    if found is None:
        raise _no_time(shape, text)
    return {name: int(digits) for name, digits in found.groupdict().items()}


def _clock(*, year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the zone is put on in _local


def _iso(text: str, zone: ZoneInfo | None) -> datetime:
    found = _ISO.fullmatch(text)
    if found is None:
        raise _no_time("iso", text)
    # Below a microsecond digits are cut off here, never rounded: rounding could move an act past its limit.
    value = datetime.fromisoformat(text)
    return _local(value, zone, text) if found[1] is None else value.astimezone(UTC)


def _since_epoch(shape: TimeShape, text: str) -> datetime:
    if not _WHOLE.fullmatch(text):
        raise _no_time(shape, text)
    unit = timedelta(seconds=1) if shape == "epoch_s" else timedelta(milliseconds=1)
    return _EPOCH + int(text) * unit


def _local(value: datetime, zone: ZoneInfo | None, text: str) -> datetime:
    if zone is None:
        raise _no_zone(text)
    found = value.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != value:
        raise InputError(
            "expected a local time of {zone}, found {found}, which a clock change leaves out; correct it",
            reason="no_such_local_time",
            expected=Words("a local time of {zone}", zone=zone.key),
            zone=zone.key,
            found=shown(text),
        )
    return found


def _at_midnight(value: date, zone: ZoneInfo | None, text: str) -> datetime:
    if zone is None:
        raise _no_zone(text)
    # Where a clock change leaves midnight out, this is the instant of the change: the day's first.
    try:
        return datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise _no_time("date", text) from error


def _no_time(shape: TimeShape, text: str) -> InputError:
    return InputError(
        "expected a time of the shape `{expected}`, found {found}; correct it, or name its `format` in the mapping",
        reason="time",
        expected=shape,
        found=shown(text),
    )


def _no_zone(text: str) -> InputError:
    return InputError(
        "expected a time with an offset, found {found}; give the mapping a `zone`",
        reason="time_without_zone",
        expected=Words("a time with an offset"),
        found=shown(text),
    )
