"""One limit of a procedure, compiled: where it counts from, when it is due, what moved it.

`due` is asked once per event of a long log, so it allocates nothing it can avoid and remembers what it counted.
docs/clocks.md is the specification.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from workflow.clocks.bindings import numbers
from workflow.clocks.choices import chosen
from workflow.clocks.counters import beyond_all_dates
from workflow.clocks.counting import at_least, lateness, reaching_is_late
from workflow.clocks.stops import Moment
from workflow.clocks.sums import in_one_line
from workflow.clocks.telling import told
from workflow.clocks.worktime import end_of_day
from workflow.model import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias
    from zoneinfo import ZoneInfo

    from workflow.clocks.counters import AnyCounter, Reached
    from workflow.clocks.counting import Counts
    from workflow.clocks.stops import Stop, StopRules
    from workflow.model import DeadlineKind, Dossier, Line
    from workflow.procedure.language import Binds, Choice, Counting, Limit

    AnchorOf: TypeAlias = Callable[[Dossier], datetime | None]


class Place(NamedTuple):
    """Where a limit stands in its procedure: its rule id, the kind of its deadlines, what it counts from."""

    id: str
    kind: DeadlineKind
    anchor: AnchorOf
    default: str
    """Names the place a limit counts from where the limit names none; empty for the receipt."""
    met_by: tuple[tuple[int, bool], ...] = ()
    """The slots of the actions that meet it, each with whether it may itself begin a count."""


class Begun(NamedTuple):
    """Where a count begins: `start`, the anchor or the end of the pause `again` that restarts it, and that `at` which
    its cut-off puts it."""

    start: datetime
    at: datetime
    again: str | None = None


class LimitClock:
    """A limit ready to be asked. `binds` is what it is a limit of, `met_by` what meets it; `anchor(dossier)` the time
    it counts from, None where it does not apply; `late(at, due)` whether an act at `at` is too late; `dated` whether it
    gives the committed or the statutory date, which the office meets by issuing."""

    def __init__(
        self,
        place: Place,
        limit: Limit,
        counting: Counting,
        counts: Counts | None,
        registers: dict[str, int],
        rules: StopRules,
        zone: ZoneInfo,
    ) -> None:
        """`counts` is None for a given date."""
        self.id = place.id
        self.kind = place.kind
        self.limit = limit
        self.binds: Binds | None = limit.binds
        self.counts = counts
        self.counting = counting
        self.zone = zone
        self.rules = rules
        self.default = place.default
        self.met_by = place.met_by
        self._register = registers[limit.until] if limit.until is not None else None
        self.choice: tuple[int, Choice] | None = None
        self._fixed: int | None = None
        if isinstance(limit.within, int):
            self._fixed = limit.within
        elif limit.within is not None:
            self.choice = registers[limit.within.register], limit.within
        self._dues = None
        if counts is not None and self._fixed is not None:
            self._dues = counts.remembered(self._fixed)
        self.reaching_is_late = reaching_is_late(counting)
        self.late = lateness(counting)
        self.dated = limit.date != "other"
        self.least = at_least(counting, min(numbers(limit), default=None))
        self._last: tuple[datetime | None, AnyCounter | None, int | None, datetime | None] = (None,) * 4
        self.anchor: AnchorOf = place.anchor if limit.until is None or limit.starts else self.given

    def due(self, dossier: Dossier, anchor: datetime, announced_by: datetime | None) -> datetime | None:
        """The due instant counted from `anchor`, by the calendar announced by an instant (None: the newest).

        An open stop reaches to `announced_by`, the effective time of the event that asks. None where the limit does
        not apply: an absent register, a value that is no choice. Raises CalendarRange.
        """
        if self.counts is None:
            return self.given(dossier)
        counter = self.counts.at(announced_by, dossier.hours_of)
        if not self._moves(dossier):
            return self._plain(dossier, anchor, counter)
        reached = self._moved(dossier, anchor, counter, Moment(announced_by, announced_by, dossier.hours_of))
        return None if reached is None else reached[0]

    def _moves(self, dossier: Dossier) -> bool:
        """Whether anything a dossier has met may move this limit from where its count alone leads."""
        rules = self.rules
        return bool(
            (dossier.pauses and rules.pauses) or (dossier.tasks and rules.tasks) or dossier.extensions
        )

    def moved_alike(self, one: Dossier, other: Dossier) -> bool:
        """Whether, counted from one instant, this limit surely is due at one instant for two states of a dossier."""
        rules = self.rules
        return (
            one.revision == other.revision
            and one.hours_of == other.hours_of
            and one.registers == other.registers
            and one.extensions == other.extensions
            and (not rules.pauses or one.pauses == other.pauses)
            and (not rules.tasks or one.tasks == other.tasks)
        )

    def missed(self, dossier: Dossier, at: datetime) -> datetime | None:
        """The due instant an act at `at` comes too late for; None where it is in time or the limit does not apply."""
        anchor = self.anchor(dossier)
        if anchor is None or (at - anchor < self.least and not dossier.extensions):
            return None
        if self._dues is not None and not (dossier.extensions or dossier.pauses or dossier.tasks):
            plain = self._dues[anchor]
            return plain if self.late(at, plain) else None
        if self.counts is not None:
            counter = self.counts.at(at, dossier.hours_of)
            # Whatever a dossier has met moves a date further away: before the plain one no act is late.
            number = self._fixed if self.choice is None else self._chosen(dossier)
            if number is None:
                return None
            if counter.in_days and anchor.tzinfo is UTC and at < counter.earliest(number)[anchor.date()]:
                return None
            unmoved = self._plain(dossier, anchor, counter)
            if unmoved is None or not self.late(at, unmoved):
                return None
            if not self._moves(dossier):
                return unmoved
        due = self.due(dossier, anchor, at)
        return due if due is not None and self.late(at, due) else None

    def met(self, dossier: Dossier, anchor: datetime) -> bool:
        """Whether an action it binds took place since `anchor`; of a date that was given, at any time."""
        for slot, begins in self.met_by:
            at = dossier.lasts[slot]
            if at is not None and (self.counts is None or at > anchor or (at == anchor and not begins)):
                return True
        return False

    def met_before(self, dossier: Dossier) -> bool:
        """Whether an earlier act of the same count met it. A given date has no count: each act is held to it."""
        anchor = None if self.counts is None or not self.met_by else self.anchor(dossier)
        return anchor is not None and self.met(dossier, anchor)

    def may_press(self, dossier: Dossier, anchor: datetime, at: datetime, share: float) -> bool:
        """Whether by `at` as much as `share` of the time from `anchor` to the due instant may be over; False is sure. A
        given date has no time of its own. Raises CalendarRange."""
        plain = None
        if self.counts is not None:
            plain = self._plain(dossier, anchor, self.counts.at(at, dossier.hours_of))
        # Whatever a dossier has met moves a date further away. A share of seconds costs a fifth of one of a timedelta;
        # the microsecond makes up for rounding.
        return plain is not None and (
            (at - anchor).total_seconds() + 1e-6 >= share * (plain - anchor).total_seconds()
        )

    @property
    def counted_as(self) -> str:
        """The rule of counting in one line, the same in every language: it stands in each verdict."""
        return in_one_line(self.limit, self.counting)

    def due_at(self, dossier: Dossier, anchor: datetime, moment: Moment) -> datetime | None:
        """As `due`, with the moment asked about apart from the calendar's."""
        counter = None if self.counts is None else self.counts.at(moment.announced_by, moment.unit)
        reached = self._reached(dossier, anchor, counter, moment.at, moment.announced_by)
        return None if reached is None else reached[0]

    def deadline(
        self,
        dossier: Dossier,
        anchor: datetime,
        *,
        at: datetime,
        announced_by: datetime | None,
        explain: bool = False,
        met_at: datetime | None = None,
    ) -> Deadline | None:
        """The deadline as of `at`, with its sum where `explain`; None where the limit does not apply.

        `met_at`: the instant that stopped this clock, absent while it runs; open stops reach to it, or to `at`.
        Raises CalendarRange.
        """
        judged = at if met_at is None else met_at
        counter = None if self.counts is None else self.counts.at(announced_by, dossier.hours_of)
        lines: tuple[Line, ...] = ()
        if not explain:
            reached = self._reached(dossier, anchor, counter, judged, announced_by)
        else:
            reached, lines = told(self, dossier, anchor, Moment(judged, announced_by, dossier.hours_of))
        if reached is None:
            return None
        due, standing = reached
        calendar = hours = start = None
        if counter is not None:
            start, calendar, hours = anchor, counter.label, counter.hours
        return Deadline(
            self.id,
            self.kind,
            due,
            self.reaching_is_late,
            start,
            met_at,
            self.late(judged, due),
            standing and met_at is None,
            self.limit.basis,
            calendar,
            hours,
            lines,
        )

    def _reached(
        self,
        dossier: Dossier,
        anchor: datetime,
        counter: AnyCounter | None,
        at: datetime | None,
        announced_by: datetime | None,
    ) -> Reached | None:
        """The due instant as of `at`; None where the limit does not apply. `counter` is None for a given date."""
        if counter is None:
            due = self.given(dossier)
            return None if due is None else (due.astimezone(UTC), False)
        if self._moves(dossier):
            return self._moved(dossier, anchor, counter, Moment(at, announced_by, dossier.hours_of))
        due = self._plain(dossier, anchor, counter)
        return None if due is None else (due, False)

    def _plain(self, dossier: Dossier, anchor: datetime, counter: AnyCounter) -> datetime | None:
        """The due instant where a dossier has met nothing that moves it; None for a value that is no choice.

        The last is remembered, as a whole since several threads ask: of one dossier it is asked several times in a row.
        """
        number = self._fixed if self.choice is None else self._chosen(dossier)
        start, by, units, due = self._last
        if start is anchor and by is counter and units == number:
            return due
        if number is None:
            return None
        due = counter.due(anchor, number)
        self._last = anchor, counter, number, due
        return due

    def _moved(
        self, dossier: Dossier, anchor: datetime, counter: AnyCounter, moment: Moment
    ) -> Reached | None:
        """As `_reached`, of a limit that a dossier may have moved."""
        number, rules = self.number(dossier), self.rules
        if number is None:
            return None
        stops = rules.stops(dossier, anchor, moment)
        restarts = rules.any_restarts and rules.restarts(dossier, anchor)
        if not (stops or restarts or dossier.extensions):
            due = self._plain(dossier, anchor, counter)
            return None if due is None else (due, False)
        try:
            begun = counter.begin(anchor)
            if restarts:
                begun = self.begun(dossier, anchor, counter, number, moment).at
            if begun is not anchor:
                stops = rules.stops(dossier, begun, moment)
            return counter.after(counter.reach(begun, number), stops)
        except OverflowError as cause:
            raise beyond_all_dates(anchor, number) from cause

    def begun(
        self, dossier: Dossier, anchor: datetime, counter: AnyCounter, number: int, moment: Moment
    ) -> Begun:
        """Where a count of `number` units from `anchor` begins after restarts and the cut-off."""
        found = Begun(anchor, counter.begin(anchor))
        for ended, taken in self.rules.restarts(dossier, anchor):
            stops = self.rules.stops(dossier, found.at, moment)
            cap = self.rules.capped_at(taken, moment)
            # No pause takes an overrun away: neither one that begins after it, nor one that runs into it past its cap.
            begins_in_time = taken.started_at < _due_by(counter, found.at, number, stops, taken.started_at)
            stood = cap is None or ended <= cap
            if begins_in_time and (stood or ended <= _due_by(counter, found.at, number, stops, ended)):
                found = Begun(ended, counter.begin(ended), taken.pause)
        return found

    def number(self, dossier: Dossier) -> int | None:
        """The number of units, extensions and all; None where what a register says is no choice."""
        number = self._fixed if self.choice is None else self._chosen(dossier)
        if number is not None and dossier.extensions:
            number += sum(taken.by for taken in dossier.extensions if taken.limit == self.id)
        return number

    def _chosen(self, dossier: Dossier) -> int | None:
        assert self.choice is not None  # noqa: S101 - asked only where there is one
        slot, choice = self.choice
        return chosen(choice, dossier.registers[slot])

    def given(self, dossier: Dossier) -> datetime | None:
        """The date a register gives a limit that counts nothing; None where it gives none."""
        assert self._register is not None  # noqa: S101 - a limit without a count has a register
        value = dossier.registers[self._register]
        if isinstance(value, datetime):
            return value
        return end_of_day(value, self.zone) if isinstance(value, date) else None


def _due_by(
    counter: AnyCounter, begun: datetime, number: int, stops: Iterable[Stop], until: datetime
) -> datetime:
    """The due instant as it stood at `until`."""
    met = [replace(stop, end=min(stop.end, until)) for stop in stops if stop.start < until]
    return counter.after(counter.reach(begun, number), met)[0]
