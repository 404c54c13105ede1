"""Why a dossier is late: its overrun in parts that sum to it exactly. Pure; docs/alerts.md says how it is shared out.

Minutes are working minutes of the procedure's calendar, elapsed ones where it has none.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from workflow.fold import trail
from workflow.risk.stays import promised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.facts import Fact
    from workflow.model import Dossier
    from workflow.rules import Rules

Reason: TypeAlias = Literal["step", "citizen", "agency", "office", "feed"]
"""What held a dossier up: a step, the citizen beyond the cap of a pause, another agency beyond its limit, the office in
a pause of its own beyond the cap, or a source that was silent, so that nothing is known of that time."""


class Part(Struct, frozen=True, omit_defaults=True):
    """So many minutes of an overrun, and what they are laid to: the state, pause, task or source, and who held the
    dossier."""

    reason: Reason
    name: str
    minutes: int
    begun_at: datetime
    unit: str | None = None
    officer: str | None = None


class Overrun(Struct, frozen=True):
    """By how many minutes a dossier missed its date, and the parts they are made of. `days`: the working days after the
    day of the date up to that of its end. `counted`: `elapsed` where the procedure has no calendar, so that
    days are those of 24 hours and minutes those of the clock."""

    due_at: datetime
    until: datetime
    days: int
    minutes: int
    parts: tuple[Part, ...]
    counted: Literal["working", "elapsed"] = "working"


class Outage(NamedTuple):
    """A stretch of time in which a source was silent past its cadence."""

    source: str
    since: datetime
    until: datetime | None


class _Visit(NamedTuple):
    begins: datetime
    ends: datetime
    dossier: Dossier


def overrun(
    rules: Rules, subject: str, facts: Sequence[Fact], at: datetime, outages: Sequence[Outage] = ()
) -> Overrun | None:
    """The overrun of a dossier as of `at`; None where it is not late. Raises CalendarRange.

    Time after the date in which a source was silent is laid to that source. The rest is shared out among what went over
    its own limit, in proportion: visits beyond the limit of their step, pauses beyond their cap, agencies beyond
    theirs. Where nothing did, each visit bears the time it took after the date.
    """
    stages = trail(rules, subject, facts, valid_at=at)
    last = stages[-1].dossier if stages else None
    date = None if last is None else promised(rules.family[last.revision], last, at)
    if last is None or date is None:
        return None
    own, until = rules.family[last.revision], date.met_at or at
    if not (until >= date.due_at if date.reaching_is_late else until > date.due_at):
        return None
    total = own.clock.minutes(date.due_at, until, until, last.hours_of)
    starts = [(stage.placed.at, stage.dossier) for stage in stages]
    visits = [
        _Visit(begins, min(ends, until), dossier)
        for (begins, dossier), (ends, _) in pairwise([*starts, (max(until, starts[-1][0]), last)])
        if begins < min(ends, until)
    ]
    silent = list(_silences(own, last.hours_of, outages, date.due_at, until))
    rest = total - sum(part.minutes for part in silent)
    excess = [*_steps(own, _joined(visits)), *_pauses(own, last, until), *_tasks(own, last, until)]
    if not any(part.minutes for part in excess):
        excess = [
            _part(
                "step",
                visit,
                own.clock.minutes(max(visit.begins, date.due_at), visit.ends, until, last.hours_of),
            )
            for visit in _joined(visits)
            if visit.ends > date.due_at
        ]
    parts = (*(part for part in silent if part.minutes), *_shared(rest, excess))
    days = _days(own, date.due_at, until, last.hours_of)
    return Overrun(
        date.due_at, until, days, total, parts, "elapsed" if own.clock.timetable is None else "working"
    )


def _days(rules: Rules, start: datetime, end: datetime, unit: str | None) -> int:
    table = rules.clock.timetable
    return (end - start).days if table is None else table.worktime(unit, end).working_days_passed(start, end)


def _joined(visits: Sequence[_Visit]) -> Iterator[_Visit]:
    """Visits of one state by one officer, however many events lie in each."""
    found: list[_Visit] = []
    for visit in visits:
        before = found[-1] if found else None
        if before is not None and before.ends == visit.begins and _who(before) == _who(visit):
            found[-1] = before._replace(ends=visit.ends)
        else:
            found.append(visit)
    yield from found


def _who(visit: _Visit) -> tuple[object, ...]:
    dossier = visit.dossier
    return dossier.state, dossier.since, dossier.unit, dossier.officer


def _part(reason: Reason, visit: _Visit, minutes: int) -> Part:
    dossier = visit.dossier
    return Part(reason, dossier.state, minutes, visit.begins, dossier.unit, dossier.officer)


def _steps(rules: Rules, visits: Iterator[_Visit]) -> Iterator[Part]:
    """What each visit took beyond the limit of its stay."""
    for visit in visits:
        for limit in rules.clock.for_stay(visit.dossier.state)[:1]:
            anchor = limit.anchor(visit.dossier)
            due = None if anchor is None else limit.due(visit.dossier, anchor, visit.ends)
            if due is not None and due < visit.ends:
                beyond = rules.clock.minutes(
                    max(due, visit.begins), visit.ends, visit.ends, visit.dossier.hours_of
                )
                yield _part("step", visit, beyond)


def _pauses(rules: Rules, dossier: Dossier, until: datetime) -> Iterator[Part]:
    for taken in dossier.pauses:
        cap = rules.clock.capped_at(taken, until, dossier.hours_of)
        ends = min(taken.ended_at or until, until)
        declared = rules.revision.pauses.get(taken.pause)
        if cap is not None and declared is not None and cap < ends:
            beyond = rules.clock.minutes(cap, ends, until, dossier.hours_of)
            yield Part(declared.waits_for, taken.pause, beyond, taken.started_at, dossier.unit)


def _tasks(rules: Rules, dossier: Dossier, until: datetime) -> Iterator[Part]:
    for run in dossier.tasks:
        ends = min(run.ended_at or until, until)
        for limit in rules.clock.for_task(run.state, run.task):
            due = limit.due(dossier, run.asked_at, until)
            if due is not None and due < ends:
                beyond = rules.clock.minutes(due, ends, until, dossier.hours_of)
                yield Part("agency", run.agency, beyond, run.asked_at)


def _silences(
    rules: Rules, unit: str | None, outages: Sequence[Outage], due_at: datetime, until: datetime
) -> Iterator[Part]:
    """Stretches of silence after the date, each minute once though several sources were silent."""
    reached = due_at
    for outage in sorted(outages, key=lambda one: (one.since, one.source)):
        begins, ends = max(outage.since, reached), min(outage.until or until, until)
        if begins < ends:
            # As a difference of sums from one instant, so that rounding to minutes loses none.
            before, after = (rules.clock.minutes(due_at, at, until, unit) for at in (begins, ends))
            yield Part("feed", outage.source, after - before, begins)
            reached = ends


def _shared(total: int, parts: Sequence[Part]) -> Iterator[Part]:
    """`total` shared out in proportion to the minutes of the parts, whole minutes, the largest remainders first."""
    whole = sum(part.minutes for part in parts)
    if not whole:
        return
    floors = [total * part.minutes // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(total * parts[i].minutes % whole), i))
    for index in by_remainder[: total - sum(floors)]:
        floors[index] += 1
    for part, minutes in zip(parts, floors, strict=True):
        if minutes:
            yield Part(part.reason, part.name, minutes, part.begun_at, part.unit, part.officer)
