"""A small procedure, its facts and their judgments, for the examples of docs/judging.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from workflow.facts import Acted, Actor, Fact, Voided
from workflow.fold import fold
from workflow.procedure.language import (
    Action,
    Counting,
    Guard,
    Limit,
    Move,
    Names,
    Predicate,
    Revision,
    State,
)
from workflow.rules import SourceOrder, compile_rules

if TYPE_CHECKING:
    from workflow.fold import Judgment
    from workflow.model import Outcome

SUBJECT = "000.00.16.H13-240102-0001"
NINE = datetime(2024, 1, 2, 2, 0, tzinfo=UTC)


def moves(sources: str, to: str | None = None, **more: Any) -> Action:
    """An action with one move."""
    return Action(moves=(Move(sources="any" if sources == "any" else (sources,), to=to),), **more)


def revision(**more: Any) -> Revision:
    """New -receive-> checking -approve-> approved -return_result-> returned."""
    plain: dict[str, Any] = {
        "procedure": "1.000003",
        "revision": "1",
        "name": Names(vi="Mẫu", en="Sample"),
        "figures": "sample",
        "zone": "Asia/Ho_Chi_Minh",
        "initial": "new",
        "states": {"new": State(), "checking": State(), "approved": State(), "returned": State(final=True)},
        "actions": {
            "receive": moves("new", "checking", milestone="received"),
            "note": moves("checking"),
            "approve": moves("checking", "approved"),
            "return_result": moves("approved", "returned", milestone="returned"),
        },
        "counting": {"hours": Counting(unit="elapsed_hours", reaching="in_time")},
    }
    return Revision(**{**plain, **more})


def with_action(name: str, **changes: Any) -> dict[str, Action]:
    """The actions of the sample, one of them changed."""
    actions = revision().actions
    return {**actions, name: replace(actions[name], **changes)}


def act(action: str, hour: float, **more: Any) -> Fact:
    """An act at so many hours after nine, told by the gate."""
    body = {key: more.pop(key) for key in ("actor", "data", "appointment") if key in more}
    return tell(Acted(action=action, **body), hour, **{"id": f"{action}-{hour}", **more})


def tell(body: Any, hour: float, **more: Any) -> Fact:
    """A fact at so many hours after nine."""
    told = {"source": "gate", "id": f"{type(body).__name__}-{hour}", **more}
    return Fact(subject=SUBJECT, occurred_at=NINE + timedelta(hours=hour), body=body, **told)


def void(target: Fact, hour: float, **more: Any) -> Fact:
    """The correction of a fact by its own source."""
    body = Voided(target_id=target.id, target_source=target.source, reason="mistyped")
    return tell(body, hour, **{"source": target.source, **more})


def judge(
    *facts: Fact, rules: Revision | None = None, sources: dict[str, SourceOrder] | None = None, **at: Any
) -> Judgment:
    """The judgment of these facts by the sample or another revision."""
    return fold(compile_rules(rules or revision(), {}, sources), SUBJECT, list(facts), **at)


def of(judgment: Judgment, fact: Fact) -> Outcome:
    """What became of one fact."""
    return next(
        outcome
        for told, outcome in zip(judgment.facts, judgment.outcomes, strict=True)
        if (told.source, told.id, told.revision) == (fact.source, fact.id, fact.revision)
    )


def broken(outcome: Outcome) -> list[tuple[str, str]]:
    return [(violation.rule, violation.kind) for violation in outcome.violations]


def guarded(name: str, requires: Predicate, on_break: str = "refuse", **more: Any) -> Revision:
    """The sample with one guard on one action."""
    return revision(
        guards={"rule": Guard(requires=requires, on_break=on_break)},  # type: ignore[arg-type]
        actions=with_action(name, guards=("rule",)),
        **more,
    )


def by(name: str, role: str | None = None) -> Actor:
    return Actor(id=name, role=role)


def limited(**limit: Any) -> Revision:
    """The sample with one limit of an hour."""
    return revision(limits={"hour": Limit(counts="hours", within=1, **limit)})


RECEIVE, APPROVE, RETURN = act("receive", 0), act("approve", 1), act("return_result", 2)
