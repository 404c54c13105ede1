"""Predicates and limits, read naively: on a dossier that is a dict whose history lists its applied events."""

from __future__ import annotations

import operator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oracle.offices import known
from oracle.walk import HOUR_US, walk_minutes
from workflow.procedure.language import Binds, Predicate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from oracle.naive_order import Broken, Plain
    from workflow.procedure.language import Limit, Operand, Revision, State, Value

ORDERINGS = {"equals": operator.eq, "at_least": operator.ge, "at_most": operator.le, "less_than": operator.lt}


class NotModelled(Exception):
    """The procedure asks for something that this model leaves out."""


def typed(value: Any, kind: str) -> Any:
    """A told value as its register's type. Raises ValueError if it is none."""
    if isinstance(value, bool) or kind not in ("text", "integer", "money"):
        raise ValueError(value)
    if kind == "text" and not isinstance(value, str):
        raise ValueError(value)
    if kind == "text":
        return value
    if kind == "integer":
        return int(value)
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError(value) from None


def holds(asked: Predicate, dossier: Plain, fact: Plain | None, revision: Revision) -> bool:
    """Whether a predicate is true, on the registers and history as they are."""
    if asked.all is not None:
        return all(holds(part, dossier, fact, revision) for part in asked.all)
    if asked.any is not None:
        return any(holds(part, dossier, fact, revision) for part in asked.any)
    if asked.negated is not None:
        return not holds(asked.negated, dossier, fact, revision)
    done = [earlier[0] for earlier in dossier["history"]]
    answers = (
        asked.times and done.count(asked.times.action) < asked.times.fewer_than,
        asked.after_state and any(state in dossier["visited"] for state in asked.after_state),
        asked.before_state and not any(state in dossier["visited"] for state in asked.before_state),
        asked.four_eyes and different_eyes(asked.four_eyes, dossier, fact),
        asked.present and read(asked.present, dossier, fact, revision) is not None,
        *(compare(asked, name, dossier, fact, revision) for name in ORDERINGS),
        asked.one_of
        and any(
            compare(Predicate(equals=(asked.one_of.value, value)), "equals", dossier, fact, revision)
            for value in asked.one_of.values
        ),
    )
    given = [answer for answer in answers if answer is not None]
    if len(given) != 1:
        raise NotModelled(repr(asked))
    return bool(given[0])


def compare(
    asked: Predicate, name: str, dossier: Plain, fact: Plain | None, revision: Revision
) -> bool | None:
    """Whether two values stand in the relation `name`; None where the predicate does not ask for it."""
    pair = getattr(asked, name)
    if pair is None:
        return None
    left = read(pair[0], dossier, fact, revision, like=pair[1])
    right = read(pair[1], dossier, fact, revision, like=pair[0])
    return left is not None and right is not None and bool(ORDERINGS[name](left, right))


def different_eyes(actions: tuple[str, ...], dossier: Plain, fact: Plain | None) -> bool:
    """Whoever acts now has done none of the other listed actions."""
    if fact is None:
        raise NotModelled("four eyes at an end")
    actor = (fact["body"]["actor"] or {}).get("id")
    others = [name for name in actions if name != fact["body"]["action"]]
    return actor is not None and all(done[2] != actor for done in dossier["history"] if done[0] in others)


def read(
    value: Value, dossier: Plain, fact: Plain | None, revision: Revision, like: Value | None = None
) -> Any:
    """The value of an operand, None where it is absent; a constant is of the type of what it is compared with."""
    if isinstance(value, str):
        if like is None or isinstance(like, str):
            raise NotModelled("two constants")
        return typed(value, revision.registers[register_of(like, revision)].type)
    if value.register is not None:
        return dossier["registers"][value.register]
    if value.data is not None:
        register = revision.registers[value.data]
        told = fact["body"]["data"].get(register.source or value.data) if fact else None
        try:
            return None if told is None else typed(told, register.type)
        except ValueError:
            return None
    parts = [dossier["registers"][name] for name in summands(value, revision)]
    return None if any(part is None for part in parts) else sum(parts)


def register_of(operand: Operand, revision: Revision) -> str:
    """A register whose type an operand has."""
    return operand.register or operand.data or summands(operand, revision)[0]


def summands(operand: Operand, revision: Revision) -> tuple[str, ...]:
    """The registers a sum adds."""
    if operand.sum is None:
        raise NotModelled(repr(operand))
    return revision.sums[operand.sum] if isinstance(operand.sum, str) else operand.sum


def ask_limits(dossier: Plain, fact: Plain, revision: Revision, *, leaves: bool) -> list[Broken]:
    """The limits of this action, then those of the stay it ends, that had passed when it took effect."""
    action = fact["body"]["action"]
    of_action, of_stay = [], []
    of_states = {
        f"step/{name}": as_limit_of(name, state) for name, state in revision.states.items() if state.limit
    }
    for name, limit in {**revision.limits, **of_states}.items():
        if limit.binds is None or limit.binds.end is not None:
            continue
        many = limit.binds.actions
        named = [one for one in (limit.binds.action, *(many or ())) if one] if many != "any" else []
        if many == "any" or (action in named and not met(named, limit, dossier, revision)):
            of_action += passed(name, limit, dossier, revision, fact["effective"])
        if leaves and limit.binds.state == dossier["state"]:
            of_stay += passed(name, limit, dossier, revision, fact["effective"])
    return of_action + of_stay


def met(named: Sequence[str], limit: Limit, dossier: Plain, revision: Revision) -> bool:
    """Whether one of the actions a limit binds was done since it began to count; what begins a count is no such act."""
    start, starts = anchor(limit, dossier), limit.starts
    starters: list[str | None] = [] if starts is None else [starts.action]
    if starts is not None and starts.milestone:
        starters = [name for name, one in revision.actions.items() if one.milestone == starts.milestone]
    return start is not None and any(
        at > start or (at == start and done not in starters)
        for done, at, _ in dossier["history"]
        if done in named
    )


def as_limit_of(name: str, state: State) -> Limit:
    """A state's own limit, written like one declared by name."""
    if state.limit is None:
        raise NotModelled(name)
    return replace(state.limit, binds=Binds(state=name))


def passed(name: str, limit: Limit, dossier: Plain, revision: Revision, at: datetime) -> list[Broken]:
    """The limit's violation if an act at `at` is late by it."""
    start = anchor(limit, dossier)
    if start is None:
        return []
    counts = revision.counting[limit.counts] if isinstance(limit.counts, str) else limit.counts
    if counts.cut_off or not isinstance(limit.within, int):
        raise NotModelled(name)
    if counts.unit == "elapsed_hours":
        due = start + timedelta(hours=limit.within)
    elif counts.unit == "working_hours":
        hours = known(revision, at, dossier["hours_of"])
        due = walk_minutes(hours, hours.minutes, start, limit.within * HOUR_US, [])
    else:
        raise NotModelled(name)
    late = at >= due if counts.reaching == "late" else at > due
    return [(name, "deadline", due)] if late else []


def anchor(limit: Limit, dossier: Plain) -> datetime | None:
    """The moment a limit counts from."""
    if limit.starts is None and limit.binds and limit.binds.state:
        return dossier["since"]  # type: ignore[no-any-return]
    if limit.starts is None or limit.starts.milestone == "received":
        return dossier["received_at"]  # type: ignore[no-any-return]
    if limit.starts.action is None:
        raise NotModelled("a limit from something else than an action")
    times = [done[1] for done in dossier["history"] if done[0] == limit.starts.action]
    if not times:
        return None
    return times[0] if limit.starts.which == "first" else times[-1]  # type: ignore[no-any-return]
