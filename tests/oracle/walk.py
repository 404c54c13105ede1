"""Due instants by walking: one minute at a time for hours, one date at a time for days (docs/clocks.md)."""

from __future__ import annotations

from datetime import timedelta
from itertools import compress, pairwise
from typing import TYPE_CHECKING

from oracle.minutes import COUNTS, DAY, MINUTE, MINUTE_US, MIXED, REST

if TYPE_CHECKING:
    from datetime import datetime

    from oracle.minutes import (
        Calendars,
        Case,
        Count,
        Known,
        Paused,
        PlainLimit,
        Restart,
        Rules,
        StopsFor,
        Stretch,
    )

MICROSECOND = timedelta(microseconds=1)
HOUR_US = 60 * MINUTE_US


def due(rules: Rules, case: Case, calendars: Calendars) -> datetime | None:
    """When the case's limit is due; None where its register gives no number or date."""
    limit = rules.limits[case.limit]
    known = calendars.known(rules, case.asked_at, case.unit)
    if limit.counting.unit == "given_date":
        if limit.register == "time":
            return case.time
        return None if case.day is None else known.end_of(case.day)
    number = chosen(limit, case)
    if number is None:
        return None
    start = start_of(rules, case, known)
    return count(
        known, limit.counting, number + sum(case.extended), start, stopped_since(rules, case, known, start)
    )


def chosen(limit: PlainLimit, case: Case) -> int | None:
    """The limit's number, after its choice by a register."""
    if limit.chosen is None:
        return limit.number
    return limit.chosen.get(case.chosen, limit.otherwise) if case.chosen is not None else None


def start_of(rules: Rules, case: Case, known: Known) -> datetime:
    """The instant the case's limit counts from, after restarts and the cut-off."""
    limit = rules.limits[case.limit]
    number = (chosen(limit, case) or 0) + sum(case.extended)
    found = pauses_of(rules, case, known, limit.stops_for) + waits_of(rules, case, known, limit.stops_for)
    restarting = restarts_of(rules, case, known, limit.stops_for)
    return counted_from(known, (number, limit.counting), case.anchor, restarting, found)


def restarts_of(rules: Rules, case: Case, known: Known, stops_for: StopsFor) -> list[Restart]:
    """The permitted pauses that restart a clock, ended, in the order of their ends."""
    found = [
        (taken.start, taken.end, capped(rules, known, taken))
        for taken in case.paused
        if taken.end is not None
        and taken.permitted
        and rules.pauses[taken.pause].on_resume == "restart"
        and stops(stops_for, taken.pause)
    ]
    return sorted(found, key=lambda restart: restart[1])


def capped(rules: Rules, known: Known, taken: Paused) -> datetime | None:
    """The instant from which the clock runs again though a pause goes on; None without a cap."""
    cap = rules.pauses[taken.pause].cap
    if cap is None:
        return None
    return count(known, cap[1], cap[0], after_cut_off(known, cap[1], taken.start), [])


def counted_from(
    known: Known,
    number_of: tuple[int, Count],
    anchor: datetime,
    restarting: list[Restart],
    stopping: list[Stretch],
) -> datetime:
    """The anchor, or the end of the last pause that restarted the count, after the cut-off.

    The count must not have been full when the pause began, nor when it ended if it ran on from the cap.
    """
    number, counting = number_of
    start = after_cut_off(known, counting, anchor)

    def full(until: datetime, start: datetime) -> datetime:
        stood = [(begins, min(ends, until)) for begins, ends in stopping if begins < until]
        return count(known, counting, number, start, unite(stood, start))

    for paused, resumed, runs_on in restarting:
        if resumed <= anchor or paused >= full(paused, start):
            continue
        if runs_on is None or resumed <= runs_on or resumed <= full(resumed, start):
            start = after_cut_off(known, counting, resumed)
    return start


