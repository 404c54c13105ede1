"""A dossier's history as the risk table sees it: its stays in steps, and what was known of its date at each moment."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.fold import trail
from workflow.risk.table import Moment, Stay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.model import Deadline, Dossier
    from workflow.rules import Rules

DAY_MINUTES: Final = 480
"""A stay is asked about when it begins and after each eight working hours."""
ASKED_MAX: Final = 40
"""Moments of one stay that are asked about."""


class Course(NamedTuple):
    """The history of one dossier. `begun_at`: its receipt, or its first fact where its procedure knows none. `met_at`:
    when the clock of its date stopped, absent while it runs. `late`: against its date, as of the moment asked about."""

    begun_at: datetime
    met_at: datetime | None
    late: bool
    stays: tuple[Stay, ...]
    moments: tuple[Moment, ...]


class _Piece(NamedTuple):
    """A stretch of time in one state and unit, and the dossier as it was when it began."""

    begins: datetime
    ends: datetime
    dossier: Dossier


def promised(rules: Rules, dossier: Dossier, at: datetime) -> Deadline | None:
    """The date a dossier is held to as of `at`: the benchmark, else the committed date that comes next (else the last),
    else the limit that says whether it ended late. None where there is none yet. Raises CalendarRange."""
    benchmark = rules.clock.benchmark(dossier, at=at)
    if benchmark is not None:
        return benchmark
    dates = rules.clock.deadlines(dossier, at=at)
    found = [one for one in dates if one.kind == "committed"]
    if not found:
        limit = rules.clock.headline(dossier.state)
        found = [one for one in dates if limit is not None and one.rule == limit.id]
    waiting = [one for one in found if one.met_at is None]
    if waiting:
        return min(waiting, key=lambda one: one.due_at)
    return max(found, key=lambda one: one.due_at, default=None)


def course(rules: Rules, subject: str, facts: Sequence[Fact], at: datetime) -> Course | None:
    """The history of a dossier as of `at`; None where its clock has not begun or it has no date.

    Raises CalendarRange.
    """
    stages = trail(rules, subject, facts, valid_at=at)
    if not stages:
        return None
    last = stages[-1].dossier
    own = rules.family[last.revision]
    date = promised(own, last, at)
    begun_at = last.received_at or (None if _receives(own) else stages[0].placed.at)
    if begun_at is None or date is None:
        return None
    met_at, until = date.met_at, date.met_at or at
    starts = [(stage.placed.at, stage.dossier) for stage in stages]
    pieces = [
        _Piece(begins, min(ends, until), dossier)
        for (begins, dossier), (ends, _) in pairwise([*starts, (until, last)])
        if begins < min(ends, until) and begins >= begun_at
    ]
    late = (met_at or at) >= date.due_at if date.reaching_is_late else (met_at or at) > date.due_at
    stays = () if met_at is None else tuple(_stay(own, last, met_at, piece) for piece in pieces)
    return Course(begun_at, met_at, late, stays, tuple(_moments(own, pieces, late=late)))


def _receives(rules: Rules) -> bool:
    return any(action.milestone == "received" for action in rules.revision.actions.values())


def _stay(rules: Rules, last: Dossier, met_at: datetime, piece: _Piece) -> Stay:
    found = piece.dossier
    return Stay(
        found.subject,
        rules.revision.procedure,
        found.state,
        found.unit or "",
        _needed(rules, last, piece.begins, met_at),
        _needed(rules, last, piece.ends, met_at),
    )


def _needed(rules: Rules, last: Dossier, begins: datetime, ends: datetime) -> int:
    """Working minutes until the clock stopped, without those of pauses that moved the date."""
    pauses = [taken for taken in last.pauses if taken.counts]

    def count(start: datetime, end: datetime) -> int:
        return rules.clock.minutes(start, end, ends, last.hours_of)

    paused = sum(count(max(begins, taken.started_at), min(ends, taken.ended_at or ends)) for taken in pauses)
    return max(count(begins, ends) - paused, 0)


def _moments(rules: Rules, pieces: Sequence[_Piece], *, late: bool) -> Iterator[Moment]:
    for piece in pieces:
        found, at = piece.dossier, piece.begins
        date = promised(rules, found, at)
        if date is None or date.met_at is not None:
            continue
        # While the clock stands the date moves with it and what is left stays the same: one look says it all.
        for _ in range(1 if date.open_pause else ASKED_MAX):
            if at >= min(piece.ends, date.due_at):
                break
            left = rules.clock.minutes(at, date.due_at, at, found.hours_of)
            yield Moment(rules.revision.procedure, found.state, found.unit or "", left, late)
            at = rules.clock.after(at, DAY_MINUTES, at, found.hours_of)
