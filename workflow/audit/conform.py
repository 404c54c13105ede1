"""Measuring a log against a procedure: every dossier folded, nothing stored.

The same `fold` as everywhere; this module only counts what it says.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from workflow.fold import fold
from workflow.verdict import end_due, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.model import Dossier, Violation, ViolationKind
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
    """One violation with its place: the event's position in its dossier (0: the end) and its fact."""

    dossier: str
    position: int
    fact: Fact | None
    violation: Violation


class Audit:
    """Counts dossiers one by one; memory grows only with those still open that a deadline waits for."""

    def __init__(
        self,
        rules: Rules,
        *,
        closes: bool = False,
        as_of: datetime | None = None,
        listen: Callable[[Iterable[Found]], None] | None = None,
    ) -> None:
        """`closes`: the log is complete. `as_of` leaves out what came later. `listen` hears each violation."""
        self._rules, self._closes, self._as_of, self._listen = rules, closes, as_of, listen
        self._broken: Counter[tuple[str, ViolationKind]] = Counter()
        self._waiting: list[Dossier] = []
        self._dossiers = self._events = self._ended = self._late = 0
        self._clean = self._in_order = self._in_time = 0

    def add(self, subject: str, facts: Sequence[Fact], events: int) -> None:
        """Judges one dossier; `events` is how many of its facts are events of the log."""
        judgment = fold(self._rules, subject, facts, valid_at=self._as_of)
        if not judgment.outcomes:
            return
        end = verdict(judgment, closes=self._closes, as_of=self._as_of)
        self._dossiers += 1
        self._events += events - (len(facts) - len(judgment.facts))
        dossier = judgment.dossier
        if end.ended_at is not None:
            self._ended += 1
            self._late += end.late
        elif judgment.rules.clock.headline(dossier.state) is not None:
            self._waiting.append(dossier)
        if dossier.broken or end.violations:
            self._add_broken(judgment, end)
        else:
            self._clean += 1
            self._in_order += 1
            self._in_time += 1

    def _add_broken(self, judgment: Judgment, end: Verdict) -> None:
        broken = {**judgment.dossier.broken, **{v.rule: v.kind for v in end.violations}}
        self._broken.update(broken.items())
        kinds = set(broken.values())
        self._in_order += "order" not in kinds
        self._in_time += "order" not in kinds and "deadline" not in kinds
        if self._listen is not None:
            self._listen(found(judgment, end))

    def report(self, as_of: datetime | None) -> Report:
        """The count so far; `as_of` is the moment open dossiers are asked about, by default the log's last event."""
        overdue = 0 if as_of is None else sum(_overdue(self._rules, d, as_of) for d in self._waiting)
        limits = self._rules.clock.limits
        return Report(
            dossiers=self._dossiers,
            events=self._events,
            ended=self._ended,
            open=self._dossiers - self._ended,
            open_overdue=overdue,
            late=self._late,
            conforming=self._clean,
            order_conforming=self._in_order,
            time_conforming=self._in_time,
            violations=tuple(
                RuleCount(rule, kind, n, limits[rule].counted_as if rule in limits else None)
                for (rule, kind), n in sorted(self._broken.items(), key=lambda item: (-item[1], item[0]))
            ),
        )


def found(judgment: Judgment, end: Verdict) -> Iterable[Found]:
    """Every violation of a dossier with its place, those of the end last."""
    subject = judgment.dossier.subject
    for position, (fact, outcome) in enumerate(zip(judgment.facts, judgment.outcomes, strict=True), 1):
        for violation in outcome.violations:
            yield Found(subject, position, fact, violation)
    for violation in end.violations:
        yield Found(subject, 0, None, violation)


def _overdue(rules: Rules, dossier: Dossier, as_of: datetime) -> bool:
    own = rules.family[dossier.revision]
    headline = own.clock.headline(dossier.state)
    if headline is None or dossier.halted:
        return False
    due = end_due(headline, dossier, as_of)
    return due is not None and headline.late(as_of, due)
