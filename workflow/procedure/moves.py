"""The moves of a revision as a graph, and the runs through it that findings show."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from workflow.procedure.language import ENDING_MILESTONES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from workflow.procedure.language import Action, Move, OnOrderBreak, Revision


class Edge(NamedTuple):
    """One move from one state, the `move`-th of its action. `stays`: it names no target, so no new visit."""

    source: str
    action: str
    target: str
    move: int
    stays: bool


class Step(NamedTuple):
    """One step of a run: the action taken and the state it leads to."""

    action: str
    state: str


Run: TypeAlias = tuple[Step, ...]
"""Steps from the initial state on."""


def sources_of(move: Move, revision: Revision) -> tuple[str, ...]:
    """The states a move may start from; `any` stands for all but the initial and the final ones."""
    if move.sources != "any":
        return tuple(move.sources)
    return tuple(s for s, state in revision.states.items() if not state.final and s != revision.initial)


def on_order_break(action: Action, revision: Revision) -> OnOrderBreak:
    """What an action out of order does: what it says itself; else a milestone is followed, any other action does
    what the revision says."""
    return action.on_order_break or ("follow" if action.milestone else revision.on_order_break)


def edges(revision: Revision) -> tuple[Edge, ...]:
    """Every move between declared states, in the order of the file."""
    return tuple(
        Edge(source, name, move.to or source, index, move.to is None)
        for name, action in revision.actions.items()
        for index, move in enumerate(action.moves)
        for source in sources_of(move, revision)
        if source in revision.states and (move.to is None or move.to in revision.states)
    )


def may_end(revision: Revision) -> tuple[str, ...]:
    """The states a dossier may end in: final ones, and those listed under `ends`."""
    return tuple(s for s, state in revision.states.items() if state.final or s in revision.ends)


def ends_by(revision: Revision, edge: Edge) -> bool:
    """Whether a move ends the dossier: by its milestone or by its final target."""
    target = revision.states[edge.target]
    return revision.actions[edge.action].milestone in ENDING_MILESTONES or (target.final and not edge.stays)


def runs(revision: Revision, graph: Iterable[Edge]) -> dict[str, Run]:
    """Every state that can be reached, each with a shortest run to it; the initial state has the empty run."""
    leaving = _leaving(graph)
    if revision.initial not in revision.states:
        return {}
    found: dict[str, Run] = {revision.initial: ()}
    waiting = deque([revision.initial])
    while waiting:
        here = waiting.popleft()
        for edge in leaving.get(here, ()):
            if edge.target not in found:
                found[edge.target] = (*found[here], Step(edge.action, edge.target))
                waiting.append(edge.target)
    return found


def way(graph: Iterable[Edge], start: str, goal: str) -> Run | None:
    """A shortest run from one state to another, at least one step long; None where there is none."""
    leaving = _leaving(graph)
    found: dict[str, Run] = {start: ()}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for edge in leaving.get(here, ()):
            run = (*found[here], Step(edge.action, edge.target))
            if edge.target == goal:
                return run
            if edge.target not in found:
                found[edge.target] = run
                waiting.append(edge.target)
    return None


def reaching(graph: Iterable[Edge], goals: Iterable[str]) -> frozenset[str]:
    """The states from which one of `goals` can be reached, these included."""
    entering: dict[str, list[str]] = {}
    for edge in graph:
        entering.setdefault(edge.target, []).append(edge.source)
    found = set(goals)
    waiting = deque(sorted(found))
    while waiting:
        new = [source for source in entering.get(waiting.popleft(), ()) if source not in found]
        found.update(new)
        waiting.extend(new)
    return frozenset(found)


def loop(graph: Collection[Edge], states: Iterable[str]) -> tuple[str, Run] | None:
    """A shortest loop through the first of `states` that lies on one: that state and the run back to it."""
    for state in states:
        if (back := way(graph, state, state)) is not None:
            return state, back
    return None


def _leaving(graph: Iterable[Edge]) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in graph:
        found.setdefault(edge.source, []).append(edge)
    return found
