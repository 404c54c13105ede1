"""What the fields of one message must say together. Rules of one message only: no procedure, no other fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from msgspec import Meta

from consumers.contract.limits import WHOLE_MAX
from consumers.contract.reasons import refusal, shown
from workflow.errors import Words
from workflow.facts import (
    OFFICER_FACTS,
    Acted,
    Actor,
    AlertActed,
    BodyErased,
    Code,
    Counted,
    Heartbeat,
    Linked,
    Migrated,
    OfficerDeferred,
    OfficerExempted,
    Opened,
    PauseUsed,
    Rated,
    Recipient,
    Voided,
    is_bare,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Struct

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
    # A field at a time, where it stands: this is the way of every event, and a loop over names costs five times that.
    action, procedure, unit, list_id = body.action, body.procedure, body.unit, body.list_id
    if (
        action.strip() != action
        or not action
        or (procedure is not None and (procedure.strip() != procedure or not procedure))
        or (unit is not None and (unit.strip() != unit or not unit))
        or (list_id is not None and (list_id.strip() != list_id or not list_id))
        or body.party is not None
        or body.task is not None
    ):
        _bare(body, "$.data")
    actor = body.actor
    if actor is not None:
        code, role = actor.id, actor.role
        if (
            code.strip() != code
            or not code
            or (role is not None and (role.strip() != role or not role))
            or actor.on_behalf_of is not None
        ):
            _bare(actor, "$.data.actor")
    if body.to is not None:
        _bare(body.to, "$.data.to")
    if body.part and not 1 <= body.part.number <= body.part.total <= WHOLE_MAX:
        raise refusal("part_of_total", "$.data.part", found=f"{body.part.number} of {body.part.total}")


def _corrected(body: Voided | AlertActed | BodyErased, _fact: Fact) -> None:
    _coded(body, _fact)
    if body.by is not None:
        _bare(body.by, "$.data.by")


def _coded(body: Struct, _fact: Fact) -> None:
    _bare(body, "$.data")


def _bare(told: Struct, path: str) -> None:
    """Refuses a field for a code that holds none."""
    for name in _CODES[type(told)]:
        code = getattr(told, name)
        if code is not None and not is_bare(code):
            raise refusal("blanks_around" if code else "empty_text", f"{path}.{name}", found=shown(code))


def _opened(body: Opened, _fact: Fact) -> None:
    _coded(body, _fact)
    for index, pause in enumerate(body.pauses):
        _bare(pause, f"$.data.pauses[{index}]")
        _in_order(pause.started_at, pause.ended_at, f"$.data.pauses[{index}].ended_at")


def _linked(body: Linked, fact: Fact) -> None:
    _coded(body, fact)
    if body.other == fact.subject:
        raise refusal("linked_to_itself", "$.data.other", found=shown(body.other))


def _rated(body: Rated, _fact: Fact) -> None:
    _coded(body, _fact)
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


def _codes(told: type[Struct]) -> tuple[str, ...]:
    """The fields that `workflow.facts` says are codes, or may be."""
    hints = get_type_hints(told, include_extras=True)
    return tuple(name for name, hint in hints.items() if _is_code(hint) or any(map(_is_code, get_args(hint))))


def _is_code(hint: Any) -> bool:  # noqa: ANN401 - a type, of whichever kind
    return any(isinstance(one, Meta) and one == _CODE for one in getattr(hint, "__metadata__", ()))


_CODE: Final = get_args(Code)[1]
_RULES: Final[dict[type, Callable[[Any, Fact], None]]] = {
    **dict.fromkeys((*OFFICER_FACTS, Migrated), _coded),
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
_CODES: Final = {told: _codes(told) for told in (*_RULES, Actor, Recipient, PauseUsed)}
"""The codes of each body, and of what stands inside."""
