from __future__ import annotations

from datetime import UTC, date, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.files.times import Times, TimeShape, day, instant
from workflow.errors import InputError

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ROME = ZoneInfo("Europe/Rome")

GOOD: list[tuple[TimeShape, str]] = [
    ("iso", "2026-11-23T08:15:30+07:00"),
    ("iso", "2026-11-23T01:15:30Z"),
    ("iso", "2026-11-23T08:15:30"),
    ("yyyy-MM-dd HH:mm:ss", "2026-11-23 08:15:30"),
    ("yyyyMMddHHmmss", "20261123081530"),
    ("dd/MM/yyyy HH:mm:ss", "23/11/2026 08:15:30"),
    ("dd.MM.yyyy HH:mm:ss", "23.11.2026 08:15:30"),
    ("d/M/yyyy H:mm:ss", "23/11/2026 8:15:30"),
    ("epoch_s", "1795396530"),
    ("epoch_ms", "1795396530000"),
]


@pytest.mark.parametrize(("shape", "text"), GOOD)
def test_every_shape_names_the_same_instant(shape: TimeShape, text: str) -> None:
    assert instant(shape, text, HANOI) == datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("yyyy-MM-dd HH:mm", "2026-11-23 08:15"),
        ("yyyyMMddHHmm", "202611230815"),
        ("dd/MM/yyyy HH:mm", "23/11/2026 08:15"),
        ("dd.MM.yyyy HH:mm", "23.11.2026 08:15"),
        ("d/M/yyyy H:mm", "23/11/2026 8:15"),
        ("d/M/yyyy H:mm", "23/11/2026 08:15"),
    ],
)
def test_shapes_without_seconds_name_the_whole_minute(shape: TimeShape, text: str) -> None:
    assert instant(shape, text, HANOI) == datetime(2026, 11, 23, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("date", "2026-11-23"),
        ("yyyyMMdd", "20261123"),
        ("dd/MM/yyyy", "23/11/2026"),
        ("dd.MM.yyyy", "23.11.2026"),
        ("d/M/yyyy", "23/11/2026"),
    ],
)
def test_a_date_is_its_first_instant_in_the_zone(shape: TimeShape, text: str) -> None:
    assert day(shape, text) == date(2026, 11, 23)
    assert instant(shape, text, HANOI) == datetime(2026, 11, 22, 17, tzinfo=UTC)


def test_every_named_shape_is_tried_here() -> None:
    tried = {shape for shape, _ in GOOD} | {"date", "yyyyMMdd", "dd/MM/yyyy", "dd.MM.yyyy", "d/M/yyyy"}
    assert tried | {
        "yyyy-MM-dd HH:mm",
        "yyyyMMddHHmm",
        "dd/MM/yyyy HH:mm",
        "dd.MM.yyyy HH:mm",
        "d/M/yyyy H:mm",
    } == set(get_args(TimeShape))


def test_mixed_offsets_are_one_time_line() -> None:
    summer = instant("iso", "2011-10-30T02:30:00.5+02:00", None)
    winter = instant("iso", "2011-10-30T02:30:00.25+01:00", None)
    assert (winter - summer).total_seconds() == 3_599.75


def test_digits_below_a_microsecond_are_cut_off_and_never_rounded_up() -> None:
    assert instant("iso", "2026-11-23T08:15:30.999999999Z", None).microsecond == 999_999


def test_a_time_without_offset_needs_a_zone() -> None:
    for shape, text in (("iso", "2026-11-23T08:15:30"), ("date", "2026-11-23")):
        with pytest.raises(InputError, match="give the mapping a `zone`") as error:
            instant(shape, text, None)  # type: ignore[arg-type]
        assert error.value.code == "time_without_zone"


def test_a_local_time_that_comes_twice_is_the_earlier() -> None:
    assert instant("iso", "2011-10-30T02:30:00", ROME) == datetime(2011, 10, 30, 0, 30, tzinfo=UTC)


def test_a_local_time_that_never_was_is_refused() -> None:
    with pytest.raises(InputError) as error:
        instant("iso", "2024-03-31T02:30:00", ROME)
    assert error.value.code == "no_such_local_time"


def test_a_day_whose_midnight_never_was_begins_at_the_change() -> None:
    santiago = ZoneInfo("America/Santiago")
    assert instant("date", "2023-09-03", santiago) == datetime(2023, 9, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("iso", "2026-11-23 08:15:30+07:00"),
        ("iso", "2026-11-23"),
        ("iso", "2026-W48-1T08:15:30Z"),
        ("iso", "2026-11-23T24:00:00Z"),
        ("iso", "2026-11-23T23:59:60Z"),
        ("iso", "2026-11-23T08:15:30+99:00"),
        ("iso", "0000-01-01T00:00:00Z"),
        ("iso", "0001-01-01T00:00:00+01:00"),
        ("date", "2026-02-29"),
        ("date", "\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0663"),
        ("date", "2026-11-23 "),
        ("dd/MM/yyyy", "11/23/2026"),
        ("dd/MM/yyyy", "3/1/2026"),
        ("d/M/yyyy", "11/23/2026"),
        ("epoch_s", "NaN"),
        ("epoch_s", "999999999999999"),
        ("yyyyMMddHHmmss", "20261123081560"),
    ],
)
def test_what_is_no_time_of_the_shape_is_refused(shape: TimeShape, text: str) -> None:
    with pytest.raises(InputError) as error:
        instant(shape, text, HANOI)
    assert (error.value.code, error.value.values["expected"]) == ("time", shape)


def test_a_time_of_1948_is_refused_unless_the_limits_take_it() -> None:
    text = "1948-01-26T22:59:00Z"
    with pytest.raises(InputError, match="1970-01-01 to 2100-01-01") as error:
        Times("iso", None, DEFAULT_LIMITS)[text]
    assert error.value.code == "time_out_of_range"
    wide = FileLimits(earliest=datetime(1900, 1, 1, tzinfo=UTC))
    assert Times("iso", None, wide)[text] == datetime(1948, 1, 26, 22, 59, tzinfo=UTC)