def after_cut_off(known: Known, counting: Count, start: datetime) -> datetime:
    """The start, moved to the next working day's opening where it lies at or after the cut-off or on a rest day."""
    if counting.cut_off is None:
        return start
    local = start.astimezone(known.zone)
    if known.works(local.date()) and local.hour * 60 + local.minute < counting.cut_off:
        return start
    return known.opening(known.following(local.date()))


def stops(stops_for: StopsFor, name: str) -> bool:
    """Whether a clock stands for a pause or task of this name."""
    return stops_for == "all" or (stops_for != "none" and name in stops_for)


def stopped_since(rules: Rules, case: Case, known: Known, start: datetime) -> list[Stretch]:
    """The stretches from `start` on in which the clock of the case's limit stands, united and in order."""
    stops_for = rules.limits[case.limit].stops_for
    found = pauses_of(rules, case, known, stops_for) + waits_of(rules, case, known, stops_for)
    return unite(found, start)


def pauses_of(rules: Rules, case: Case, known: Known, stops_for: StopsFor) -> list[Stretch]:
    """The permitted pauses that stop a clock, each cut at its cap; an open one ends at the moment asked about."""
    found: list[Stretch] = []
    for taken in case.paused:
        end = taken.end or case.asked_at
        if end is not None and taken.permitted and stops(stops_for, taken.pause):
            found.append((taken.start, min(end, capped(rules, known, taken) or end)))
    return found


def waits_of(rules: Rules, case: Case, known: Known, stops_for: StopsFor) -> list[Stretch]:
    """The waits of excluded tasks that stop a clock, ended by silence where it means something."""
    found: list[Stretch] = []
    for waited in case.waited:
        task = rules.tasks[waited.task]
        end = waited.end or case.asked_at
        if end is not None and task.excluded and stops(stops_for, waited.task):
            if task.silent_after is not None:
                number, counting = task.silent_after
                paused = pauses_of(rules, case, known, task.stops_for)
                restarting = restarts_of(rules, case, known, task.stops_for)
                start = counted_from(known, task.silent_after, waited.start, restarting, paused)
                stopped = unite(paused, start)
                end = min(end, count(known, counting, number, start, stopped))
            found.append((waited.start, end))
    return found


def unite(stretches: list[Stretch], start: datetime) -> list[Stretch]:
    """The same time from `start` on without overlaps: stretches that overlap or touch are one, empty ones none."""
    united: list[Stretch] = []
    cut = [(max(begins, start), ends) for begins, ends in stretches]
    for begins, ends in sorted(stretch for stretch in cut if stretch[0] < stretch[1]):
        if united and begins <= united[-1][1]:
            united[-1] = (united[-1][0], max(ends, united[-1][1]))
        else:
            united.append((begins, ends))
    return united


