"""The door to `transitions`: one machine per revision, never one per dossier.

The library keeps the definition (states, events, transitions); its own extension points `event_cls` and
`transition_cls` make one step cheap and give an auditor the reason of a refusal, which a stock condition cannot.
A differential test holds every (state, action) pair to the stock classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from transitions import Event, Machine, Transition

from workflow.effects import end, leave, slip, told
from workflow.errors import DefinitionError
from workflow.model import Dossier, Outcome, Status, Violation
from workflow.registers import Take, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from workflow.clock import LimitClock
    from workflow.effects import Effect
    from workflow.facts import Acted, Scalar
    from workflow.guards import Check
    from workflow.procedure.language import OnOrderBreak, Revision
    from workflow.registers import Typed

Execute: TypeAlias = "Callable[..., Outcome]"
APPLIED: Final = Outcome("applied")
NOT_JUDGED: Final = Outcome("not_judged")


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
    allowed: Mapping[str, str] = field(default_factory=dict)


class Step(Transition):  # type: ignore[misc] # the library is untyped
    """One move of the library's machine, with our checks and effects instead of its callbacks."""

    def __init__(  # noqa: PLR0913, PLR0917 - the library passes its callbacks by position
        self,
        source: str,
        dest: str | None,
        conditions: object = None,
        unless: object = None,
        before: object = None,
        after: object = None,
        prepare: object = None,
        *,
        plan: Plan,
    ) -> None:
        """Refuses stock callbacks: these lean steps would skip them in silence."""
        if conditions or unless or before or after or prepare:
            raise DefinitionError(
                "move from {source}: callbacks of the transitions library are not used, declare guards instead",
                source=source,
                reason="stock_callback",
            )
        super().__init__(source, dest)
        self.checks = plan.checks
        self.execute = _execution(dest, plan)


def _execution(dest: str | None, plan: Plan) -> Execute:
    """One move compiled to one function: what a plan leaves out costs nothing at the event."""
    checks, limits, effects, slot = plan.checks, plan.limits, plan.effects, plan.slot
    lasts, takes = plan.lasts, plan.takes
    asks, takes_any = bool(checks or limits), bool(lasts or takes)
    arrives = plan.has_tasks or plan.visited or plan.ends_by is not None

    def execute(dossier: Dossier, act: Acted, at: datetime, order: Violation | None = None) -> Outcome:
        """Asks every rule, then applies `act` at its effective time. `order`: the break that is being followed."""
        broken: list[Violation] | None = None if order is None else [order]
        if asks:
            for check in checks:
                if not check.holds(dossier, act, at):
                    broken = _all_broken(checks, dossier, act, at, order)
                    if any(c.refuses for c in checks if not c.holds(dossier, act, at)):
                        slip(dossier, act, at)
                        return _outcome("refused", dossier, broken)
                    break
            for limit in limits:
                due = limit.missed(dossier, at)
                if due is not None:
                    broken = [*(broken or ()), Violation(limit.id, "deadline", due, at)]
        if takes_any and (data := act.data):
            try:
                registers = dossier.registers
                for index, name, values in lasts:
                    raw = data.get(name)
                    if raw is not None:
                        registers[index] = values[raw] if raw.__class__ is str else values.of(raw)  # type: ignore[index]
            except ValueError:
                broken = [*(broken or ()), *_mistyped_lasts(lasts, dossier, act.data)]
            if takes:
                broken = _keep_each(takes, dossier, act.data, broken)
        if slot is not None:
            if dossier.firsts[slot] is None:
                dossier.firsts[slot] = at
            dossier.lasts[slot] = at
            dossier.counts[slot] += 1
        if effects:
            for effect in effects:
                violation = effect(dossier, act, at)
                if violation is not None:
                    broken = [*(broken or ()), violation]
        if act.unit or act.to or act.appointment or act.submitted_at:
            told(dossier, act, at)
        if dest is not None:
            dossier.state = dest
            dossier.since = at
            if arrives:
                _arrive(plan, dossier, dest, at)
        return APPLIED if broken is None else _outcome("applied", dossier, broken)

    return execute


