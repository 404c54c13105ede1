"""What the fields of one message must say together. Rules of one message only: no procedure, no other fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from consumers.contract.limits import WHOLE_MAX
from consumers.contract.reasons import refusal, shown
from workflow.errors import Words
from workflow.facts import (
    Acted,
    AlertActed,
    BodyErased,
    Counted,
    Heartbeat,
    Linked,
    OfficerDeferred,
    OfficerExempted,
    Opened,
    Rated,
    Voided,
    is_bare,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Struct

    from workflow.errors import InputError
    from workflow.facts import Fact

SCORE_MAX: Final = 2
"""Decree 61/2018 art. 31: each criterion scores 0, 1 or 2."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def check(fact: Fact) -> None:
    """Raise InputError with its reason and JSON path where the fields of a fact contradict each other."""
    rule = _RULES.get(type(fact.body))
    if rule:
        rule(fact.body, fact)


def _acted(body: Acted, _fact: Fact) -> None:
    actor = body.actor
    if actor is not None and (actor.id.strip() != actor.id or not actor.id):
        raise _no_code(actor.id, "$.data.actor.id")
    if body.part and not 1 <= body.part.number <= body.part.total <= WHOLE_MAX:
        raise refusal("part_of_total", "$.data.part", found=f"{body.part.number} of {body.part.total}")


def _corrected(body: Voided | AlertActed | BodyErased, _fact: Fact) -> None:
    if body.by is not None and not is_bare(body.by.id):
        raise _no_code(body.by.id, "$.data.by.id")


def _no_code(code: str, path: str) -> InputError:
    return refusal("blanks_around" if code else "empty_text", path, found=shown(code))


def _opened(body: Opened, _fact: Fact) -> None:
    for index, pause in enumerate(body.pauses):
        _in_order(pause.started_at, pause.ended_at, f"$.data.pauses[{index}].ended_at")


def _linked(body: Linked, fact: Fact) -> None:
    if body.other == fact.subject:
        raise refusal("linked_to_itself", "$.data.other", found=shown(body.other))


def _rated(body: Rated, _fact: Fact) -> None:
    for criterion, score in body.scores.items():
        if not 0 <= score <= SCORE_MAX:
            raise refusal("score", f"$.data.scores.{criterion}", found=score)
    if body.channel == "paper":
        missing = [name for name in ("keyed_by", "rated_on") if getattr(body, name) is None]
        if missing:
            raise refusal("paper_rating", f"$.data.{missing[0]}", found=Words("none"))


def _freed(body: OfficerExempted | OfficerDeferred, _fact: Fact) -> None:
    _in_order(body.from_on, body.until_on, "$.data.until_on")


def _counted(body: Counted, fact: Fact) -> None:
    _of_itself(body, fact)
    for name in ("received", "released", "open"):
        if getattr(body, name) < 0:
            raise refusal("negative_count", f"$.data.{name}", found=getattr(body, name))
    if not _SHA256.fullmatch(body.codes_sha256):
        raise refusal("codes_hash", "$.data.codes_sha256", found=shown(body.codes_sha256))


def _of_itself(_body: Struct, fact: Fact) -> None:
    if fact.subject != fact.source:
        raise refusal(
            "subject_not_source", "$.subject", expected=shown(fact.source), found=shown(fact.subject)
        )


def _in_order(start: Any, end: Any, path: str) -> None:  # noqa: ANN401 - two dates, or two times
    if end is not None and end < start:
        raise refusal("ends_before_start", path, expected=start.isoformat(), found=end.isoformat())


_RULES: Final[dict[type, Callable[[Any, Fact], None]]] = {
    Acted: _acted,
    Voided: _corrected,
    AlertActed: _corrected,
    BodyErased: _corrected,
    Opened: _opened,
    Linked: _linked,
    Rated: _rated,
    OfficerExempted: _freed,
    OfficerDeferred: _freed,
    Counted: _counted,
    Heartbeat: _of_itself,
}
