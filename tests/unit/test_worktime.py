"""Working time between instants and days: known answers, edges, the change of summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from clockmaking import HANOI, ROME, at, calendar, can_tho, wall
from hypothesis import given
from hypothesis import strategies as st

from workflow.clocks.worktime import Worktime, end_of_day, midnight, years_later
from workflow.errors import CalendarRange

HOUR = 3_600_000_000
OFFICE = ((420, 660), (780, 1020))
WEEK = (OFFICE,) * 5 + ((), ())
YEAR = (date(2024, 1, 1), date(2024, 12, 31))


def office(zone: ZoneInfo = HANOI, days: dict[date, tuple[tuple[int, int], ...]] | None = None) -> Worktime:
    return Worktime("test", zone, YEAR, WEEK, days or {})


INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2025, 6, 30)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware


def test_a_sum_full_at_closing_time_is_due_at_closing_time() -> None:
    assert wall(office().add(at("2024-07-01 13:00"), 4 * HOUR)) == "2024-07-01 17:00"


def test_one_microsecond_more_than_a_full_day_is_due_the_next_morning() -> None:
    found = office().add(at("2024-07-01 13:00"), 4 * HOUR + 1)
    assert found == at("2024-07-02 07:00") + timedelta(microseconds=1)


def test_nothing_is_due_at_the_start_itself_even_at_night() -> None:
    assert office().add(at("2024-07-01 23:00"), 0) == at("2024-07-01 23:00")


def test_the_lunch_break_counts_for_nothing() -> None:
    work = office()
    assert work.between(at("2024-07-01 11:00"), at("2024-07-01 13:00")) == 0
    assert wall(work.add(at("2024-07-01 10:30"), HOUR)) == "2024-07-01 13:30"


def test_working_time_from_a_later_to_an_earlier_instant_is_none() -> None:
    assert office().between(at("2024-07-02 10:00"), at("2024-07-01 10:00")) == 0


def test_midnight_belongs_to_the_day_it_begins() -> None:
    work = office()
    midnight_ = at("2024-07-02 00:00")
    assert work.nth_closing(midnight_, 0, included=True) == at("2024-07-02 17:00")
    assert work.nth_closing(midnight_ - timedelta(microseconds=1), 0, included=True) == at("2024-07-01 17:00")


def test_day_questions_of_a_week_with_a_holiday() -> None:
    work = office(days={date(2024, 7, 3): ()})
    wednesday = date(2024, 7, 3)
    assert work.nth_working_day(wednesday, 0) == date(2024, 7, 4)
    assert work.nth_working_day(date(2024, 7, 2), 0) == date(2024, 7, 2)
    assert work.nth_working_day(date(2024, 7, 2), 3) == date(2024, 7, 8)
    assert work.next_working_day(date(2024, 7, 5)) == date(2024, 7, 8)
    assert work.working_days_between(date(2024, 7, 1), wednesday) == 1
    assert work.working_days_between(wednesday, date(2024, 7, 1)) == 0
    assert work.opening(wednesday) is None
    assert work.closing(wednesday) is None
    assert work.opening(date(2024, 7, 4)) == at("2024-07-04 07:00")
    assert work.closing(date(2024, 7, 4)) == at("2024-07-04 17:00")


def test_a_spell_may_end_at_midnight() -> None:
    work = Worktime("test", HANOI, YEAR, (((1320, 1440),), *WEEK[1:]), {})
    assert work.closing(date(2024, 7, 1)) == at("2024-07-02 00:00")
    assert wall(work.add(at("2024-07-01 22:00"), 2 * HOUR)) == "2024-07-02 00:00"


@pytest.mark.parametrize(("sunday", "hours"), [("2024-03-31", 7), ("2024-10-27", 9), ("2024-06-02", 8)])
def test_a_night_shift_has_the_hours_the_clock_really_shows(sunday: str, hours: int) -> None:
    work = Worktime("test", ROME, YEAR, (*WEEK[:6], ((0, 480),)), {})
    start = at(f"{sunday} 00:00", ROME)
    assert work.between(start, start + timedelta(days=1)) == hours * HOUR


def test_a_spell_that_summer_time_swallows_is_none() -> None:
    swallowed = Worktime("test", ROME, YEAR, (*WEEK[:6], ((120, 180),)), {})
    assert swallowed.opening(date(2024, 3, 31)) is None
    assert swallowed.opening(date(2024, 10, 27)) is not None


def test_the_cut_off_is_read_off_the_wall_clock_on_the_day_of_the_change() -> None:
    work = Worktime("test", ROME, YEAR, (*WEEK[:6], ((480, 1020),)), {})
    cut_off = 15 * HOUR
    assert work.begin(at("2024-03-31 14:59", ROME), cut_off) == at("2024-03-31 14:59", ROME)
    assert work.begin(at("2024-03-31 15:00", ROME), cut_off) == at("2024-04-01 07:00", ROME)


def test_a_day_begins_where_the_clock_first_shows_midnight() -> None:
    havana = ZoneInfo("America/Havana")
    assert midnight(date(2024, 11, 3), havana) == datetime(2024, 11, 3, 4, tzinfo=UTC)
    assert end_of_day(date(2024, 11, 3), havana) - midnight(date(2024, 11, 3), havana) > timedelta(hours=24)


def test_two_years_beyond_the_cover_are_counted_and_marked_and_no_more() -> None:
    work = office()
    assert work.covers(end_of_day(date(2024, 12, 31), HANOI))
    assert not work.covers(midnight(date(2025, 1, 1), HANOI))
    assert work.opening(date(2026, 12, 31)) is not None
    with pytest.raises(
        CalendarRange, match="calendar test counts from 2024-01-01 to 2026-12-31, found 2027-01-01"
    ):
        work.opening(date(2027, 1, 1))


@pytest.mark.parametrize(
    "ask",
    [
        lambda work: work.add(at("2023-12-31 23:59"), HOUR),
        lambda work: work.add(at("2024-01-01 08:00"), 100_000 * HOUR),
        lambda work: work.between(at("2024-01-01 08:00"), at("2027-01-01 00:00")),
        lambda work: work.nth_working_day(date(2026, 12, 31), 1),
        lambda work: work.nth_closing(at("2026-12-31 08:00"), 1, included=False),
        lambda work: work.begin(at("2026-12-31 16:00"), 15 * HOUR),
        lambda work: work.closing(date(2023, 12, 31)),
        lambda work: work.opening_before(at("2024-01-01 08:00")),
    ],
)
def test_a_question_beyond_the_calendar_is_refused_with_its_name(ask) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(CalendarRange, match="calendar test"):
        ask(office())


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (datetime(2026, 12, 31, 17, tzinfo=UTC), r"2027-01-01T00:00:00\+07:00"),
        (datetime(9999, 12, 31, 23, tzinfo=UTC), r"9999-12-31T23:00:00\+00:00"),
    ],
)
def test_an_instant_beyond_the_calendar_is_named_as_its_zone_reads_it(told: datetime, shown: str) -> None:
    with pytest.raises(CalendarRange, match=f"found {shown}"):
        office().between(at("2024-01-01 08:00"), told)


def test_a_leap_day_has_its_anniversary_on_the_28th() -> None:
    assert years_later(date(2024, 2, 29), 2) == date(2026, 2, 28)
    assert years_later(date(2024, 2, 28), 2) == date(2026, 2, 28)


@given(INSTANTS, st.integers(1, 3000 * HOUR))
def test_what_is_added_lies_between_the_ends_and_no_earlier_instant_reaches_it(
    start: datetime, amount: int
) -> None:
    work = can_tho().worktime(None, None)
    found = work.add(start, amount)
    assert work.between(start, found) == amount
    assert work.between(start, found - timedelta(microseconds=1)) == amount - 1


@given(INSTANTS, st.integers(0, 60), st.booleans())
def test_the_short_way_of_day_counts_is_the_long_one(start: datetime, number: int, included: bool) -> None:  # noqa: FBT001 - drawn
    work = can_tho().worktime(None, None)
    day = start.astimezone(work.zone).date()
    first = work.nth_working_day(day, 0) if included else day
    assert work.nth_closing(start, number, included=included) == work.closing(
        work.nth_working_day(first, number)
    )


@given(INSTANTS)
def test_the_opening_before_is_found_by_going_back_day_by_day(instant: datetime) -> None:
    work = can_tho().worktime(None, None)
    day = instant.astimezone(work.zone).date() - timedelta(days=1)
    while work.opening(day) is None:
        day -= timedelta(days=1)

    assert work.opening_before(instant) == work.opening(day)


def test_a_unit_counts_by_its_own_hours() -> None:
    both = calendar(more="units: {ward: {week: {mon: [08:00-12:00]}}}\n")
    assert both.worktime("ward", None).closing(date(2024, 7, 1)) == at("2024-07-01 12:00")
    assert both.worktime("elsewhere", None).closing(date(2024, 7, 1)) == at("2024-07-01 17:00")
