"""How a limit counts: one class for each unit, from an anchor to a due instant, and what a stop moves.

A counter belongs to one state of the calendar; `Counts` picks it. docs/clocks.md is the specification.
"""
# ruff: noqa: D102 - the units' methods say nothing that those of `Counter` do not

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeAlias, TypeVar

from workflow.clocks.worktime import EVER, MICROSECONDS_A_MINUTE, end_of_day
from workflow.errors import CalendarRange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from workflow.clocks.stops import Stop
    from workflow.clocks.timetable import Table
    from workflow.clocks.worktime import Worktime
    from workflow.procedure.language import Counting

MEMO_MAX: Final = 65_536
"""Due instants one counting remembers for each number it counts: the days of a long log many times over, some 10 MB
at most."""

DAYS_MAX: Final = 4_096
"""Days one counting remembers for each number it counts: eleven years."""

_DAY: Final = timedelta(days=1)
_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)
_HOUR: Final = 3_600_000_000
_SATURDAY: Final = 5

Point = TypeVar("Point", datetime, date, int)
"""What a count reaches: an instant, a date whose end is the due instant, or the place of a day among the working days,
the closing of which it is."""
Moved: TypeAlias = tuple[int, Point]
"""By how much a stop moved what was reached, and what is reached then."""


Reached: TypeAlias = tuple[datetime, bool]
"""A due instant (UTC), and whether the clock stands still at the moment asked about."""


class Counter(ABC, Generic[Point]):
    """One unit of counting over one state of the calendar; `Counts` gives its `work` to every one that asks for it.

    `label`, `hours`: the calendar revision and which of its hours, as judgments cite them; None where none counts.
    `span`: the instants from which on until which (excluded) that revision is the newest announced.
    """

    work: Worktime
    in_days: ClassVar[bool]
    """Whether it counts days: then no instant is due before what an earlier one is, and to look up a due instant on the
    full hour costs less than to count it again."""

    def __init__(self, counting: Counting, zone: ZoneInfo, table: Table | None) -> None:
        """`counting` was found sound by `Counts`."""
        self.zone = zone
        self.label = None if table is None else table.label
        self.hours = None if table is None else table.hours
        self.span = EVER if table is None else table.span
        self._weekend = table is None
        if table is not None:
            self.work = table.work
        self._dues: dict[int, Dues] = {}
        self._earliest: dict[int, Earliest] = {}
        self._cut_off = _since_midnight(counting.cut_off) if counting.cut_off else None
        self._rolls = counting.rest_day == "rolls"
        self._included = counting.first_day == "included"
        self._fewer = (counting.reaching == "late") + (counting.first_day == "included")

    def due(self, anchor: datetime, number: int) -> datetime:
        """The due instant (UTC) of `number` units from `anchor` where nothing stops the clock. Raises CalendarRange.

        Instants on the full hour are remembered: those of sources that tell days alone come again and again. Any
        other costs more to look up than to count.
        """
        if self.in_days and not (anchor.minute or anchor.second):
            return self.dues(number)[anchor]
        try:
            return self.plain(anchor, number)
        except OverflowError as cause:
            raise beyond_all_dates(anchor, number) from cause

    def dues(self, number: int) -> Dues:
        """The due instants of `number` units by their anchors."""
        found = self._dues.get(number)
        return self._dues.setdefault(number, Dues(self, number)) if found is None else found

    def earliest(self, number: int) -> Earliest:
        """By day, before when `number` days from any instant of it are surely not due."""
        found = self._earliest.get(number)
        return self._earliest.setdefault(number, Earliest(self, number)) if found is None else found

    def begin(self, anchor: datetime) -> datetime:
        """The anchor after the cut-off: the next working day's opening for one at or after it, or on a rest day."""
        if self._cut_off is None:
            return anchor
        return self.work.begin(anchor, self._cut_off)

    def plain(self, anchor: datetime, number: int) -> datetime:
        """As `due`, counted. Raises OverflowError beyond the last of all dates."""
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

    def after(self, point: Point, stops: Iterable[Stop], met: list[Moved[Point]] | None = None) -> Reached:
        """What was reached, moved by each of the stops in the order of their starts; it stands where the clock does in
        the last that moved it. Where one begins too late all that follow do. `met`: takes down each move."""
        standing = False
        for stop in stops:
            amount = self.moves(point, stop.start, stop.end)
            if amount is None:
                break
            point, standing = self.moved(point, amount), stop.standing
            if met is not None:
                met.append((amount, point))
        return self.instant(self.settled(point)), standing

    def later(self, day: date, amount: int) -> date:
        """The date a stop of `amount` days moves a printed one to."""
        return day + timedelta(days=amount)


