"""One limit of a procedure, compiled: where it counts from, when it is due, what moved it.

`due` is asked once per event of a long log, so it allocates nothing it can avoid and remembers what it counted.
docs/clocks.md is the specification.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from workflow.clocks import sums
from workflow.clocks.bindings import numbers
from workflow.clocks.choices import chosen, text_of
from workflow.clocks.counters import beyond_all_dates
from workflow.clocks.counting import at_least, lateness, reaching_is_late
from workflow.clocks.stops import Moment
from workflow.clocks.worktime import end_of_day
from workflow.model import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta
    from typing import TypeAlias
    from zoneinfo import ZoneInfo

    from workflow.clocks.counters import AnyCounter
    from workflow.clocks.counting import Counts
    from workflow.clocks.stops import Stop, StopRules
    from workflow.model import DeadlineKind, Dossier, Line
    from workflow.procedure.language import Binds, Choice, Counting, Limit

    AnchorOf: TypeAlias = Callable[[Dossier], datetime | None]
    Lines: TypeAlias = list[Line] | None


class Reached(Struct, frozen=True, gc=False):
    """A due instant and whether the clock stands still at the moment asked about."""

    due: datetime
    standing: bool


class Place(NamedTuple):
    """Where a limit stands in its procedure: its rule id, the kind of its deadlines, what it counts from."""

    id: str
    kind: DeadlineKind
    anchor: AnchorOf
    default: str
    """Names the place a limit counts from where the limit names none; empty for the receipt."""
    met_by: tuple[tuple[int, bool], ...] = ()
    """The slots of the actions that meet it, each with whether it may itself begin a count."""


class LimitClock:
    """A limit ready to be asked. `binds` is what it is a limit of; `anchor(dossier)` the instant it counts from, None
    where it does not apply; `late(at, due)` whether an act at `at` is too late; `dated` whether it gives the committed
    or the statutory date, which the office meets by issuing."""

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
        self._counting = counting
        self.zone = zone
        self._rules = rules
        self._default = place.default
        self._met_by = place.met_by
        self._register = registers[limit.until] if limit.until is not None else None
        self._choice: tuple[int, Choice] | None = None
        self._fixed: int | None = None
        if isinstance(limit.within, int):
            self._fixed = limit.within
        elif limit.within is not None:
            self._choice = registers[limit.within.register], limit.within
        self._dues = None
        if counts is not None and self._fixed is not None:
            self._dues = counts.remembered(self._fixed)
        self.reaching_is_late = reaching_is_late(counting)
        self.late = lateness(counting)
        self.dated = limit.date != "other"
        self.least = at_least(counting, min(numbers(limit), default=None))
        self._share = 1.0, self.least
        self.anchor: AnchorOf = place.anchor if limit.until is None or limit.starts else self._given

    def due(self, dossier: Dossier, anchor: datetime, announced_by: datetime | None) -> datetime | None:
        """The due instant counted from `anchor`, by the calendar announced by an instant (None: the newest).

        An open stop reaches to `announced_by`, the effective time of the event that asks. None where the limit does
        not apply: an absent register, a value that is no choice. Raises CalendarRange.
        """
        if self.counts is None:
            return self._given(dossier)
        if self._moves(dossier):
            moment = Moment(announced_by, announced_by, dossier.hours_of)
            reached = self._reached(dossier, anchor, moment, None)
            return None if reached is None else reached.due
        number = self._fixed if self._choice is None else self._chosen(dossier)
        return None if number is None else self.counts.due(anchor, number, announced_by, dossier.hours_of)

    def _moves(self, dossier: Dossier) -> bool:
        """Whether anything a dossier has met may move this limit from where its count alone leads."""
        rules = self._rules
        return bool(
            (dossier.pauses and rules.pauses) or (dossier.tasks and rules.tasks) or dossier.extensions
        )

    def moved_alike(self, one: Dossier, other: Dossier) -> bool:
        """Whether, counted from one instant, this limit surely is due at one instant for two states of a dossier."""
        rules = self._rules
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
            number = self._fixed if self._choice is None else self._chosen(dossier)
            if number is None:
                return None
            plain = self.counts.due(anchor, number, at, dossier.hours_of)
            # Whatever a dossier has met moves a date further away: before the plain one no act is late.
            if not self.late(at, plain):
                return None
            if not self._moves(dossier):
                return plain
        due = self.due(dossier, anchor, at)
        return due if due is not None and self.late(at, due) else None

    def met(self, dossier: Dossier, anchor: datetime) -> bool:
        """Whether an action it binds took place since `anchor`; of a date that was given, at any time."""
        for slot, begins in self._met_by:
            at = dossier.lasts[slot]
            if at is not None and (self.counts is None or at > anchor or (at == anchor and not begins)):
                return True
        return False

    def met_before(self, dossier: Dossier) -> bool:
        """Whether an earlier act of the same count met it. A given date has no count: each act is held to it."""
        anchor = None if self.counts is None or not self._met_by else self.anchor(dossier)
        return anchor is not None and self.met(dossier, anchor)

    def may_press(self, dossier: Dossier, anchor: datetime, at: datetime, share: float) -> bool:
        """Whether by `at` as much as `share` of the time from `anchor` to the due instant may be over; False is sure. A
        given date has no time of its own. Raises CalendarRange."""
        passed = at - anchor
        if self.counts is None or passed < self.least_of(share):
            return False
        number = self._fixed if self._choice is None else self._chosen(dossier)
        if number is None:
            return False
        # Whatever a dossier has met moves a date further away.
        whole = self.counts.due(anchor, number, at, dossier.hours_of) - anchor
        # A share of seconds costs a fifth of one of a timedelta; the microsecond makes up for rounding.
        return passed.total_seconds() + 1e-6 >= share * whole.total_seconds()

    def least_of(self, share: float) -> timedelta:
        """A time from the anchor within which less than `share` of any of its counts is over: most acts lie in it."""
        asked, found = self._share
        if asked != share:
            found = self.least * share
            self._share = share, found
        return found

    @property
    def counted_as(self) -> str:
        """The rule of counting in one line, the same in every language: it stands in each verdict."""
        return sums.in_one_line(self.limit, self._counting)

    def due_at(self, dossier: Dossier, anchor: datetime, moment: Moment) -> datetime | None:
        """As `due`, with the moment asked about apart from the calendar's."""
        if self.counts is None:
            given = self._given_date(dossier)
            return None if given is None else given.due
        if not self._moves(dossier):
            return self.due(dossier, anchor, moment.announced_by)
        reached = self._reached(dossier, anchor, moment, None)
        return None if reached is None else reached.due

    def deadline(
        self,
        dossier: Dossier,
        anchor: datetime,
        *,
        at: datetime,
        announced_by: datetime | None,
        explain: bool,
        met_at: datetime | None = None,
    ) -> Deadline | None:
        """The deadline as of `at`, with its sum where `explain`; None where the limit does not apply.

        `met_at`: the instant that stopped this clock, absent while it runs; open stops reach to it, or to `at`.
        Raises CalendarRange.
        """
        lines: Lines = [] if explain else None
        judged = at if met_at is None else met_at
        counter = None if self.counts is None else self.counts.at(announced_by, dossier.hours_of)
        if counter is None:
            reached = self._given_date(dossier, lines)
        elif lines is None and not self._moves(dossier):
            number = self._fixed if self._choice is None else self._chosen(dossier)
            reached = None if number is None else Reached(counter.due(anchor, number), standing=False)
        else:
            moment = Moment(judged, announced_by, dossier.hours_of)
            reached = self._reached(dossier, anchor, moment, lines)
        if reached is None:
            return None
        if lines is not None and counter is not None and counter.label is not None:
            self._tell_calendar(dossier, reached.due, announced_by, lines)
        return Deadline(
            self.id,
            self.kind,
            reached.due,
            self.reaching_is_late,
            None if counter is None else anchor,
            met_at,
            late=self.late(judged, reached.due),
            open_pause=reached.standing and met_at is None,
            basis=self.limit.basis,
            calendar=None if counter is None else counter.label,
            hours=None if counter is None else counter.hours,
            sum=() if lines is None else tuple(lines),
        )

    def _reached(self, dossier: Dossier, anchor: datetime, moment: Moment, lines: Lines) -> Reached | None:
        number = self._number(dossier)
        if number is None or self.counts is None:
            return None
        counter, rules = self.counts.at(moment.announced_by, moment.unit), self._rules
        stops = rules.stops(dossier, anchor, moment)
        short = lines is None and not rules.restarts(dossier, anchor)
        if short and not (stops or dossier.extensions):
            return Reached(counter.due(anchor, number), standing=False)
        try:
            begun = (
                counter.begin(anchor)
                if short
                else self._begin(dossier, anchor, counter, number, moment, lines)
            )
            point = counter.reach(begun, number)
            if begun is not anchor:
                stops = rules.stops(dossier, begun, moment)
            if lines is None:
                return Reached(*counter.after(point, stops))
            self._tell_count(dossier, number, counter.instant(point), moment, lines)
            return self._moved(counter, point, stops, lines)
        except OverflowError as cause:
            raise beyond_all_dates(anchor, number) from cause

    def _begin(
        self,
        dossier: Dossier,
        anchor: datetime,
        counter: AnyCounter,
        number: int,
        moment: Moment,
        lines: Lines,
    ) -> datetime:
        """The anchor after restarts and the cut-off."""
        start, again = anchor, None
        begun = counter.begin(anchor)
        for ended, taken in self._rules.restarts(dossier, anchor):
            stops = self._rules.stops(dossier, begun, moment)
            cap = self._rules.capped_at(taken, moment)
            # No pause takes an overrun away: neither one that begins after it, nor one that runs into it past its cap.
            begins_in_time = taken.started_at < self._due_by(counter, begun, number, stops, taken.started_at)
            stood = cap is None or ended <= cap
            if begins_in_time and (stood or ended <= self._due_by(counter, begun, number, stops, ended)):
                start, again, begun = ended, taken, counter.begin(ended)
        if lines is not None:
            lines.append(sums.from_anchor(self.limit, anchor, self._default))
            if again is not None:
                lines.append(sums.restarted(again.pause, start))
            if begun != start and self.counts is not None:
                lines.append(sums.cut_off(self.counts.counting, begun))
        return begun

    def _due_by(
        self, counter: AnyCounter, begun: datetime, number: int, stops: Iterable[Stop], until: datetime
    ) -> datetime:
        """The due instant as it stood at `until`."""
        met = [replace(stop, end=min(stop.end, until)) for stop in stops if stop.start < until]
        return counter.after(counter.reach(begun, number), met)[0]

    def _moved(
        self,
        counter: AnyCounter,
        point: Any,  # noqa: ANN401 - what this counter reaches
        stops: Iterable[Stop],
        lines: list[Line],
    ) -> Reached:
        """As `Counter.after`, told line by line."""
        due = counter.instant(point)
        standing = False
        for stop in stops:
            before, amount = due, counter.moves(point, stop.start, stop.end)
            if amount is not None:
                point = counter.moved(point, amount)
                due = counter.instant(point)
                standing = stop.standing
            lines.append(sums.stop(self._counting, self.zone, stop, amount, before, due))
        settled = counter.settled(point)
        if settled != point:
            due = counter.instant(settled)
            lines.append(sums.rolled(point, due))
        return Reached(due, standing)

    def _number(self, dossier: Dossier) -> int | None:
        number = self._fixed if self._choice is None else self._chosen(dossier)
        if number is None:
            return None
        for taken in dossier.extensions:
            if taken.limit == self.id:
                number += taken.by
        return number

    def _chosen(self, dossier: Dossier) -> int | None:
        assert self._choice is not None  # noqa: S101 - asked only where there is one
        slot, choice = self._choice
        return chosen(choice, dossier.registers[slot])

    def _given(self, dossier: Dossier) -> datetime | None:
        assert self._register is not None  # noqa: S101 - a limit without a count has a register
        value = dossier.registers[self._register]
        if isinstance(value, datetime):
            return value
        return end_of_day(value, self.zone) if isinstance(value, date) else None

    def _given_date(self, dossier: Dossier, lines: Lines = None) -> Reached | None:
        due = self._given(dossier)
        if due is None:
            return None
        if lines is not None:
            lines.append(sums.given(self.limit.until or "", due))
        return Reached(due.astimezone(UTC), standing=False)

    def _tell_count(
        self, dossier: Dossier, number: int, due: datetime, moment: Moment, lines: list[Line]
    ) -> None:
        if self.counts is None:
            return
        counting = self.counts.counting
        taken_here = [taken for taken in dossier.extensions if taken.limit == self.id]
        if self._choice is not None:
            slot, choice = self._choice
            before = number - sum(taken.by for taken in taken_here)
            lines.append(sums.chosen(choice.register, text_of(dossier.registers[slot]), before))
        lines += [sums.extended(taken.by, taken.at, self.zone) for taken in taken_here]
        lines.append(sums.counted(counting, number, due))
        if counting.reaching == "late" and not self.reaching_is_late:
            lines.append(sums.day_too_late(number))
        self._tell_pauses(dossier, moment, lines)

    def _tell_pauses(self, dossier: Dossier, moment: Moment, lines: list[Line]) -> None:
        for taken in dossier.pauses:
            if taken.pause not in self._rules.pauses:
                continue
            cap = self._rules.capped_at(taken, moment)
            end = taken.ended_at or moment.at
            if not taken.counts:
                lines.append(sums.not_permitted(taken.pause, taken.started_at, self.zone))
            elif cap is not None and end is not None and cap < end:
                lines.append(sums.capped(taken.pause, cap, self.zone))

    def _tell_calendar(
        self, dossier: Dossier, due: datetime, announced_by: datetime | None, lines: list[Line]
    ) -> None:
        assert self.counts is not None  # noqa: S101 - only counts have a calendar
        lines += sums.counted_by(self.counts, announced_by, dossier.hours_of)
        work = self.counts.at(announced_by, dossier.hours_of).work
        if not work.covers(due):
            lines.append(sums.beyond_cover(due.astimezone(self.zone).date(), work.covered_to))
