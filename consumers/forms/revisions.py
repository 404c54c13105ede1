"""Messages sent again: what says the same adds nothing, what says otherwise is a further revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from workflow.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.facts import Fact


def revised(facts: Iterable[Fact], known: Iterable[Fact] = ()) -> list[Fact]:
    """The facts of one dossier, each once, a changed one under the next revision of its id.

    `facts` in the order they were told, all of revision 0; `known`: what is already kept of the dossier. The same
    facts told once more give the same identities, so they add nothing. Where a record has no version of its own, a
    return to earlier words in a later reading cannot be told from the earlier message sent again, and is taken as that.
    """
    versions: dict[tuple[str, str], list[bytes]] = {}
    for fact in sorted(known, key=lambda one: one.revision):
        versions.setdefault((fact.source, fact.id), []).append(_said(fact))
    reached: dict[tuple[str, str], int] = {}
    found: list[Fact] = []
    for fact in facts:
        identity = fact.source, fact.id
        listed, said = versions.setdefault(identity, []), _said(fact)
        at = reached.get(identity, -1)
        if at >= 0 and listed[at] == said:
            continue
        # Behind the place reached, so that a value told, changed and told again is three revisions, however often read.
        place = next((n for n in range(at + 1, len(listed)) if listed[n] == said), len(listed))
        if place == len(listed):
            listed.append(said)
        reached[identity] = place
        found.append(replace(fact, revision=place))
    return found


def _said(fact: Fact) -> bytes:
    return digest(replace(fact, revision=0, recorded_at=None))
