"""Measuring a log against a procedure: every dossier folded, nothing stored.

The same `fold` as everywhere; this module only counts what it says.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET, Struct, UnsetType

from workflow.audit.promises import Appointments, Promises
from workflow.factrows import FactRows
from workflow.facts import Opened
from workflow.fold import fold
from workflow.model import ViolationKind
from workflow.situations import Course, Situations
from workflow.verdict import goes_on, overdue, verdict

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
    `conforming`: none at all. `appointments`: there where a dossier has one."""

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
    appointments: Appointments | UnsetType = UNSET


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
        self._broken: dict[tuple[tuple[str, ViolationKind], ...], int] = {}
        self._rules: dict[str, Rules] = {}
        self._situations: dict[Rules, Situations] = {}
        self._promises = Promises()
        self._waiting: list[tuple[Rules, Dossier]] = []
        self._dossiers = self._events = self._open = self._late = 0

    def add(self, rules: Rules, subject: str, facts: Sequence[Fact]) -> None:
        """Judges one dossier. What is only known of it from the start is no event."""
        if isinstance(facts, FactRows) and facts.shared and self._count_alike(rules, facts):
            return
        judgment = fold(rules, subject, facts, valid_at=self._as_of)
        if not judgment.outcomes:
            return
        closes = self._closes and (self._as_of is None or not goes_on(facts, self._as_of))
        end = verdict(judgment, closes=closes, as_of=self._as_of)
        dossier = judgment.dossier
        if dossier.appointments:
            self._promises.add(judgment.rules, dossier, end.ended_at)
        broken = (*dossier.broken.items(), *end.broken)
        known = facts.known is not None if isinstance(facts, FactRows) else _revealed(judgment.facts)
        open_one = dossier if end.ended_at is None else None
        whole = Course(broken, end.ended_at, end.late, open_one)
        self._count(judgment.rules, whole, len(judgment.outcomes) - known)
        if broken and self._listen is not None:
            self._listen(found(judgment, end))

    def _count_alike(self, rules: Rules, rows: FactRows) -> bool:
        """Counts a dossier by what equal situations of others have shown; False where it must be folded."""
        if rows.known is not None or (self._as_of is not None and goes_on(rows, self._as_of)):
            return False
        situations = self._situations.get(rules)
        if situations is None:
            situations = self._situations[rules] = Situations(rules)
        course = situations.course(rows, closes=self._closes)
        if course is None or (course.broken and self._listen is not None):
            return False
        self._count(rules, course, len(rows.rows))
        return True

    def _count(self, rules: Rules, course: Course, events: int) -> None:
        self._dossiers += 1
        self._events += events
        if course.late:
            self._late += 1
        dossier = course.dossier
        if dossier is not None:
            self._open += 1
            if dossier.phases or rules.endings[dossier.state].headline is not None:
                self._waiting.append((rules, dossier))
        if course.broken:
            # Few combinations recur; `report` takes them apart.
            self._rules = rules.family
            self._broken[course.broken] = self._broken.get(course.broken, 0) + 1

    def report(self, as_of: datetime | None) -> Report:
        """The count so far; `as_of` is the moment open dossiers are asked about, by default the log's last event."""
        past = 0 if as_of is None else sum(overdue(rules, d, as_of) for rules, d in self._waiting)
        dossiers: Counter[tuple[str, ViolationKind]] = Counter()
        unordered = untimely = broken = 0
        for together, count in self._broken.items():
            rules = dict(together)
            dossiers.update(dict.fromkeys(rules.items(), count))
            broken += count
            unordered += count * ("order" in rules.values())
            untimely += count * (not {"order", "deadline"}.isdisjoint(rules.values()))
        return Report(
            dossiers=self._dossiers,
            events=self._events,
            ended=self._dossiers - self._open,
            open=self._open,
            open_overdue=past,
            late=self._late,
            conforming=self._dossiers - broken,
            order_conforming=self._dossiers - unordered,
            time_conforming=self._dossiers - untimely,
            violations=tuple(
                RuleCount(rule, kind, count, self._counted_as(rule))
                for (rule, kind), count in sorted(dossiers.items(), key=lambda one: (-one[1], one[0]))
            ),
            appointments=self._promises.report(as_of) or UNSET,
        )

    def _counted_as(self, rule: str) -> str | None:
        limits = (rules.clock.limits.get(rule) for rules in self._rules.values())
        return next((limit.counted_as for limit in limits if limit is not None), None)


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
