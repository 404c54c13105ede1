"""How a limit counts: one class for each unit, from an anchor to a due instant, and what a stop moves.

A counter belongs to one state of the calendar; `Counts` picks it by what had been announced. docs/clocks.md is the
specification.
"""
# ruff: noqa: D102 - the units' methods say nothing that those of `Counter` do not

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from msgspec import Struct

from workflow.clocks.worktime import MICROSECONDS_A_MINUTE, end_of_day
from workflow.errors import CalendarRange, DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from workflow.clocks.timetable import Timetable
    from workflow.clocks.worktime import Worktime
    from workflow.procedure.language import Counting

MEMO_MAX: Final = 65_536
"""Due instants one counting remembers for each number it counts: the days of a long log many times over, some 10 MB
at most."""

_CLOCK_CHANGE_HOURS: Final = 2
"""More than any zone puts its clock forward at once."""
_HOUR: Final = 3_600_000_000
_SATURDAY: Final = 5

Point = TypeVar("Point", datetime, date, int)
"""What a count reaches: an instant, a date whose end is the due instant, or the place of a day among the working days,
the closing of which it is."""


def reaching_is_late(counting: Counting) -> bool:
    """Whether the due instant itself is already too late. In a count of days `reaching` has moved the date."""
    return counting.reaching == "late" and counting.unit not in ("working_days", "calendar_days")


def lateness(counting: Counting) -> Callable[[datetime, datetime], bool]:
    """Whether an act at an instant comes too late for a due instant, as the counting says it."""
    return operator.ge if reaching_is_late(counting) else operator.gt


class Counter(ABC, Generic[Point]):
    """One unit of counting over one state of the calendar; `Counts` gives its `work` to every one that asks for it."""

    work: Worktime

    def __init__(self, counting: Counting, zone: ZoneInfo, work: Worktime | None) -> None:
        """`counting` was found sound by `Counts`."""
        self.zone = zone
        self._weekend = work is None
        if work is not None:
            self.work = work
        self._cut_off = _since_midnight(counting.cut_off) if counting.cut_off else None
        self._rolls = counting.rest_day == "rolls"
        self._included = counting.first_day == "included"
        self._too_late = int(counting.reaching == "late")

    def begin(self, anchor: datetime) -> datetime:
        """The anchor after the cut-off: the next working day's opening for one at or after it, or on a rest day."""
        if self._cut_off is None:
            return anchor
        return self.work.begin(anchor, self._cut_off)

    def due(self, anchor: datetime, number: int) -> datetime:
        """The due instant of `number` units from `anchor` where nothing stops the clock."""
        return self.instant(self.settled(self.reach(self.begin(anchor), number)))

    @abstractmethod
    def reach(self, start: datetime, number: int) -> Point:
        """What `number` units from `start` (after the cut-off) reach."""

    @abstractmethod
    def instant(self, point: Point) -> datetime:
        """The due instant (UTC) of what was reached."""

    @abstractmethod
    def stopped(self, start: datetime, end: datetime) -> int:
        """What a stop [start, end) moves: microseconds in hours, days in days."""

    def moves(self, point: Point, start: datetime, end: datetime) -> int | None:
        """By how much a stop [start, end) moves what was reached, as `stopped`; None where it begins too late."""
        return self.stopped(start, end) if start < self.instant(point) else None

    @abstractmethod
    def moved(self, point: Point, amount: int) -> Point:
        """What is reached after a stop moved it by `amount`."""

    def settled(self, point: Point) -> Point:
        """What was reached after the rest-day rule."""
        return point

    def later(self, day: date, amount: int) -> date:
        """The date a stop of `amount` days moves a printed one to."""
        return day + timedelta(days=amount)


class WorkingHours(Counter[datetime]):
    """Hours of the working spells."""

    def due(self, anchor: datetime, number: int) -> datetime:
        begun = anchor if self._cut_off is None else self.begin(anchor)
        return self.work.add(begun, number * _HOUR)

    def reach(self, start: datetime, number: int) -> datetime:
        return self.work.add(start, number * _HOUR)

    def instant(self, point: datetime) -> datetime:
        return point

    def stopped(self, start: datetime, end: datetime) -> int:
        return self.work.between(start, end)

    def moved(self, point: datetime, amount: int) -> datetime:
        return self.work.add(point, amount)


class ElapsedHours(Counter[datetime]):
    """Absolute time, whatever the wall clock does."""

    def due(self, anchor: datetime, number: int) -> datetime:
        return self.reach(anchor if self._cut_off is None else self.begin(anchor), number)

    def reach(self, start: datetime, number: int) -> datetime:
        return start.astimezone(UTC) + timedelta(hours=number)

    def instant(self, point: datetime) -> datetime:
        return point

    def stopped(self, start: datetime, end: datetime) -> int:
        return (end - start) // timedelta(microseconds=1)

    def moved(self, point: datetime, amount: int) -> datetime:
        return point + timedelta(microseconds=amount)