class WorkingHours(Counter[datetime]):
    """Hours of the working spells."""

    in_days = False

    def plain(self, anchor: datetime, number: int) -> datetime:
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

    in_days = False

    def plain(self, anchor: datetime, number: int) -> datetime:
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

    in_days = True

    def plain(self, anchor: datetime, number: int) -> datetime:
        begun = anchor if self._cut_off is None else self.work.begin(anchor, self._cut_off)
        return self.work.nth_closing(begun, number - self._fewer, included=self._included)

    def reach(self, start: datetime, number: int) -> int:
        return self.work.nth_place(start, number - self._fewer, included=self._included)

    def instant(self, point: int) -> datetime:
        return self.work.closing_at(point)

    def stopped(self, start: datetime, end: datetime) -> int:
        return self.work.working_days_passed(start, end)

    def moves(self, point: int, start: datetime, end: datetime) -> int | None:
        return self.work.working_days_passed(start, end) if start < self.work.closing_at(point) else None

    def moved(self, point: int, amount: int) -> int:
        return point + amount

    def later(self, day: date, amount: int) -> date:
        return self.work.nth_working_day(day, amount)


class CalendarDays(Counter[date]):
    """Dates, due at the end of the last; without a calendar Saturday and Sunday are the rest days."""

    in_days = True

    def reach(self, start: datetime, number: int) -> date:
        return self._date(start) + timedelta(number - self._fewer)

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
        if not self._weekend:
            return self.work.nth_working_day(point, 0)
        while _at_weekend(point):
            point += timedelta(days=1)
        return point

    def _date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()


class WeekDays(CalendarDays):
    """Mondays to Fridays, for what is counted in working days though no calendar is named."""

    def stopped(self, start: datetime, end: datetime) -> int:
        first = self._date(start)
        passed = (first + timedelta(days=n + 1) for n in range(super().stopped(start, end)))
        return sum(not _at_weekend(day) for day in passed)

    def later(self, day: date, amount: int) -> date:
        while amount:
            day += timedelta(days=1)
            amount -= not _at_weekend(day)
        return day


AnyCounter: TypeAlias = Counter[Any]
COUNTERS: Final[dict[str, type[AnyCounter]]] = {
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
            found = self._counter.plain(anchor, self._number)
        except OverflowError as cause:
            raise beyond_all_dates(anchor, self._number) from cause
        if not (anchor.minute or anchor.second):
            if len(self) >= MEMO_MAX:
                self.clear()
            self[anchor] = found
        return found


class Earliest(dict[date, datetime]):
    """Days of UTC, and what is due a number of days from their first instants: from a later one nothing is due earlier,
    so that most acts are seen to be in time by the day their count began on. Reading an unseen day counts and remembers
    it; one that no count can begin with says nothing. Of a counter of days alone: a cut-off moves an instant to an
    opening that a later one may precede, and hours count from there."""

    def __init__(self, counter: AnyCounter, number: int) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self._counter = counter
        self._number = number

    def __missing__(self, day: date) -> datetime:
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        try:
            self._counter.plain(begins + _DAY, self._number)  # none of its instants is beyond the calendar
            found = self._counter.plain(begins, self._number)
        except (CalendarRange, OverflowError):
            found = _ANY_TIME
        if len(self) >= DAYS_MAX:
            self.clear()
        self[day] = found
        return found


def _at_weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY


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
