"""One move compiled to one function: asks its rules, takes its registers, does its effects, moves the state.

Together with `fold`, `opening` and `effects` these are the only places that change a dossier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from workflow.effects import end, leave, slip, told
from workflow.model import Dossier, Missed, Outcome, Status, Violation
from workflow.registers import Take, keep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from workflow.clocks.clock import LimitClock
    from workflow.effects import Effect
    from workflow.facts import Acted, Scalar
    from workflow.guards import Check
    from workflow.procedure.language import OnOrderBreak
    from workflow.registers import Typed

APPLIED: Final = Outcome("applied")
NOT_JUDGED: Final = Outcome("not_judged")


class Judge(Protocol):
    """A compiled move: changes the private dossier it is given, and says what became of the act."""

    def __call__(
        self, dossier: Dossier, act: Acted, at: datetime, order: Violation | None = None, /
    ) -> Outcome:
        """The outcome of `act` at its effective time; `order` is the break that is being followed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one move asks and does. `lasts`: registers that keep the last value (slot, field, typed texts), the
    common case; `takes`: the others. `slot`: where the action's times are kept, if a rule asks about them.
    `ends_by`: entering the target ends the dossier."""

    checks: tuple[Check, ...] = ()
    limits: tuple[LimitClock, ...] = ()
    lasts: tuple[tuple[int, str, Typed], ...] = ()
    takes: tuple[Take, ...] = ()
    effects: tuple[Effect, ...] = ()
    slot: int | None = None
    has_tasks: bool = False
    visited: bool = False
    ends_by: str | None = None


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """An action's moves by source state (target None: the dossier stays), what an order break does, and, by the
    state it breaks from, the plans of following it."""

    moves: Mapping[str, tuple[str | None, Plan]]
    on_order_break: OnOrderBreak
    follow: Mapping[str, tuple[str | None, Plan]] = field(default_factory=dict)


def compiled(dest: str | None, plan: Plan) -> Judge:
    """One move compiled to one function; what its plan leaves out costs nothing at the event."""
    judge = _judging(dest, plan)
    return judge if plan.checks or plan.limits or not _is_plain(plan) else _moving(dest, plan, judge)


def _is_plain(plan: Plan) -> bool:
    """Whether a move, unless it is refused, only takes last values, marks its times and moves the state."""
    return not (plan.takes or plan.effects or plan.has_tasks or plan.visited or plan.ends_by)


def _moving(dest: str | None, plan: Plan, judge: Judge) -> Judge:
    """A move that asks no rule: takes its registers and moves. Whatever is out of the common is left to `judge`."""
    lasts, slot = plan.lasts, plan.slot

    def move(dossier: Dossier, act: Acted, at: datetime, order: Violation | None = None, /) -> Outcome:
        if order is not None or act.unit or act.to or act.appointment or act.submitted_at:
            return judge(dossier, act, at, order)
        data = act.data
        try:
            for index, name, values in lasts:
                if (raw := data.get(name)) is not None:
                    dossier.registers[index] = values[raw] if raw.__class__ is str else values.of(raw)
        except ValueError:
            return judge(dossier, act, at)
        if slot is not None:
            mark(dossier, slot, at)
        if dest is not None:
            dossier.state = dest
            dossier.since = at
        return APPLIED

    return move


def _judging(dest: str | None, plan: Plan) -> Judge:  # noqa: C901 - as below
    checks, limits, effects, slot = plan.checks, plan.limits, plan.effects, plan.slot
    lasts, takes = plan.lasts, plan.takes
    arrives = plan.has_tasks or plan.visited or plan.ends_by is not None

    def judge(  # noqa: C901, PLR0912 - the hot path in one frame: a call costs more than a branch
        dossier: Dossier, act: Acted, at: datetime, order: Violation | None = None, /
    ) -> Outcome:
        """Asks every rule, then applies `act` at its effective time. `order`: the break that is being followed."""
        broken: list[Violation] | None = None if order is None else [order]
        for check in checks:
            if not check.holds(dossier, act, at):
                broken = [*(broken or ()), check.violation(dossier, act, at)]
        if broken is not None and any(c.refuses and not c.holds(dossier, act, at) for c in checks):
            slip(dossier, act, at)
            return outcome("refused", dossier, broken)
        if act.unit:
            dossier.unit = act.unit
            dossier.hours_of = dossier.hours_of or act.unit
        if act.to or act.appointment or act.submitted_at:
            told(dossier, act, at)
        if limits:
            broken = _missed(limits, dossier, at, broken)
        data = act.data
        try:
            for index, name, values in lasts if data else ():
                if (raw := data.get(name)) is not None:
                    dossier.registers[index] = values[raw] if raw.__class__ is str else values.of(raw)
        except ValueError:
            broken = [*(broken or ()), *_mistyped_lasts(lasts, dossier, data)]
        if takes and data:
            broken = _keep_each(takes, dossier, data, broken)
        if slot is not None:
            mark(dossier, slot, at)
        for effect in effects:
            violation = effect(dossier, act, at)
            if violation is not None:
                broken = [*(broken or ()), violation]
        if dest is not None:
            dossier.state = dest
            dossier.since = at
            if arrives:
                _arrive(plan, dossier, dest, at)
        return APPLIED if broken is None else outcome("applied", dossier, broken)

    return judge


def _missed(
    limits: tuple[LimitClock, ...], dossier: Dossier, at: datetime, broken: list[Violation] | None
) -> list[Violation] | None:
    """What is broken, with the limits an act at `at` comes too late for, which the dossier remembers.

    The first act of a count meets a limit that binds its action: a later one is no breach of it.
    """
    for limit in limits:
        due = limit.missed(dossier, at)
        if due is not None and not limit.met_before(dossier):
            broken = [*(broken or ()), Violation(limit.id, "deadline", due, at)]
            _miss(dossier, limit, due, at)
    return broken


def _miss(dossier: Dossier, limit: LimitClock, due: datetime, at: datetime) -> None:
    """Keeps that a limit was missed, the first time for each of its counts."""
    anchor = None if limit.counts is None else limit.anchor(dossier)
    before = dossier.missed
    if not before or not any(one.rule == limit.id and one.starts_at == anchor for one in before):
        dossier.missed = (*before, Missed(limit.id, anchor, due, at))


def mark(dossier: Dossier, slot: int, at: datetime) -> None:
    """Keeps that the action of a slot took place."""
    if dossier.firsts[slot] is None:
        dossier.firsts[slot] = at
    dossier.lasts[slot] = at
    dossier.counts[slot] += 1


def _mistyped_lasts(
    lasts: tuple[tuple[int, str, Typed], ...], dossier: Dossier, data: Mapping[str, Scalar]
) -> list[Violation]:
    """The slow way, once a value was not of its type: taking a last value twice does no harm."""
    found = []
    for slot, name, values in lasts:
        raw = data.get(name)
        if raw is None:
            continue
        try:
            dossier.registers[slot] = values.of(raw)
        except ValueError:
            found.append(_mistyped(values, raw))
    return found


def _keep_each(
    takes: tuple[Take, ...], dossier: Dossier, data: Mapping[str, Scalar], broken: list[Violation] | None
) -> list[Violation] | None:
    for take in takes:
        raw = data.get(take.field)
        if raw is None:
            continue
        try:
            keep(take, dossier.registers, raw)
        except ValueError:
            broken = [*(broken or ()), _mistyped(take.values, raw)]
    return broken


def _arrive(plan: Plan, dossier: Dossier, dest: str, at: datetime) -> None:
    if plan.has_tasks:
        leave(dossier, at)
    if plan.visited and dest not in dossier.visited:
        dossier.visited = (*dossier.visited, dest)
    if plan.ends_by is not None:
        end(dossier, at, plan.ends_by)


def break_order(dossier: Dossier, act: Acted, at: datetime, refused: Outcome, how: OnOrderBreak) -> Outcome:
    """Refuses an act out of order; where the break stops, nothing after it is judged."""
    dossier.halted = how == "stop"
    slip(dossier, act, at)
    _remember(dossier, refused.violations)
    return refused


def _mistyped(values: Typed, raw: Scalar) -> Violation:
    return Violation(f"register/{values.name}", "guard", values.kind, str(raw))


def outcome(status: Status, dossier: Dossier, broken: list[Violation]) -> Outcome:
    """An outcome with violations, which the dossier remembers by rule."""
    _remember(dossier, broken)
    return Outcome(status, tuple(broken))


def _remember(dossier: Dossier, broken: Sequence[Violation]) -> None:
    known = dossier.broken
    for violation in broken:
        if violation.rule not in known:
            known = {**known, violation.rule: violation.kind}
    dossier.broken = known
