"""The verdict on a dossier's end: whether it ended, where it may, in time, and under the conditions of its end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from workflow.factrows import FactRows
from workflow.guards import NOBODY, Check
from workflow.model import Dossier, Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.clocks.clock import LimitClock
    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.rules import Ending, Rules


class Verdict(Struct, frozen=True, gc=False):
    """`ended_at` absent: still open. `late`: ended after the deadline that binds the end. `broken`: each broken rule of
    the end with its kind; `violations` spells them out, which is dearer than judging and so waits to be asked."""

    ended_at: datetime | None
    late: bool = False
    dossier: Dossier | None = None
    timely: tuple[Violation, ...] = ()
    unmet: tuple[Check, ...] = ()

    @property
    def broken(self) -> list[tuple[str, ViolationKind]]:
        """Each broken rule of the end and its kind."""
        return [(v.rule, v.kind) for v in self.timely] + [(check.rule, check.kind) for check in self.unmet]

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The violations of the end alone: order, deadlines, conditions."""
        if self.dossier is None or self.ended_at is None:
            return self.timely
        unmet = [check.violation(self.dossier, NOBODY, self.ended_at) for check in self.unmet]
        return (*self.timely, *unmet)


STILL_OPEN: Final = Verdict(None)


def goes_on(facts: Sequence[Fact], as_of: datetime) -> bool:
    """Whether a log tells more of a dossier after a moment: its being complete then does not end the dossier yet."""
    if isinstance(facts, FactRows):
        return bool(facts.rows) and facts.rows[-1][0] > as_of
    return any(fact.occurred_at > as_of for fact in facts)


def verdict(judgment: Judgment, *, closes: bool = False, as_of: datetime | None = None) -> Verdict:
    """The end of a dossier as of a moment (None: after all its facts).

    `closes`: the log these facts come from is complete, so what has not ended by itself ended with its last fact.
    """
    dossier = judgment.dossier
    ended_at = dossier.ended_at
    if ended_at is not None and as_of is not None and ended_at > as_of:
        ended_at = None
    if ended_at is None and closes and dossier.last_key is not None:
        ended_at = dossier.last_key[0]
    if ended_at is None:
        return STILL_OPEN
    return end_of(judgment.rules, dossier, ended_at)


def end_of(rules: Rules, dossier: Dossier, ended_at: datetime) -> Verdict:
    """The verdict on an end at `ended_at`; of a dossier whose judging was stopped before, only that it ended."""
    if dossier.halted:
        return Verdict(ended_at)
    ending = rules.endings[dossier.state]
    broken: list[Violation] = []
    late = False
    if dossier.phases:
        broken = _phases(rules, dossier, ended_at)
        late = any(_tells_lateness(rules.clock.limits[v.rule], ending) for v in broken)
    if not ending.allowed:
        broken = [_no_end(rules, dossier.state), *broken]
    for limit in ending.limits:
        stopped_at = (dossier.issued_at or ended_at) if limit.dated else ended_at
        due = limit.missed(dossier, stopped_at)
        if due is not None:
            broken = [*broken, Violation(limit.id, "deadline", due, stopped_at)]
            late = late or limit is ending.headline
    unmet: tuple[Check, ...] = ()
    for check in ending.checks:
        if not check.holds(dossier, NOBODY, ended_at):
            unmet = (*unmet, check)
    if broken or unmet:
        return Verdict(ended_at, late, dossier, tuple(broken), unmet)
    return Verdict(ended_at, late)


def deviates(rules: Rules, dossier: Dossier) -> bool:
    """Whether an ended dossier broke a rule of its end other than a limit."""
    if dossier.halted or dossier.ended_at is None:
        return False
    ending, ended_at = rules.endings[dossier.state], dossier.ended_at
    return not ending.allowed or not all(check.holds(dossier, NOBODY, ended_at) for check in ending.checks)


def overdue(rules: Rules, dossier: Dossier, as_of: datetime) -> bool:
    """Whether an open dossier is past the deadline that binds its end, or had or has a phase that is too late."""
    ending = rules.endings[dossier.state]
    if dossier.halted:
        return False
    late_phases = _phases(rules, dossier, as_of) if dossier.phases else []
    if any(_tells_lateness(rules.clock.limits[v.rule], ending) for v in late_phases):
        return True
    stopped_at = (
        (dossier.issued_at or as_of) if ending.headline is not None and ending.headline.dated else as_of
    )
    return ending.headline is not None and ending.headline.missed(dossier, stopped_at) is not None


def _tells_lateness(limit: LimitClock, ending: Ending) -> bool:
    """Whether missing a limit makes the whole dossier late: the headline, and each dated phase of several."""
    return limit.dated or limit is ending.headline


def _phases(rules: Rules, dossier: Dossier, ended_at: datetime) -> list[Violation]:
    """The limits of phases that ended too late, each phase at its own end, or where the dossier stopped."""
    found = []
    for run in dossier.phases:
        stopped_at = min(run.ended_at or ended_at, dossier.issued_at or ended_at)
        for limit in rules.clock.for_phase(run.phase):
            due = limit.due(dossier, run.started_at, stopped_at)
            if due is not None and limit.late(max(stopped_at, run.started_at), due):
                found.append(Violation(limit.id, "deadline", due, stopped_at))
    return found


def _no_end(rules: Rules, state: str) -> Violation:
    expected = ", ".join(name for name, ending in rules.endings.items() if ending.allowed) or "no state"
    return Violation(f"order/end/{state}", "order", expected, state)