def count(known: Known, counting: Count, number: int, start: datetime, stopped: list[Stretch]) -> datetime:
    """When `number` units are full since `start`."""
    if counting.unit == "working_hours":
        return walk_minutes(known, known.minutes, start, number * HOUR_US, stopped)
    if counting.unit == "elapsed_hours":
        every = bytearray([COUNTS]) * (min(400, 2 * number // 24 + 90) * 24 * 60)
        return walk_minutes(known, every, start, number * HOUR_US, stopped)
    days = number - (counting.reaching == "late")
    if counting.unit == "working_days":
        return walk_working_days(known, counting, days, start, stopped)
    return walk_calendar_days(known, counting, days, start, stopped)


def walk_working_days(
    known: Known, counting: Count, days: int, start: datetime, stopped: list[Stretch]
) -> datetime:
    """The closing of the last of so many working days."""
    on = known.local_date(start)
    if counting.first_day == "included":
        on = on if known.works(on) else known.following(on)
        days -= 1
    if days == 0 and not known.works(on):
        on = known.following(on)
    for _ in range(days):
        on = known.following(on)
    for begins, ends in stopped:
        if begins < known.closing(on):
            day, last = known.local_date(begins), known.local_date(ends)
            while day < last:
                day += DAY
                on = known.following(on) if known.works(day) else on
    return known.closing(on)


def walk_calendar_days(
    known: Known, counting: Count, days: int, start: datetime, stopped: list[Stretch]
) -> datetime:
    """The last microsecond of the last of so many days, rolled past rest days where the counting says so."""
    on = known.local_date(start)
    for _ in range(days - (counting.first_day == "included")):
        on += DAY
    rolls = counting.rest_day == "rolls"
    for begins, ends in stopped:
        over = known.following(on) if rolls and not known.works(on) else on
        if begins < known.end_of(over):
            used_up = begins >= known.end_of(on)
            day, last = on if used_up else known.local_date(begins), known.local_date(ends)
            while day < last:
                day += DAY
                on += DAY
    if rolls and not known.works(on):
        on = known.following(on)
    return known.end_of(on)


def walk_minutes(
    known: Known, minutes: bytearray, start: datetime, wanted_us: int, stopped: list[Stretch]
) -> datetime:
    """The earliest instant at which the counted time since `start` outside the stops is `wanted_us`.

    `minutes` are those of `known`, or (all counted) begin with the minute of `start`.
    """
    if wanted_us == 0:
        return start
    origin, state = laid_out(known, minutes, start, stopped)
    for index in compress(range(len(state)), state):
        if state[index] == COUNTS:
            if wanted_us <= MINUTE_US:
                return origin + index * MINUTE + wanted_us * MICROSECOND
            wanted_us -= MINUTE_US
        else:
            for begins, ends in pieces(origin + index * MINUTE, start, stopped):
                length = (ends - begins) // MICROSECOND
                if wanted_us <= length:
                    return begins + wanted_us * MICROSECOND
                wanted_us -= length
    msg = f"the minutes laid out from {known.first} end before the sum is reached"
    raise LookupError(msg)


def laid_out(
    known: Known, minutes: bytearray, start: datetime, stopped: list[Stretch]
) -> tuple[datetime, bytearray]:
    """The minutes from that of `start` on, the stopped ones blanked, those cut by an edge marked."""
    origin = start.replace(second=0, microsecond=0)
    state = minutes[(origin - known.start) // MINUTE :] if minutes is known.minutes else minutes
    edges = {
        edge
        for edge in (start, *(e for stretch in stopped for e in stretch))
        if edge.second or edge.microsecond
    }
    for begins, ends in stopped:
        first, last = -((origin - begins) // MINUTE), (ends - origin) // MINUTE
        last = min(last, len(state))
        if first < last:
            state[first:last] = bytes(last - first)
    for edge in edges:
        index = (edge - origin) // MINUTE
        if index < len(state) and state[index] != REST:
            state[index] = MIXED
    return origin, state


def pieces(minute: datetime, start: datetime, stopped: list[Stretch]) -> list[Stretch]:
    """The parts of a minute that count: after `start` and outside the stops."""
    cuts = {minute, minute + MINUTE}
    cuts |= {edge for edge in (start, *(e for s in stopped for e in s)) if minute < edge < minute + MINUTE}
    ordered = sorted(cuts)
    parts = list(pairwise(ordered))
    return [
        (a, b) for a, b in parts if a >= start and not any(begins <= a < ends for begins, ends in stopped)
    ]


def worked_us(known: Known, begins: datetime, ends: datetime) -> int:
    """Working microseconds in [begins, ends), asked minute by minute."""
    total = 0
    minute = begins.replace(second=0, microsecond=0)
    first = (minute - known.start) // MINUTE
    for what in known.minutes[first : (ends - known.start) // MINUTE + 1]:
        if what == COUNTS:
            total += max(0, (min(ends, minute + MINUTE) - max(begins, minute)) // MICROSECOND)
        minute += MINUTE
    return total
