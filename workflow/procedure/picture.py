"""What a diagram of a procedure shows: states with their roles and limits, and the moves between them, in words.

Moves from one state to another share one line. An action that may come from many states to the same target would
draw a line from each: it gets one box that names them. Moves that lead back to where they start are listed at the
state itself, or below the picture where many states have them.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.procedure.describe import MILESTONES, limit_text, name_of
from workflow.procedure.moves import edges, may_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.procedure.describe import Language, Translate
    from workflow.procedure.language import Revision
    from workflow.procedure.moves import Edge

GATHER_FROM: Final = 4
"""Sources of one action and target from which on they are gathered in one box."""
WRAP_AT: Final = 170.0
"""Width at which a text is broken, in pixels."""
NOTES_AT: Final = 640.0
"""The same for notes below the picture."""

_NARROW: Final = frozenset("iljtfrI.,;:!'|()[] ·-")
_BROAD: Final = frozenset("mwMWOQGĐ@%—→↻◆≤")


class Text(NamedTuple):
    """One line of text and its style: `head`, `title`, `plain` or `small`."""

    words: str
    style: str

    @property
    def width(self) -> float:
        """Its width in pixels, rather too much than too little: no font is at hand to measure with."""
        return width(self.words, SIZES[self.style]) * (1.1 if self.style in ("head", "title") else 1.0)


SIZES: Final = {"head": 16.0, "title": 13.0, "plain": 12.0, "small": 10.5}
LEADING: Final = 1.35
"""Height of a line of text in its size."""


class Node(NamedTuple):
    """A state, or the box of states an action is gathered from. `marks`: initial, final, end, pause, gathered."""

    key: str
    texts: tuple[Text, ...]
    loops: tuple[Text, ...]
    marks: frozenset[str]


class Arrow(NamedTuple):
    """A line between two nodes, by index, with its label."""

    source: int
    target: int
    texts: tuple[Text, ...]


class Picture(NamedTuple):
    """The nodes and arrows of a diagram. `anywhere`: actions that stay in their state, possible in many of them."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    anywhere: tuple[Text, ...]


def width(words: str, size: float) -> float:
    """The estimated width of a text in pixels. Marks that sit on another letter take no room."""
    total = 0.0
    for letter in unicodedata.normalize("NFC", words):
        if unicodedata.combining(letter):
            continue
        base = unicodedata.normalize("NFD", letter)[0]
        if unicodedata.east_asian_width(letter) in "WF":
            total += 1.05
        elif base in _NARROW:
            total += 0.43
        else:
            total += 0.98 if base in _BROAD else 0.74 if base.isupper() else 0.645
    return total * size


def height(texts: Sequence[Text]) -> float:
    """The height of some lines of text, in pixels."""
    return sum(SIZES[text.style] for text in texts) * LEADING


def picture(revision: Revision, language: Language, translate: Translate) -> Picture:
    """The diagram of a revision in words, in the order of its file."""
    graph = edges(revision)
    words = _Words(revision, language, translate)
    gathered = _gathered(graph)
    index = {state: number for number, state in enumerate(revision.states)}
    nodes = [words.state(state, graph) for state in revision.states]
    arrows = []
    for (source, target), actions in _between(graph, gathered).items():
        arrows.append(Arrow(index[source], index[target], tuple(words.moves(actions))))
    for (sources, target), actions in gathered.items():
        arrows.append(Arrow(len(nodes), index[target], tuple(words.moves(actions))))
        nodes.append(words.gathering(sources))
    return Picture(tuple(nodes), tuple(arrows), tuple(words.anywhere(graph)))


def _gathered(graph: Sequence[Edge]) -> dict[tuple[tuple[str, ...], str], list[str]]:
    """Actions by the many states they may come from and where they lead."""
    sources: dict[tuple[str, str], list[str]] = {}
    for edge in graph:
        if edge.source != edge.target:
            sources.setdefault((edge.action, edge.target), []).append(edge.source)
    found: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (action, target), many in sources.items():
        if len(many) >= GATHER_FROM:
            found.setdefault((tuple(many), target), []).append(action)
    return found


