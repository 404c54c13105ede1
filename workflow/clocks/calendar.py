"""Calendars: approved data on which days and hours count, and when each differing day was announced.

A calendar changes after due dates were printed, so it is read as of a moment: its revision known then. docs/clocks.md
is the specification.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, field

from workflow.clocks.worktime import EPOCH, EVER, Spells, Worktime, midnight
from workflow.errors import DefinitionError, Words
from workflow.procedure.language import Definition, Identifier, Names, Wording
from workflow.yamltree import read
from workflow.zones import zone_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
Spell: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        extra={"says": Words("hours such as 07:00-11:00")},
    ),
]
"""From and to on the wall clock of one day, such as 07:00-11:00."""
T = TypeVar("T")
Week: TypeAlias = dict[Weekday, tuple[Spell, ...]]

COVER_MAX: Final = timedelta(days=100 * 366)
"""A cover longer than this is a mistyped year; its tables would fill the memory."""


class LaterHours(Definition, frozen=True):
    """Weekly hours in place of those before, from a day on."""

    since: date = field(name="from")
    week: Week
    basis: Wording | None = None
    unverified: bool = False


class Hours(Definition, frozen=True):
    """Weekly hours and where they are known from; a weekday without spells is a rest day. `later`: what took or takes
    their place, each from its day on, the earliest first."""

    week: Week
    basis: Wording | None = None
    unverified: bool = False
    later: tuple[LaterHours, ...] = ()

    @property
    def weeks(self) -> tuple[Week, ...]:
        """All of them, the first in force first."""
        return (self.week, *(one.week for one in self.later))

    def on(self, day: date) -> Week:
        """Those in force on a day."""
        return self.weeks[bisect_right(self.later, day, key=attrgetter("since"))]


class Covers(Definition, frozen=True):
    """The dates for which a calendar knows the days that differ, both included."""

    since: date = field(name="from")
    to: date


class Day(Definition, frozen=True):
    """A day that differs from its weekday: off, or worked with the hours of the weekday `hours_of`.

    `announced`: when its instrument was made known. `unverified` stands in its place where that is not known.
    """

    on: date = field(name="date")
    kind: Literal["off", "work"]
    hours_of: Weekday | None = None
    name: Names | None = None
    instrument: str | None = None
    announced: date | None = None
    unverified: bool = False


class CalendarDefinition(Definition, frozen=True):
    """A calendar file. `units`: hours of kinds of unit that have their own. `revision`: tells what is new in it where
    no day says when it was announced."""

    name: Identifier
    zone: str
    covers: Covers
    hours: Hours
    units: dict[Identifier, Hours] = {}  # noqa: RUF012 - msgspec copies empty defaults
    days: tuple[Day, ...] = ()
    revision: Annotated[str, Meta(min_length=1, max_length=20)] | None = None

    @property
    def number(self) -> str:
        """What tells this state of the calendar from others: its newest announcement, and its own word where it has
        one."""
        announced = max((day.announced.isoformat() for day in self.days if day.announced), default="first")
        return announced if self.revision is None else f"{announced}/{self.revision}"


class CalendarRevision:
    """A calendar as it stood once a day's announcements were out.

    `announced`: the date of the newest announcement in it, None where none of its days names one. `definition`
    holds one entry for each date, the one that counts, in the order of the dates.
    """

    def __init__(self, definition: CalendarDefinition, announced: date | None) -> None:
        """Takes the days announced by `announced`; of two for one date the later announced."""
        known: dict[date, Day] = {}
        for day in sorted(definition.days, key=_by_announcement):
            if day.announced is None or (announced is not None and day.announced <= announced):
                known[day.on] = day
        days = tuple(known[on] for on in sorted(known))
        self.definition = msgspec.structs.replace(definition, days=days)
        self.announced = announced

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the canonical form: JSON with sorted keys, one entry for each date, in their order."""
        return hashlib.sha256(msgspec.json.encode(self.definition, order="sorted")).hexdigest()

    @cached_property
    def label(self) -> str:
        """Name, newest announcement and the first 16 digits of the fingerprint, as judgments cite it."""
        since = "first" if self.announced is None else self.announced.isoformat()
        return f"{self.definition.name}@{since}#{self.fingerprint[:16]}"

    def worktime(self, unit: str | None) -> Worktime:
        """The tables of a kind of unit; of one without hours of its own, the calendar's."""
        definition = self.definition
        hours = definition.units.get(unit or "", definition.hours)
        days: dict[date, Spells] = {
            day.on: () if day.hours_of is None else _spells(hours.on(day.on).get(day.hours_of, ()))
            for day in definition.days
        }
        covers = (definition.covers.since, definition.covers.to)
        later = {one.since: _week(one.week) for one in hours.later}
        return Worktime(definition.name, ZoneInfo(definition.zone), covers, _week(hours.week), days, later)


