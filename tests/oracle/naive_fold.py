"""A second, deliberately naive reading of docs/judging.md, to hold the engine against.

It shares no code with the engine: facts become plain dicts, everything is computed anew from whole lists, and a
dossier's history is the list of its applied events. It covers the two times, repetitions, voids, revisions, both
order authorities, order breaks, roles, guards on history and registers, limits in elapsed hours and in the working
hours of a unit, openings, ends and when pauses begin and end (not what they stop); not tasks, phases, extensions or
migrations. `NotModelled` is raised where a procedure asks for more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle.naive_order import (
    Broken,
    Fates,
    Plain,
    effective_at,
    once,
    outcome,
    place,
    plain,
    read_as,
    settle_revisions,
    settle_voids,
)
from oracle.naive_rules import NotModelled, ask_limits, holds, passed, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.procedure.language import Move, Revision

ENDS_DOSSIER = ("returned", "rejected", "withdrawn", "stopped")


def judge(
    revision: Revision,
    facts: Iterable[Fact],
    sources: Mapping[str, Plain],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> Plain:
    """The dossier after these facts, and what became of each: `facts` (identities) and `outcomes` are parallel."""
    known, standing, fates = settled(facts, sources, known_at, valid_at)
    dossier, outcomes = walk(revision, standing)
    placeless = [fact for fact in known if fact["identity"] in fates]
    placeless.sort(key=lambda fact: (fact["at"], *fact["identity"]))
    dossier["last_at"] = standing[-1]["effective"] if standing else None
    dossier["facts"] = [fact["identity"] for fact in standing + placeless]
    dossier["outcomes"] = outcomes + [fates[fact["identity"]] for fact in placeless]
    return dossier


def settled(
    facts: Iterable[Fact],
    sources: Mapping[str, Plain],
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> tuple[list[Plain], list[Plain], Fates]:
    """All known facts, those that stand in their order, and what became of the others."""
    known = once(
        [plain(f) for f in facts if known_at is None or not f.recorded_at or f.recorded_at <= known_at]
    )
    fates = settle_voids(known, sources)
    settle_revisions(known, fates)
    standing = [fact for fact in known if fact["identity"] not in fates]
    for fact in standing:
        fact["promised"] = first_slip(fact, known, fates)
        fact["effective"] = effective_at(fact, standing, sources)
        fact["rank"] = read_as(sources, fact["source"])["rank"]
    standing.sort(key=place)
    if valid_at is not None:
        standing = [fact for fact in standing if fact["effective"] <= valid_at]
    return known, standing, fates


def first_slip(fact: Plain, known: list[Plain], fates: Fates) -> Plain | None:
    """The slip of the first superseded revision of an act that had one; None where the act has the same date."""
    if fact["type"] != "dossier.acted.v1":
        return None
    earlier = [
        other
        for other in known
        if (other["source"], other["id"], other["subject"]) == (fact["source"], fact["id"], fact["subject"])
        and fates.get(other["identity"], {}).get("status") == "superseded"
        and other["body"].get("appointment") is not None
    ]
    if not earlier:
        return None
    first: Plain = min(earlier, key=lambda other: other["revision"])["body"]["appointment"]
    now = fact["body"]["appointment"]
    return None if now is not None and now["at"] == first["at"] else first


# One fact after the other


def fresh(revision: Revision) -> Plain:
    """A dossier of which nothing is told."""
    registers = {
        name: typed(kept.initial, kept.type)
        if kept.initial is not None
        else (0 if kept.keep == "count" else None)
        for name, kept in revision.registers.items()
    }
    return {
        "state": revision.initial,
        "since": None,
        "visited": [revision.initial],
        "registers": registers,
        "history": [],
        "appointments": [],
        "pauses": [],
        "received_at": None,
        "hours_of": None,
        "ended_at": None,
        "halted": False,
        "order_assumed": False,
    }


def walk(revision: Revision, placed: list[Plain]) -> tuple[Plain, list[Plain]]:
    """Judge facts in order."""
    dossier = fresh(revision)
    opening = next((i for i, fact in enumerate(placed) if opens(revision, fact)), None)
    outcomes = []
    for i, fact in enumerate(placed):
        if opening is not None and i < opening:
            result = outcome("not_judged")
        elif i == opening:
            result = open_at(dossier, fact, revision)
        else:
            result = one_fact(dossier, fact, revision)
        if i > 0 and place(fact)[:3] == place(placed[i - 1])[:3]:
            result["order_assumed"] = dossier["order_assumed"] = True
        outcomes.append(result)
    return dossier, outcomes


def opens(revision: Revision, fact: Plain) -> bool:
    """An opening balance whose state the procedure knows."""
    return fact["type"] == "dossier.opened.v1" and fact["body"]["state"] in revision.states


def open_at(dossier: Plain, fact: Plain, revision: Revision) -> Plain:
    """Judging starts here, in the state the opening names."""
    dossier["state"], dossier["since"] = fact["body"]["state"], fact["effective"]
    dossier["visited"] = [fact["body"]["state"]]
    dossier["pauses"] = [(p.pause, p.started_at, p.ended_at) for p in fact["body"]["pauses"]]
    if revision.states[dossier["state"]].final:
        dossier["ended_at"] = fact["body"]["ended_at"] or fact["effective"]
        over(dossier, dossier["ended_at"])
    return tell(dossier, fact, revision)


def tell(dossier: Plain, fact: Plain, revision: Revision) -> Plain:
    """Take what an opening makes known."""
    receives = dossier["received_at"] is None and fact["body"]["received_at"] is not None
    if fact["body"]["unit"] and (receives or dossier["hours_of"] is None):
        dossier["hours_of"] = fact["body"]["unit"]
    for name in ("received_at", "ended_at"):
        if dossier[name] is None:
            dossier[name] = fact["body"][name]
            over(dossier, dossier[name] if name == "ended_at" else None)
    for slip in fact["body"]["appointments"]:
        dossier["appointments"].append((slip.at, slip.cause, fact["effective"]))
    return outcome("applied", *keep_values(dossier, fact, revision))


def one_fact(dossier: Plain, fact: Plain, revision: Revision) -> Plain:
    """Judge one fact that comes after the opening, if there is one."""
    if fact["type"] == "dossier.opened.v1" and fact["body"]["state"] is not None:
        return outcome("refused", (f"order/opened/{dossier['state']}", "order", None))
    if fact["type"] == "dossier.opened.v1":
        return tell(dossier, fact, revision)
    if fact["type"] == "dossier.acted.v1":
        if dossier["halted"]:
            return outcome("not_judged")
        if fact["promised"] is not None:
            dossier["appointments"].append(
                (fact["promised"]["at"], fact["promised"]["cause"], fact["effective"])
            )
        return act(dossier, fact, revision)
    if fact["type"] == "dossier.linked.v1" and fact["body"]["kind"] == "reopened_as":
        reopen(dossier, fact, revision)
    if fact["type"] == "dossier.migrated.v1":
        raise NotModelled(fact["type"])
    return outcome("applied")


def reopen(dossier: Plain, fact: Plain, revision: Revision) -> None:
    """An ended dossier begins again where every dossier begins; when it was received stays as it was."""
    if dossier["ended_at"] is not None:
        dossier["ended_at"] = None
        dossier["state"], dossier["since"] = revision.initial, fact["effective"]
        dossier["visited"].append(revision.initial)


def act(dossier: Plain, fact: Plain, revision: Revision) -> Plain:
    """One action in the present state."""
    here, name = dossier["state"], fact["body"]["action"]
    action = revision.actions.get(name)
    if action is None:
        dossier["halted"] = revision.on_order_break == "stop"
        slip(dossier, fact)
        return outcome("refused", (f"order/{name}/{here}", "order", None))
    move = next((m for m in action.moves if here in starts_from(m, revision)), None)
    broken: list[Broken] = []
    if move is None:
        broken.append((f"order/{name}/{here}", "order", None))
        policy = action.on_order_break or ("follow" if action.milestone else revision.on_order_break)
        if policy != "follow":
            dossier["halted"] = policy == "stop"
            slip(dossier, fact)
            return outcome("refused", *broken)
        targets = [m.to for m in action.moves if m.to is not None]
        to = action.follow_to or (targets[0] if targets else None)
    else:
        to = move.to
    refused = ask_rules(dossier, fact, revision, broken, (move.guards if move else ()), to)
    if refused:
        slip(dossier, fact)
        return outcome("refused", *broken)
    first_named = fact["body"]["unit"] or (fact["body"]["to"] or {}).get("unit")
    dossier["hours_of"] = dossier["hours_of"] or first_named
    broken += ask_limits(dossier, fact, revision, leaves=to is not None)
    broken += keep_values(dossier, fact, revision)
    take_effect(dossier, fact, revision, to)
    return outcome("applied", *broken)


def starts_from(move: Move, revision: Revision) -> tuple[str, ...]:
    """The states a move may start from."""
    if move.sources != "any":
        return tuple(move.sources)
    return tuple(
        name for name, state in revision.states.items() if name != revision.initial and not state.final
    )


def ask_rules(
    dossier: Plain,
    fact: Plain,
    revision: Revision,
    broken: list[Broken],
    of_move: tuple[str, ...],
    to: str | None,
) -> bool:
    """Add the violations of roles and guards; whether one of them refuses."""
    action = revision.actions[fact["body"]["action"]]
    refuses = False
    if action.role and (fact["body"]["actor"] or {}).get("role") not in action.role:
        broken.append((f"role/{fact['body']['action']}", "role", None))
        refuses = action.on_role_break == "refuse"
    asked: list[str] = []
    for guard in (
        *action.guards,
        *of_move,
        *(revision.states[dossier["state"]].guards if to is not None else ()),
    ):
        if guard not in asked:
            asked.append(guard)
    for guard in asked:
        if not holds(revision.guards[guard].requires, dossier, fact, revision):
            asks_who = revision.guards[guard].requires.role or revision.guards[guard].requires.four_eyes
            broken.append((guard, "role" if asks_who else "guard", None))
            refuses = refuses or revision.guards[guard].on_break == "refuse"
    return refuses


def take_effect(dossier: Plain, fact: Plain, revision: Revision, to: str | None) -> None:
    """History, state, milestones and the slip of an applied action."""
    action = revision.actions[fact["body"]["action"]]
    actor = (fact["body"]["actor"] or {}).get("id")
    dossier["history"].append((fact["body"]["action"], fact["effective"], actor))
    pause(dossier, fact, revision, to)
    if to is not None:
        dossier["state"], dossier["since"] = to, fact["effective"]
        dossier["visited"].append(to)
    if action.milestone == "received" and dossier["received_at"] is None:
        dossier["received_at"] = fact["effective"]
        dossier["hours_of"] = fact["body"]["unit"] or dossier["hours_of"]
    if dossier["ended_at"] is None and (
        action.milestone in ENDS_DOSSIER or (to is not None and revision.states[to].final)
    ):
        dossier["ended_at"] = fact["effective"]
        over(dossier, fact["effective"])
    slip(dossier, fact)


def pause(dossier: Plain, fact: Plain, revision: Revision, to: str | None) -> None:
    """Pauses end with the resuming, with the result, and once nobody waits in their state any more."""
    action, at = revision.actions[fact["body"]["action"]], fact["effective"]
    for name in revision.pauses:
        waits = {
            state
            for other in revision.actions.values()
            if other.milestone == "paused" and other.pause == name
            for state in (*(move.to for move in other.moves), other.follow_to)
        }
        is_left = to is not None and dossier["state"] in waits and to not in waits
        is_resumed = action.milestone == "resumed" and action.pause == name
        if is_left or is_resumed or action.milestone in ("issued", "ready"):
            over(dossier, at, name)
    is_open = any(name == action.pause and end is None for name, _, end in dossier["pauses"])
    if action.milestone == "paused" and not is_open:
        dossier["pauses"].append((action.pause, at, None))


def over(dossier: Plain, at: datetime | None, only: str | None = None) -> None:
    """The open pauses, or those of one name, end at this time."""
    dossier["pauses"] = [
        (name, start, at if end is None and only in (None, name) else end)
        for name, start, end in dossier["pauses"]
    ]


def slip(dossier: Plain, fact: Plain) -> None:
    """The date on the citizen's slip counts even where the event is refused."""
    told = fact["body"]["appointment"]
    if told is not None:
        dossier["appointments"].append((told["at"], told["cause"], fact["effective"]))


