"""Messages sent again: what says the same adds nothing, what says otherwise is a further revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from workflow.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from workflow.facts import Fact

    Kept: TypeAlias = dict[int, bytes]
    """What was said under each revision of one id."""


class Changes:
    """What is told under one id, message by message, numbered as `revised` does where nothing is known before."""

    def __init__(self) -> None:
        """Nothing is told yet."""
        self._kept: Kept = {}
        self._last = (-1, b"")

    def number(self, fact: Fact) -> int | None:
        """The revision this fact becomes; None where it says the same once more."""
        said = _said(fact)
        if (fact.revision, said) == self._last:
            return None
        self._last = fact.revision, said
        number = _given(fact.revision, said, self._kept)
        again = self._kept.get(number) == said
        self._kept[number] = said
        return None if again else number


def revised(
    facts: Iterable[Fact], known: Iterable[Fact] = (), aside: Callable[[Fact], None] = lambda _: None
) -> list[Fact]:
    """The facts of one dossier, each once, a changed one under a further revision of its id.

    `facts` in the order they were told; `known`: what is already kept of the dossier. A fact of a revision above 0 was
    given it by what its record says of its own order, and keeps it: such messages may come in any order. Of revision 0
    it comes after all that is known, so that what was told last stands, however the messages were cut into files;
    those at its beginning that repeat the end of what is known are those, read again. `aside` is told of each that is
    left out or gets another number than it came with.
    """
    kept: dict[tuple[str, str], Kept] = {}
    for fact in known:
        kept.setdefault((fact.source, fact.id), {})[fact.revision] = _said(fact)
    told: dict[tuple[str, str], list[tuple[Fact, bytes]]] = {}
    places: list[tuple[tuple[str, str], int]] = []
    for fact in facts:
        identity, said = (fact.source, fact.id), _said(fact)
        before = told.setdefault(identity, [])
        if before and before[-1][0].revision == fact.revision and before[-1][1] == said:
            aside(fact)
            continue
        places.append((identity, len(before)))
        before.append((fact, said))
    numbered = {identity: _numbered(one, kept.get(identity, {})) for identity, one in told.items()}
    for identity, place in places:
        if numbered[identity][place].revision != told[identity][place][0].revision:
            aside(told[identity][place][0])
    return [numbered[identity][place] for identity, place in places]


def _numbered(told: Sequence[tuple[Fact, bytes]], kept: Kept) -> list[Fact]:
    again = _read_again([said for _, said in told], kept)
    found: list[Fact] = []
    for place, (fact, said) in enumerate(told):
        number = (
            again[place] if not fact.revision and place < len(again) else _given(fact.revision, said, kept)
        )
        kept[number] = said
        found.append(replace(fact, revision=number))
    return found


def _given(revision: int, said: bytes, kept: Kept) -> int:
    """The number of what its record gave this one, or gave none."""
    if not revision:
        return max(kept, default=-1) + 1
    # Two messages of one moment that differ: the one read later comes behind.
    while kept.get(revision, said) != said:
        revision += 1
    return revision


def _read_again(said: list[bytes], kept: Kept) -> list[int]:
    """The last revisions that are kept, as many as what was said begins with."""
    order = sorted(kept)
    for many in range(min(len(order), len(said)), 0, -1):
        if [kept[number] for number in order[-many:]] == said[:many]:
            return order[-many:]
    return []


def _said(fact: Fact) -> bytes:
    return digest(replace(fact, revision=0, recorded_at=None))
