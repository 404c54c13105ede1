"""Checks of how limits add up: steps against the whole, and the committed limit against the law's.

Published procedures contain such errors: steps of 1, 10, 5, 1 and 1 days under a limit of 17.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from workflow.errors import Words
from workflow.procedure.finding import Where, error, warning
from workflow.procedure.language import Choice, Counting
from workflow.procedure.moves import Edge, Run, Runs, Step, edges, ends_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workflow.procedure.finding import Finding
    from workflow.procedure.language import Limit, Revision

PATHS_MAX: Final = 2_000
"""Paths looked at for one limit before it is said that they were too many."""
CHOICES_MAX: Final = 64
"""Combinations of register values looked at for one limit."""

Given: TypeAlias = "Mapping[str, str]"


class Total(NamedTuple):
    """A limit of the whole or of a phase, with its unit."""

    name: str
    limit: Limit
    unit: str

    @property
    def where(self) -> Where:
        """Its place."""
        return ("limits", self.name)


class Path(NamedTuple):
    """A path under a total: the run to it, the steps counted, their sum, whether the clock stands, what was met."""

    run: Run
    state: str
    steps: tuple[tuple[str, int], ...] = ()
    paused: bool = False
    visited: frozenset[str] = frozenset()

    @property
    def sum(self) -> int:
        """The time the steps may take together."""
        return sum(number for _, number in self.steps)


def totals(revision: Revision) -> tuple[Total, ...]:
    """The limits by number that bind the end or a phase, and whose unit is known."""
    return tuple(
        Total(name, limit, unit)
        for name, limit in revision.limits.items()
        if limit.binds and (limit.binds.end or limit.binds.phase) and limit.within is not None
        if (unit := unit_of(revision, limit)) is not None
    )


def unit_of(revision: Revision, limit: Limit) -> str | None:
    """The unit a limit counts in, None where its counting is not declared."""
    counting = limit.counts if isinstance(limit.counts, Counting) else revision.counting.get(limit.counts)
    return None if counting is None else counting.unit


def step_limit(revision: Revision, state: str) -> Limit | None:
    """The limit of a stay: the state's own, else one declared by name that binds it."""
    own = revision.states[state].limit
    named = (limit for limit in revision.limits.values() if limit.binds and limit.binds.state == state)
    return own or next(named, None)


def added_up(revision: Revision) -> Iterator[Finding]:
    """Errors where the steps of a path may take longer together than the whole, with the longest such path.

    Each state counts once: a loop is an error of its own, or has a cap. Steps in another unit cannot be compared,
    which is a warning. A stay while the clock stands does not count.
    """
    graph = edges(revision)
    for total in totals(revision):
        if total.limit.date == "other" and not total.limit.headline:
            continue
        yield from _added_up(revision, graph, total)


def _added_up(revision: Revision, graph: Sequence[Edge], total: Total) -> Iterator[Finding]:
    longest: tuple[int, int, Path] | None = None
    incomparable: dict[str, None] = {}
    for given in _cases(revision, total):
        allowed = number(total.limit, given)
        paths = list(_paths(revision, graph, total, given, incomparable))
        if len(paths) >= PATHS_MAX:
            yield warning(
                "not-compared",
                "limit {limit}: more than {paths} paths lead through its steps, so their sums were not all compared",
                total.where,
                limit=total.name,
                paths=PATHS_MAX,
            )
        path = max(paths, key=lambda one: one.sum, default=None)
        if path is None or allowed is None or path.sum <= allowed:
            continue
        if longest is None or path.sum - allowed > longest[0]:
            longest = (path.sum - allowed, allowed, path)
    if longest is not None:
        yield _exceeds(total, longest[1], longest[2])
    if incomparable:
        yield warning(
            "not-compared",
            "limit {limit} counts {unit}; the limits of {states} count in another unit and were not added up",
            total.where,
            limit=total.name,
            unit=total.unit,
            states=", ".join(incomparable),
        )


def _exceeds(total: Total, allowed: int, path: Path) -> Finding:
    return error(
        "sum-exceeds",
        "limit {limit} allows {allowed} ({unit}), but the steps of one path take {sum}: {steps}; "
        "shorten a step or correct the whole",
        total.where,
        path.run,
        limit=total.name,
        allowed=allowed,
        unit=total.unit,
        sum=path.sum,
        steps=" + ".join(f"{state} {step}" for state, step in path.steps),
    )


def _paths(
    revision: Revision, graph: Sequence[Edge], total: Total, given: Given, incomparable: dict[str, None]
) -> Iterator[Path]:
    """Every path on which a total runs, each as far as it was followed, at most `PATHS_MAX`."""
    leaving: dict[str, list[Edge]] = {}
    for edge in graph:
        leaving.setdefault(edge.source, []).append(edge)
    waiting = [
        _entered(revision, total, path, given, incomparable) for path in _begins(revision, graph, total)
    ]
    found = 0
    while waiting and found < PATHS_MAX:
        path = waiting.pop()
        found += 1
        yield path
        for edge in leaving.get(path.state, ()):
            if _stops(revision, total, edge):
                continue
            paused = _paused(revision, total, edge, before=path.paused)
            onward = path._replace(run=(*path.run, Step(edge.action, edge.target)), paused=paused)
            if edge.target not in path.visited:
                entered = onward._replace(state=edge.target)
                waiting.append(_entered(revision, total, entered, given, incomparable))


