"""A small catalogue, facts of its dossiers, and the messages they came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from consumers.codec import encode
from workflow.catalogue import Catalogue
from workflow.facts import Acted, Fact, Voided
from workflow.fold import fold, judgment_bytes
from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Counting,
    Limit,
    Move,
    Names,
    Revision,
    State,
)
from workflow.sources import Cadence, SourceDefinition, Speakers
from workflow.store.bodies import Told

NINE = datetime(2024, 1, 2, 2, 0, tzinfo=UTC)
NOW = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)
CODE = "1.000003"
SUBJECT = "H13-240102-0001"


def moves(sources: str, to: str | None = None, **more: Any) -> Action:
    return Action(moves=(Move(sources="any" if sources == "any" else (sources,), to=to),), **more)


def revision(**more: Any) -> Revision:
    """New -receive-> checking -approve-> approved -return_result-> returned; eight hours in all."""
    plain: dict[str, Any] = {
        "procedure": CODE,
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
        "limits": {
            "all": Limit(
                counts="hours",
                within=8,
                binds=Binds(end="any"),
                starts=Anchor(action="receive"),
                date="committed",
                headline=True,
            )
        },
    }
    return Revision(**{**plain, **more})


def generic() -> Revision:
    return revision(procedure="generic", generic=True)


def source(name: str, **more: Any) -> SourceDefinition:
    return SourceDefinition(
        **{
            "source": name,
            "name": Names(vi=name, en=name),
            "zone": "UTC",
            "authority": "time",
            "precision": "second",
            "reports": "steps",
            "cadence": Cadence(working_minutes=30, calendar="vn"),
            "delay_minutes": 0,
            "speakers": Speakers(principals=(name,)),
            "voids": "own",
            **more,
        }
    )


def catalogue(*revisions: Revision, **more: Any) -> Catalogue:
    return Catalogue(revisions or (revision(), generic()), **more)


def act(action: str, hour: float, **more: Any) -> Fact:
    """An act at so many hours after nine, told by the gate."""
    body = {key: more.pop(key) for key in ("actor", "data", "appointment", "procedure") if key in more}
    return tell(
        Acted(action=action, **{"procedure": CODE, **body}), hour, **{"id": f"{action}-{hour}", **more}
    )


def tell(body: Any, hour: float, **more: Any) -> Fact:
    told = {"subject": SUBJECT, "source": "gate", "id": f"{type(body).__name__}-{hour}", **more}
    return Fact(occurred_at=NINE + timedelta(hours=hour), body=body, **told)


def void(target: Fact, hour: float, **more: Any) -> Fact:
    body = Voided(target_id=target.id, target_source=target.source, reason="mistyped")
    return tell(body, hour, **{"subject": target.subject, "source": target.source, **more})


def message(fact: Fact) -> Told:
    """A fact in the message it came in."""
    return Told(
        fact, encode(fact), place=f"test/0/{fact.id}", key=fact.subject.encode(), headers=(("h", b"1"),)
    )


def messages(*facts: Fact) -> list[Told]:
    return [message(fact) for fact in facts]


def judged(catalogue: Catalogue, facts: list[Fact]) -> bytes:
    """What the fold alone makes of facts, without the store."""
    plain = [replace(fact, recorded_at=None) for fact in facts]
    return judgment_bytes(fold(catalogue.rules_for(plain), plain[0].subject, plain))


LIFE = (act("receive", 0), act("note", 1), act("approve", 2), act("return_result", 3))
