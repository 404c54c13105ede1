"""Facts of a procedure made from what it asks for, and a search for legal walks through it by the engine itself."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.facts import Acted, Actor, Fact
from workflow.fold import advance, start
from workflow.procedure.language import Choice, Operand, Predicate, Revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workflow.model import Dossier, Violation
    from workflow.rules import Rules

SUBJECT = "H13-250303-0001"
SOON, LATER = timedelta(hours=1), timedelta(days=31)
"""Time between two acts: the second where a rule asks that a month has gone by."""
NODES_MAX = 20_000


class Walk(NamedTuple):
    """Acts one after the other, and the dossier after them."""

    facts: tuple[Fact, ...]
    dossier: Dossier


def act(revision: Revision, action: str, at: datetime, number: int, **told: Any) -> Fact:
    """An act as the procedure wants it: its first role, every paper, values its guards accept, a person of its own
    for each action."""
    declared = revision.actions[action]
    papers = tuple(sorted(dict.fromkeys([*_papers(revision, action), *told.pop("documents", ())])))
    body = Acted(
        action=action,
        actor=told.pop(
            "actor", Actor(id=f"officer-{action}", role=declared.role[0] if declared.role else None)
        ),
        documents=papers,
        data={**_choices(revision), **_wanted(revision, action), **told.pop("data", {})},
        **told,
    )
    return Fact(SUBJECT, "desk", f"e{number:03}", at.astimezone(UTC), body, sequence=number)


def walks_through(rules: Rules, since: datetime) -> dict[str, Walk]:
    """For each action a walk without a broken rule of order, role or guard that takes it and then ends."""
    begun = Walk((), start(rules, SUBJECT))
    taken: dict[str, Walk] = {}

    def all_taken(walk: Walk) -> bool:
        taken.setdefault(_last(walk), walk)
        return len(taken) == len(rules.revision.actions)

    _search(rules, begun, since, all_taken)
    return {
        action: walk if _ended(walk) else _search(rules, walk, since, _ended)
        for action, walk in taken.items()
    }


def _ended(walk: Walk) -> bool:
    return walk.dossier.ended_at is not None


def main_walk(rules: Rules, since: datetime) -> Walk:
    """A shortest walk to the result in the applicant's hand."""
    begun = Walk((), start(rules, SUBJECT))
    return _search(rules, begun, since, lambda walk: walk.dossier.ended_by == "returned")


def _last(walk: Walk) -> str:
    body = walk.facts[-1].body
    assert isinstance(body, Acted)
    return body.action


def _search(rules: Rules, begun: Walk, since: datetime, reached: Callable[[Walk], bool]) -> Walk:
    """Breadth first over what rules can tell apart, so that the walk found is a shortest one."""
    waiting, seen = deque([begun]), {_key(begun.dossier)}
    while waiting and len(seen) < NODES_MAX:
        for walk in _onward(rules, waiting.popleft(), since):
            if reached(walk):
                return walk
            key = _key(walk.dossier)
            if key not in seen and walk.dossier.ended_at is None:
                seen.add(key)
                waiting.append(walk)
    msg = f"{rules.revision.procedure} {rules.revision.revision}: no legal walk among {len(seen)} situations"
    raise AssertionError(msg)


def _onward(rules: Rules, walk: Walk, since: datetime) -> Iterator[Walk]:
    at = walk.facts[-1].occurred_at if walk.facts else since
    for action in rules.revision.actions:
        if rules.machine.target(walk.dossier.state, action) is None:
            continue
        for delay in (SOON, LATER):
            fact = act(rules.revision, action, at + delay, len(walk.facts) + 1)
            dossier, outcome = advance(rules, walk.dossier, fact)
            if outcome.status == "applied" and not broken(outcome.violations):
                yield Walk((*walk.facts, fact), dossier)
                break


def broken(violations: tuple[Violation, ...]) -> list[str]:
    """The rules broken by what was done, not by when."""
    return [violation.rule for violation in violations if violation.kind != "deadline"]


def _key(dossier: Dossier) -> tuple[object, ...]:
    waiting = [
        (run.task, run.agency)
        for run in dossier.tasks
        if run.answered_at is None and run.recalled_at is None and run.left_at is None
    ]
    pauses = tuple((taken.pause, taken.ended_at is None) for taken in dossier.pauses)
    registers = tuple(map(str, dossier.registers))
    phases = tuple(run.phase for run in dossier.phases)
    return dossier.state, registers, tuple(dossier.counts), pauses, tuple(sorted(set(waiting))), phases


def _papers(revision: Revision, action: str) -> Iterator[str]:
    for predicate in _asked(revision, action):
        yield from predicate.documents or ()
    pause = revision.pauses.get(revision.actions[action].pause or "")
    yield from pause.documents if pause is not None else ()


def _wanted(revision: Revision, action: str) -> dict[str, str]:
    """A value for each field of the event that a guard compares with constants."""
    found: dict[str, str] = {}
    for predicate in _asked(revision, action):
        one_of = predicate.one_of
        if one_of is not None and isinstance(one_of.value, Operand) and one_of.value.data:
            found[one_of.value.data] = one_of.values[0]
    return found


def _choices(revision: Revision) -> dict[str, str]:
    """The first value of each register that chooses a number."""
    limits = [*revision.limits.values(), *(s.limit for s in revision.states.values() if s.limit)]
    chosen = [limit.within for limit in limits if isinstance(limit.within, Choice)]
    return {choice.register: next(iter(choice.values)) for choice in reversed(chosen)}


def _asked(revision: Revision, action: str) -> Iterator[Predicate]:
    declared = revision.actions[action]
    names = [*declared.guards, *(guard for move in declared.moves for guard in move.guards)]
    waiting = [revision.guards[name].requires for name in names]
    while waiting:
        predicate = waiting.pop()
        yield predicate
        waiting += predicate.all or ()