def keep_values(dossier: Plain, fact: Plain, revision: Revision) -> list[Broken]:
    """Let each register take its value from the event; the registers whose value was of a wrong type."""
    broken: list[Broken] = []
    for name, register in sorted(revision.registers.items()):
        told = fact["body"]["data"].get(register.source or name)
        action = fact["body"].get("action")
        if told is None or (
            register.actions is not None and action is not None and action not in register.actions
        ):
            continue
        before = dossier["registers"][name]
        try:
            value = typed(told, register.type)
        except ValueError:
            broken.append((f"register/{name}", "guard", None))
            continue
        if register.keep == "count":
            dossier["registers"][name] = before + 1
        elif register.keep == "sum":
            dossier["registers"][name] = value if before is None else before + value
        elif register.keep == "last" or before is None:
            dossier["registers"][name] = value
    return broken


# Ends


def end(revision: Revision, dossier: Plain, *, closed: bool = False) -> list[Broken]:
    """What a dossier broke by ending as it did; nothing while it has not ended.

    `closed`: its log is complete, so it ended with its last fact if not before.
    """
    ended_at = dossier["ended_at"] or (dossier["last_at"] if closed else None)
    if ended_at is None or dossier["halted"]:
        return []
    state = dossier["state"]
    broken: list[Broken] = []
    if not revision.states[state].final and state not in revision.ends:
        broken.append((f"order/end/{state}", "order", None))
    if state in revision.ends:
        conditions = revision.ends[state].requires
        unmet = [c for c in conditions if not holds(revision.guards[c].requires, dossier, None, revision)]
        broken += [(condition, "end", None) for condition in unmet]
    for name, limit in revision.limits.items():
        if (
            limit.binds
            and limit.binds.end is not None
            and (limit.binds.end == "any" or state in limit.binds.end)
        ):
            broken += passed(name, limit, dossier, revision, ended_at)
    return broken
