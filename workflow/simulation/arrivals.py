"""When dossiers arrive: the working hours of a month, weighted, taken from the calendar itself."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from workflow.clocks.worktime import microseconds
from workflow.errors import UsageError
from workflow.simulation.volumes import HOURS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from workflow.clocks.worktime import Worktime

_HOUR: Final = timedelta(hours=1)
_MICROSECONDS_A_SECOND: Final = 1_000_000


def arrivals(work: Worktime, first: date, number: int, random: Random) -> Iterator[datetime]:
    """`number` instants (UTC, whole seconds) of working time of the month that begins with `first`, in order.

    One at a random place in each `number`-th of the month's weight, so that none needs be kept. Raises UsageError
    where the month has no working time.
    """
    slots = list(_slots(work, first))
    totals = list(accumulate(weight for _, _, weight in slots))
    if not totals:
        raise UsageError(
            "{month}: expected a month with working days, found none in calendar {calendar}; choose another",
            month=f"{first:%Y-%m}",
            calendar=work.calendar,
        )
    for place in range(number):
        wanted = (place + random.random()) / number * totals[-1]
        index = min(bisect_right(totals, wanted), len(slots) - 1)
        opens, length, weight = slots[index]
        share = 1 - (totals[index] - wanted) / weight
        yield opens + timedelta(seconds=int(share * length.total_seconds()))


def _slots(work: Worktime, first: date) -> Iterator[tuple[datetime, timedelta, float]]:
    """Each working hour of the month: when it begins, its length, its weight."""
    day = first
    while day.month == first.month:
        opening, closing = work.opening(day), work.closing(day)
        worked = 0
        while opening is not None and closing is not None and opening < closing:
            after = min(opening + _HOUR, closing)
            if work.between(opening, after):
                weight = HOURS[min(worked, len(HOURS) - 1)]
                yield opening, after - opening, weight * ((after - opening) / _HOUR)
                worked += 1
            opening = after
        day += timedelta(days=1)


def after(work: Worktime, start: datetime, share: float, until: datetime) -> datetime:
    """The instant (whole second, UTC) at that share of the working time from `start` to `until`; a second later at
    least."""
    worked = int(work.between(start, until) * share)
    return whole_second(max(work.add(start, worked), start + timedelta(seconds=1)))


def whole_second(instant: datetime) -> datetime:
    """The instant in UTC, cut to its second."""
    return datetime.fromtimestamp(microseconds(instant) // _MICROSECONDS_A_SECOND, UTC)
