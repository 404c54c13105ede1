"""What stops a clock: pauses up to their caps and the waits of excluded tasks, united so that none counts twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.clocks import sums
from workflow.model import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from workflow.clocks.counting import Counts
    from workflow.model import Dossier, PauseTaken, TaskRun


class Stop(NamedTuple):
    """A stretch [start, end) in which a clock stands. `standing`: it stands still at the moment asked about."""

    start: datetime
    end: datetime
    names: tuple[str, ...]
    standing: bool = False


class Moment(NamedTuple):
    """When something is asked, and by whose hours: open stops reach to `at` (None: they moved nothing yet), calendars
    are taken as announced by `announced_by` (None: the newest), the hours are those of `unit`."""

    at: datetime | None
    announced_by: datetime | None
    unit: str | None


class PauseRule(NamedTuple):
    """What a pause does to a clock: its cap, and whether the limit counts anew from its end."""

    cap: tuple[Counts, int] | None
    restarts: bool

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
        due = counts.due(start, within, announced_by, unit)
        lines = [sums.pause_begun(taken.pause, start), sums.counted(counts.counting, within, due)]
        return Deadline(
            f"pause/{taken.pause}",
            "limit",
            due,
            starts_at=start,
            calendar=counts.label(announced_by),
            hours=counts.hours(unit),
            sum=(*lines, *sums.counted_by(counts, announced_by, unit)),
        )


class StopRules:
    """The stops of one clock: its pauses by name, its tasks by (state, task) with the instant from which an
    agency's silence stands for its answer. Immutable, but for a memo: all limits of a dossier are asked at once."""

    def __init__(
        self,
        pauses: Mapping[str, PauseRule],
        tasks: Mapping[tuple[str, str], Callable[[Dossier, TaskRun, Moment], datetime | None]],
        *,
        by_register: bool = False,
    ) -> None:
        """`by_register`: what a dossier's registers say may move the silence of a task."""
        self.pauses = pauses
        self.tasks = tasks
        self._remembers = not by_register
        self._last: tuple[object, object, object, Moment | None, list[Stop]] = (None, None, None, None, [])

    def restarts(self, dossier: Dossier, anchor: datetime) -> list[tuple[datetime, PauseTaken]]:
        """The pauses that may restart this clock, each with its end after `anchor`, in the order of their ends."""
        found = [
            (taken.ended_at, taken)
            for taken in (self._taken(dossier) if dossier.pauses else ())
            if taken.ended_at is not None and taken.ended_at > anchor and self.pauses[taken.pause].restarts
        ]
        return sorted(found, key=lambda one: one[0])

    def stops(self, dossier: Dossier, since: datetime, moment: Moment) -> list[Stop]:
        """The stops of this clock from `since` on, united, in the order of their starts."""
        found = [
            stop if stop.start >= since else stop._replace(start=since) for stop in self._met(dossier, moment)
        ]
        return united(found) if found else found

    def _met(self, dossier: Dossier, moment: Moment) -> list[Stop]:
        """All stops a dossier has met, whenever its clock began. What they rest on is replaced, never changed, so that
        the same tuples at the same moment give the same stops."""
        pauses, tasks, extensions, at, found = self._last
        if (
            pauses is dossier.pauses
            and tasks is dossier.tasks
            and extensions is dossier.extensions
            and at is not None
            and at.at is moment.at
            and at.announced_by is moment.announced_by
            and at.unit == moment.unit
        ):
            return found
        met = [self.of_pause(taken, moment) for taken in self._taken(dossier)]
        for run in dossier.tasks if self.tasks else ():
            silence = self.tasks.get((run.state, run.task))
            if silence is not None:
                met.append(_wait(run, silence(dossier, run, moment), moment))
        found = [stop for stop in met if stop is not None]
        if self._remembers:
            self._last = (dossier.pauses, dossier.tasks, dossier.extensions, moment, found)
        return found

    def _taken(self, dossier: Dossier) -> list[PauseTaken]:
        return [taken for taken in dossier.pauses if taken.counts and taken.pause in self.pauses]

    def of_pause(self, taken: PauseTaken, moment: Moment) -> Stop | None:
        """The stop a pause of this clock is, up to its cap; None for an open one where no moment is named."""
        cap = self.capped_at(taken, moment)
        return _stop(taken.started_at, taken.ended_at, cap, taken.pause, moment)

    def capped_at(self, taken: PauseTaken, moment: Moment) -> datetime | None:
        """The instant from which this clock runs again though a pause of it goes on; None for one without a cap."""
        return self.pauses[taken.pause].capped_at(taken.started_at, moment.announced_by, moment.unit)


def united(stops: Iterable[Stop]) -> list[Stop]:
    """Stops that overlap or touch as one; those without length are none."""
    found: list[Stop] = []
    given = list(stops)
    if len(given) > 1:
        given.sort(key=_first)
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


def _first(stop: Stop) -> tuple[datetime, datetime, tuple[str, ...]]:
    return stop[:3]


def _wait(run: TaskRun, silence: datetime | None, moment: Moment) -> Stop | None:
    ends = [at for at in (run.answered_at, run.recalled_at, run.left_at) if at is not None]
    return _stop(run.asked_at, min(ends) if ends else None, silence, run.task, moment)


def _stop(
    start: datetime, ended: datetime | None, at_most: datetime | None, name: str, moment: Moment
) -> Stop | None:
    end = ended or moment.at
    if end is None:
        return None
    if at_most is not None and at_most < end:
        return Stop(start, at_most, (name,))
    return Stop(start, end, (name,), standing=ended is None)
