"""Curves of the late rate over a year: what was released so far and how much of it late, at the end of each week."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.figures.rates import Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from workflow.figures.rates import Measure

WEEK: Final = timedelta(days=7)


class Release(NamedTuple):
    """A dossier with a slip that was released: the day, by which unit, and whether late."""

    day: date
    unit: str
    late: bool


class Point(NamedTuple):
    """What had been released in the year by the end of a day, and how many of it late."""

    day: date
    late: int
    released: int

    @property
    def percent(self) -> float:
        """The late rate so far, as it is drawn."""
        return 100 * self.late / self.released

    @property
    def told(self) -> str:
        """The same in words, rounded as every rate is."""
        return f"{Share(self.late, self.released).percent} %"


class Curve(NamedTuple):
    """A name and its points, in the order of their days; none where nothing was released."""

    name: str
    points: tuple[Point, ...]


def releases(measures: Iterable[Measure], since: datetime, at: datetime, zone: ZoneInfo) -> Iterator[Release]:
    """The dossiers with a slip that were released from `since` to `at`: those the first rate divides by."""
    for one in measures:
        released_at = one.released_at
        if released_at is not None and since <= released_at <= at and one.benchmark is not None:
            yield Release(released_at.astimezone(zone).date(), one.unit, one.benchmark.late(at))


def curves(found: Iterable[Release], until: date) -> list[Curve]:
    """The curve of the whole, whose name is empty, and then that of each unit by its name, up to a day."""
    listed = sorted(found)
    units: dict[str, list[Release]] = {}
    for one in listed:
        units.setdefault(one.unit, []).append(one)
    return [
        Curve("", tuple(_points(listed, until))),
        *(Curve(unit, tuple(_points(units[unit], until))) for unit in sorted(units)),
    ]


def _points(listed: list[Release], until: date) -> Iterator[Point]:
    late, place = 0, 0
    for day in _days(until):
        while place < len(listed) and listed[place].day <= day:
            late += listed[place].late
            place += 1
        if place:
            yield Point(day, late, place)


def _days(until: date) -> Iterator[date]:
    """The end of each week of the year, counted from its first day, and the last day asked about."""
    day = date(until.year, 1, 1) + WEEK - timedelta(days=1)
    while day < until:
        yield day
        day += WEEK
    yield until
