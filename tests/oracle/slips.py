"""The benchmark by walking: the printed date that counts, and what the pauses after it moved (docs/clocks.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from oracle.cases import (
    RECEIVERS,
    below,
    between,
    chance,
    pick,
    random_count,
    random_instant,
    random_rules,
    random_stops,
)
from oracle.minutes import DAY, MINUTE, Case, Count, Paused, PlainLimit
from oracle.walk import MICROSECOND, pauses_of, unite, walk_minutes, worked_us

if TYPE_CHECKING:
    from datetime import date
    from random import Random

    from oracle.minutes import Calendars, Known, PlainCalendar, Rules


class Slip(NamedTuple):
    """A printed date: why, and when it was told."""

    at: date | datetime
    cause: Literal["first", "after_supplement", "extension", "correction", "apology"]
    told: datetime


class SlipCase(NamedTuple):
    """A dossier with slips and pauses, asked about at a moment, and when it was issued, made ready and ended."""

    slips: tuple[Slip, ...]
    paused: tuple[Paused, ...]
    asked_at: datetime
    unit: str | None = None
    issued: datetime | None = None
    ready: datetime | None = None
    ended: datetime | None = None

    def had(self, moment: datetime | None) -> bool:
        """Whether something had taken place by the moment asked about."""
        return moment is not None and moment <= self.asked_at


def met(rules: Rules, case: SlipCase) -> datetime | None:
    """When the appointment was met: the citizen can fetch the result once it is ready; that an office signed it counts
    only where nobody makes results ready, or the dossier is over without."""
    if case.had(case.ready):
        return case.ready
    if rules.makes_ready and not case.had(case.ended):
        return None
    return next((moment for moment in (case.issued, case.ended) if case.had(moment)), None)


def benchmark(rules: Rules, case: SlipCase, calendars: Calendars) -> datetime | None:
    """The instant lateness against the slip is judged by; None where only apologies were told."""
    base: Slip | None = None
    for slip in case.slips:
        if slip.cause == "apology":
            continue
        if base is None or replaces(rules, case, base, slip, calendars):
            base = slip
    if base is None:
        return None
    # A dossier that has ended keeps the calendar of its end.
    known_at = case.ended if case.ended is not None and case.had(case.ended) else case.asked_at
    return moved(rules, base, case.paused, known_at, calendars, case.unit)


def committed(rules: Rules) -> Count | None:
    """How the procedure's committed limit counts, if it has one."""
    return next((limit.counting for limit in rules.limits.values() if limit.date == "committed"), None)


def replaces(rules: Rules, case: SlipCase, base: Slip, slip: Slip, calendars: Calendars) -> bool:
    """Whether a slip takes the place of the one that counted so far."""
    if slip.cause == "after_supplement":
        return committed(rules) is None
    if slip.cause not in {"extension", "correction"}:
        return False
    then = [pause for pause in case.paused if pause.start <= slip.told]
    known_then = [p if p.end is None or p.end <= slip.told else p._replace(end=None) for p in then]
    return slip.told <= moved(rules, base, tuple(known_then), slip.told, calendars, case.unit)


def moved(
    rules: Rules,
    base: Slip,
    paused: tuple[Paused, ...],
    asked_at: datetime,
    calendars: Calendars,
    unit: str | None,
) -> datetime:
    """The printed date, moved by the pauses begun after it was told."""
    later = tuple(pause for pause in paused if pause.start > base.told)
    known = calendars.known(rules, asked_at, unit)
    case = Case("every", base.told, asked_at, later, unit=unit)
    stopped = unite(pauses_of(rules, case, known, "all"), base.told)
    counting = committed(rules) or Count("working_days")
    reached = printed(rules, base, calendars, unit)
    if counting.unit in {"working_hours", "elapsed_hours"}:
        for begins, ends in stopped:
            if begins < reached and counting.unit == "elapsed_hours":
                reached += ends - begins
            elif begins < reached:
                reached = walk_minutes(known, known.minutes, reached, worked_us(known, begins, ends), [])
        return reached
    return moved_days(known, counting, base, reached, stopped)