class Calendar:
    """A calendar and its revisions by announcement. Raises DefinitionError or UnknownZone where it is unsound."""

    def __init__(self, definition: CalendarDefinition) -> None:
        """Builds each revision; their tables are built when first asked for."""
        _check(definition)
        self.definition = definition
        self.name = definition.name
        self.zone = ZoneInfo(definition.zone)
        announced = sorted({day.announced for day in definition.days if day.announced is not None})
        self.revisions = tuple(CalendarRevision(definition, on) for on in (None, *announced))
        self._since = [midnight(on, self.zone) for on in announced]
        self._worktimes: dict[tuple[int, str | None], Worktime] = {}
        self._last: tuple[datetime | None, int] = None, len(self._since)

    def index_at(self, instant: datetime | None) -> int:
        """The place in `revisions` of the one known at `instant`; None means the newest."""
        asked, index = self._last
        if asked is not instant:
            index = len(self._since) if instant is None else bisect_right(self._since, instant)
            # All limits of a dossier are asked at one instant.
            self._last = instant, index
        return index

    def span(self, index: int) -> tuple[datetime, datetime]:
        """From when on until when (UTC, excluded) the revision at a place in `revisions` is the one known."""
        return (
            self._since[index - 1] if index else EVER[0],
            self._since[index] if index < len(self._since) else EVER[1],
        )

    def known_at(self, instant: datetime | None) -> CalendarRevision:
        """The revision with the days announced on or before the local date of `instant`; None means the newest."""
        return self.revisions[self.index_at(instant)]

    def worktime(self, unit: str | None, known_at: datetime | None) -> Worktime:
        """The working time of a kind of unit (None: the calendar's hours) as known at an instant."""
        key = self.index_at(known_at), unit if unit in self.definition.units else None
        found = self._worktimes.get(key)
        if found is None:
            found = self._worktimes[key] = self.revisions[key[0]].worktime(key[1])
        return found


def alike_until(one: CalendarDefinition, other: CalendarDefinition) -> datetime | None:
    """The instant before which an act is late by either calendar or by neither; None where they never differ. Pure.

    An act is held against a date by the days announced by then: before the first announcement that only one of them
    knows, both are the same. And a date that only one of them moves lies, by both, behind the last closing before the
    first day that differs: no act that took place earlier can be late for it. Anything else that differs was never
    alike.
    """
    if _but_days(one) != _but_days(other):
        return EPOCH
    days = [(day.on, day.announced) for day in _in_one_alone(one.days, other.days)]
    # Hours that begin on a day are known always, as a day of no known announcement is.
    days += [(later.since, None) for _, later in _in_one_alone(_later(one), _later(other))]
    if not days:
        return None
    zone = ZoneInfo(one.zone)
    announced = min(announced or date.min for _, announced in days)
    told = EPOCH if announced == date.min else midnight(announced, zone)
    return max(told, midnight(_worked_before(one, other, min(on for on, _ in days)), zone))


def _but_days(one: CalendarDefinition) -> CalendarDefinition:
    replace = msgspec.structs.replace
    units = {unit: replace(hours, later=()) for unit, hours in one.units.items()}
    return replace(one, days=(), revision=None, hours=replace(one.hours, later=()), units=units)


def _later(one: CalendarDefinition) -> list[tuple[str | None, LaterHours]]:
    """The hours that begin on a day, each with the unit they are of."""
    every: list[tuple[str | None, Hours]] = [(None, one.hours), *one.units.items()]
    return [(unit, later) for unit, hours in every for later in hours.later]


def _in_one_alone(some: Sequence[T], others: Sequence[T]) -> list[T]:
    return [one for one in (*some, *others) if (one in some) != (one in others)]


def _worked_before(one: CalendarDefinition, other: CalendarDefinition, day: date) -> date:
    """The last day before another that is worked by every revision of both: by all weekly hours, and named nowhere."""
    named = {entry.on for entry in (*one.days, *other.days)}
    hours = (one.hours, *one.units.values(), other.hours, *other.units.values())
    weeks = [week for of in hours for week in of.weeks]
    day -= timedelta(days=1)
    while day > one.covers.since and (
        day in named or not all(week.get(WEEKDAYS[day.weekday()]) for week in weeks)
    ):
        day -= timedelta(days=1)
    return day


