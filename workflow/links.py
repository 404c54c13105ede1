"""Codes that are one story: which dossiers are judged together. docs/judging.md, "Linked dossiers". Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.facts import Fact, Linked
from workflow.standing import stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from workflow.facts import LinkKind
    from workflow.standing import Sources

JOINING: Final[frozenset[LinkKind]] = frozenset({"new_code", "reopened_as"})
"""Links by which one story goes on under another code. The others relate stories that stay apart."""


class Story(NamedTuple):
    """The codes of one story: `head`, under which it goes on and is counted, then the others in their order."""

    head: str
    others: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, the head first."""
        return (self.head, *self.others)


def joins(fact: Fact) -> bool:
    """Whether a fact says that its story goes on under another code."""
    body = fact.body
    return body.__class__ is Linked and body.kind in JOINING


def stories(
    sources: Sources,
    facts: Mapping[str, Sequence[Fact]],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> list[Story]:
    """The stories of these codes as of the two times, by their heads. `facts`: all facts of each code.

    A link counts while it stands: from its recorded time, from the time it takes effect, and until it is voided.
    """
    onward = {code: set(_named(sources, told, known_at, valid_at)) for code, told in facts.items()}
    group: dict[str, set[str]] = {}
    for code, others in onward.items():
        joined = set().union(*(group.get(one, {one}) for one in (code, *others)))
        group.update(dict.fromkeys(joined, joined))
    found = {id(one): one for one in group.values()}
    return sorted(_story(one, onward) for one in found.values())


def _story(codes: set[str], onward: Mapping[str, set[str]]) -> Story:
    """Its head is the code that goes on under no other; of several, or in a ring, the last in the order of codes."""
    last = [code for code in codes if not onward.get(code)] or codes
    head = max(last)
    return Story(head, tuple(sorted(codes - {head})))


def _named(
    sources: Sources, facts: Iterable[Fact], known_at: datetime | None, valid_at: datetime | None
) -> Iterator[str]:
    told = list(facts)
    if not any(map(joins, told)):
        return
    for placed in stand(sources, told, known_at, valid_at).placed:
        body = placed.fact.body
        if isinstance(body, Linked) and body.kind in JOINING:
            yield body.other
