"""What stops a clock: pauses up to their caps and the waits of excluded tasks, united so that none counts twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from workflow.clocks import sums
from workflow.clocks.counting import at_least
from workflow.model import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workflow.clocks.counting import Counts
    from workflow.model import Dossier, PauseTaken, TaskRun


class Stop(Struct, frozen=True, gc=False):
    """A stretch [start, end) in which a clock stands. `standing`: it stands still at the moment asked about. `lasting`:
    it is the same whatever moment is asked about."""

    start: datetime
    end: datetime
    names: tuple[str, ...]
    standing: bool = False
    lasting: bool = False


class Moment(Struct, frozen=True, gc=False):
    """When something is asked, and by whose hours: open stops reach to `at` (None: they moved nothing yet), calendars
    are taken as announced by `announced_by` (None: the newest), the hours are those of `unit`."""

    at: datetime | None
    announced_by: datetime | None
    unit: str | None

    def is_that(self, other: Moment) -> bool:
        """Whether another moment surely is the same."""
        return self.at is other.at and self.announced_by is other.announced_by and self.unit == other.unit


class Silence(NamedTuple):
    """When an agency's silence stands for its answer; `least`: a time from the asking within which it does not."""

    at: Callable[[Dossier, TaskRun, Moment], datetime | None]
    least: timedelta


class PauseRule:
    """What a pause does to a clock: its cap, and whether the limit counts anew from its end."""

    def __init__(self, cap: tuple[Counts, int] | None, *, restarts: bool) -> None:
        """`cap`: what the clock counts of a pause at most; None: all of it."""
        self.cap = cap
        self.restarts = restarts
        self.least = timedelta.max if cap is None else at_least(cap[0].counting, cap[1])
        """A time from its beginning within which no cap cuts the pause."""

    def cuts(
        self, taken: PauseTaken, end: datetime, announced_by: datetime | None, unit: str | None
    ) -> datetime | None:
        """The instant before `end` from which the clock runs again though the pause goes on; None where there is
        none."""
        if end - taken.started_at < self.least:
            return None
        cap = self.capped_at(taken.started_at, announced_by, unit)
        return cap if cap is not None and cap < end else None

    def capped_at(self, start: datetime, announced_by: datetime | None, unit: str | None) -> datetime | None:
        """The instant from which the clock runs again whatever becomes of the pause; None without a cap."""
        if self.cap is None:
            return None
        counts, within = self.cap
        return counts.due(start, within, announced_by, unit)

    def deadline(self, taken: PauseTaken, announced_by: datetime, unit: str | None) -> Deadline | None:
        """That instant as a deadline with its sum; None without a cap. Raises CalendarRange."""
        if self.cap is None:
            return None
        (counts, within), start = self.cap, taken.started_at
        counter = counts.at(announced_by, unit)
        due = counter.due(start, within)
        lines = [sums.pause_begun(taken.pause, start), sums.counted(counts.counting, within, due)]
        return Deadline(
            f"pause/{taken.pause}",
            "limit",
            due,
            starts_at=start,
            calendar=counter.label,
            hours=counter.hours,
            sum=(*lines, *sums.counted_by(counts.timetable, counter, unit)),
        )


class _Met(Struct, frozen=True, gc=False):
    """What was asked last, and the stops that gave: each, and united. `lasting`: any moment gives the same."""

    pauses: object
    tasks: object
    extensions: object
    moment: Moment | None
    each: list[Stop]
    united: list[Stop]
    lasting: bool