class WorkingDays(Counter[int]):
    """Working days, due at the closing of the last."""

    def due(self, anchor: datetime, number: int) -> datetime:
        counted = number - self._too_late - self._included
        begun = anchor if self._cut_off is None else self.begin(anchor)
        return self.work.nth_closing(begun, counted, included=self._included)

    def reach(self, start: datetime, number: int) -> int:
        counted = number - self._too_late - self._included
        return self.work.nth_place(start, counted, included=self._included)

    def instant(self, point: int) -> datetime:
        return self.work.closing_at(point)

    def stopped(self, start: datetime, end: datetime) -> int:
        return self.work.working_days_passed(start, end)

    def moved(self, point: int, amount: int) -> int:
        return point + amount

    def later(self, day: date, amount: int) -> date:
        return self.work.nth_working_day(day, amount)


class CalendarDays(Counter[date]):
    """Dates, due at the end of the last; without a calendar Saturday and Sunday are the rest days."""

    def reach(self, start: datetime, number: int) -> date:
        return self._date(start) + timedelta(days=number - self._too_late - self._included)

    def instant(self, point: date) -> datetime:
        return end_of_day(point, self.zone)

    def stopped(self, start: datetime, end: datetime) -> int:
        return (self._date(end) - self._date(start)).days

    def moves(self, point: date, start: datetime, end: datetime) -> int | None:
        amount = super().moves(point, start, end)
        if amount is None and start < self.instant(self.settled(point)):
            # The period is not over, but no day of its count is left: it ends on the day the clock runs again.
            return (self._date(end) - point).days
        return amount

    def moved(self, point: date, amount: int) -> date:
        return self.later(point, amount)

    def settled(self, point: date) -> date:
        if not self._rolls:
            return point
        while self._rests(point):
            point += timedelta(days=1)
        return point

    def _rests(self, day: date) -> bool:
        return day.weekday() >= _SATURDAY if self._weekend else not self.work.is_working_day(day)

    def _date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()


class WeekDays(CalendarDays):
    """Mondays to Fridays, for what is counted in working days though no calendar is named."""

    def stopped(self, start: datetime, end: datetime) -> int:
        first = self._date(start)
        passed = (first + timedelta(days=n + 1) for n in range(super().stopped(start, end)))
        return sum(not self._rests(day) for day in passed)

    def later(self, day: date, amount: int) -> date:
        while amount:
            day += timedelta(days=1)
            amount -= not self._rests(day)
        return day


AnyCounter: TypeAlias = Counter[Any]
_COUNTERS: Final[dict[str, type[AnyCounter]]] = {
    "working_hours": WorkingHours,
    "elapsed_hours": ElapsedHours,
    "working_days": WorkingDays,
    "calendar_days": CalendarDays,
}


class Dues(dict[datetime, datetime]):
    """Anchors and what is due a number of units from them. Reading an unseen anchor counts it, and remembers it if it
    lies on a full hour: those of sources that tell days alone come again and again. Raises CalendarRange."""

    def __init__(self, counter: AnyCounter, number: int) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self._counter = counter
        self._number = number

    def __missing__(self, anchor: datetime) -> datetime:
        try:
            found = self._counter.due(anchor, self._number)
        except OverflowError as cause:
            raise beyond_all_dates(anchor, self._number) from cause
        if not (anchor.minute or anchor.second):
            if len(self) >= MEMO_MAX:
                self.clear()
            self[anchor] = found
        return found


class _Known(Struct, frozen=True):
    """What counts by an instant and for a unit: the counter, and the place of its table."""

    asked: datetime | None
    unit: str | None
    place: int
    counter: AnyCounter


