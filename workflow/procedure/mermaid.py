"""The diagram of a procedure as Mermaid text (stateDiagram-v2), for pages that draw it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.procedure.describe import limit_text, name_of
from workflow.procedure.moves import edges, may_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.procedure.describe import Language, Translate
    from workflow.procedure.language import Revision

_SPECIAL: Final = frozenset('#";:<>{}`%\n')


def mermaid(revision: Revision, language: Language, translate: Translate) -> str:
    """The state machine as Mermaid text: every move is one line, states carry name, role and limit."""
    return "\n".join(
        ["stateDiagram-v2", *(f"    {line}" for line in _body(revision, language, translate)), ""]
    )


def _body(revision: Revision, language: Language, translate: Translate) -> Iterator[str]:
    for name, state in revision.states.items():
        shown = [name_of(state.name, name, language)]
        shown += [state.role] if state.role else []
        shown += ["≤ " + limit_text(revision, state.limit, translate)] if state.limit else []
        yield f'state "{"<br/>".join(_plain(text) for text in shown)}" as {_id(name)}'
    yield f"[*] --> {_id(revision.initial)}"
    for edge in edges(revision):
        action = revision.actions[edge.action]
        roles = f" ({', '.join(action.role)})" if action.role else ""
        label = _plain(name_of(action.name, edge.action, language) + roles)
        yield f"{_id(edge.source)} --> {_id(edge.target)} : {label}"
    for name in may_end(revision):
        yield f"{_id(name)} --> [*]"


def _id(name: str) -> str:
    """A name Mermaid takes for no word of its own: some states are called `end` or `note`, some have a hyphen."""
    return "s_" + name.replace("-", "__")


def _plain(text: str) -> str:
    """A text without the characters that end a label or begin markup, each as the number of its character."""
    return "".join(f"#{ord(sign)};" if sign in _SPECIAL else sign for sign in text)