def moved_days(
    known: Known, counting: Count, base: Slip, reached: datetime, stopped: list[tuple[datetime, datetime]]
) -> datetime:
    """A printed date moved by days: the rest-day rule once, at the end, and only for a date that moved."""
    first = on = known.local_date(base.at) if isinstance(base.at, datetime) else base.at
    due = reached
    for begins, ends in stopped:
        rolls = on != first and counting.rest_day == "rolls" and not known.works(on)
        if begins >= (on_day(known, base, reached, known.following(on)) if rolls else due):
            continue
        day, last = on if begins >= due else known.local_date(begins), known.local_date(ends)
        while day < last:
            day += DAY
            if counting.unit == "calendar_days":
                on += DAY
            elif known.works(day):
                on = known.following(on)
        due = reached if on == first else on_day(known, base, reached, on)
    if on != first and counting.rest_day == "rolls" and not known.works(on):
        return on_day(known, base, reached, known.following(on))
    return due


def on_day(known: Known, base: Slip, reached: datetime, on: date) -> datetime:
    """The slip's time of day on another date; of a date alone its closing, or its end where it has none."""
    if isinstance(base.at, datetime):
        wall = reached.astimezone(known.zone).time()
        return datetime.combine(on, wall, known.zone).astimezone(reached.tzinfo)
    return closing_or_end(known, on)


def closing_or_end(known: Known, on: date) -> datetime:
    """The closing of a working day of a calendar, else the last microsecond of the date."""
    return known.closing(on) if known.named and known.works(on) else known.end_of(on)


def printed(rules: Rules, slip: Slip, calendars: Calendars, unit: str | None) -> datetime:
    """The instant a slip names, by the calendar as it stood when it was told."""
    if isinstance(slip.at, datetime):
        return slip.at
    return closing_or_end(calendars.known(rules, slip.told, unit), slip.at)


def random_slip_rules(rnd: Random, calendar: PlainCalendar | None) -> Rules:
    """Rules with a committed limit or none."""
    rules = random_rules(rnd, calendar, limits=0)
    rules = replace(rules, makes_ready=chance(rnd, 50))
    if chance(rnd, 65):
        counting = random_count(rnd, calendar=calendar is not None)
        rules.limits["committed"] = PlainLimit(counting, 5, date="committed")
    return rules


def random_slip_case(rnd: Random, rules: Rules, calendars: Calendars) -> SlipCase:
    """A first slip, later ones of every cause, and pauses among them."""
    unit = pick(rnd, RECEIVERS)
    known = calendars.known(rules, None, unit)
    first = known.first + between(rnd, 20, 60) * DAY
    told = random_instant(rnd, known, first, None, fine=chance(rnd, 15))
    stops = random_stops(rnd, known, told, fine=chance(rnd, 15))
    found = [Paused(*stop, not chance(rnd, 10)) for stop in stops if stop[0] in rules.pauses]
    paused = tuple(sorted(found, key=lambda pause: pause.start))
    edges = [told, *(edge for pause in paused for edge in (pause.start, pause.end or pause.start))]
    slips: list[Slip] = []
    for index in range(pick(rnd, (1, 1, 2, 3, 4))):
        at = random_instant(rnd, known, known.local_date(told) + between(rnd, 0, 9) * DAY, None, fine=False)
        later = ("after_supplement", "extension", "correction", "apology", "first")
        causes = ("first", "first", "first", "apology") if index == 0 else later
        slips.append(Slip(pick(rnd, (at, known.local_date(at))), pick(rnd, causes), told))  # type: ignore[arg-type]
        told = max(
            told, pick(rnd, (told + below(rnd, 9 * 1440) * MINUTE, at, at + MICROSECOND, pick(rnd, edges)))
        )
    last = max(told, *edges)
    asked_at = last + below(rnd, 9 * 1440) * MINUTE
    case = SlipCase(tuple(slips), paused, asked_at, unit)
    if any(pause.end is None for pause in paused):
        return case
    moments = sorted(last + below(rnd, 12 * 1440) * MINUTE for _ in range(3))
    issued, ready, ended = (moment if chance(rnd, 60) else None for moment in moments)
    return case._replace(issued=issued, ready=ready if rules.makes_ready else None, ended=ended)