class Counts:
    """One counting of a procedure over all revisions of its calendar, with a bounded memory of what it counted.

    Raises DefinitionError where the counting asks for a calendar and there is none, or leaves a date open.
    """

    def __init__(self, counting: Counting, zone: ZoneInfo, timetable: Timetable | None) -> None:
        """`timetable`: the calendar as units work by it, None without one."""
        _check(counting, timetable)
        self.counting = counting
        self.zone = zone
        rolls = counting.unit == "calendar_days" and counting.rest_day == "rolls"
        self.timetable = timetable if _needs_calendar(counting) or rolls else None
        self._of_hours = counting.unit in ("working_hours", "elapsed_hours")
        self._counters: dict[int, AnyCounter] = {}
        self._dues: dict[tuple[int, int], Dues] = {}
        self._last: _Known | None = None

    @property
    def least(self) -> int:
        """The smallest number that can be counted: a count may not end before its first day."""
        if self.counting.unit not in ("working_days", "calendar_days"):
            return 0
        return int(self.counting.reaching == "late") + int(self.counting.first_day == "included")

    def at(self, announced_by: datetime | None, unit: str | None) -> AnyCounter:
        """The counter over the calendar announced by an instant (None: the newest) and the hours of a unit."""
        return self._known(announced_by, unit).counter

    def due(self, anchor: datetime, number: int, announced_by: datetime | None, unit: str | None) -> datetime:
        """The due instant (UTC) of `number` units from `anchor` where nothing stops the clock, by the hours of a unit.
        Raises CalendarRange.

        Instants on the full hour are remembered: those of sources that tell days alone come again and again. Any
        other costs more to look up than to count.
        """
        known = self._last
        if known is None or known.asked is not announced_by or known.unit != unit:
            known = self._known(announced_by, unit)
        if self._of_hours or anchor.minute or anchor.second:
            try:
                return known.counter.due(anchor, number)
            except OverflowError as cause:
                raise beyond_all_dates(anchor, number) from cause
        found = self._dues.get((number, known.place))
        if found is None:
            found = self._dues[number, known.place] = Dues(known.counter, number)
        return found[anchor]

    def remembered(self, number: int) -> Dues | None:
        """The due instants of `number` units where no calendar can move them and looking one up costs less than
        counting; None elsewhere."""
        if self.timetable is not None or self._of_hours:
            return None
        return self._dues.setdefault((number, 0), Dues(self.at(None, None), number))

    def label(self, announced_by: datetime | None) -> str | None:
        """The calendar revision that counts, as judgments cite it; None where none does."""
        return None if self.timetable is None else self.timetable.calendar.known_at(announced_by).label

    def hours(self, unit: str | None) -> str | None:
        """The name of the hours that count for a unit; None for a calendar's usual ones, or without one."""
        return None if self.timetable is None else self.timetable.hours(unit)

    def _known(self, announced_by: datetime | None, unit: str | None) -> _Known:
        """What counts by an instant and for a unit. All limits of a dossier are asked at one; it is remembered as a
        whole, since several threads ask."""
        last = self._last
        if last is not None and last.asked is announced_by and last.unit == unit:
            return last
        place = 0 if self.timetable is None else self.timetable.place(unit, announced_by)
        counter = self._counters.get(place)
        if counter is None:
            work = None if self.timetable is None else self.timetable.worktime(unit, announced_by)
            counter = _COUNTERS[self.counting.unit](self.counting, self.zone, work)
            self._counters[place] = counter
        self._last = found = _Known(announced_by, unit, place, counter)
        return found


def at_least(counting: Counting, number: int | None) -> timedelta:
    """A time from the anchor within which nothing is late yet, so that no date need be counted: most acts lie in it.

    Stops, cut-offs and rest days only move a date later. Working time passes no faster than time does, but for the
    hour a clock is put forward; the last of n days begins more than n - 1 times 24 hours after the anchor, less the
    same, and a day less where the first day or the reaching counts.
    """
    if number is None:
        return timedelta.min
    if counting.unit in ("working_days", "calendar_days"):
        days = number - 1 - (counting.first_day == "included") - (counting.reaching == "late")
        return timedelta(days=days, hours=-_CLOCK_CHANGE_HOURS)
    return timedelta(hours=number - _CLOCK_CHANGE_HOURS)


def _since_midnight(wall: str) -> int:
    """Microseconds from midnight to HH:MM."""
    return (int(wall[:2]) * 60 + int(wall[3:])) * MICROSECONDS_A_MINUTE


def beyond_all_dates(anchor: datetime, number: int) -> CalendarRange:
    """The error for a date no calendar has (after the year 9999)."""
    return CalendarRange(
        "{number} units after {anchor} lie beyond the year 9999: correct the date the limit counts from",
        number=number,
        anchor=anchor.isoformat(),
    )


def _needs_calendar(counting: Counting) -> bool:
    return counting.unit in ("working_hours", "working_days") or counting.cut_off is not None


def _check(counting: Counting, timetable: Timetable | None) -> None:
    if counting.unit == "given_date":
        raise DefinitionError(
            "a number cannot be counted in given_date: name a unit of hours or days, or the register as `until`",
            reason="given_date",
        )
    if _needs_calendar(counting) and timetable is None:
        raise DefinitionError(
            "counting in {unit}{cut_off} needs a calendar: name a known one as the procedure's `calendar`",
            reason="no_calendar",
            unit=counting.unit,
            cut_off=" with a cut-off" if counting.cut_off else "",
        )
    if counting.unit in ("working_days", "calendar_days") and counting.first_day is None:
        raise DefinitionError(
            "counting in {unit}: expected `first_day` excluded or included, found none: state it",
            reason="first_day",
            unit=counting.unit,
        )
    if counting.unit == "calendar_days" and counting.rest_day is None:
        raise DefinitionError(
            "counting in {unit}: expected `rest_day` rolls or stays, found none: state it",
            reason="rest_day",
            unit=counting.unit,
        )
