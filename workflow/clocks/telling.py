"""How the date of a limit came about, told line by line: what it counts from, what moved it, which calendar counted.

Asked for where an explanation is. docs/clocks.md is the specification.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from workflow.clocks import sums
from workflow.clocks.choices import text_of
from workflow.clocks.counters import beyond_all_dates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any
    from zoneinfo import ZoneInfo

    from workflow.clocks.counters import AnyCounter, Moved, Reached
    from workflow.clocks.counting import Counts
    from workflow.clocks.limits import Begun, LimitClock
    from workflow.clocks.stops import Moment, Stop
    from workflow.model import Dossier, Line
    from workflow.procedure.language import Counting


def told(
    limit: LimitClock, dossier: Dossier, anchor: datetime, moment: Moment
) -> tuple[Reached | None, tuple[Line, ...]]:
    """The due instant of a limit counted from `anchor`, and its sum; None and nothing where it does not apply. Raises
    CalendarRange."""
    counts = limit.counts
    if counts is None:
        given = limit.given(dossier)
        if given is None:
            return None, ()
        return (given.astimezone(UTC), False), (sums.given(limit.limit.until or "", given),)
    number = limit.number(dossier)
    if number is None:
        return None, ()
    counter = counts.at(moment.announced_by, moment.unit)
    try:
        begun = limit.begun(dossier, anchor, counter, number, moment)
        point = counter.reach(begun.at, number)
        lines = [
            *_beginning(limit, counts, anchor, begun),
            *_count(limit, dossier, number, counter.instant(point)),
        ]
        lines += _pauses(limit, dossier, moment)
        stops = limit.rules.stops(dossier, begun.at, moment)
        met: list[Moved[Any]] = []
        reached = counter.after(point, stops, met)
        lines += moves(counts.counting, limit.zone, counter, point, stops, met)
    except OverflowError as cause:
        raise beyond_all_dates(anchor, number) from cause
    if counter.label is not None:
        lines += _calendar(limit, counter, moment.unit, reached[0])
    return reached, tuple(lines)


def moves(
    counting: Counting,
    zone: ZoneInfo,
    counter: AnyCounter,
    point: Any,  # noqa: ANN401 - what this counter reaches
    stops: Sequence[Stop],
    met: Sequence[Moved[Any]],
) -> Iterator[Line]:
    """Each of the stops, `met` being those that moved what was reached, and what it rolls to in the end."""
    due = counter.instant(point)
    for stop, (amount, moved) in zip(stops, met, strict=False):
        before, due, point = due, counter.instant(moved), moved
        yield sums.stop(counting, zone, stop, amount, before, due)
    for stop in stops[len(met) :]:
        yield sums.stop(counting, zone, stop, None, due, due)
    settled = counter.settled(point)
    if settled != point:
        yield sums.rolled(point, counter.instant(settled))


def _beginning(limit: LimitClock, counts: Counts, anchor: datetime, begun: Begun) -> Iterator[Line]:
    yield sums.from_anchor(limit.limit, anchor, limit.default)
    if begun.again is not None:
        yield sums.restarted(begun.again, begun.start)
    if begun.at != begun.start:
        yield sums.cut_off(counts.counting, begun.at)


def _count(limit: LimitClock, dossier: Dossier, number: int, due: datetime) -> Iterator[Line]:
    extended = [taken for taken in dossier.extensions if taken.limit == limit.id]
    if limit.choice is not None:
        slot, choice = limit.choice
        before = number - sum(taken.by for taken in extended)
        yield sums.chosen(choice.register, text_of(dossier.registers[slot]), before)
    for taken in extended:
        yield sums.extended(taken.by, taken.at, limit.zone)
    yield sums.counted(limit.counting, number, due)
    if limit.counting.reaching == "late" and not limit.reaching_is_late:
        yield sums.day_too_late(number)


def _pauses(limit: LimitClock, dossier: Dossier, moment: Moment) -> Iterator[Line]:
    for taken in dossier.pauses:
        if taken.pause not in limit.rules.pauses:
            continue
        cap = limit.rules.capped_at(taken, moment)
        end = taken.ended_at or moment.at
        if not taken.counts:
            yield sums.not_permitted(taken.pause, taken.started_at, limit.zone)
        elif cap is not None and end is not None and cap < end:
            yield sums.capped(taken.pause, cap, limit.zone)


def _calendar(limit: LimitClock, counter: AnyCounter, unit: str | None, due: datetime) -> Iterator[Line]:
    timetable = None if limit.counts is None else limit.counts.timetable
    yield from sums.counted_by(timetable, counter, unit)
    if not counter.work.covers(due):
        yield sums.beyond_cover(due.astimezone(limit.zone).date(), counter.work.covered_to)
