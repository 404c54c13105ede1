"""Which counter counts: each counting of a procedure over all revisions of its calendar.

docs/clocks.md is the specification.
"""

from __future__ import annotations

import operator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from workflow.clocks.counters import COUNTERS
from workflow.clocks.worktime import EVER
from workflow.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from workflow.clocks.counters import AnyCounter, Dues
    from workflow.clocks.timetable import Timetable
    from workflow.procedure.language import Counting, Revision

_CLOCK_CHANGE_HOURS: Final = 2
"""More than any zone puts its clock forward at once."""


def reaching_is_late(counting: Counting) -> bool:
    """Whether the due instant itself is already too late. In a count of days `reaching` has moved the date."""
    return counting.reaching == "late" and counting.unit not in ("working_days", "calendar_days")


def lateness(counting: Counting) -> Callable[[datetime, datetime], bool]:
    """Whether an act at an instant comes too late for a due instant, as the counting says it."""
    return operator.ge if reaching_is_late(counting) else operator.gt


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
        self._others = {} if self.timetable is None else self.timetable.others
        self._counters: dict[int, AnyCounter] = {}
        self._last: tuple[str | None, datetime, datetime, AnyCounter | None] = None, *EVER, None

    @property
    def least(self) -> int:
        """The smallest number that can be counted: a count may not end before its first day."""
        if self.counting.unit not in ("working_days", "calendar_days"):
            return 0
        return int(self.counting.reaching == "late") + int(self.counting.first_day == "included")

    def at(self, announced_by: datetime | None, unit: str | None) -> AnyCounter:
        """The counter over the calendar announced by an instant (None: the newest) and the hours of a unit."""
        of, since, until, found = self._last
        if (
            found is None
            or announced_by is None
            or not since <= announced_by < until
            or (of != unit and (of in self._others or unit in self._others))
        ):
            found = self._found(announced_by, unit)
            # What is asked next is mostly of the same hours and calendar. It is remembered as a whole: several threads
            # ask.
            self._last = unit, *found.span, found
        return found

    def due(self, anchor: datetime, number: int, announced_by: datetime | None, unit: str | None) -> datetime:
        """The due instant (UTC) of `number` units from `anchor` where nothing stops the clock, by the hours of a unit.
        Raises CalendarRange."""
        return self.at(announced_by, unit).due(anchor, number)

    def remembered(self, number: int) -> Dues | None:
        """The due instants of `number` units where no calendar can move them and looking one up costs less than
        counting; None elsewhere."""
        newest = None if self.timetable is not None else self.at(None, None)
        return newest.dues(number) if newest is not None and newest.in_days else None

    def label(self, announced_by: datetime | None) -> str | None:
        """The calendar revision that counts, as judgments cite it; None where none does."""
        return None if self.timetable is None else self.timetable.calendar.known_at(announced_by).label

    def _found(self, announced_by: datetime | None, unit: str | None) -> AnyCounter:
        place = 0 if self.timetable is None else self.timetable.place(unit, announced_by)
        found = self._counters.get(place)
        if found is None:
            table = None if self.timetable is None else self.timetable.table(unit, announced_by)
            found = COUNTERS[self.counting.unit](self.counting, self.zone, table)
            self._counters[place] = found
        return found


class Countings:
    """The countings of a revision: each by its name, with what it counts."""

    def __init__(self, revision: Revision, zone: ZoneInfo, timetable: Timetable | None) -> None:
        """`timetable`: the calendar of the revision, None without one."""
        self._revision = revision
        self._zone = zone
        self._timetable = timetable
        self._counted: dict[Counting, Counts] = {}

    def named(self, counts: Counting | str) -> Counting:
        """A counting by its name, or itself. Raises DefinitionError for an unknown name."""
        if not isinstance(counts, str):
            return counts
        known = self._revision.counting
        if counts not in known:
            raise DefinitionError(
                "procedure {procedure}: unknown counting {counting}, expected one of {known}: declare it under "
                "`counting` or correct the name",
                reason="unknown_counting",
                procedure=self._revision.procedure,
                counting=counts,
                known=", ".join(known) or "none declared",
            )
        return known[counts]

    def counts(self, counting: Counting) -> Counts:
        """What counts by it. Raises DefinitionError where it cannot."""
        found = self._counted.get(counting)
        if found is None:
            found = self._counted[counting] = Counts(counting, self._zone, self._timetable)
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