def read_calendar(path: Path) -> Calendar:
    """The calendar in a YAML file. Raises DefinitionError (file:line:column) or UnknownZone."""
    return Calendar(read(path, CalendarDefinition))


def read_calendars(folder: Path) -> dict[str, Calendar]:
    """The calendars in a folder's YAML files, by name. Raises DefinitionError for two of one name."""
    found: dict[str, Calendar] = {}
    for path in sorted(folder.glob("*.yaml")):
        calendar = read_calendar(path)
        if calendar.name in found:
            raise _unsound(
                "{path}: calendar {calendar} is defined twice: rename one", calendar.name, path=path
            )
        found[calendar.name] = calendar
    return found


def _by_announcement(day: Day) -> date:
    """A day of no known announcement is known always, and gives way to any that was announced."""
    return day.announced or date.min


def _week(week: Week) -> list[Spells]:
    return [_spells(week.get(weekday, ())) for weekday in WEEKDAYS]


def _spells(spells: tuple[Spell, ...]) -> Spells:
    return tuple((_minutes(spell[:5]), _minutes(spell[6:])) for spell in spells)


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _check(definition: CalendarDefinition) -> None:
    name, covers = definition.name, definition.covers
    zone_at(definition.zone, f"calendar {name}")
    if not timedelta() <= covers.to - covers.since <= COVER_MAX:
        raise _unsound(
            "calendar {calendar} covers {first} to {last}: expected a first date before the last, at most {years} "
            "years: correct `covers`",
            name,
            first=covers.since,
            last=covers.to,
            years=COVER_MAX.days // 366,
        )
    for unit, hours in (("default", definition.hours), *definition.units.items()):
        for week in hours.weeks:
            for weekday, spells in week.items():
                _check_spells(name, f"{unit}/{weekday}", spells)
        _check_later(name, unit, covers, hours)
    seen: dict[tuple[date, date | None], Day] = {}
    for day in definition.days:
        _check_day(name, covers, day)
        if seen.setdefault((day.on, day.announced), day) is not day:
            raise _unsound(
                "calendar {calendar}: {date} has two entries of one announcement: keep one of them",
                name,
                date=day.on,
            )


def _check_later(name: str, unit: str, covers: Covers, hours: Hours) -> None:
    begun = [covers.since, *(one.since for one in hours.later)]
    if any(later <= earlier for earlier, later in pairwise(begun)) or begun[-1] > covers.to:
        raise _unsound(
            "calendar {calendar}: hours {unit}: expected `later` hours that begin within the cover {first} to {last}, "
            "each after those before, found {found}: correct them",
            name,
            unit=unit,
            first=covers.since,
            last=covers.to,
            found=", ".join(day.isoformat() for day in begun[1:]),
        )


def _check_spells(name: str, where: str, spells: tuple[Spell, ...]) -> None:
    minutes = _spells(spells)
    in_order = all(later[0] >= earlier[1] for earlier, later in pairwise(minutes))
    if not in_order or any(end <= start for start, end in minutes):
        raise _unsound(
            "calendar {calendar}: hours {where}: expected spells that end after they start, in order and not "
            "overlapping, found {found}: correct them",
            name,
            where=where,
            found=", ".join(spells),
        )


def _check_day(name: str, covers: Covers, day: Day) -> None:
    if not covers.since <= day.on <= covers.to:
        raise _unsound(
            "calendar {calendar}: day {date} lies outside the cover {first} to {last}: extend `covers` or drop it",
            name,
            date=day.on,
            first=covers.since,
            last=covers.to,
        )
    if (day.announced is None) != day.unverified:
        raise _unsound(
            "calendar {calendar}: day {date}: expected either `announced` or `unverified: true`: state one of them",
            name,
            date=day.on,
        )
    if (day.hours_of is None) != (day.kind == "off"):
        raise _unsound(
            "calendar {calendar}: day {date}: expected `hours_of` for kind work and none for kind off, found {kind}: "
            "correct the day",
            name,
            date=day.on,
            kind=day.kind,
        )


def _unsound(template: str, calendar: str, **values: object) -> DefinitionError:
    return DefinitionError(template, reason="unsound_calendar", calendar=calendar, **values)
