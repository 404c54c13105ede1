"""The limits of a revision compiled: what each counts from, how it counts and what stops it; how printed dates move."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.clocks.benchmark import WITHOUT_COMMITTED, Benchmark
from workflow.clocks.bindings import (
    anchor_of,
    check_least,
    check_limit,
    default_place,
    hangs_on_register,
    kind_of,
    met_by,
    numbers,
)
from workflow.clocks.counting import Countings, at_least
from workflow.clocks.limits import LimitClock, Place
from workflow.clocks.stops import PauseRule, Silence, StopRules
from workflow.layout import limits as all_limits
from workflow.zones import zone_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.clocks.timetable import Timetable
    from workflow.layout import Layout
    from workflow.procedure.language import Limit, Revision, Task


class Compiled:
    """Every limit of one revision. `limits` holds them by rule id, in the order of the revision; `pauses` what each
    pause does to a clock, `countings` what counts."""

    def __init__(self, revision: Revision, layout: Layout, timetable: Timetable | None) -> None:
        """Compiles each limit. Raises DefinitionError for one that cannot be counted, UnknownZone for the zone."""
        self._revision = revision
        self._layout = layout
        self._timetable = timetable
        self._zone = zone_at(revision.zone, f"procedure {revision.procedure}")
        self.countings = Countings(revision, self._zone, timetable)
        self._stops: dict[tuple[str | tuple[str, ...], bool], StopRules] = {}
        self.pauses = {name: self._pause_rule(name) for name in revision.pauses}
        self.limits: dict[str, LimitClock] = {
            rule: self._compiled(rule, limit) for rule, limit in all_limits(revision).items()
        }

    def benchmark(self) -> Benchmark:
        """How the revision moves printed dates."""
        committed = next((limit for limit in self.limits.values() if limit.limit.date == "committed"), None)
        counts = None if committed is None else committed.counts
        counting = WITHOUT_COMMITTED if counts is None else counts.counting
        if counts is None and self._timetable is not None:
            counts = self.countings.counts(counting)
        rules, own_clock = StopRules(self.pauses, {}), committed is not None
        tells_ready = any(action.milestone == "ready" for action in self._revision.actions.values())
        return Benchmark(self._zone, self._timetable, counting, counts, rules, own_clock, tells_ready)

    def _compiled(self, rule: str, limit: Limit) -> LimitClock:
        counting = self.countings.named(limit.counts)
        check_limit(rule, limit, counting, self._revision)
        counts = None if limit.until is not None else self.countings.counts(counting)
        if counts is not None:
            check_least(rule, numbers(limit), counts.least)
        anchor = anchor_of(rule, limit, self._layout)
        met = met_by(limit, self._layout, self._revision)
        place = Place(rule, kind_of(rule, limit), anchor, default_place(rule, limit), met)
        return LimitClock(
            place, limit, counting, counts, self._layout.registers, self._stop_rules(rule, limit), self._zone
        )

    def _stop_rules(self, rule: str, limit: Limit) -> StopRules:
        names = limit.stops_for
        if names == "none":
            return StopRules({}, {})
        tasks = not rule.startswith("task/")
        key = names, tasks
        found = self._stops.get(key)
        if found is None:
            pauses = {n: p for n, p in self.pauses.items() if names == "all" or n in names}
            excluded = dict(self._excluded(names)) if tasks else {}
            found = self._stops[key] = StopRules(
                pauses, excluded, by_register=hangs_on_register(self._revision)
            )
        return found

    def _excluded(self, names: str | tuple[str, ...]) -> Iterator[tuple[tuple[str, str], Silence]]:
        for state, declared in self._revision.states.items():
            for name, task in declared.tasks.items():
                if task.clock == "excluded" and (names == "all" or name in names):
                    yield (state, name), self._silence(state, name, task)

    def _silence(self, state: str, name: str, task: Task) -> Silence:
        rule = f"task/{state}/{name}"
        if task.limit is None or task.on_silence == "wait":
            return Silence(lambda _dossier, _run, _moment: None, timedelta.max)
        least = at_least(self.countings.named(task.limit.counts), min(numbers(task.limit), default=None))
        return Silence(
            lambda dossier, run, moment: self.limits[rule].due_at(dossier, run.asked_at, moment), least
        )

    def _pause_rule(self, name: str) -> PauseRule:
        pause = self._revision.pauses[name]
        cap = None
        if pause.cap is not None:
            counts = self.countings.counts(self.countings.named(pause.cap.counts))
            check_least(f"pause/{name}", (pause.cap.within,), counts.least)
            cap = counts, pause.cap.within
        return PauseRule(cap, restarts=pause.on_resume == "restart")
