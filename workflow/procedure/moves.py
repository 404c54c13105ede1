"""The moves of a revision as a graph, and the runs through it that findings show."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from workflow.procedure.language import ENDING_MILESTONES

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def follow_target(action: Action) -> str | None:
    """Where a followed action leads: `follow_to`, or the one target of its moves; None where they only stay."""
    return action.follow_to or next((move.to for move in action.moves if move.to is not None), None)


def waiting_states(revision: Revision) -> dict[str, tuple[str, ...]]:
    """By each state that a pause leads to, the pauses it is the wait of: they are over once it is left."""
    found: dict[str, tuple[str, ...]] = {}
    for action in revision.actions.values():
        if action.milestone != "paused" or action.pause is None:
            continue
        for state in {move.to for move in action.moves} | {follow_target(action)}:
            if state is not None:
                found[state] = tuple(sorted({*found.get(state, ()), action.pause}))
    return found


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


class Runs:
    """Shortest runs from one state to every state that can be reached from it."""

    def __init__(self, graph: Iterable[Edge], start: str) -> None:
        """Searches breadth first, so that ties fall to the order of the file."""
        leaving = _leaving(graph)
        self.start = start
        self.entered: dict[str, Edge] = {}
        waiting = deque([start])
        while waiting:
            for edge in leaving.get(waiting.popleft(), ()):
                if edge.target not in self.entered:
                    self.entered[edge.target] = edge
                    waiting.append(edge.target)

    def __contains__(self, state: str) -> bool:
        return state == self.start or state in self.entered

    def to(self, state: str) -> Run:
        """A shortest run to a state that can be reached; the empty one to the start."""
        return () if state == self.start else self.back(state)

    def back(self, state: str) -> Run:
        """Like `to`, but at least one step long: to the start, a shortest loop."""
        found: list[Step] = []
        here = state
        while not found or here != self.start:
            edge = self.entered[here]
            found.append(Step(edge.action, edge.target))
            here = edge.source
        return tuple(reversed(found))

    def by(self, edge: Edge) -> Run:
        """A shortest run that ends with this move; only asked where its source can be reached."""
        return (*self.to(edge.source), Step(edge.action, edge.target))


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


def _leaving(graph: Iterable[Edge]) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in graph:
        found.setdefault(edge.source, []).append(edge)
    return found
