"""The door to `transitions`: one machine per revision, never one per dossier.

The library keeps the definition (states, events, transitions); its own extension points `event_cls` and
`transition_cls` make one step cheap and give an auditor the reason of a refusal, which a stock condition cannot.
A differential test holds every (state, action) pair to the stock classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, cast

from transitions import Event, Machine, Transition

from workflow.errors import DefinitionError
from workflow.model import Outcome, Violation
from workflow.plan import ActionPlan, Plan, break_order, compiled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from workflow.facts import Acted
    from workflow.model import Dossier
    from workflow.plan import Judge
    from workflow.procedure.language import OnOrderBreak, Revision


class Step(Transition):
    """One move of the library's machine, with our checks and effects instead of its callbacks."""

    def __init__(  # noqa: PLR0913 - the library passes its callbacks by position
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
        super().__init__(source, dest)  # type: ignore[arg-type] # the library takes None: an internal move
        self.checks = plan.checks
        self.plan = plan
        self.judge = compiled(dest, plan)


class ActionEvent(Event):
    """One action of the library's machine: its move of each state, and what it comes to where it has none."""

    def __init__(self, name: str, machine: Machine) -> None:
        """Called by the library when the first move of an action is added."""
        super().__init__(name, machine)
        self.procedure = cast("ProcedureMachine", machine)
        self.rules: dict[str, Step] = {}
        self.on_order_break: OnOrderBreak = "refuse"
        self.followed: dict[str, Step] = {}
        self._refused: dict[str, Outcome] = {}

    def add_transition(self, transition: Transition) -> None:
        """Takes one move; a second one for the same state would be silently ignored by the library: refused."""
        if transition.source in self.rules:
            raise DefinitionError(
                "action {action} has two moves from state {state}",
                action=self.name,
                state=transition.source,
                reason="two_moves",
            )
        assert isinstance(transition, Step)  # noqa: S101 - the machine below makes no other
        self.rules[transition.source] = transition
        super().add_transition(transition)

    def out_of_order(self, dossier: Dossier, act: Acted, at: datetime) -> Outcome:
        """The outcome of `act` where it may not start; changes the dossier it is given."""
        state = dossier.state
        refused = self._refused.get(state)
        if refused is None:
            refused = Outcome("refused", (order_break(self.procedure, state, self.name),))
            self._refused[state] = refused
        step = self.followed.get(state)
        if step is not None:
            return step.judge(dossier, act, at, refused.violations[0])
        return break_order(dossier, act, at, refused, self.on_order_break)


class ProcedureMachine(Machine):
    """A revision as a machine without models: dossiers pass through it and leave nothing behind."""

    event_cls = ActionEvent
    transition_cls = Step

    def __init__(self, revision: Revision, plans: Mapping[str, ActionPlan]) -> None:
        """Builds states and moves; what the library would accept silently was refused by the checks."""
        super().__init__(
            model=None, states=list(revision.states), initial=revision.initial, auto_transitions=False
        )
        self.actions = cast("dict[str, ActionEvent]", self.events)
        self.unknown_stops = revision.on_order_break == "stop"
        for action, plan in plans.items():
            for source, (dest, step) in plan.moves.items():
                self.add_transition(action, source, dest, plan=step)
            event = self.actions.setdefault(action, ActionEvent(action, self))
            event.on_order_break = plan.on_order_break
            event.followed = {s: Step(s, dest, plan=step) for s, (dest, step) in plan.follow.items()}
        self.judges: dict[str, dict[str, Judge]] = {
            state: {
                action: event.rules[state].judge
                for action, event in self.actions.items()
                if state in event.rules
            }
            for state in revision.states
        }
        self.allowed = {
            state: ", ".join(action for action in plans if state in plans[action].moves) or "nothing"
            for state in revision.states
        }

    def __getattr__(self, name: str) -> NoReturn:
        """Nothing is made out of a name: the library would answer to `before_<action>` or `on_enter_<state>` and take
        a callback that these steps never call."""
        raise AttributeError(name)

    def target(self, state: str, action: str) -> str | None:
        """Where `action` leads from `state` (the state itself where it stays), None where it may not start."""
        event = self.actions.get(action)
        step = None if event is None else event.rules.get(state)
        if step is None:
            return None
        return step.dest or state

    def move(self, state: str, action: str) -> Step | None:
        """The move of `action` from `state`, be it one that follows a break of the order; None where there is none."""
        event = self.actions.get(action)
        return None if event is None else event.rules.get(state) or event.followed.get(state)

    def judge(
        self, dossier: Dossier, act: Acted, at: datetime, _order: Violation | None = None, /
    ) -> Outcome:
        """The outcome of any act at its effective time, known to the procedure or not; changes the dossier."""
        judge = self.judges[dossier.state].get(act.action)
        if judge is not None:
            return judge(dossier, act, at)
        event = self.actions.get(act.action)
        if event is not None:
            return event.out_of_order(dossier, act, at)
        refused = Outcome("refused", (order_break(self, dossier.state, act.action),))
        return break_order(dossier, act, at, refused, "stop" if self.unknown_stops else "refuse")


def order_break(machine: ProcedureMachine, state: str, action: str) -> Violation:
    """The violation `order/<action>/<state>`."""
    return Violation(f"order/{action}/{state}", "order", machine.allowed[state], action)
