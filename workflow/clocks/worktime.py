"""Working time of one calendar revision and one kind of unit: hours by a cumulative table, days by a count.

Standard library only. All sums are whole microseconds of absolute time (UTC), so a day on which summer time
begins has the working time its clock really shows. docs/clocks.md is the specification.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from workflow.errors import CalendarRange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

Spells: TypeAlias = "tuple[tuple[int, int], ...]"
"""Working spells of a day as minutes of its wall clock: ((420, 660), (780, 1020)) is 7:00-11:00, 13:00-17:00."""

KNOWN_BEYOND_YEARS: Final = 2
"""How far beyond its cover a calendar still counts by its weekly hours alone. No procedure runs longer ahead than a
year or two; a date further out is more likely a mistyped year."""

ENDS_MAX: Final = 65_536
"""Ends of days remembered: those of 180 years in one zone."""

MICROSECONDS_A_MINUTE: Final = 60_000_000
MICROSECONDS_A_DAY: Final = 86_400_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EVER: Final = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Microseconds of `instant` since 1970 in UTC."""
    passed = instant - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which `day` begins in `zone`: the first of two where the clock shows midnight twice, the
    change itself where it skips it (PEP 495)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=ENDS_MAX)
def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last microsecond (UTC) of `day` in `zone`."""
    return midnight(day + timedelta(days=1), zone) - _MICROSECOND


class Worktime:
    """What counts as working time from `first` to `last`, both days included.

    Every function raises CalendarRange, with the calendar's name, where it would have to look beyond them.
    """

    def __init__(
        self,
        calendar: str,
        zone: ZoneInfo,
        covers: tuple[date, date],
        week: Sequence[Spells],
        days: Mapping[date, Spells],
        later: Mapping[date, Sequence[Spells]] | None = None,
    ) -> None:
        """`week`: the spells of Monday to Sunday, in order and not overlapping; `days`: those of the days that
        differ, empty for a day off; `later`: the weeks that take the place of the one before, by their first day."""
        self.calendar = calendar
        self.zone = zone
        self.first, self.covered_to = covers
        self.last = years_later(self.covered_to, KNOWN_BEYOND_YEARS)
        self._base = self.first.toordinal()
        self._midnights: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sums: list[int] = []
        self._working: list[int] = []
        self._counts: list[int] = []
        self._openings: list[datetime] = []
        self._closings: list[datetime] = []
        for ordinal in range(self._base, self.last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            week = later.get(day, week) if later else week
            self._midnights.append(microseconds(midnight(day, zone)))
            self._add_day(day, days.get(day, week[day.weekday()]))
        self._midnights.append(microseconds(midnight(self.last + timedelta(days=1), zone)))
        self._first, self._beyond_last = self._midnights[0], self._midnights[-1]
        self._begins = midnight(self.first, zone)
        self._covered_until = midnight(self.covered_to + timedelta(days=1), zone)
        lengths = (later - earlier for earlier, later in pairwise(self._midnights))
        self._even = all(length == MICROSECONDS_A_DAY for length in lengths)

    def add(self, start: datetime, amount: int) -> datetime:
        """The earliest instant at which the working time since `start` reaches `amount` microseconds.

        A sum that is full at closing time is reached at closing time, not at the next opening; of nothing, at
        `start` itself.
        """
        passed = start - EPOCH
        at = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
        if not self._first <= at < self._beyond_last:
            raise self._beyond(self._told(start))
        if amount <= 0:
            return start.astimezone(UTC)
        sums, ends = self._sums, self._ends
        index = bisect_right(self._starts, at) - 1
        target = amount
        if index >= 0:
            left = ends[index] - at
            target += sums[index] - left if left > 0 else sums[index]
        index = bisect_left(sums, target)
        if index == len(sums):
            raise self._beyond(f"{amount // MICROSECONDS_A_MINUTE} working minutes after {self._told(start)}")
        return EPOCH + timedelta(0, 0, ends[index] - (sums[index] - target))

    def before(self, end: datetime, amount: int) -> datetime:
        """The latest instant from which the working time until `end` reaches `amount` microseconds: an opening, never
        the closing before it; of nothing, `end` itself."""
        at = self._within(end)
        if amount <= 0:
            return end.astimezone(UTC)
        target = self._worked(at) - amount
        if target < 0:
            raise self._beyond(f"{amount // MICROSECONDS_A_MINUTE} working minutes before {self._told(end)}")
        index = bisect_right(self._sums, target)
        return EPOCH + timedelta(0, 0, self._ends[index] - (self._sums[index] - target))

    def between(self, start: datetime, end: datetime) -> int:
        """Working microseconds in [start, end); 0 where `end` is not after `start`."""
        if end <= start:
            return 0
        return self._worked(self._within(end)) - self._worked(self._within(start))

    def nth_working_day(self, day: date, number: int) -> date:
        """The `number`-th working day after `day`; of 0, `day` itself or, if it is none, the next working day."""
        place = self._nth(self._index(day), number)
        if place >= len(self._working):
            raise self._beyond(f"{number} working days after {day.isoformat()}")
        return date.fromordinal(self._working[place])

    def nth_closing(self, instant: datetime, number: int, *, included: bool) -> datetime:
        """The closing (UTC) of the `number`-th working day after the date of `instant`; with that date `included`,
        after it or, if it is none, after the next working day. The short way of day counts that nothing stops."""
        return self._closings[self.nth_place(instant, number, included=included)]

    def nth_place(self, instant: datetime, number: int, *, included: bool) -> int:
        """The place, among all working days, of the day `nth_closing` gives the closing of."""
        index = self._day(instant)
        if included:
            place = self._nth(index, 0) + number
        else:
            place = self._counts[index] + number - 1 if number > 0 else self._nth(index, number)
        if place >= len(self._working):
            raise self._beyond(f"{number} working days after {self._told(instant)}")
        return place

    def closing_at(self, place: int) -> datetime:
        """The closing (UTC) of the working day at a place."""
        if place >= len(self._closings):
            raise self._beyond(f"the working day number {place}")
        return self._closings[place]

    def begin(self, instant: datetime, cut_off: int) -> datetime:
        """`instant`, or, if it lies at or after the wall clock time `cut_off` (microseconds since midnight) or on a day
        that is no working day, the opening (UTC) of the next working day."""
        at = self._within(instant)
        index = bisect_right(self._midnights, at) - 1
        count = self._counts[index]
        wall = at - self._midnights[index]
        if self._midnights[index + 1] - self._midnights[index] != MICROSECONDS_A_DAY:
            local = instant.astimezone(self.zone)
            wall = microseconds(local.replace(tzinfo=UTC)) % MICROSECONDS_A_DAY
        if wall < cut_off and count > (self._counts[index - 1] if index else 0):
            return instant
        if count >= len(self._openings):
            raise self._beyond(f"the working day after {self._told(instant)}")
        return self._openings[count]

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        return self.nth_working_day(day, 1)

    def working_days_between(self, start: date, end: date) -> int:
        """The working days after `start` up to and including `end`; 0 where `end` is not after `start`."""
        if end <= start:
            return 0
        return self._counts[self._index(end)] - self._counts[self._index(start)]

    def working_days_passed(self, start: datetime, end: datetime) -> int:
        """`working_days_between` of the dates of two instants."""
        if end <= start:
            return 0
        return self._counts[self._day(end)] - self._counts[self._day(start)]

    def opening(self, day: date) -> datetime | None:
        """The start (UTC) of the day's first spell; None on a day that is no working day."""
        place = self._place(day)
        return None if place is None else self._openings[place]

    def opening_before(self, instant: datetime) -> datetime:
        """The start (UTC) of the last working day before the date of an instant."""
        index = self._day(instant)
        count = self._counts[index - 1] if index else 0
        if not count:
            raise self._beyond(f"the working day before {self._told(instant)}")
        return self._openings[count - 1]

    def closing(self, day: date) -> datetime | None:
        """The end (UTC) of the day's last spell; None on a day that is no working day."""
        place = self._place(day)
        return None if place is None else self._closings[place]

    def covers(self, instant: datetime) -> bool:
        """Whether the calendar says which holidays there are on the date of an instant; beyond, only its weekly hours
        are known."""
        return self._begins <= instant < self._covered_until

    def _add_day(self, day: date, spells: Spells) -> None:
        begun = len(self._starts)
        for start, end in spells:
            # A spell that the change to summer time swallows has no length and is none.
            opens = max(self._wall(day, start), self._ends[-1] if self._ends else 0)
            closes = self._wall(day, end)
            if closes > opens:
                self._starts.append(opens)
                self._ends.append(closes)
                self._sums.append((self._sums[-1] if self._sums else 0) + closes - opens)
        if len(self._starts) > begun:
            self._working.append(day.toordinal())
            self._openings.append(EPOCH + timedelta(microseconds=self._starts[begun]))
            self._closings.append(EPOCH + timedelta(microseconds=self._ends[-1]))
        self._counts.append(len(self._working))

    def _wall(self, day: date, minute: int) -> int:
        """The instant of a wall clock time: of two the first, of one that is skipped as before the change."""
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - wall clock
        offset = wall.replace(tzinfo=self.zone).utcoffset() or timedelta()
        return microseconds((wall - offset).replace(tzinfo=UTC))

    def _worked(self, at: int) -> int:
        """Working microseconds from the beginning of the table to `at`."""
        index = bisect_right(self._starts, at) - 1
        return 0 if index < 0 else self._sums[index] - max(self._ends[index] - at, 0)

    def _nth(self, index: int, number: int) -> int:
        """The place among working days of the `number`-th after the day at `index`; of 0, of that day or the next."""
        count = self._counts[index]
        if number == 0 and count > (self._counts[index - 1] if index else 0):
            return count - 1
        return count + max(number, 1) - 1

    def _place(self, day: date) -> int | None:
        """The place of a day among the working days; None where it is none."""
        index = self._index(day)
        count = self._counts[index]
        return count - 1 if count > (self._counts[index - 1] if index else 0) else None

    def _index(self, day: date) -> int:
        index = day.toordinal() - self._base
        if not 0 <= index < len(self._counts):
            raise self._beyond(day.isoformat())
        return index

    def _day(self, instant: datetime) -> int:
        """The index of the local date of an instant. Where all days are 24 hours long they need not be searched."""
        if self._even:
            index = (instant - self._begins).days
            if 0 <= index < len(self._counts):
                return index
        return bisect_right(self._midnights, self._within(instant)) - 1

    def _within(self, instant: datetime) -> int:
        at = microseconds(instant)
        if not self._first <= at < self._beyond_last:
            raise self._beyond(self._told(instant))
        return at

    def _told(self, instant: datetime) -> str:
        """An instant as people of the zone read it; as it came where the zone has no date for it."""
        try:
            return instant.astimezone(self.zone).isoformat()
        except OverflowError:
            return instant.isoformat()

    def _beyond(self, what: str) -> CalendarRange:
        return CalendarRange(
            "calendar {calendar} counts from {first} to {last}, found {what}: "
            "extend the calendar's cover and days, or correct the date",
            calendar=self.calendar,
            first=self.first.isoformat(),
            last=self.last.isoformat(),
            what=what,
        )


def years_later(day: date, years: int) -> date:
    """The same date some years later; 28 February for a 29th that year has not."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
