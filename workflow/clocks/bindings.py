"""What a limit is a limit of, what it counts from where it does not say, and whether it can be counted at all."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from workflow.errors import DefinitionError
from workflow.layout import bound_actions
from workflow.procedure.language import ENDING_MILESTONES, Choice
from workflow.procedure.moves import sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from workflow.clocks.limits import LimitClock
    from workflow.layout import Layout
    from workflow.model import DeadlineKind, Dossier, PhaseRun
    from workflow.procedure.language import Action, Anchor, Counting, Limit, Revision

    AnchorOf: TypeAlias = Callable[[Dossier], datetime | None]

_ORDER: Final[tuple[DeadlineKind, ...]] = ("committed", "statutory", "limit", "step", "phase", "task")
RANKS: Final = {kind: rank for rank, kind in enumerate(_ORDER)}
"""The order in which deadlines are listed, by their kinds."""
DATES: Final[frozenset[DeadlineKind]] = frozenset({"committed", "statutory"})
"""The kinds that date a dossier: the office meets them by issuing."""


def anchor_of(rule: str, limit: Limit, layout: Layout) -> AnchorOf:
    """Where a limit counts from, read off a dossier; None while that is not known."""
    if limit.starts is not None:
        return _named_anchor(limit.starts, layout)
    if rule.startswith("task/"):
        return _asked(*rule.split("/")[1:])
    state = _stay(rule, limit)
    if state is not None:
        return _entered(state)
    if limit.binds is not None and limit.binds.phase is not None:
        return _begun(limit.binds.phase)
    return attrgetter("received_at")


def default_place(rule: str, limit: Limit) -> str:
    """The state or task a limit counts from where it names nothing itself; empty for the receipt or a phase."""
    return rule if rule.startswith("task/") else _stay(rule, limit) or ""


def kind_of(rule: str, limit: Limit) -> DeadlineKind:
    """The kind of a limit's deadlines."""
    binds = limit.binds
    if rule.startswith("task/"):
        return "task"
    if _stay(rule, limit) is not None:
        return "step"
    if binds is None or (binds.end is None and binds.phase is None):
        return "limit"
    if limit.date != "other":
        return limit.date
    return "limit" if binds.phase is None else "phase"


def binds_action(limit: LimitClock, action: str) -> bool:
    """Whether an act of `action` must keep the limit."""
    return limit.binds is not None and (limit.binds.actions == "any" or action in bound_actions(limit.binds))


def met_by(limit: Limit, layout: Layout, revision: Revision) -> tuple[tuple[int, bool], ...]:
    """The slots of the actions that meet a limit, each with whether it may itself begin a count: then only a later one
    meets that. None for a limit of all actions, which each must keep."""
    return tuple(
        (layout.actions[name], _begins(limit.starts, name, revision.actions[name]))
        for name in bound_actions(limit.binds)
        if name in layout.actions
    )


def _begins(starts: Anchor | None, name: str, action: Action) -> bool:
    """Whether an act of an action is, or leads to, what a limit counts from."""
    if starts is None:
        return False
    if starts.milestone is not None:
        return action.milestone == starts.milestone
    return name == starts.action or any(move.to == starts.entering for move in action.moves if move.to)


def binds_stay(limit: LimitClock, state: str) -> bool:
    """Whether a stay in `state` must keep the limit."""
    return _stay(limit.id, limit.limit) == state


def binds_end(limit: LimitClock, state: str | None = None) -> bool:
    """Whether an end in `state` (None: in any state at all) must keep the limit."""
    end = None if limit.binds is None else limit.binds.end
    return end is not None and (state is None or end == "any" or state in end)


def binds_phase(limit: LimitClock, phase: str) -> bool:
    """Whether `phase` must keep the limit."""
    return limit.binds is not None and limit.binds.phase == phase


def check_limit(rule: str, limit: Limit, counting: Counting, revision: Revision) -> None:
    """Raises DefinitionError for a limit that has no number and no date, or a date counted like a number."""
    if (limit.within is None) == (limit.until is None):
        raise _uncountable("limit {limit}: expected either `within` or `until`: state one of them", rule)
    if (limit.until is None) == (counting.unit == "given_date"):
        raise _uncountable(
            "limit {limit}: `until` goes with the unit given_date and `within` with any other, found {unit}: "
            "correct one of them",
            rule,
            unit=counting.unit,
        )
    register = limit.within.register if isinstance(limit.within, Choice) else limit.until
    if register is not None and register not in revision.registers:
        raise _uncountable(
            "limit {limit}: unknown register {register}: declare it under `registers` or correct the name",
            rule,
            register=register,
        )