def _begins(revision: Revision, graph: Sequence[Edge], total: Total) -> Iterator[Path]:
    """Where the clock of a total starts."""
    reached = Runs(graph, revision.initial)
    anchor, phase = (
        total.limit.starts,
        revision.phases.get(total.limit.binds.phase or "") if total.limit.binds else None,
    )
    if anchor is not None and anchor.milestone == "submitted":
        yield Path((), revision.initial)
    for edge in graph:
        action = revision.actions[edge.action]
        if anchor is None:
            begins = edge.action in phase.starts if phase else action.milestone == "received"
        elif anchor.entering is not None:
            begins = edge.target == anchor.entering and not edge.stays
        else:
            begins = edge.action == anchor.action or action.milestone == (anchor.milestone or Words("none"))
        if begins and edge.source in reached:
            yield Path(reached.by(edge), edge.target)


def _entered(
    revision: Revision, total: Total, path: Path, given: Given, incomparable: dict[str, None]
) -> Path:
    seen = path._replace(visited=path.visited | {path.state})
    limit = step_limit(revision, path.state)
    if path.paused or limit is None or revision.states[path.state].final:
        return seen
    if unit_of(revision, limit) != total.unit:
        incomparable[path.state] = None
        return seen
    allowed = number(limit, given)
    return seen if allowed is None else seen._replace(steps=(*path.steps, (path.state, allowed)))


def _stops(revision: Revision, total: Total, edge: Edge) -> bool:
    """Whether a move stops the clock of a total for good: issued or ended; of a phase, also its end."""
    milestone = revision.actions[edge.action].milestone
    if ends_by(revision, edge) or milestone == "issued":
        return True
    phase = total.limit.binds.phase if total.limit.binds else None
    if phase is None or phase not in revision.phases:
        return False
    others = [action for name, other in revision.phases.items() if name != phase for action in other.starts]
    return edge.action in revision.phases[phase].ends or edge.action in others


def _paused(revision: Revision, total: Total, edge: Edge, *, before: bool) -> bool:
    action, stops = revision.actions[edge.action], total.limit.stops_for
    if action.milestone == "resumed":
        return False
    if action.milestone != "paused" or action.pause is None:
        return before
    return stops == "all" or (stops != "none" and action.pause in stops)


def number(limit: Limit, given: Given) -> int | None:
    """How many units a limit allows where the registers have the `given` values; None where it does not apply."""
    if isinstance(limit.within, Choice):
        return limit.within.values.get(given.get(limit.within.register, ""), limit.within.otherwise)
    return limit.within


def _cases(revision: Revision, total: Total) -> Iterator[dict[str, str]]:
    """Every combination of register values that chooses a number of the total or of a step."""
    limits = [
        total.limit,
        *(limit for s in revision.states if (limit := step_limit(revision, s)) is not None),
    ]
    values: dict[str, dict[str, None]] = {}
    for choice in (limit.within for limit in limits if isinstance(limit.within, Choice)):
        values.setdefault(choice.register, {"": None}).update(dict.fromkeys(choice.values))
    for count, case in enumerate(product(*values.values())):
        if count >= CHOICES_MAX:
            return
        yield dict(zip(values, case, strict=True))


def committed_against_statutory(revision: Revision) -> Iterator[Finding]:
    """Errors where the committed limit is longer than the statutory one of the same end or phase."""
    found = totals(revision)
    for committed in (total for total in found if total.limit.date == "committed"):
        for statutory in (total for total in found if total.limit.date == "statutory"):
            if committed.limit.binds == statutory.limit.binds:
                yield from _longer(revision, committed, statutory)


def _longer(revision: Revision, committed: Total, statutory: Total) -> Iterator[Finding]:
    if committed.unit != statutory.unit:
        yield warning(
            "not-compared",
            "limit {committed} counts {unit} and {statutory} counts {other}; they were not compared",
            committed.where,
            committed=committed.name,
            unit=committed.unit,
            statutory=statutory.name,
            other=statutory.unit,
        )
        return
    cases = ({**one, **other} for one in _cases(revision, committed) for other in _cases(revision, statutory))
    pairs = ((number(committed.limit, case), number(statutory.limit, case)) for case in cases)
    worse = [(ours, law) for ours, law in pairs if ours is not None and law is not None and ours > law]
    if worse:
        ours, law = max(worse, key=lambda pair: pair[0] - pair[1])
        yield error(
            "committed-longer",
            "limit {committed} commits to {ours} ({unit}), longer than {law} of {statutory}; a committed limit may "
            "only be shorter",
            committed.where,
            committed=committed.name,
            ours=ours,
            unit=committed.unit,
            law=law,
            statutory=statutory.name,
        )
