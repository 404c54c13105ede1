"""Where a dossier keeps what its procedure asks about: one slot per register and per action that a rule names.

Derived once per revision, so that the fold reads lists by index and keeps only the times some rule needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.procedure.moves import waiting_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.procedure.language import Binds, Limit, Predicate, Revision


class Layout(NamedTuple):
    """Slots of a revision. `registers` and `actions` give indexes into the dossier's lists; `actors` are the
    actions whose actors are remembered (four eyes); `visited`: whether entered states are remembered; `waiting`: by
    state, the pauses that end at the latest when it is left."""

    registers: dict[str, int]
    actions: dict[str, int]
    actors: frozenset[str]
    visited: bool
    waiting: dict[str, tuple[str, ...]]


def layout(revision: Revision) -> Layout:
    """The slots of a revision, in the order of its file, so that the same file gives the same bytes."""
    predicates = [part for guard in revision.guards.values() for part in parts(guard.requires)]
    named = {action for limit in limits(revision).values() for action in _limit_actions(limit)}
    for predicate in predicates:
        if predicate.times:
            named.add(predicate.times.action)
        if predicate.within:
            named.add(predicate.within.after)
    return Layout(
        registers={name: index for index, name in enumerate(revision.registers)},
        actions={name: index for index, name in enumerate(a for a in revision.actions if a in named)},
        actors=frozenset(action for p in predicates for action in p.four_eyes or ()),
        visited=any(p.after_state or p.before_state for p in predicates),
        waiting=waiting_states(revision),
    )


def limits(revision: Revision) -> dict[str, Limit]:
    """Every limit of a revision by its rule id: those declared by name, `step/<state>` and `task/<state>/<task>`."""
    found = dict(revision.limits)
    for state_id, state in revision.states.items():
        if state.limit:
            found[f"step/{state_id}"] = state.limit
        for task_id, task in state.tasks.items():
            if task.limit:
                found[f"task/{state_id}/{task_id}"] = task.limit
    return found


def parts(predicate: Predicate) -> Iterator[Predicate]:
    """A predicate and all it is combined of."""
    yield predicate
    for inner in (*(predicate.all or ()), *(predicate.any or ())):
        yield from parts(inner)
    if predicate.negated:
        yield from parts(predicate.negated)


def bound_actions(binds: Binds | None) -> tuple[str, ...]:
    """The actions a limit names as those it binds; none for one of all actions."""
    if binds is None:
        return ()
    single = () if binds.action is None else (binds.action,)
    return single if binds.actions is None or binds.actions == "any" else single + tuple(binds.actions)


def _limit_actions(limit: Limit) -> Iterator[str]:
    """What a limit counts from, and what meets it."""
    yield from bound_actions(limit.binds)
    if limit.starts and limit.starts.action:
        yield limit.starts.action