def numbers(limit: Limit) -> tuple[int, ...]:
    """Every number a limit may come to, before extensions."""
    within = limit.within
    if not isinstance(within, Choice):
        return () if within is None else (within,)
    otherwise = () if within.otherwise is None else (within.otherwise,)
    return (*within.values.values(), *otherwise)


def in_order(limits: Iterable[LimitClock]) -> tuple[LimitClock, ...]:
    """Limits as their deadlines are listed."""
    return tuple(sorted(limits, key=lambda one: RANKS[one.kind]))


def timed(limits: Iterable[LimitClock]) -> tuple[LimitClock, ...]:
    """Those that have a time of their own and do not date the dossier."""
    return tuple(one for one in limits if one.counts is not None and one.kind not in DATES)


def phase_met(run: PhaseRun, issued_at: datetime | None) -> datetime | None:
    """What stops a phase's clock: its end, or the issue of the result within it."""
    if issued_at is None or issued_at < run.started_at:
        return run.ended_at
    return issued_at if run.ended_at is None else min(issued_at, run.ended_at)


def hangs_on_register(revision: Revision) -> bool:
    """Whether the limit of a task hangs on a register."""
    tasks = [task for state in revision.states.values() for task in state.tasks.values()]
    return any(task.limit is not None and not isinstance(task.limit.within, int) for task in tasks)


def check_least(rule: str, found: Iterable[int], least: int) -> None:
    """Raises DefinitionError for a number whose count would end before its first day."""
    for number in found:
        if number < least:
            raise _uncountable(
                "limit {limit}: {number} days would end before the first day counts, expected at least {least}: "
                "correct the number or how it counts",
                rule,
                number=number,
                least=least,
            )


def _stay(rule: str, limit: Limit) -> str | None:
    if rule.startswith("step/"):
        return rule.removeprefix("step/")
    return None if limit.binds is None else limit.binds.state


def _named_anchor(starts: Anchor, layout: Layout) -> AnchorOf:
    if starts.action is not None:
        slot = layout.actions[starts.action]
        if starts.which == "first":
            return lambda dossier: dossier.firsts[slot]
        return lambda dossier: dossier.lasts[slot]
    if starts.entering is not None:
        return _entered(starts.entering)
    return _milestone(starts.milestone or "received")


def _milestone(name: str) -> AnchorOf:
    match name:
        case "submitted":
            return attrgetter("submitted_at")
        case "issued":
            return attrgetter("issued_at")
        case "ready":
            return attrgetter("ready_at")
        case "paused":
            return lambda dossier: max((taken.started_at for taken in dossier.pauses), default=None)
        case "resumed":
            return lambda dossier: max(
                (t.ended_at for t in dossier.pauses if t.ended_at is not None), default=None
            )
        case "extended":
            return lambda dossier: max((taken.at for taken in dossier.extensions), default=None)
        case _ if name in ENDING_MILESTONES:
            return lambda dossier: dossier.ended_at if dossier.ended_by == name else None
        case _:
            return attrgetter("received_at")


def _entered(state: str) -> AnchorOf:
    """A dossier keeps when it entered its present state alone."""
    return lambda dossier: dossier.since if dossier.state == state else None


def _begun(phase: str) -> AnchorOf:
    return lambda dossier: next(
        (run.started_at for run in reversed(dossier.phases) if run.phase == phase), None
    )


def _asked(state: str, task: str) -> AnchorOf:
    return lambda dossier: next(
        (run.asked_at for run in reversed(dossier.tasks) if (run.state, run.task) == (state, task)), None
    )


def _uncountable(template: str, rule: str, **values: object) -> DefinitionError:
    return DefinitionError(template, reason="uncountable_limit", limit=rule, **values)


def actions_ahead(revision: Revision) -> dict[str, frozenset[str]]:
    """The actions that may still come, for each state: those of all states that can be reached from it."""
    targets: dict[str, dict[str, set[str]]] = {state: {} for state in revision.states}
    for name, action in revision.actions.items():
        for move in action.moves:
            for source in sources_of(move, revision):
                targets.setdefault(source, {}).setdefault(name, set()).add(move.to or source)
    return {state: _reachable(state, targets) for state in revision.states}


def _reachable(state: str, targets: Mapping[str, Mapping[str, set[str]]]) -> frozenset[str]:
    seen, waiting, found = {state}, [state], set[str]()
    while waiting:
        for action, following in targets.get(waiting.pop(), {}).items():
            found.add(action)
            waiting += following - seen
            seen |= following
    return frozenset(found)
