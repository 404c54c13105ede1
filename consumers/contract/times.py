"""Times and dates of a message: RFC 3339 text, strictly, to aware UTC values, in the places each body has them.

msgspec reads times too, but takes a space for the `T`, an offset without its colon, and rounds a seventh decimal.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec.inspect as types
from msgspec import Struct

from consumers.contract.reasons import refusal, shown
from workflow.errors import Words

if TYPE_CHECKING:
    from collections.abc import Callable

TIME_EXAMPLE: Final = "2026-11-23T08:15:30+07:00"
DATE_EXAMPLE: Final = "2026-11-23"

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_TOO_FINE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,}(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
_ZONES: Final = {
    f"0000-00-00T00:00:00{'.' * bool(decimals)}{'0' * decimals}{zone}".encode(): zone
    for decimals in range(7)
    for zone in ("Z", "+00:00", "-00:00", "")
}
"""The shapes of a time, its digits as zeros, each with its zone: looking one up costs a third of matching a pattern."""


class Reading(Struct, frozen=True, gc=False):
    """How times are read: the zone of times without an offset (absent: they are refused), and what is believed,
    from `earliest` to before `latest`."""

    zone: ZoneInfo | None
    earliest: datetime
    latest: datetime


Reader: TypeAlias = "Callable[[Any, str, Reading], Any]"
"""Of a value, its JSON path and the reading: the value with its times read. Values of a wrong type stay."""


def time(value: object, path: str, reading: Reading) -> object:
    """The instant in UTC that an RFC 3339 text names; capitals or small letters for T and Z.

    A local time that a clock change repeats is the earlier of the two. Raises InputError (`time`, `time_too_fine`,
    `time_without_zone`, `no_such_local_time`, `time_out_of_range`).
    """
    if not isinstance(value, str):
        return value
    text, zone = value, _ZONES.get(value.encode("utf-8", "replace").translate(_AS_ZEROS))
    if zone is None:
        text = _capital(value, path)
        zone = _ZONES[text.encode().translate(_AS_ZEROS)]
    try:
        if zone == "Z":
            instant = datetime.fromisoformat(text)
        elif zone:
            # Three times cheaper than to build a zone of the offset and then leave it.
            instant = datetime.fromisoformat(text[:-6] + "+00:00") - _offset(text[-6:])
        else:
            instant = _local(datetime.fromisoformat(text), path, reading.zone)
    except (ValueError, OverflowError) as error:
        raise refusal("time", path, expected=TIME_EXAMPLE, found=shown(value)) from error
    if not reading.earliest <= instant < reading.latest:
        raise _out_of_range(value, path, reading)
    return instant


def day(value: object, path: str, reading: Reading) -> object:
    """The date that `yyyy-mm-dd` names. Raises InputError (`date`, `time_out_of_range`)."""
    if not isinstance(value, str):
        return value
    try:
        if not _DATE.fullmatch(value):
            raise ValueError  # noqa: TRY301 - one refusal for a wrong shape and a day no month has
        found = date.fromisoformat(value)
    except ValueError as error:
        raise refusal("date", path, expected=DATE_EXAMPLE, found=shown(value)) from error
    if not reading.earliest.date() <= found < reading.latest.date():
        raise _out_of_range(value, path, reading)
    return found


def time_or_day(value: object, path: str, reading: Reading) -> object:
    """An instant or a date, by the shape of the text. Raises InputError as `time` and `day` do, or `wrong_type`."""
    if not isinstance(value, str):
        raise refusal("wrong_type", path, expected=Words("a time or a date"), found=shown(value))
    if len(value) <= len(DATE_EXAMPLE):
        return day(value, path, reading)
    return time(value, path, reading)


def reader_of(body: type[Struct]) -> Reader:
    """What reads the times of one body, from the types of its fields."""
    return _reader(types.type_info(body)) or (lambda value, _path, _reading: value)


def _capital(value: str, path: str) -> str:
    text = value.upper()
    if _TIME.fullmatch(text):
        return text
    reason = "time_too_fine" if _TOO_FINE.fullmatch(text) else "time"
    raise refusal(reason, path, expected=TIME_EXAMPLE, found=shown(value))


@lru_cache(maxsize=4096)  # there are 2,880 offsets of whole minutes below a day
def _offset(text: str) -> timedelta:
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - RFC 3339 section 5.6, time-numoffset
        raise ValueError(text)
    length = timedelta(hours=hours, minutes=minutes)
    return length if text[0] == "+" else -length


def _local(value: datetime, path: str, zone: ZoneInfo | None) -> datetime:
    if zone is None:
        raise refusal("time_without_zone", path, found=shown(value.isoformat()))
    instant = value.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != value:
        raise refusal("no_such_local_time", path, expected=zone.key, found=shown(value.isoformat()))
    return instant


def _out_of_range(value: str, path: str, reading: Reading) -> Exception:
    allowed = f"from {reading.earliest.date()} to before {reading.latest.date()}"
    return refusal("time_out_of_range", path, expected=allowed, found=shown(value))


def _reader(kind: types.Type) -> Reader | None:
    """What reads a value of this type; None where no time can be inside."""
    match kind:
        case types.DateTimeType():
            return time
        case types.DateType():
            return day
        case types.Metadata(type=types.AnyType()):
            return time_or_day
        case types.UnionType(types=members):
            return next(filter(None, map(_reader, members)), None)
        case types.VarTupleType(item_type=item):
            return _each(_reader(item))
        case types.StructType(fields=fields):
            return _fields({field.encode_name: _reader(field.type) for field in fields})
    return None


def _each(reader: Reader | None) -> Reader | None:
    if reader is None:
        return None

    def read(value: Any, path: str, reading: Reading) -> Any:  # noqa: ANN401 - JSON, not yet typed
        if isinstance(value, list):
            value[:] = [reader(item, f"{path}[{index}]", reading) for index, item in enumerate(value)]
        return value

    return read


def _fields(readers: dict[str, Reader | None]) -> Reader | None:
    inner = tuple((name, reader) for name, reader in readers.items() if reader)
    if not inner:
        return None

    def read(value: Any, path: str, reading: Reading) -> Any:  # noqa: ANN401 - JSON, not yet typed
        if isinstance(value, dict):
            for name, reader in inner:
                found = value.get(name)
                if found is not None:
                    value[name] = reader(found, f"{path}.{name}", reading)
        return value

    return read
