"""Which facts count, and in which order: the first half of the naive reading of docs/judging.md.

Lists are gone through whole, again and again; no code is shared with the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from workflow.facts import Fact

Plain = dict[str, Any]
Fates = dict[tuple[str, str, int, str], Plain]
Broken = tuple[str, str, Any]
"""A violation without its texts: rule, kind and, for a deadline, the due instant."""

HOW_SOURCES_ARE_READ = {"order": "time", "rank": 0, "voids": "own"}


def plain(fact: Fact) -> Plain:
    """A fact as a dict; its body's fields stand under `body`, its type under `type`."""
    return {
        "identity": (fact.source, fact.id, fact.revision, fact.subject),
        "subject": fact.subject,
        "source": fact.source,
        "id": fact.id,
        "revision": fact.revision,
        "sequence": fact.sequence,
        "at": fact.occurred_at,
        "type": type(fact.body).__struct_config__.tag,
        "body": {name: bare(value) for name, value in asdict(fact.body).items()},
    }


def bare(value: Any) -> Any:
    """A struct inside a body as a dict."""
    return asdict(value) if hasattr(value, "__struct_fields__") else value


def once(facts: list[Plain]) -> list[Plain]:
    """Each identity one time."""
    seen: list[Plain] = []
    for fact in facts:
        if all(fact["identity"] != other["identity"] for other in seen):
            seen.append(fact)
    return seen


def read_as(sources: Mapping[str, Plain], source: str) -> Plain:
    """How a source's facts are ordered and what it may void."""
    return {**HOW_SOURCES_ARE_READ, **sources.get(source, {})}


def outcome(status: str, *violations: Broken) -> Plain:
    """What became of a fact."""
    return {"status": status, "violations": list(violations), "order_assumed": False}


def settle_voids(known: list[Plain], sources: Mapping[str, Plain]) -> Fates:
    """The outcome of each void, and `voided` for each fact one of them removed."""
    fates: Fates = {}
    every = [fact for fact in known if fact["type"] == "event.voided.v1"]
    latest = [void for void in every if not any(newer_of_same(other, void) for other in every)]
    latest.sort(key=lambda void: (void["at"], void["source"], void["id"]), reverse=True)
    for void in every:
        fates[void["identity"]] = outcome("superseded")
    taken: list[Plain] = []
    removed: list[tuple[str, str, str, int | None]] = []
    for void in latest:
        taken.append(void)
        if any(names(target, void) for target in removed):
            continue
        body = void["body"]
        source = body["target_source"] or void["source"]
        target = (void["subject"], source, body["target_id"], body["target_revision"])
        may = read_as(sources, void["source"])["voids"]
        if may == "none" or (may == "own" and source != void["source"]):
            fates[void["identity"]] = outcome("refused", ("void/source", "role", None))
        elif any(names(target, later) for later in taken):
            fates[void["identity"]] = outcome("refused", ("void/later", "order", None))
        else:
            fates[void["identity"]] = outcome("applied")
            removed.append(target)
    for fact in known:
        if any(names(target, fact) for target in removed) and (fact not in every or fact in latest):
            fates[fact["identity"]] = outcome("voided")
    return fates


def newer_of_same(one: Plain, other: Plain) -> bool:
    """Both are revisions of one record, and the first is the later one."""
    same = one["identity"][:2] == other["identity"][:2] and one["subject"] == other["subject"]
    return bool(same and one["revision"] > other["revision"])


def names(target: tuple[str, str, str, int | None], fact: Plain) -> bool:
    """A void's target is this fact of its own code: every revision of it unless one is named."""
    subject, source, identifier, revision = target
    same = (subject, source, identifier) == (fact["subject"], *fact["identity"][:2])
    return same and revision in {None, fact["revision"]}


def settle_revisions(known: list[Plain], fates: Fates) -> None:
    """Mark all but the highest of the revisions that are left of each record."""
    left = [fact for fact in known if fact["identity"] not in fates]
    for fact in left:
        if any(newer_of_same(other, fact) for other in left):
            fates[fact["identity"]] = outcome("superseded")


def effective_at(fact: Plain, standing: list[Plain], sources: Mapping[str, Plain]) -> datetime:
    """When a fact takes effect, by its source's order authority."""
    if read_as(sources, fact["source"])["order"] == "time":
        return fact["at"]  # type: ignore[no-any-return] # a plain dict knows no types
    own = [
        other
        for other in standing
        if other["source"] == fact["source"] and other["subject"] == fact["subject"]
    ]
    times: list[datetime] = [other["at"] for other in own if other["sequence"] <= fact["sequence"]]
    return max(times)


def place(fact: Plain) -> tuple[Any, ...]:
    """The total order."""
    return (fact["effective"], fact["rank"], fact["sequence"], *fact["identity"])