def _all_broken(
    checks: tuple[Check, ...], dossier: Dossier, act: Acted, at: datetime, order: Violation | None
) -> list[Violation]:
    found = [check.violation(dossier, act, at) for check in checks if not check.holds(dossier, act, at)]
    return found if order is None else [order, *found]


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


class ActionEvent(Event):  # type: ignore[misc] # the library is untyped
    """One action of the library's machine: finds the move of the present state, or breaks the order."""

    def __init__(self, name: str, machine: Machine) -> None:
        """Called by the library when the first move of an action is added."""
        super().__init__(name, machine)
        self.rules: dict[str, Step] = {}
        self.on_order_break: OnOrderBreak = "refuse"
        self.followed: dict[str, Step] = {}

    def add_transition(self, transition: Step) -> None:
        """Takes one move; a second one for the same state would be silently ignored by the library: refused."""
        if transition.source in self.rules:
            raise DefinitionError(
                "action {action} has two moves from state {state}",
                action=self.name,
                state=transition.source,
                reason="two_moves",
            )
        self.rules[transition.source] = transition
        super().add_transition(transition)

    def trigger(self, dossier: Dossier, act: Acted, at: datetime) -> Outcome:
        """The outcome of `act` at its effective time; changes the dossier it is given."""
        step = self.rules.get(dossier.state)
        if step is not None:
            return step.execute(dossier, act, at)
        broken = order_break(self.machine, dossier.state, self.name)
        step = self.followed.get(dossier.state)
        if step is not None:
            return step.execute(dossier, act, at, broken)
        return break_order(dossier, act, at, broken, self.on_order_break)


class ProcedureMachine(Machine):  # type: ignore[misc] # the library is untyped
    """A revision as a machine without models: dossiers pass through it and leave nothing behind."""

    event_cls = ActionEvent
    transition_cls = Step

    def __init__(self, revision: Revision, plans: Mapping[str, ActionPlan]) -> None:
        """Builds states and moves; what the library would accept silently was refused by the checks."""
        super().__init__(
            model=None, states=list(revision.states), initial=revision.initial, auto_transitions=False
        )
        self.unknown_stops = revision.on_order_break == "stop"
        for action, plan in plans.items():
            for source, (dest, step) in plan.moves.items():
                self.add_transition(action, source, dest, plan=step)
            event = self.events.setdefault(action, ActionEvent(action, self))
            event.on_order_break = plan.on_order_break
            event.followed = {s: Step(s, dest, plan=step) for s, (dest, step) in plan.follow.items()}
        self.allowed = {
            state: ", ".join(action for action in plans if state in plans[action].moves) or "nothing"
            for state in revision.states
        }

    def target(self, state: str, action: str) -> str | None:
        """Where `action` leads from `state` (the state itself where it stays), None where it may not start."""
        event = self.events.get(action)
        step = None if event is None else event.rules.get(state)
        if step is None:
            return None
        return state if step.dest is None else str(step.dest)

    def act(self, dossier: Dossier, act: Acted, at: datetime) -> Outcome:
        """The outcome of any act, known to the procedure or not."""
        event = self.events.get(act.action)
        if event is not None:
            outcome: Outcome = event.trigger(dossier, act, at)
            return outcome
        broken = order_break(self, dossier.state, act.action)
        return break_order(dossier, act, at, broken, "stop" if self.unknown_stops else "refuse")


def order_break(machine: Any, state: str, action: str) -> Violation:  # noqa: ANN401 - the library is untyped
    """The violation `order/<action>/<state>`."""
    return Violation(f"order/{action}/{state}", "order", machine.allowed[state], action)


def break_order(dossier: Dossier, act: Acted, at: datetime, broken: Violation, how: OnOrderBreak) -> Outcome:
    """Refuses an act out of order; where the break stops, nothing after it is judged."""
    dossier.halted = how == "stop"
    slip(dossier, act, at)
    return _outcome("refused", dossier, [broken])


def _mistyped(values: Typed, raw: Scalar) -> Violation:
    return Violation(f"register/{values.name}", "guard", values.kind, str(raw))


def _outcome(status: Status, dossier: Dossier, broken: list[Violation]) -> Outcome:
    new = {v.rule: v.kind for v in broken if v.rule not in dossier.broken}
    if new:
        dossier.broken = {**dossier.broken, **new}
    return Outcome(status, tuple(broken))
