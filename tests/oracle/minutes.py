"""A second reading of docs/clocks.md: minute by minute for hours, date by date for days.

It walks forward and asks of every minute (or date) whether it counts, until the sum is reached: no table, no
search, and nothing of the product. The spells of a calendar are laid out once as one byte per minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

Spell: TypeAlias = tuple[int, int]
"""Opening and closing in minutes of the local day; 1440 is midnight at its end."""
Week: TypeAlias = dict[int, tuple[Spell, ...]]
"""Spells of each weekday (Monday 0); a weekday that is not there is a rest day."""
Stretch: TypeAlias = tuple[datetime, datetime]
Restart: TypeAlias = tuple[datetime, datetime, datetime | None]
"""A pause from its start to its end, and the instant its cap sets the clock going again."""
Ended: TypeAlias = Literal["answered_at", "recalled_at", "left_at"]
StopsFor: TypeAlias = Literal["all", "none"] | tuple[str, ...]

MINUTE = timedelta(minutes=1)
MINUTE_US = 60_000_000
DAY = timedelta(days=1)
LAST_INSTANT = time(23, 59, 59, 999999)
REST, COUNTS, MIXED = 0, 1, 2
"""What a minute is: rest, counted whole, or cut by an edge and looked at piece by piece."""


class Differs(NamedTuple):
    """A day that differs: off (`hours_of` absent), or worked with the hours of a weekday."""

    on: date
    hours_of: int | None
    announced: date | None


@dataclass(frozen=True)
class PlainCalendar:
    """A calendar in plain values. `first` and `days` bound the minutes that are laid out."""

    name: str
    zone: str
    week: Week
    units: dict[str, Week]
    differing: tuple[Differs, ...]
    covers: tuple[date, date]
    first: date
    days: int = 300
    later: tuple[tuple[date, Week], ...] = ()


class Count(NamedTuple):
    """How a limit counts; `cut_off` in minutes of the day."""

    unit: Literal["working_hours", "working_days", "calendar_days", "elapsed_hours", "given_date"]
    reaching: Literal["late", "in_time"] = "in_time"
    first_day: Literal["excluded", "included"] = "excluded"
    rest_day: Literal["rolls", "stays"] = "stays"
    cut_off: int | None = None


class TaskKind(NamedTuple):
    """A task: whether its wait is excluded, and the number that ends the wait where silence means something
    (None: silence means nothing). `stops_for` names the pauses that stop this number's clock."""

    excluded: bool
    silent_after: tuple[int, Count] | None = None
    stops_for: StopsFor = "all"


class PauseKind(NamedTuple):
    """A pause the rules know: its cap in the cap's unit, and how the clock goes on."""

    cap: tuple[int, Count] | None = None
    on_resume: Literal["continue", "restart"] = "continue"


class PlainLimit(NamedTuple):
    """A limit: a number, or one chosen by the register `chosen`, or (unit `given_date`) what `register` holds."""

    counting: Count
    number: int | None = None
    chosen: dict[str, int] | None = None
    otherwise: int | None = None
    stops_for: StopsFor = "all"
    register: Literal["time", "day"] = "time"
    date: Literal["other", "committed"] = "other"


@dataclass(frozen=True)
class Rules:
    """What limits ask about: a calendar or none, the kinds of unit in order, the limits, pauses and tasks; `works`: by
    which hours a unit works, None for the usual ones of the calendar; `makes_ready`: an act makes results ready."""

    zone: str
    calendar: PlainCalendar | None
    units: tuple[str, ...]
    limits: dict[str, PlainLimit]
    pauses: dict[str, PauseKind]
    tasks: dict[str, TaskKind]
    works: dict[str, str | None] = field(default_factory=dict)
    makes_ready: bool = False


class Paused(NamedTuple):
    """A pause taken; open without an end; `permitted` is false beyond its number."""

    pause: str
    start: datetime
    end: datetime | None
    permitted: bool = True


class Waited(NamedTuple):
    """The wait of a task, and what ended it; open without an end."""

    task: str
    start: datetime
    end: datetime | None
    how: Ended = "answered_at"


@dataclass(frozen=True)
class Case:
    """One question: when is this limit due, asked at `asked_at` (None: by the newest calendar). `extended`
    are the extensions that took effect; `chosen`, `time` and `day` are registers; `unit` received the dossier."""

    limit: str
    anchor: datetime
    asked_at: datetime | None = None
    paused: tuple[Paused, ...] = ()
    waited: tuple[Waited, ...] = ()
    extended: tuple[int, ...] = ()
    chosen: str | None = None
    time: datetime | None = None
    day: date | None = None
    unit: str | None = None


