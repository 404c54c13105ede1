"""Measuring a log against a procedure: every dossier folded, nothing stored.

The same `fold` as everywhere; this module only counts what it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from workflow.factrows import FactRows
from workflow.facts import Opened
from workflow.fold import fold
from workflow.model import ViolationKind
from workflow.verdict import overdue, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.model import Dossier, Violation
    from workflow.rules import Rules
    from workflow.verdict import Verdict


class RuleCount(Struct, frozen=True, omit_defaults=True):
    """In how many dossiers a rule was broken; `counts` says how a deadline's days or hours are counted."""

    rule: str
    kind: ViolationKind
    dossiers: int
    counts: str | None = None


class Report(Struct, frozen=True):
    """What a log shows against a procedure. `late`: ended after the deadline that binds the end; `open_overdue`:
    open and past it. `order_conforming`: no violation of kind order; `time_conforming`: nor of kind deadline;
    `conforming`: none at all."""

    dossiers: int
    events: int
    ended: int
    open: int
    open_overdue: int
    late: int
    conforming: int
    order_conforming: int
    time_conforming: int
    violations: tuple[RuleCount, ...]


class Found(NamedTuple):
    """One violation with its place: the event's position in its dossier (0: the end) and its fact. `counts`: how
    a deadline counts its days or hours."""

    dossier: str
    position: int
    fact: Fact | None
    violation: Violation
    counts: str | None


class Audit:
    """Counts dossiers one by one; memory grows only with those still open that a deadline waits for."""

    def __init__(
        self,
        *,
        closes: bool = False,
        as_of: datetime | None = None,
        listen: Callable[[Iterable[Found]], None] | None = None,
    ) -> None:
        """`closes`: the log is complete. `as_of` leaves out what came later. `listen` hears each violation."""
        self._closes, self._as_of, self._listen = closes, as_of, listen
        self._broken: dict[tuple[str, ViolationKind], int] = {}
        self._counted_as: dict[str, str] = {}
        self._waiting: list[tuple[Rules, Dossier]] = []
        self._dossiers = self._events = self._open = self._late = 0
        self._dirty = self._out_of_order = self._out_of_time = 0

    def add(self, rules: Rules, subject: str, facts: Sequence[Fact]) -> None:
        """Judges one dossier. What is only known of it from the start is no event."""
        judgment = fold(rules, subject, facts, valid_at=self._as_of)
        outcomes = judgment.outcomes
        if not outcomes:
            return
        end = verdict(judgment, closes=self._closes, as_of=self._as_of)
        self._dossiers += 1
        self._events += len(outcomes) - _revealed(judgment.facts)
        dossier = judgment.dossier
        if end.ended_at is None:
            self._open += 1
            if dossier.phases or judgment.rules.endings[dossier.state].headline is not None:
                self._waiting.append((judgment.rules, dossier))
        elif end.late:
            self._late += 1
        if dossier.broken or end.violations:
            self._add_broken(judgment, end)

    def _add_broken(self, judgment: Judgment, end: Verdict) -> None:
        broken: dict[str, ViolationKind] = judgment.dossier.broken
        if end.violations:
            broken = broken | {v.rule: v.kind for v in end.violations}
        count = self._broken
        for item in broken.items():
            count[item] = count.get(item, 0) + 1
        kinds = broken.values()
        self._dirty += 1
        self._out_of_order += "order" in kinds
        self._out_of_time += "order" in kinds or "deadline" in kinds
        limits = judgment.rules.clock.limits
        for rule in broken:
            if rule not in self._counted_as and rule in limits:
                self._counted_as[rule] = limits[rule].counted_as
        if self._listen is not None:
            self._listen(found(judgment, end))

    def report(self, as_of: datetime | None) -> Report:
        """The count so far; `as_of` is the moment open dossiers are asked about, by default the log's last event."""
        past = 0 if as_of is None else sum(overdue(rules, d, as_of) for rules, d in self._waiting)
        return Report(
            dossiers=self._dossiers,
            events=self._events,
            ended=self._dossiers - self._open,
            open=self._open,
            open_overdue=past,
            late=self._late,
            conforming=self._dossiers - self._dirty,
            order_conforming=self._dossiers - self._out_of_order,
            time_conforming=self._dossiers - self._out_of_time,
            violations=tuple(
                RuleCount(rule, kind, n, self._counted_as.get(rule))
                for (rule, kind), n in sorted(self._broken.items(), key=lambda item: (-item[1], item[0]))
            ),
        )


def found(judgment: Judgment, end: Verdict) -> Iterator[Found]:
    """Every violation of a dossier with its place, those of the end last."""
    subject, limits = judgment.dossier.subject, judgment.rules.clock.limits

    def one(position: int, fact: Fact | None, violation: Violation) -> Found:
        limit = limits.get(violation.rule)
        return Found(subject, position, fact, violation, None if limit is None else limit.counted_as)

    revealed = sum(1 for fact in judgment.facts[:1] if fact.body.__class__ is Opened)
    for position, (fact, outcome) in enumerate(
        zip(judgment.facts, judgment.outcomes, strict=True), 1 - revealed
    ):
        for violation in outcome.violations:
            yield one(position, fact, violation)
    for violation in end.violations:
        yield one(0, None, violation)


def _revealed(facts: Sequence[Fact]) -> int:
    """How many of a dossier's facts are no events of the log, but what is known from its start."""
    if isinstance(facts, FactRows):
        return int(facts.known is not None)
    return sum(1 for fact in facts if isinstance(fact.body, Opened))