def _between(
    graph: Sequence[Edge], gathered: dict[tuple[tuple[str, ...], str], list[str]]
) -> dict[tuple[str, str], list[str]]:
    """Actions by the two states they lead between, but for those gathered."""
    apart = {(action, target) for (_, target), actions in gathered.items() for action in actions}
    found: dict[tuple[str, str], list[str]] = {}
    for edge in graph:
        if edge.source != edge.target and (edge.action, edge.target) not in apart:
            found.setdefault((edge.source, edge.target), []).append(edge.action)
    return found


def _often(graph: Sequence[Edge]) -> dict[str, list[str]]:
    """Actions that lead back to where they start in many states, with these states."""
    found: dict[str, list[str]] = {}
    for edge in graph:
        if edge.source == edge.target:
            found.setdefault(edge.action, []).append(edge.source)
    return {action: states for action, states in found.items() if len(states) >= GATHER_FROM}


class _Words(NamedTuple):
    """The texts of one revision in one language."""

    revision: Revision
    language: Language
    translate: Translate

    def state(self, name: str, graph: Sequence[Edge]) -> Node:
        state = self.revision.states[name]
        texts = list(_wrapped(name_of(state.name, name, self.language), "title"))
        if state.role:
            texts += _wrapped(state.role, "small")
        if state.limit:
            texts += _wrapped("≤ " + limit_text(self.revision, state.limit, self.translate), "small")
        for task, declared in state.tasks.items():
            texts += _wrapped("⇄ " + name_of(declared.name, task, self.language), "small")
        often = _often(graph)
        loops = [e.action for e in graph if e.source == e.target == name and e.action not in often]
        return Node(name, tuple(texts), tuple(self.moves(loops)), self._marks(name, graph))

    def moves(self, actions: Sequence[str]) -> Iterator[Text]:
        """Each action with its milestone and roles."""
        for name in actions:
            action = self.revision.actions[name]
            yield from _wrapped(name_of(action.name, name, self.language), "plain")
            notes = [", ".join(action.role)] if action.role else []
            if action.milestone:
                notes.append("◆ " + self.translate(MILESTONES[action.milestone]))
            if notes:
                yield from _wrapped(" · ".join(notes), "small")

    def gathering(self, sources: Sequence[str]) -> Node:
        names = ", ".join(name_of(self.revision.states[s].name, s, self.language) for s in sources)
        texts = tuple(_wrapped(self.translate("From: {states}").format(states=names), "small"))
        return Node("", texts, (), frozenset({"gathered"}))

    def anywhere(self, graph: Sequence[Edge]) -> Iterator[Text]:
        for action, states in _often(graph).items():
            names = ", ".join(name_of(self.revision.states[s].name, s, self.language) for s in states)
            roles = ", ".join(self.revision.actions[action].role)
            shown = name_of(self.revision.actions[action].name, action, self.language)
            yield from _wrapped(f"↻ {shown}{f' ({roles})' if roles else ''}: {names}", "small", NOTES_AT)

    def _marks(self, name: str, graph: Sequence[Edge]) -> frozenset[str]:
        pausing = (e for e in graph if e.target == name and e.source != name)
        marks = {
            "initial": name == self.revision.initial,
            "final": self.revision.states[name].final,
            "end": name in may_end(self.revision),
            "pause": any(self.revision.actions[e.action].milestone == "paused" for e in pausing),
        }
        return frozenset(mark for mark, holds in marks.items() if holds)


def _wrapped(words: str, style: str, wrap_at: float = WRAP_AT) -> Iterator[Text]:
    line = ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if line and width(longer, SIZES[style]) > wrap_at:
            yield Text(line, style)
            longer = word
        line = longer
    yield Text(line, style)
