"""By which hours of a calendar a unit works, and so by which its dossiers are counted. docs/clocks.md is the page."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from workflow.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from workflow.clocks.calendar import Calendar
    from workflow.clocks.worktime import Worktime
    from workflow.procedure.language import Revision

    HoursOf: TypeAlias = Mapping[str, tuple[str, ...]]


class Table(NamedTuple):
    """The working time of one calendar revision by one of its hours, what both are called, and from when on until when
    (excluded) the revision is the newest announced."""

    work: Worktime
    label: str
    hours: str | None
    span: tuple[datetime, datetime]


class Timetable:
    """A calendar as units work by it. The tables themselves lie in the calendar, one for each revision and hours.

    `units`: those of which it is said by which hours they work. `others`: those of them that work by other hours than
    count where no unit is known, with the name of theirs (None: the calendar's usual hours).
    """

    def __init__(
        self, calendar: Calendar, kinds: Iterable[str] = (), hours_of: HoursOf | None = None
    ) -> None:
        """`kinds`: the first that has hours of its own gives those that count where no unit is known. `hours_of`: by
        unit the names its hours may have; where the calendar has none of them it works by the usual ones."""
        self.calendar = calendar
        own = calendar.definition.units
        self._usual = next((kind for kind in kinds if kind in own), None)
        told = {
            unit: next((name for name in names if name in own), None)
            for unit, names in (hours_of or {}).items()
        }
        self._told = {
            unit: hours for unit, hours in told.items() if hours != (unit if unit in own else self._usual)
        }
        kept = {name: name for name in own} | told
        self.others = {unit: hours for unit, hours in kept.items() if hours != self._usual}
        # Each hours take so many places as the calendar has revisions; the usual ones the first.
        ranks = {hours: rank for rank, hours in enumerate(dict.fromkeys(self.others.values()), 1)}
        self._offsets = {unit: ranks[hours] * len(calendar.revisions) for unit, hours in self.others.items()}
        self.units = frozenset(kept)
        self._works: dict[int, Worktime] = {}

    def knows(self, unit: str | None) -> bool:
        """Whether it is said of a unit by which hours it works."""
        return unit in self.units

    def hours(self, unit: str | None) -> str | None:
        """The name of the hours that count for a unit; None for the calendar's usual ones."""
        return self._usual if unit is None else self.others.get(unit, self._usual)

    def place(self, unit: str | None, announced_by: datetime | None) -> int:
        """A number for the table that counts for a unit, by the calendar announced by an instant (None: the newest)."""
        index = self.calendar.index_at(announced_by)
        if unit is None or not self._offsets:
            return index
        return index + self._offsets.get(unit, 0)

    def worktime(self, unit: str | None, announced_by: datetime | None) -> Worktime:
        """That table."""
        place = self.place(unit, announced_by)
        found = self._works.get(place)
        if found is None:
            found = self._works[place] = self.calendar.worktime(self.hours(unit), announced_by)
        return found

    def table(self, unit: str | None, announced_by: datetime | None) -> Table:
        """That table and what is to be known of it."""
        label = self.calendar.known_at(announced_by).label
        span = self.calendar.span(self.calendar.index_at(announced_by))
        return Table(self.worktime(unit, announced_by), label, self.hours(unit), span)

    def fingerprint(self, calendar: str) -> str:
        """A calendar's fingerprint; where it does not say itself which unit works by which hours, that of both."""
        if not self._told:
            return calendar
        told = msgspec.json.encode((calendar, sorted(self._told.items())))
        return hashlib.sha256(told).hexdigest()


def timetable_of(
    revision: Revision, calendars: Mapping[str, Calendar], hours_of: HoursOf | None
) -> Timetable | None:
    """The timetable of a revision's calendar, None where it names none.

    Raises DefinitionError for a calendar that is not there, or of another zone.
    """
    if revision.calendar is None:
        return None
    found = calendars.get(revision.calendar)
    if found is None:
        raise DefinitionError(
            "procedure {procedure}: unknown calendar {calendar}, expected one of {known}: correct the name or add "
            "the calendar",
            reason="unknown_calendar",
            procedure=revision.procedure,
            calendar=revision.calendar,
            known=", ".join(sorted(calendars)) or "none given",
        )
    if found.zone.key != revision.zone:
        raise DefinitionError(
            "procedure {procedure}: its zone is {zone}, that of calendar {calendar} {found}: they must be the same",
            reason="zone_differs",
            procedure=revision.procedure,
            zone=revision.zone,
            calendar=found.name,
            found=found.zone.key,
        )
    return Timetable(found, revision.units, hours_of)
