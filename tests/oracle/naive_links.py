"""Which codes are one story, by going through all links again and again. No code is shared with the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle.naive_fold import settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from oracle.naive_order import Plain
    from workflow.facts import Fact


def stories(
    facts: Iterable[Fact],
    sources: Mapping[str, Plain],
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> list[list[str]]:
    """The codes of each story, the one it goes on under first, the others sorted; all sorted."""
    told = list(facts)
    pairs: list[tuple[str, str]] = []
    for code in sorted({fact.subject for fact in told}):
        own = [fact for fact in told if fact.subject == code]
        standing = settled(own, sources, known_at, valid_at)[1]
        joining = [fact["body"] for fact in standing if fact["type"] == "dossier.linked.v1"]
        pairs += [(code, one["other"]) for one in joining if one["kind"] in ("new_code", "reopened_as")]
    found = []
    for code in sorted({fact.subject for fact in told} | {other for _, other in pairs}):
        together = {code}
        for _ in pairs:
            for one, other in pairs:
                if one in together or other in together:
                    together |= {one, other}
        ends = [one for one in together if all(one != before for before, _ in pairs)]
        head = max(ends or together)
        story = [head, *sorted(together - {head})]
        if story not in found:
            found.append(story)
    return sorted(found)
