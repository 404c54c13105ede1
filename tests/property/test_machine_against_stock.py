"""Every (state, action) pair of a revision's machine, beside the stock classes of the `transitions` library."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from searching import examples
from strategies_facts import START, SUBJECT
from strategies_procedures import procedure
from transitions import Machine, MachineError

from workflow.clocks.calendar import read_calendars
from workflow.errors import DefinitionError
from workflow.facts import Acted
from workflow.plan import Plan
from workflow.procedure.reader import read_procedures
from workflow.rules import compile_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workflow.clocks.calendar import Calendar
    from workflow.procedure.language import Move, Revision
    from workflow.rules import Rules

RANDOM_PROCEDURES = examples(1_500)
FOLDERS = ("processes", "examples", "tests/histories")
CALLBACKS = ("conditions", "unless", "before", "after", "prepare")


class Model:
    """What the stock machine moves."""

    state: str


def pairs(revision: Revision) -> Iterator[tuple[str, str]]:
    for state in revision.states:
        for action in revision.actions:
            yield state, action


def stock_targets(revision: Revision) -> dict[tuple[str, str], str | None]:
    """Where each action leads from each state by the stock classes, None where they raise MachineError."""
    model = Model()
    machine = Machine(
        model=model,
        states=list(revision.states),
        initial=revision.initial,
        auto_transitions=False,
        transitions=[
            {"trigger": name, "source": source, "dest": move.to}
            for name, action in revision.actions.items()
            for move in action.moves
            for source in starts_from(move, revision)
        ],
    )
    found: dict[tuple[str, str], str | None] = {}
    for state, action in pairs(revision):
        machine.set_state(state, model)
        found[state, action] = stepped(machine, model, action)
    return found


def starts_from(move: Move, revision: Revision) -> list[str]:
    if move.sources != "any":
        return list(move.sources)
    inner = [name for name, state in revision.states.items() if not state.final]
    return [name for name in inner if name != revision.initial]


def stepped(machine: Machine, model: Model, action: str) -> str | None:
    """The state after a step of the stock machine; an action that no move names is no event of it at all."""
    if action not in machine.events:
        return None
    try:
        assert machine.events[action].trigger(model)
    except MachineError:
        return None
    return model.state


def bare(revision: Revision) -> Revision:
    """The revision's moves alone: nothing but the order can refuse."""
    return replace(
        revision,
        on_order_break="refuse",
        guards={},
        limits={},
        ends={},
        pauses={},
        phases={},
        states={
            name: replace(state, guards=(), tasks={}, limit=None) for name, state in revision.states.items()
        },
        actions={
            name: replace(
                action,
                role=(),
                guards=(),
                milestone=None,
                pause=None,
                extends={},
                on_order_break="refuse",
                moves=tuple(replace(move, guards=()) for move in action.moves),
            )
            for name, action in revision.actions.items()
        },
    )


def target_by_a_step(rules: Rules, state: str, action: str) -> str | None:
    """The state after one act on a dossier in `state`, None where it is refused."""
    dossier = rules.start(SUBJECT)
    dossier.state = state
    outcome = rules.machine.judge(dossier, Acted(action=action), START)
    if outcome.status == "refused":
        assert dossier.state == state
        return None
    return dossier.state


def assert_alike(revision: Revision, calendars: Mapping[str, Calendar] | None = None) -> None:
    expected = stock_targets(revision)
    machine = compile_rules(revision, calendars).machine
    rules = compile_rules(bare(revision), calendars)

    assert {pair: machine.target(*pair) for pair in pairs(revision)} == expected
    assert {pair: target_by_a_step(rules, *pair) for pair in pairs(revision)} == expected


def test_every_procedure_of_the_repository_moves_like_the_stock_machine(root: Path) -> None:
    revisions = [r for folder in FOLDERS for r in found_below(root / folder)]

    calendars = read_calendars(root / "processes" / "calendars")

    assert revisions
    for revision in revisions:
        assert_alike(revision, calendars)


def found_below(folder: Path) -> tuple[Revision, ...]:
    """The procedures of a folder that may hold none yet."""
    try:
        return read_procedures(folder)
    except DefinitionError as error:
        assert error.code == "no_procedure"  # noqa: PT017 - any other is a broken file
        return ()


@pytest.mark.parametrize("tenth", range(10))
def test_random_procedures_move_like_the_stock_machine(tenth: int) -> None:
    for seed in range(tenth, RANDOM_PROCEDURES, 10):
        assert_alike(procedure(Random(seed)))


def test_an_action_the_procedure_does_not_know_leads_nowhere() -> None:
    machine = compile_rules(procedure(Random(1))).machine

    assert machine.target("s0", "no_such_action") is None


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_stock_callback_on_a_move_is_refused(callback: str) -> None:
    """Lean steps would skip it in silence."""
    machine = compile_rules(procedure(Random(1))).machine

    with pytest.raises(DefinitionError, match="callbacks") as refused:
        machine.add_transition("a_new", "s0", "s1", plan=Plan(), **{callback: "ask"})
    assert refused.value.code == "stock_callback"


@pytest.mark.parametrize("name", ["before_a0", "after_a0", "prepare_a0", "on_enter_s1", "on_exit_s0"])
def test_a_stock_callback_by_name_finds_nothing_to_hang_on(name: str) -> None:
    machine = compile_rules(procedure(Random(1))).machine

    assert not hasattr(machine, name)
    assert hasattr(Machine(states=["s0", "s1"], transitions=[["a0", "s0", "s1"]], initial="s0"), name)


def test_a_second_move_for_one_state_and_action_is_refused() -> None:
    """The library would keep it and never take it."""
    machine = compile_rules(procedure(Random(1))).machine
    machine.add_transition("a_new", "s0", "s1", plan=Plan())

    with pytest.raises(DefinitionError) as refused:
        machine.add_transition("a_new", "s0", "s0", plan=Plan())
    assert refused.value.code == "two_moves"


def test_the_machine_has_the_actions_of_the_procedure_and_none_of_its_own() -> None:
    revision = procedure(Random(1))
    machine = compile_rules(revision).machine

    assert list(machine.events) == list(revision.actions)


def test_a_dossier_passes_through_the_machine_and_stays_a_plain_value() -> None:
    rules = compile_rules(procedure(Random(1)))
    dossier = rules.start(SUBJECT)
    rules.machine.judge(dossier, Acted(action="a0"), START)

    assert rules.machine.models == []
    assert not any(hasattr(dossier, name) for name in ("trigger", "a0", "may_a0", "is_s0", "to_s0"))
