"""Random small procedures, drawn from a `random.Random`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Counting,
    End,
    Guard,
    Limit,
    Move,
    Names,
    OneOf,
    Operand,
    Pause,
    Predicate,
    Register,
    Revision,
    State,
    Times,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

ROLES = ("clerk", "head")
MILESTONES = ("received", "issued", "ready", "returned", "rejected", "withdrawn", "stopped", "extended")


def chance(rng: Random, percent: int) -> bool:
    """True so often in a hundred."""
    return rng.randrange(100) < percent


def procedure(rng: Random) -> Revision:
    """A procedure of 2 to 6 states in which each state is reached and each leads to the last."""
    states = [f"s{number}" for number in range(rng.randint(2, 6))]
    actions = [f"a{number}" for number in range(rng.randint(1, 7))]
    registers = _registers(rng, actions)
    sums: dict[str, tuple[str, ...]] = (
        {"together": ("paid", "owed")} if {"paid", "owed"} <= set(registers) else {}
    )
    guards = {f"g{n}": _guard(rng, states, actions, registers, sums) for n in range(rng.randrange(4))}
    last_is_final = chance(rng, 75)
    return Revision(
        procedure="1.000001",
        revision="1",
        name=Names(vi="Thử", en="Trial"),
        figures="sample",
        zone="Asia/Ho_Chi_Minh",
        initial=states[0],
        on_order_break=rng.choice(("refuse", "refuse", "follow", "stop")),
        states={
            state: State(
                role="clerk",
                final=last_is_final and state == states[-1],
                limit=Limit(counts="hours", within=rng.randint(0, 4)) if chance(rng, 15) else None,
                guards=_some(rng, guards) if chance(rng, 20) else (),
            )
            for state in states
        },
        actions=_actions(rng, states, actions, guards),
        counting={"hours": Counting(unit="elapsed_hours", reaching=rng.choice(("late", "in_time")))},
        registers=registers,
        sums=sums,
        guards=guards,
        limits={f"l{number}": _limit(rng, states, actions) for number in range(rng.randrange(4))},
        ends=_ends(rng, states, actions, guards, last_is_final=last_is_final),
    )


def with_pauses(rng: Random, revision: Revision) -> Revision:
    """The same procedure, some of whose plain steps begin or end one of two pauses, wherever they lead; no limit stops
    for them, since the naive model knows no stops."""
    told = {
        name: replace(
            action, milestone=rng.choice(("paused", "resumed")), pause=rng.choice(("papers", "fee"))
        )
        if action.milestone is None and chance(rng, 70)
        else action
        for name, action in revision.actions.items()
    }
    states = {
        name: replace(state, limit=replace(state.limit, stops_for="none")) if state.limit else state
        for name, state in revision.states.items()
    }
    limits = {name: replace(limit, stops_for="none") for name, limit in revision.limits.items()}
    pauses = {"papers": Pause(), "fee": Pause()}
    return replace(revision, actions=told, states=states, limits=limits, pauses=pauses)


def _some(rng: Random, names: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in names if chance(rng, 40))


def _registers(rng: Random, actions: list[str]) -> dict[str, Register]:
    found = {}
    for name, kind in (("kind", "text"), ("paid", "money"), ("owed", "money"), ("points", "integer")):
        if chance(rng, 30):
            continue
        keeps = ("last", "first") if kind == "text" else ("last", "first", "sum")
        keep = rng.choice(keeps)
        initial = {"text": "plain", "money": "0.50", "integer": "1"}[kind]
        found[name] = Register(
            type=kind,  # type: ignore[arg-type]
            keep=keep,  # type: ignore[arg-type]
            source=f"x_{name}" if chance(rng, 30) else None,
            actions=tuple(rng.sample(actions, 1)) if chance(rng, 20) else None,
            initial=initial if chance(rng, 30) else None,
        )
    if chance(rng, 40):
        found["told"] = Register(
            type="integer", keep="count", source="points", initial="0" if chance(rng, 50) else None
        )
    return found


def _actions(
    rng: Random, states: list[str], actions: list[str], guards: dict[str, Guard]
) -> dict[str, Action]:
    """Every state but the last is led on by some action, so that the last is reached; others wander."""
    leads: dict[str, dict[str, str | None]] = {name: {} for name in actions}
    for here, following in pairwise(states):
        leads[rng.choice(actions)][here] = following
    for name in actions:
        for here in states:
            if here not in leads[name] and (chance(rng, 15) or not leads[name]):
                leads[name][here] = rng.choice([*states, None])
    declared = {name: _action(rng, leads[name], guards) for name in actions}
    if chance(rng, 30):
        anywhere = Move(sources="any", to=rng.choice([*states, None]))
        declared["a_anywhere"] = replace(_action(rng, {}, guards), moves=(anywhere,))
    return declared


def _action(rng: Random, leads: dict[str, str | None], guards: dict[str, Guard]) -> Action:
    targets = list(dict.fromkeys(leads.values()))
    moves = tuple(
        Move(
            sources=tuple(here for here in leads if leads[here] == target),
            to=target,
            guards=_some(rng, guards) if chance(rng, 40) else (),
        )
        for target in targets
    )
    return Action(
        moves=moves,
        role=tuple(rng.sample(ROLES, rng.randint(1, 2))) if chance(rng, 40) else (),
        on_role_break=rng.choice(("refuse", "record")),
        milestone=rng.choice(MILESTONES) if chance(rng, 40) else None,  # type: ignore[arg-type]
        guards=_some(rng, guards) if chance(rng, 40) else (),
        on_order_break=rng.choice(("refuse", "follow", "stop")) if chance(rng, 40) else None,
        follow_to=rng.choice([to for to in targets if to] or [None]) if len(targets) > 1 else None,
    )


def _guard(
    rng: Random,
    states: list[str],
    actions: list[str],
    registers: dict[str, Register],
    sums: dict[str, tuple[str, ...]],
) -> Guard:
    return Guard(
        requires=_predicate(rng, states, actions, registers, sums, depth=2),
        on_break=rng.choice(("refuse", "record")),
    )


def _predicate(
    rng: Random,
    states: list[str],
    actions: list[str],
    registers: dict[str, Register],
    sums: dict[str, tuple[str, ...]],
    *,
    depth: int,
    at_end: bool = False,
) -> Predicate:
    def deeper() -> Predicate:
        return _predicate(rng, states, actions, registers, sums, depth=depth - 1, at_end=at_end)

    kinds = ["times", "after_state", "before_state"]
    kinds += [] if at_end or len(actions) < 2 else ["four_eyes"]
    kinds += ["compare", "compare", "present", "one_of"] if registers else []
    kinds += ["all", "any", "not"] if depth else []
    match rng.choice(kinds):
        case "times":
            return Predicate(times=Times(action=rng.choice(actions), fewer_than=rng.randint(0, 3)))
        case "after_state":
            return Predicate(after_state=tuple(rng.sample(states, rng.randint(1, 2))))
        case "before_state":
            return Predicate(before_state=tuple(rng.sample(states, rng.randint(1, 2))))
        case "four_eyes":
            return Predicate(four_eyes=tuple(actions))
        case "present":
            return Predicate(present=_operand(rng, rng.choice(list(registers)), at_end=at_end))
        case "one_of":
            name = rng.choice(list(registers))
            return Predicate(
                one_of=OneOf(value=Operand(register=name), values=_constants(registers[name].type)[:2])
            )
        case "all":
            return Predicate(all=(deeper(), deeper()))
        case "any":
            return Predicate(any=(deeper(), deeper()))
        case "not":
            return Predicate(negated=deeper())
        case _:
            return _comparison(rng, registers, sums, at_end=at_end)


def _comparison(
    rng: Random, registers: dict[str, Register], sums: dict[str, tuple[str, ...]], *, at_end: bool
) -> Predicate:
    name = rng.choice(list(registers))
    kind = registers[name].type
    left = _operand(rng, name, at_end=at_end)
    alike = [other for other, register in registers.items() if register.type == kind and other != name]
    right: str | Operand = rng.choice(_constants(kind))
    if alike and chance(rng, 40):
        right = Operand(register=rng.choice(alike))
    if kind == "money" and sums and chance(rng, 40):
        left = Operand(sum=rng.choice(("together", ("paid", "owed"))))
    pair = (left, right) if chance(rng, 80) else (right, left)
    if kind == "text":
        return Predicate(equals=pair)
    match rng.randrange(4):
        case 0:
            return Predicate(equals=pair)
        case 1:
            return Predicate(at_most=pair)
        case 2:
            return Predicate(less_than=pair)
        case _:
            return Predicate(at_least=pair)


def _operand(rng: Random, name: str, *, at_end: bool) -> Operand:
    if not at_end and chance(rng, 25):
        return Operand(data=name)
    return Operand(register=name)


def _constants(kind: str) -> tuple[str, ...]:
    return {"text": ("plain", "grave", "x"), "money": ("0.5", "1.00", "2.30"), "integer": ("0", "1", "3")}[
        kind
    ]


def _limit(rng: Random, states: list[str], actions: list[str]) -> Limit:
    binds = rng.choice(
        (
            Binds(action=rng.choice(actions)),
            Binds(actions=tuple(rng.sample(actions, rng.randint(1, len(actions))))),
            Binds(actions="any"),
            Binds(end="any"),
            Binds(state=rng.choice(states)),
        )
    )
    starts = (
        Anchor(action=rng.choice(actions), which=rng.choice(("first", "last"))) if chance(rng, 80) else None
    )
    return Limit(
        counts="hours",
        within=rng.randint(0, 5),
        binds=binds,
        starts=starts,
    )


def _ends(
    rng: Random, states: list[str], actions: list[str], guards: dict[str, Guard], *, last_is_final: bool
) -> dict[str, End]:
    """Where it may end and on what conditions; adds guards for them that ask for no event."""
    ends = {}
    for state in states:
        if (state == states[-1] and not last_is_final) or chance(rng, 20):
            ends[state] = End(requires=tuple(_end_guards(rng, states, actions, guards)))
    return ends


def _end_guards(
    rng: Random, states: list[str], actions: list[str], guards: dict[str, Guard]
) -> Iterator[str]:
    for _ in range(rng.randrange(3)):
        name = f"e{len(guards)}"
        guards[name] = Guard(requires=_predicate(rng, states, actions, {}, {}, depth=1, at_end=True))
        yield name
