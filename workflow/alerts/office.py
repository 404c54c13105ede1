"""What alerts ask of the office around a dossier: reporting delays, working hours, and who answers for a unit. Pure."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from msgspec.structs import replace

from workflow.clocks.timetable import Timetable
from workflow.clocks.worktime import EVER, MICROSECONDS_A_MINUTE, midnight
from workflow.errors import CalendarRange
from workflow.organisation import focal_at, hours_of, parents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.clocks.calendar import Calendar
    from workflow.clocks.worktime import Worktime
    from workflow.messages import Alert
    from workflow.model import Deadline, Dossier
    from workflow.organisation import Organisation, Standing
    from workflow.procedure.language import Wording
    from workflow.risk.table import Risk
    from workflow.rules import Rules
    from workflow.sources import SourceDefinition

_MICROSECOND: Final = timedelta(microseconds=1)
_NO_DELAY: Final = timedelta()


class AlertLimits(Struct, frozen=True, kw_only=True):
    """Named limits of alerts; all are sample figures, none is the department's.

    `at_risk_percent`: the share of a limit's time after which it is at risk, where no table of risks says more.
    `escalate_after_days`: after how many working days past the date each further post up the organisation is told.
    `uncollected_after_days`: calendar days a result may lie ready. `clock_skew_minutes`: how far a source's clock may
    run ahead of ours.
    """

    at_risk_percent: Annotated[int, Meta(ge=1, le=99)] = 80
    escalate_after_days: tuple[int, ...] = (1, 3)
    uncollected_after_days: Annotated[int, Meta(ge=1)] = 30
    clock_skew_minutes: Annotated[int, Meta(ge=1)] = 5


DEFAULT_ALERT_LIMITS: Final = AlertLimits()


class _Line(NamedTuple):
    """Who answers for a unit: the instants from which on it is others, and the posts from each on as `post@unit`."""

    since: tuple[datetime, ...]
    posts: tuple[tuple[str, ...], ...]


class Office:
    """The sources, the organisation and its working hours, as alerts ask about them. `share`: of a limit's time, after
    which it is at risk; of a dossier only where it does not foretell by a table. `foretells`: whether a table says when
    a dossier comes to be at risk.

    `risk` says when a dossier comes to be at risk of missing its date; without one it does after a share of its time.
    """

    def __init__(
        self,
        sources: Mapping[str, SourceDefinition],
        organisation: Organisation | None,
        calendars: Mapping[str, Calendar],
        limits: AlertLimits = DEFAULT_ALERT_LIMITS,
        risk: Risk | None = None,
    ) -> None:
        """A calendar the organisation names and that is not there means: no quiet hours."""
        self.limits = limits
        self._organisation = organisation
        calendar = None if organisation is None else calendars.get(organisation.calendar)
        self._timetable = None if calendar is None else Timetable(calendar, hours_of=hours_of(organisation))
        self._delays = {name: timedelta(minutes=one.delay_minutes) for name, one in sources.items()}
        # In UTC, as all instants they are compared with: Python compares those of two zones ten times slower.
        self._live = {name: at.astimezone(UTC) for name, one in sources.items() if (at := one.live_from)}
        self._sources, self._calendars = sources, calendars
        self._present: tuple[datetime | None, dict[str | None, datetime]] = None, {}
        self._zone = ZoneInfo("UTC") if calendar is None else calendar.zone
        self._lines: dict[str | None, _Line] = {}
        self.share = limits.at_risk_percent / 100
        self._risk = risk
        self.foretells = risk is not None

    def delay(self, source: str | None) -> timedelta:
        """How long a source may take to report; nothing for one that is not declared."""
        return _NO_DELAY if source is None else self._delays.get(source, _NO_DELAY)

    def history(self, source: str | None, due_at: datetime) -> bool:
        """Whether what was due then was due before the source went live."""
        live_from = None if source is None else self._live.get(source)
        return live_from is not None and due_at < live_from

    def dossier_at_risk_at(
        self, rules: Rules, dossier: Dossier, date: Deadline, now: datetime
    ) -> datetime | None:
        """From when an open dossier is at risk of missing a date; None where it never is. Raises CalendarRange."""
        if self._risk is not None:
            return self._risk.at_risk_from(rules, dossier, date.due_at, now)
        return self.step_at_risk_at(date, dossier.received_at)

    def step_at_risk_at(self, date: Deadline, start: datetime | None = None) -> datetime | None:
        """When the share of its time is over that puts a deadline at risk; counted from `start` where it names none."""
        begun = date.starts_at or start
        if begun is None or begun >= date.due_at:
            return None
        time = date.due_at - begun
        # In whole numbers it is exact, and costs half of what a share of a timedelta does.
        whole = (time.days * 86_400 + time.seconds) * 1_000_000 + time.microseconds
        return begun + timedelta(0, 0, whole * self.limits.at_risk_percent // 100)

    def speaking_at(self, at: datetime, unit: str | None, now: datetime) -> datetime:
        """The first working instant of a unit from `at` on: outside of working hours nothing is raised."""
        work = self._work(unit, now)
        if work is None:
            return at
        try:
            return work.add(at, 1) - _MICROSECOND
        except CalendarRange:
            return at

    def spoken_at(self, at: datetime, unit: str | None, now: datetime, *, live: bool = True) -> datetime:
        """When what may be said from `at` on is said by whoever looks now: where that is past and nobody of the unit is
        at work, at its next working instant. A look as of another moment is not `live`, it waits for nobody."""
        if not live or at > now:
            return self.speaking_at(at, unit, now)
        asked, by_unit = self._present
        if asked != now:
            by_unit = {}
            self._present = now, by_unit
        found = by_unit.get(unit)
        if found is None:
            found = by_unit[unit] = self.speaking_at(now, unit, now)
        return found

    def held(self, alert: Alert, now: datetime, *, live: bool = True) -> Alert:
        """An alert with its own moment, made later where nobody is at work now."""
        if alert.raise_at is None:
            return alert
        at = self.spoken_at(alert.raise_at, alert.unit, now, live=live)
        return alert if at <= now else replace(alert, raise_at=at)

    def days_after(self, at: datetime, days: int, unit: str | None, now: datetime) -> datetime:
        """The closing of the `days`-th working day after the day of `at`; without a calendar so many times 24 hours."""
        work = self._work(unit, now)
        if work is None:
            return at + timedelta(days=days)
        try:
            return work.nth_closing(at, days, included=False)
        except CalendarRange:
            return at + timedelta(days=days)

    def day_before(self, at: datetime, unit: str | None, now: datetime) -> datetime:
        """The opening of the last working day before the day of `at`; without a calendar 24 hours before."""
        work = self._work(unit, now)
        if work is None:
            return at - timedelta(days=1)
        try:
            return work.opening_before(at)
        except CalendarRange:
            return at - timedelta(days=1)

    def heads(self, unit: str | None, at: datetime) -> tuple[str, ...]:
        """The posts that answer for a unit as `post@unit`: its own head, then those above, the directorate last. Units
        that do not stand at `at` have nobody to tell; where none of them stands, all are named."""
        line = self._lines.get(unit)
        if line is None:
            line = self._lines[unit] = self._line(unit)
        return line.posts[bisect_right(line.since, at) - 1]

    def focal(self, unit: str | None) -> tuple[str, ...]:
        """The post that tracks feedback about a unit as `post@unit`; none where none is named."""
        body = self._organisation
        found = None if body is None or unit not in body.units else focal_at(body, unit)
        return () if found is None else (f"{found[0]}@{found[1]}",)

    def _line(self, unit: str | None) -> _Line:
        body = self._organisation
        if body is None or unit is None or unit not in body.units:
            return _Line((EVER[0],), ((),))
        names = (unit, *parents(body, unit))
        spans = {f"{body.units[name].head}@{name}": self._span(body.units[name].standing) for name in names}
        since = sorted({EVER[0], *(border for span in spans.values() for border in span)})
        posts = (
            tuple(post for post, (first, beyond) in spans.items() if first <= at < beyond) for at in since
        )
        return _Line(tuple(since), tuple(standing or tuple(spans) for standing in posts))

    def _span(self, days: Standing) -> tuple[datetime, datetime]:
        first, beyond = EVER
        if days.since is not None:
            first = midnight(days.since, self._zone)
        if days.to is not None:
            beyond = midnight(days.to + timedelta(days=1), self._zone)
        return first, beyond

    @property
    def directorate(self) -> tuple[str, ...]:
        """The heads of the units that belong to no other, as `post@unit`."""
        body = self._organisation
        units = {} if body is None else body.units
        return tuple(f"{unit.head}@{name}" for name, unit in units.items() if unit.parent is None)

    def day(self, source: str, day: date) -> tuple[datetime, datetime]:
        """The day as a source's clock has it: its beginning and that of the next (UTC)."""
        found = self._sources.get(source)
        zone = ZoneInfo("UTC") if found is None else found.timezone
        return midnight(day, zone), midnight(day + timedelta(days=1), zone)

    def basis(self, source: str) -> Wording | None:
        """What a source's definition rests on."""
        found = self._sources.get(source)
        return None if found is None else found.basis

    def silent_from(self, source: str, heard_at: datetime, now: datetime) -> datetime | None:
        """When the silence of a source passes its cadence; None for one that is not declared or cannot be counted."""
        found = self._sources.get(source)
        calendar = None if found is None else self._calendars.get(found.cadence.calendar)
        if found is None or calendar is None:
            return None
        try:
            minutes = found.cadence.working_minutes * MICROSECONDS_A_MINUTE
            return calendar.worktime(None, now).add(heard_at, minutes)
        except CalendarRange:
            return None

    def silent(self, source: str, heard_at: datetime, now: datetime) -> bool:
        """Whether a source is past its cadence."""
        from_at = self.silent_from(source, heard_at, now)
        return from_at is not None and from_at <= now

    def _work(self, unit: str | None, now: datetime) -> Worktime | None:
        return None if self._timetable is None else self._timetable.worktime(unit, now)


FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than every moment alerts ask about."""
