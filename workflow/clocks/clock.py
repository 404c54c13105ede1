"""The clocks of a procedure: its limits by what they bind, and the deadlines of a dossier side by side.

docs/clocks.md is the specification.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from workflow.clocks.bindings import (
    DATES,
    RANKS,
    actions_ahead,
    binds_action,
    binds_end,
    binds_phase,
    binds_stay,
    in_order,
    phase_met,
    timed,
)
from workflow.clocks.compiling import Compiled
from workflow.clocks.limits import LimitClock
from workflow.clocks.timetable import Timetable, timetable_of
from workflow.clocks.worktime import MICROSECONDS_A_MINUTE
from workflow.layout import bound_actions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from workflow.clocks.calendar import Calendar
    from workflow.clocks.limits import AnchorOf
    from workflow.clocks.timetable import HoursOf
    from workflow.layout import Layout
    from workflow.model import AppointmentTold, Deadline, Dossier, PauseTaken
    from workflow.procedure.language import Counting, Revision

    Asked: TypeAlias = tuple[LimitClock, datetime | None, datetime | None]
    Running: TypeAlias = tuple[LimitClock, datetime]
    Young: TypeAlias = tuple[float, dict[str, list[tuple[LimitClock, AnchorOf, timedelta]]]]

__all__ = ["Clock", "LimitClock", "compile_clock"]

_MINUTE: Final = timedelta(minutes=1)


def compile_clock(
    revision: Revision, layout: Layout, calendars: Mapping[str, Calendar], hours_of: HoursOf | None = None
) -> Clock:
    """The clocks of a revision, ready to be asked. `hours_of`: by unit the names of its hours in a calendar.

    Raises DefinitionError where it names no known calendar though it counts working time, names an unknown one, one of
    another zone, or a limit that cannot be counted; UnknownZone for its own zone.
    """
    return Clock(revision, layout, timetable_of(revision, calendars, hours_of))


class Clock:
    """Every limit of one revision. `limits` holds them by rule id, in the order of the revision; `timetable` is the
    calendar they count by, None without one.

    Where a `unit` is asked for it is the one whose hours count: `hours_of` of the dossier.
    """

    def __init__(self, revision: Revision, layout: Layout, timetable: Timetable | None) -> None:
        """Compiles each limit; raises what `compile_clock` says."""
        self._revision = revision
        self.timetable = timetable
        compiled = Compiled(revision, layout, timetable)
        self._countings, self._pauses = compiled.countings, compiled.pauses
        self.limits: dict[str, LimitClock] = compiled.limits
        self._any_end = self._those(binds_end)
        self._ends = {state: self._those(lambda one: binds_end(one, state)) for state in revision.states}  # noqa: B023
        self._stays = {state: self._those(lambda one: binds_stay(one, state)) for state in revision.states}  # noqa: B023
        self._phases = {name: self._those(lambda one: binds_phase(one, name)) for name in revision.phases}  # noqa: B023
        self._benchmark = compiled.benchmark()
        ahead = {
            state: self._those(lambda one: not actions.isdisjoint(bound_actions(one.binds)))  # noqa: B023
            for state, actions in actions_ahead(revision).items()
        }
        self._ended = {state: in_order(ends) for state, ends in self._ends.items()}
        self._open = {
            state: in_order((*self._any_end, *stays, *ahead.get(state, ())))
            for state, stays in self._stays.items()
        }
        self._timed = {state: timed(limits) for state, limits in self._open.items()}
        self._young: Young = 0.0, {}
        self._tasks = {
            (state, name): self.limits[rule]
            for state, declared in revision.states.items()
            for name in declared.tasks
            if (rule := f"task/{state}/{name}") in self.limits
        }
        self._phases_press = any(limit.kind == "phase" for limit in self.limits.values())

    def counting(self, counts: Counting | str) -> Counting:
        """A counting by its name, or itself. Raises DefinitionError for an unknown name, or one that cannot count."""
        counting = self._countings.named(counts)
        self._countings.counts(counting)
        return counting

    def due_within(
        self,
        counting: Counting,
        number: int,
        start: datetime,
        announced_by: datetime | None,
        unit: str | None,
    ) -> datetime:
        """The due instant (UTC) of `number` units from `start`, no stops asked about. Raises CalendarRange."""
        return self._countings.counts(counting).due(start, number, announced_by, unit)

    def minutes(self, start: datetime, end: datetime, announced_by: datetime, unit: str | None) -> int:
        """Whole working minutes from `start` to `end`, elapsed ones where the revision has no calendar; 0 where `end`
        is not after `start`. Raises CalendarRange."""
        if self.timetable is None:
            return max((end - start) // _MINUTE, 0)
        work = self.timetable.worktime(unit, announced_by)
        return work.between(start, end) // MICROSECONDS_A_MINUTE

    def before(self, end: datetime, minutes: int, announced_by: datetime, unit: str | None) -> datetime:
        """The latest instant (UTC) from which there are so many minutes until `end`, counted as by `minutes`."""
        if self.timetable is None:
            return end.astimezone(UTC) - minutes * _MINUTE
        work = self.timetable.worktime(unit, announced_by)
        return work.before(end, minutes * MICROSECONDS_A_MINUTE)

    def after(self, start: datetime, minutes: int, announced_by: datetime, unit: str | None) -> datetime:
        """The earliest instant (UTC) until which there are so many minutes from `start`, counted as by `minutes`."""
        if self.timetable is None:
            return start.astimezone(UTC) + minutes * _MINUTE
        work = self.timetable.worktime(unit, announced_by)
        return work.add(start, minutes * MICROSECONDS_A_MINUTE)

    def for_action(self, action: str) -> tuple[LimitClock, ...]:
        """The limits an act of `action` must keep."""
        return self._those(lambda limit: binds_action(limit, action))

    def for_stay(self, state: str) -> tuple[LimitClock, ...]:
        """The limits of a stay in `state`."""
        return self._stays.get(state, ())

    def for_end(self, state: str) -> tuple[LimitClock, ...]:
        """The limits of an end in `state`; none for a state the revision does not know."""
        return self._ends.get(state, ())

    def for_phase(self, phase: str) -> tuple[LimitClock, ...]:
        """The limits of a phase."""
        return self._phases.get(phase, ())

    def for_task(self, state: str, task: str) -> tuple[LimitClock, ...]:
        """The limit of a task, if it has one."""
        limit = self._tasks.get((state, task))
        return () if limit is None else (limit,)

    def headline(self, state: str) -> LimitClock | None:
        """The limit that says whether a dossier ended late in `state`: the one that binds the end, the headline of
        several (else the first declared), else that of the last phase declared; None where there is none."""
        found = self.for_end(state)
        if not found and self._revision.phases:
            found = self.for_phase(list(self._revision.phases)[-1])
        return next((limit for limit in found if limit.limit.headline), found[0] if found else None)

    def deadlines(self, dossier: Dossier, *, at: datetime, explain: bool = False) -> tuple[Deadline, ...]:
        """Every deadline of a dossier as of `at`, each with its sum where `explain`.

        In this order: appointment, benchmark, committed, statutory, other limits of the end and of actions still ahead,
        the present step, the phases begun, open tasks. An open dossier is counted by the calendar announced
        by `at`, an ended one by its end. Raises CalendarRange.
        """
        ended_at = _ended_by(dossier, at)
        asked = self._asked(dossier, ended_at)
        counted = (_deadline(dossier, one, at, ended_at or at, explain=explain) for one in asked)
        slips = self._benchmark.deadlines(dossier, at=at, announced_by=ended_at or at, explain=explain)
        return (*slips, *(one for one in counted if one is not None))

    def governing(self, dossier: Dossier, *, at: datetime) -> tuple[Deadline, ...]:
        """Those of `deadlines` that say whether the dossier, or a step of it, is late: not the printed date, for which
        the benchmark stands, nor the statutory one beside another date of the whole. Raises CalendarRange."""
        ended_at = _ended_by(dossier, at)
        by = ended_at or at
        benchmark = self._benchmark.deadline(dossier, at=at, announced_by=by, explain=False)
        found = [] if benchmark is None else [benchmark]
        for limit, anchor, met_at in self._asked(dossier, ended_at):
            if anchor is None or (found and limit.kind == "statutory"):
                continue
            met = met_at if met_at is not None and met_at <= at else None
            one = limit.deadline(dossier, anchor, at=at, announced_by=by, met_at=met)
            if one is not None:
                found.append(one)
        return tuple(found)

    def pressing(
        self,
        dossier: Dossier,
        *,
        at: datetime,
        share: float,
        of: Collection[str] | None = None,
        but: Dossier | None = None,
    ) -> list[Deadline]:
        """The deadlines of an open dossier's steps, phases, tasks and other limits as of `at` that are not met by then
        and of which `share` of the time may be over: of others surely less is. `of`: only those of these rules; `but`:
        none of those that surely are the same in this state of it. Raises CalendarRange."""
        found = []
        still: list[Running] | None = None
        for running in self._running(dossier, at, share):
            limit, anchor = running
            if (of is not None and limit.id not in of) or not limit.may_press(dossier, anchor, at, share):
                continue
            if but is not None and but.ended_at is None:
                still = self._running(but, at, share) if still is None else still
                if running in still and limit.moved_alike(dossier, but):
                    continue
            one = limit.deadline(dossier, anchor, at=at, announced_by=at)
            if one is not None:
                found.append(one)
        return found

    def printed(self, slip: AppointmentTold, unit: str | None) -> datetime:
        """The instant (UTC) a slip names; of a date alone its closing time, as the calendar stood when it was told."""
        return self._benchmark.printed(slip, unit)

    def released_at(self, dossier: Dossier, at: datetime) -> datetime | None:
        """When a dossier was released, by `at`: when its appointment was met, without one when it was issued, else when
        it ended. None before."""
        return self._benchmark.released_at(dossier, at)

    def capped_at(
        self, taken: PauseTaken, announced_by: datetime | None, unit: str | None
    ) -> datetime | None:
        """The instant from which the clocks run again though a pause goes on; None for one without a cap, or that was
        over by it. Raises CalendarRange."""
        rule, end = self._pauses.get(taken.pause), taken.ended_at
        if rule is None:
            return None
        if end is None:
            return rule.capped_at(taken.started_at, announced_by, unit)
        return rule.cuts(taken, end, announced_by, unit)

    def cap(self, taken: PauseTaken, announced_by: datetime, unit: str | None) -> Deadline | None:
        """That instant as a deadline with its sum, whether or not the pause went on. Raises CalendarRange."""
        rule = self._pauses.get(taken.pause)
        return None if rule is None else rule.deadline(taken, announced_by, unit)

    def benchmark(self, dossier: Dossier, *, at: datetime, explain: bool = False) -> Deadline | None:
        """The date lateness is judged by as of `at`, alone, with its sum where `explain`; None where no slip is known.
        Raises CalendarRange."""
        by = _ended_by(dossier, at) or at
        return self._benchmark.deadline(dossier, at=at, announced_by=by, explain=explain)

    def _asked(self, dossier: Dossier, ended_at: datetime | None) -> list[Asked]:
        """Every limit that may apply, in the order of their kinds, what it counts from and what met it."""
        if ended_at is None:
            asked = self._open_limits(dossier)
        else:
            asked = [
                (limit, limit.anchor(dossier), (limit.kind in DATES and dossier.issued_at) or ended_at)
                for limit in self._ended.get(dossier.state, ())
            ]
        if dossier.phases:
            asked += self._phase_limits(dossier)
            asked.sort(key=lambda one: RANKS[one[0].kind])
        if dossier.tasks and ended_at is None:
            asked += [(limit, asked_at, None) for limit, asked_at in self._task_limits(dossier)]
        return asked

    def _running(self, dossier: Dossier, at: datetime, share: float) -> list[Running]:
        """The limits of an open dossier that have a time of their own, but those that date it, not met by `at`: without
        those that are surely too young for `share` of their time to be over."""
        found: list[Running] = []
        for limit, anchor_of, least in self._young_until(share).get(dossier.state, ()):
            anchor = anchor_of(dossier)
            if anchor is None or at - anchor < least:
                continue
            if not (limit.met_by and limit.met(dossier, anchor)):
                found.append((limit, anchor))
        if dossier.phases and self._phases_press:
            found += [
                (limit, anchor)
                for limit, anchor, met_at in self._phase_limits(dossier)
                if limit.kind == "phase" and anchor is not None and (met_at is None or met_at > at)
            ]
        if dossier.tasks:
            found += self._task_limits(dossier)
        return found

    def _young_until(self, share: float) -> dict[str, list[tuple[LimitClock, AnchorOf, timedelta]]]:
        """The limits that have a time of their own by state, each with a time from where it counts within which less
        than `share` of any of its counts is over: most acts lie in it."""
        asked, found = self._young
        if asked != share:
            found = {
                state: [(limit, limit.anchor, limit.least * share) for limit in limits]
                for state, limits in self._timed.items()
            }
            self._young = share, found
        return found

    def _open_limits(self, dossier: Dossier) -> list[Asked]:
        """The limits of an open dossier but those of its phases and tasks."""
        found: list[Asked] = []
        issued_at = dossier.issued_at
        for limit in self._open.get(dossier.state, self._any_end):
            anchor = limit.anchor(dossier)
            if anchor is not None and not (limit.met_by and limit.met(dossier, anchor)):
                found.append((limit, anchor, issued_at if limit.kind in DATES else None))
        return found

    def _phase_limits(self, dossier: Dossier) -> Iterator[Asked]:
        last = {run.phase: run for run in dossier.phases}
        for run in dossier.phases:
            for limit in self.for_phase(run.phase):
                if limit.limit.starts is None and limit.counts is not None:
                    yield limit, run.started_at, phase_met(run, dossier.issued_at)
                elif run is last[run.phase]:
                    yield limit, limit.anchor(dossier), phase_met(run, dossier.issued_at)

    def _task_limits(self, dossier: Dossier) -> list[Running]:
        """The limits of the tasks whose agencies are still silent."""
        return [
            (limit, run.asked_at)
            for run in dossier.tasks
            if run.answered_at is None and run.recalled_at is None and run.left_at is None
            for limit in self.for_task(run.state, run.task)
        ]

    def _those(self, binds: Callable[[LimitClock], bool]) -> tuple[LimitClock, ...]:
        return tuple(limit for limit in self.limits.values() if binds(limit))


def _ended_by(dossier: Dossier, at: datetime) -> datetime | None:
    return dossier.ended_at if dossier.ended_at is not None and dossier.ended_at <= at else None


def _deadline(
    dossier: Dossier, asked: Asked, at: datetime, announced_by: datetime, *, explain: bool
) -> Deadline | None:
    limit, anchor, met_at = asked
    if anchor is None:
        return None
    met = met_at if met_at is not None and met_at <= at else None
    return limit.deadline(dossier, anchor, at=at, announced_by=announced_by, explain=explain, met_at=met)
