"""Which alerts ought to be raised on a dossier, worked out again from what was made up and when it was sent.

The code that raises alerts has no part in it. What is known at a moment is folded from scratch; whether that is late is
asked of the two instants themselves; when it may be said follows from the delay and the working hours.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from scenario.beside import WINDOW, Key, window_of
from workflow.fold import fold
from workflow.simulation.walk import benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.catalogue import Catalogue
    from workflow.clocks.worktime import Worktime
    from workflow.fold import Judgment
    from workflow.rules import Rules
    from workflow.simulation.department import Made

DELAY: Final = timedelta(minutes=15)
"""The reporting delay of the one-stop system, as its definition says."""
UNCOLLECTED: Final = timedelta(days=30)
_INSTANT: Final = timedelta(microseconds=1)


class Stretch(NamedTuple):
    """From one arrival to the next: what is known then, and the last window before more is."""

    judged: Judgment
    first: datetime
    last: datetime


class Expecting:
    """The alerts that ought to be raised on dossiers until the year's end, each as often as it ought to be."""

    def __init__(self, catalogue: Catalogue, work: Worktime, end: datetime) -> None:
        """`end`: the last window. The `work` of the whole body: units that keep other hours have their own."""
        self._catalogue, self._work, self._end = catalogue, work, end
        self._hours: dict[str | None, Worktime] = {}

    def of(self, made: Made) -> Counter[Key]:
        """Those about one dossier."""
        found: Counter[Key] = Counter()
        truth = made.truth
        rules = self._catalogue.rules(truth.procedure, truth.revision)
        assert rules is not None
        kind = "feedback_late" if rules.revision.kind in ("feedback", "complaint") else "dossier_late"
        stretches = list(self._stretches(rules, made))
        if not stretches:
            return found
        self._count(
            found,
            (kind, truth.dossier),
            truth.unit,
            [self._late(rules, one, truth.unit) for one in stretches],
        )
        waits = [self._uncollected(one, truth.unit) for one in stretches]
        self._count(found, ("result_not_collected", truth.dossier), truth.unit, waits)
        self._refused(found, stretches, truth.unit)
        self._planted(found, made, rules)
        return found

    def _planted(self, found: Counter[Key], made: Made, rules: Rules) -> None:
        """What was done on purpose must be among it, whatever the fold makes of it."""
        truth = made.truth
        # A slip is told at the receipt, in the first phase: where others follow, no date is at hand for it.
        committed = len(rules.revision.phases) <= 1 and any(
            limit.kind == "committed" for limit in rules.clock.limits.values()
        )
        for one in made.truth.planted:
            sent, fact = next((told for told in made.messages if told[1].id == one.event), (self._end, None))
            if fact is None:
                continue
            said_at = self._looked_at(max(sent, self._said_at(fact.occurred_at, truth.unit)), truth.unit)
            if one.kind == "illegal" and said_at <= self._end:
                key = "refused_event", f"{truth.dossier}/{one.event}/{one.revision}"
                found[key] = max(found[key], 1)
            if one.kind == "slip" and committed and said_at <= self._end:
                found["appointment_differs", truth.dossier] += 1

    def _stretches(self, rules: Rules, made: Made) -> Iterator[Stretch]:
        arrivals = sorted({window_of(sent) for sent, _ in made.messages})
        for number, first in enumerate(arrivals):
            if first > self._end:
                return
            following = arrivals[number + 1] - WINDOW if number + 1 < len(arrivals) else self._end
            known = [fact for sent, fact in made.messages if window_of(sent) <= first]
            yield Stretch(fold(rules, made.truth.dossier, known), first, min(following, self._end))

    def _late(self, rules: Rules, one: Stretch, unit: str) -> tuple[Stretch, datetime] | None:
        found = one.judged.dossier
        due = benchmark(rules, found, one.last)
        if due is None or found.halted:
            return None
        makes_ready = any(action.milestone == "ready" for action in rules.revision.actions.values())
        issued_at = None if makes_ready and found.ended_at is None else found.issued_at
        stopped = found.ready_at or issued_at or found.ended_at
        if (one.last if stopped is None else stopped) <= due:
            return None
        return one, self._said_at(due + _INSTANT, unit)

    def _uncollected(self, one: Stretch, unit: str) -> tuple[Stretch, datetime] | None:
        ready, ended = one.judged.dossier.ready_at, one.judged.dossier.ended_at
        if ready is None or (ended or one.last) <= ready + UNCOLLECTED:
            return None
        return one, self._said_at(ready + UNCOLLECTED, unit)

    def _refused(self, found: Counter[Key], stretches: list[Stretch], unit: str) -> None:
        by_fact: dict[str, list[tuple[Stretch, datetime] | None]] = {}
        for place, one in enumerate(stretches):
            for fact, outcome in zip(one.judged.facts, one.judged.outcomes, strict=True):
                if outcome.status == "refused":
                    key = f"{fact.subject}/{fact.id}/{fact.revision}"
                    row = by_fact.setdefault(key, [None] * len(stretches))
                    row[place] = one, self._said_at(fact.occurred_at, unit)
        for key, row in by_fact.items():
            self._count(found, ("refused_event", key), unit, row)

    def _count(
        self, found: Counter[Key], key: Key, unit: str, row: list[tuple[Stretch, datetime] | None]
    ) -> None:
        """How often something comes to be said: it is, from its moment on, and stays so while it is true."""
        said = False
        for one in row:
            if one is None:
                if said:
                    found[f"retracted {key[0]}", key[1]] += 1
                said = False
            elif not said and self._looked_at(max(one[1], one[0].first), unit) <= one[0].last:
                found[key] += 1
                said = True

    def _said_at(self, since: datetime, unit: str) -> datetime:
        """The first instant of working time once the source had its delay."""
        return self._work_of(unit).add(since + DELAY, 1) - _INSTANT

    def _looked_at(self, at: datetime, unit: str) -> datetime:
        """The first window from then on in which somebody is at work."""
        return window_of(self._work_of(unit).add(window_of(at), 1) - _INSTANT)

    def _work_of(self, unit: str) -> Worktime:
        if unit not in self._hours:
            body = self._catalogue.organisation
            assert body is not None
            hours = body.units[unit].hours if unit in body.units else None
            self._hours[unit] = self._catalogue.calendars[body.calendar].worktime(hours, self._end)
        return self._hours[unit]
