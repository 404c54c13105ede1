"""The printed appointment and the benchmark: what lateness against the citizen's slip is judged by.

The first appointment, moved by the pauses begun after it was told; later slips replace it or not by their cause.
docs/clocks.md is the specification.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from workflow.clocks import sums
from workflow.clocks.counters import WeekDays
from workflow.clocks.stops import Moment, united
from workflow.clocks.telling import moves
from workflow.clocks.worktime import end_of_day
from workflow.model import Deadline
from workflow.procedure.language import Counting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from typing import TypeAlias
    from zoneinfo import ZoneInfo

    from workflow.clocks.counters import AnyCounter, Moved, Reached
    from workflow.clocks.counting import Counts
    from workflow.clocks.stops import Stop, StopRules
    from workflow.clocks.timetable import Timetable
    from workflow.model import AppointmentTold, Dossier, Line, PauseTaken

    Lines: TypeAlias = list[Line] | None

WITHOUT_COMMITTED = Counting(unit="working_days", reaching="in_time", first_day="excluded")
"""What a shift is counted in where a procedure has no committed clock of its own."""


class Benchmark(NamedTuple):
    """How a procedure moves printed dates. `counts`: the count of the committed limit, None where neither it nor a
    calendar is named; `rules`: all pauses with their caps; `own_clock`: the procedure has a committed limit;
    `tells_ready`: one of its actions makes the result ready at the desk."""

    zone: ZoneInfo
    timetable: Timetable | None
    counting: Counting
    counts: Counts | None
    rules: StopRules
    own_clock: bool
    tells_ready: bool

    def deadlines(
        self, dossier: Dossier, *, at: datetime, announced_by: datetime | None, explain: bool
    ) -> tuple[Deadline, ...]:
        """The date of the last slip and the benchmark, with what met them.

        None of both where no slip is known. Raises CalendarRange.
        """
        if not dossier.appointments:
            return ()
        found = self.deadline(dossier, at=at, announced_by=announced_by, explain=explain)
        met_at = self._met_at(dossier, at) if found is None else found.met_at
        last = dossier.appointments[-1]
        printed = self._appointment(last, dossier.hours_of, at, met_at, explain=explain)
        return (printed,) if found is None else (printed, found)

    def deadline(
        self, dossier: Dossier, *, at: datetime, announced_by: datetime | None, explain: bool
    ) -> Deadline | None:
        """The benchmark alone; None where no slip is known. Raises CalendarRange."""
        if not dossier.appointments:
            return None
        met_at = self._met_at(dossier, at)
        judged = met_at or at
        lines: Lines = [] if explain else None
        reached = self._reached(dossier, Moment(judged, announced_by, dossier.hours_of), lines)
        if reached is None:
            return None
        due, standing = reached
        calendar = hours = None
        if self.counts is not None:
            counter = self.counts.at(announced_by, dossier.hours_of)
            calendar, hours = counter.label, counter.hours
            if lines is not None:
                lines += sums.counted_by(self.counts.timetable, counter, dossier.hours_of)
        return Deadline(
            rule="appointment",
            kind="benchmark",
            due_at=due,
            met_at=met_at,
            late=judged > due,
            open_pause=standing and met_at is None,
            calendar=calendar,
            hours=hours,
            sum=() if lines is None else tuple(lines),
        )

    def released_at(self, dossier: Dossier, at: datetime) -> datetime | None:
        """As Clock.released_at."""
        if dossier.appointments and _counting(dossier.appointments) is not None:
            return self._met_at(dossier, at)
        return _first_by(at, dossier.issued_at, dossier.ended_at)

    def _met_at(self, dossier: Dossier, at: datetime) -> datetime | None:
        """When the result was ready by `at`, else issued, else at the end. A result still to be made ready has not met
        the appointment by being issued: the citizen finds nothing at the desk."""
        ready = dossier.ready_at
        if ready is not None and ready <= at:
            return ready
        ended_at = dossier.ended_at
        waits = self.tells_ready and (ended_at is None or ended_at > at)
        return _first_by(at, None if waits else dossier.issued_at, ended_at)

    def _appointment(
        self, slip: AppointmentTold, unit: str | None, at: datetime, met_at: datetime | None, *, explain: bool
    ) -> Deadline:
        due = self.printed(slip, unit)
        return Deadline(
            rule="appointment",
            kind="appointment",
            due_at=due,
            starts_at=slip.told_at,
            met_at=met_at,
            late=(met_at or at) > due,
            sum=(_told(slip, due),) if explain else (),
        )

    def printed(self, slip: AppointmentTold, unit: str | None) -> datetime:
        """The instant (UTC) a slip names; of a date alone its closing time by the hours of a unit, as the calendar
        stood when it was told."""
        at = slip.at
        if isinstance(at, datetime):
            return at if at.tzinfo is UTC else at.astimezone(UTC)
        return self._closing(at, slip.told_at, unit)

    def _closing(self, day: date, announced_by: datetime | None, unit: str | None) -> datetime:
        if self.timetable is None:
            return end_of_day(day, self.zone)
        closing = self.timetable.worktime(unit, announced_by).closing(day)
        return end_of_day(day, self.zone) if closing is None else closing

    def _reached(self, dossier: Dossier, moment: Moment, lines: Lines) -> Reached | None:
        slips = dossier.appointments
        first = _counting(slips)
        if first is None:
            return None
        base = slips[first]
        for slip in slips[first + 1 :]:
            if self._replaces(dossier, base, slip, lines):
                base = slip
        if lines is not None:
            lines.append(_told(base, self.printed(base, moment.unit)))
        return self._moved(base, dossier.pauses, moment, lines)

    def _replaces(self, dossier: Dossier, base: AppointmentTold, slip: AppointmentTold, lines: Lines) -> bool:
        """Whether a later slip takes the place of the one that counted so far."""
        tell, replaces = sums.compared, False
        if slip.cause == "after_supplement" and not self.own_clock:
            tell, replaces = sums.replaced, True
        elif slip.cause in ("extension", "correction"):
            then = _as_of(dossier.pauses, slip.told_at)
            moment = Moment(slip.told_at, slip.told_at, dossier.hours_of)
            due, _ = self._moved(base, then, moment, None)
            replaces = slip.told_at <= due
            tell = sums.replaced if replaces else sums.told_too_late
        if lines is not None:
            lines.append(tell(slip.cause, slip.told_at, self.zone))
        return replaces

    def _moved(
        self, base: AppointmentTold, pauses: tuple[PauseTaken, ...], moment: Moment, lines: Lines
    ) -> Reached:
        stops = self._stops(base, pauses, moment) if pauses else None
        if not stops:
            return self.printed(base, moment.unit), False
        counter = self._counter(moment)
        if self.counting.unit in ("working_hours", "elapsed_hours"):
            return self._moved_hours(counter, self.printed(base, moment.unit), stops, lines)
        return self._moved_days(counter, base, stops, moment, lines)

    def _moved_hours(self, counter: AnyCounter, due: datetime, stops: list[Stop], lines: Lines) -> Reached:
        met: list[Moved[datetime]] = []
        reached = counter.after(due, stops, met)
        if lines is not None:
            lines += moves(self.counting, self.zone, counter, due, stops, met)
        return reached

    def _moved_days(
        self, counter: AnyCounter, base: AppointmentTold, stops: Iterable[Stop], moment: Moment, lines: Lines
    ) -> Reached:
        local = base.at.astimezone(self.zone) if isinstance(base.at, datetime) else None
        day, wall = (base.at, None) if local is None else (local.date(), local.time())
        due = over = self.printed(base, moment.unit)
        standing = False
        for stop in stops:
            before, amount = due, None
            if stop.start < due:
                amount = counter.stopped(stop.start, stop.end)
            elif stop.start < over:
                # The date has passed but not what it rolls to: it becomes the day on which the clock runs again.
                amount = (stop.end.astimezone(self.zone).date() - day).days
            standing = standing if amount is None else stop.standing
            if amount:
                day = counter.later(day, amount)
                due = over = self._on(day, wall, moment)
                settled = counter.settled(day)
                if settled != day:
                    over = self._on(settled, wall, moment)
            if lines is not None:
                lines.append(sums.stop(self.counting, self.zone, stop, amount, before, due))
        if over != due and lines is not None:
            lines.append(sums.rolled(day, over))
        return over, standing

    def _stops(self, base: AppointmentTold, pauses: tuple[PauseTaken, ...], moment: Moment) -> list[Stop]:
        after = [taken for taken in pauses if taken.counts and taken.started_at > base.told_at]
        found = [self.rules.of_pause(taken, moment) for taken in after if taken.pause in self.rules.pauses]
        return united(stop for stop in found if stop is not None)

    def _counter(self, moment: Moment) -> AnyCounter:
        if self.counts is None:
            return WeekDays(self.counting, self.zone, None)
        return self.counts.at(moment.announced_by, moment.unit)

    def _on(self, day: date, wall: time | None, moment: Moment) -> datetime:
        """The slip on another day: its time of day where it names one, else that day's closing."""
        if wall is None:
            return self._closing(day, moment.announced_by, moment.unit)
        return datetime.combine(day, wall, self.zone).astimezone(UTC)


def _counting(slips: tuple[AppointmentTold, ...]) -> int | None:
    """The place of the first slip that is no apology; None where there is none."""
    if slips and slips[0].cause != "apology":
        return 0
    for place, slip in enumerate(slips):
        if slip.cause != "apology":
            return place
    return None


def _first_by(at: datetime, first: datetime | None, last: datetime | None) -> datetime | None:
    if first is not None and first <= at:
        return first
    return last if last is not None and last <= at else None


def _as_of(pauses: tuple[PauseTaken, ...], at: datetime) -> tuple[PauseTaken, ...]:
    """The pauses as they stood at a moment: those begun by then, open where they had not ended."""
    return tuple(
        replace(taken, ended_at=None) if taken.ended_at is not None and taken.ended_at > at else taken
        for taken in pauses
        if taken.started_at <= at
    )


def _told(slip: AppointmentTold, due: datetime) -> Line:
    return sums.printed_time(due) if isinstance(slip.at, datetime) else sums.printed(slip.at, due)