class StopRules:
    """The stops of one clock: its pauses by name, its tasks by (state, task) with the instant from which an
    agency's silence stands for its answer. Immutable, but for a memo: all limits of a dossier are asked at once."""

    def __init__(
        self,
        pauses: Mapping[str, PauseRule],
        tasks: Mapping[tuple[str, str], Silence],
        *,
        by_register: bool = False,
    ) -> None:
        """`by_register`: what a dossier's registers say may move the silence of a task."""
        self.pauses = pauses
        self.tasks = tasks
        self.any_restarts = any(rule.restarts for rule in pauses.values())
        self._remembers = not by_register
        self._last = _Met(None, None, None, None, [], [], lasting=False)

    def restarts(self, dossier: Dossier, anchor: datetime) -> list[tuple[datetime, PauseTaken]]:
        """The pauses that may restart this clock, each with its end after `anchor`, in the order of their ends."""
        if not (self.any_restarts and dossier.pauses):
            return []
        found = [
            (taken.ended_at, taken)
            for taken in self._taken(dossier)
            if taken.ended_at is not None and taken.ended_at > anchor and self.pauses[taken.pause].restarts
        ]
        return sorted(found, key=lambda one: one[0])

    def stops(self, dossier: Dossier, since: datetime, moment: Moment) -> list[Stop]:
        """The stops of this clock from `since` on, united, in the order of their starts."""
        if not (dossier.pauses or dossier.tasks):
            return []
        met = self._met(dossier, moment)
        found = met.united
        if not found or found[0].start >= since:
            return found
        found = [stop for stop in found if stop.end > since]
        if not found or found[0].start >= since:
            return found
        # Of those united in it some may have ended before.
        return united(stop if stop.start >= since else replace(stop, start=since) for stop in met.each)

    def _met(self, dossier: Dossier, moment: Moment) -> _Met:
        """All stops a dossier has met, whenever its clock began. What they rest on is replaced, never changed, so that
        the same tuples at the same moment give the same stops."""
        last = self._last
        if (
            last.pauses is dossier.pauses
            and last.tasks is dossier.tasks
            and last.extensions is dossier.extensions
            and (last.lasting or (last.moment is not None and last.moment.is_that(moment)))
        ):
            return last
        met = [self.of_pause(taken, moment) for taken in self._taken(dossier)] if dossier.pauses else []
        for run in dossier.tasks if self.tasks else ():
            silence = self.tasks.get((run.state, run.task))
            if silence is not None:
                met.append(_wait(dossier, run, silence, moment))
        each = [stop for stop in met if stop is not None]
        lasting = len(each) == len(met) and all(map(_lasts, each))
        found = _Met(dossier.pauses, dossier.tasks, dossier.extensions, moment, each, united(each), lasting)
        if self._remembers:
            self._last = found
        return found

    def _taken(self, dossier: Dossier) -> list[PauseTaken]:
        return [taken for taken in dossier.pauses if taken.counts and taken.pause in self.pauses]

    def of_pause(self, taken: PauseTaken, moment: Moment) -> Stop | None:
        """The stop a pause of this clock is, up to its cap; None for an open one where no moment is named."""
        end = taken.ended_at or moment.at
        if end is None:
            return None
        rule, standing = self.pauses[taken.pause], taken.ended_at is None
        if end - taken.started_at < rule.least:
            return Stop(taken.started_at, end, (taken.pause,), standing, not standing)
        cut = rule.cuts(taken, end, moment.announced_by, moment.unit)
        return Stop(taken.started_at, cut or end, (taken.pause,), standing and cut is None)

    def capped_at(self, taken: PauseTaken, moment: Moment) -> datetime | None:
        """The instant from which this clock runs again though a pause of it goes on; None for one without a cap."""
        return self.pauses[taken.pause].capped_at(taken.started_at, moment.announced_by, moment.unit)


def united(stops: Iterable[Stop]) -> list[Stop]:
    """Stops that overlap or touch as one; those without length are none."""
    found: list[Stop] = []
    given = list(stops)
    if len(given) > 1:
        given.sort(key=_in_order)
    for stop in given:
        if stop.end <= stop.start:
            continue
        if not found or stop.start > found[-1].end:
            found.append(stop)
            continue
        last = found[-1]
        names = last.names + tuple(name for name in stop.names if name not in last.names)
        found[-1] = Stop(last.start, max(last.end, stop.end), names, last.standing or stop.standing)
    return found


_in_order: Final = attrgetter("start", "end", "names")
_lasts: Final = attrgetter("lasting")


def _wait(dossier: Dossier, run: TaskRun, silence: Silence, moment: Moment) -> Stop | None:
    """The stop an agency's answer that is waited for is, up to where its silence stands for it."""
    ended = run.ended_at
    end, waits = ended or moment.at, ended is None
    if end is None:
        return None
    if end - run.asked_at < silence.least:
        return Stop(run.asked_at, end, (run.task,), waits, not waits)
    at = silence.at(dossier, run, moment)
    cut = at if at is not None and at < end else None
    return Stop(run.asked_at, cut or end, (run.task,), cut is None and waits)