@dataclass
class Known:
    """A calendar as known on a date, for one unit. Days are asked from dicts, minutes from one byte each."""

    zone: ZoneInfo
    week: Week
    differing: dict[date, int | None]
    first: date
    days: int
    named: bool = True
    later: tuple[tuple[date, Week], ...] = ()
    worked: dict[date, list[Stretch]] = field(default_factory=dict)

    def spells(self, on: date) -> tuple[Spell, ...]:
        """The spells worked on a date."""
        weekday = self.differing.get(on, on.weekday())
        week = self.week
        for since, other in self.later:
            if on >= since:
                week = other
        return () if weekday is None else week.get(weekday, ())

    def stretches(self, on: date) -> list[Stretch]:
        """The spells of a date as instants. One that the change to summer time leaves no length is none; one that
        it would begin before the end of the one before begins there."""
        if on not in self.worked:
            found: list[Stretch] = []
            for opens, closes in self.spells(on):
                begins, ends = self.moment(on, opens), self.moment(on, closes)
                begins = max(begins, found[-1][1]) if found else begins
                found += [(begins, ends)] if begins < ends else []
            self.worked[on] = found
        return self.worked[on]

    def works(self, on: date) -> bool:
        """Whether a date has a spell."""
        return bool(self.stretches(on))

    def following(self, on: date) -> date:
        """The next working day after a date."""
        on += DAY
        while not self.works(on):
            on += DAY
        return on

    def opening(self, on: date) -> datetime:
        """The start of a working day's first spell."""
        return self.stretches(on)[0][0]

    def closing(self, on: date) -> datetime:
        """The end of a working day's last spell."""
        return self.stretches(on)[-1][1]

    def moment(self, on: date, minute: int) -> datetime:
        """The instant of a local minute of a date."""
        clock = datetime.combine(on, time(0)) + minute * MINUTE
        return clock.replace(tzinfo=self.zone).astimezone(UTC)

    def local_date(self, at: datetime) -> date:
        """The date of an instant in the calendar's zone."""
        return at.astimezone(self.zone).date()

    def end_of(self, on: date) -> datetime:
        """The last microsecond of a date."""
        return datetime.combine(on, LAST_INSTANT, self.zone).astimezone(UTC)

    @cached_property
    def start(self) -> datetime:
        """The instant of the first minute laid out."""
        return datetime.combine(self.first, time(0), UTC)

    @cached_property
    def minutes(self) -> bytearray:
        """One byte for every minute from `start` on: whether it lies in a spell."""
        state = bytearray(self.days * 24 * 60)
        for day in range(1, self.days - 1):
            on = self.first + day * DAY
            for begins, ends in self.stretches(on):
                minute, last = (begins - self.start) // MINUTE, (ends - self.start) // MINUTE
                state[minute:last] = bytes([COUNTS]) * (last - minute)
        return state


class Calendars:
    """Readings of calendars as known at an instant; kept, because many cases ask for the same one."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._kept: dict[tuple[int, str | None, tuple[bool, ...]], Known] = {}

    def known(self, rules: Rules, at: datetime | None, unit: str | None = None) -> Known:
        """The calendar of the rules as known at an instant (None: the newest), with the hours that count for a unit."""
        plain = rules.calendar
        if plain is None:
            weekdays: Week = dict.fromkeys(range(5), ((0, 24 * 60),))
            return Known(ZoneInfo(rules.zone), weekdays, {}, date(2000, 1, 1), 0, named=False)
        zone = ZoneInfo(plain.zone)
        today = date.max if at is None else at.astimezone(zone).date()
        heard = tuple(announced_on(day) <= today for day in plain.differing)
        week_of = hours_named(rules, plain, unit)
        key = (id(plain), week_of, heard)
        if key not in self._kept:
            week = plain.week if week_of is None else plain.units[week_of]
            said = [day for day, is_heard in zip(plain.differing, heard, strict=True) if is_heard]
            newest = {day.on: day.hours_of for day in sorted(said, key=announced_on)}
            later = plain.later if week_of is None else ()
            self._kept[key] = Known(zone, week, newest, plain.first, plain.days, later=later)
        return self._kept[key]


def hours_named(rules: Rules, plain: PlainCalendar, unit: str | None) -> str | None:
    """The name of the hours a unit works by: those told of it, else its own name in the calendar, else (also where no
    unit is known) those of the rules' first kind of unit that has some. None: the usual ones."""
    if unit in rules.works:
        told = rules.works[unit]
        return told if told in plain.units else None
    if unit in plain.units:
        return unit
    return next((kind for kind in rules.units if kind in plain.units), None)


def announced_on(day: Differs) -> date:
    """When a day was announced; one of no known announcement was always known, and yields to any other."""
    return day.announced or date.min
