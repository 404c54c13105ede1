"""Random calendars, rules and cases for the oracle of time, from any source of random numbers.

The same seed gives the same cases. Values lean towards the edges: openings, closings, midnight, cut-offs, stops
that touch, nest or are empty, announcements on the day itself.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from oracle.minutes import (
    DAY,
    MINUTE,
    Case,
    Count,
    Differs,
    Paused,
    PauseKind,
    PlainCalendar,
    PlainLimit,
    Rules,
    TaskKind,
    Waited,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from oracle.minutes import Calendars, Ended, Known, Spell, StopsFor, Week

T = TypeVar("T")

ZONES = ("Asia/Ho_Chi_Minh", "Europe/Rome", "America/New_York")
OFFICE: tuple[Spell, ...] = ((7 * 60, 11 * 60), (13 * 60, 17 * 60))
HALF_HOURS: tuple[Spell, ...] = ((7 * 60 + 30, 11 * 60 + 30), (13 * 60 + 30, 17 * 60))
THREE_SPELLS: tuple[Spell, ...] = ((7 * 60, 9 * 60 + 45), (10 * 60, 11 * 60 + 30), (13 * 60, 16 * 60 + 30))
MORNING: tuple[Spell, ...] = ((7 * 60 + 30, 11 * 60 + 30),)
WHOLE_DAY: tuple[Spell, ...] = ((0, 24 * 60),)
NIGHT: tuple[Spell, ...] = ((0, 6 * 60), (22 * 60, 24 * 60))
WAITS = ("ask", "consult", "inspect")
UNITS = ("desk", "land")
BRANCHES = ("branch", "ward")
RECEIVERS = (None, None, *BRANCHES, *UNITS, "stranger")


def below(rnd: Random, end: int) -> int:
    """A whole number from 0 on, below `end`.

    `randrange` and `choice` take three times as long.
    """
    return int(rnd.random() * end)


def between(rnd: Random, first: int, last: int) -> int:
    """A whole number between two, both included."""
    return first + below(rnd, last - first + 1)


def pick(rnd: Random, choices: Sequence[T]) -> T:
    """One of the choices."""
    return choices[int(rnd.random() * len(choices))]


def chance(rnd: Random, percent: int) -> bool:
    """True in so many cases of a hundred."""
    return below(rnd, 100) < percent


def random_week(rnd: Random) -> Week:
    """Weekly hours: offices with one, two or three spells, some with a Saturday, some drawn freely."""
    kind = below(rnd, 10)
    if kind < 7:
        spells = pick(rnd, (OFFICE, OFFICE, HALF_HOURS, THREE_SPELLS, WHOLE_DAY, NIGHT))
        week = dict.fromkeys(range(5), spells)
        return week | ({5: MORNING} if chance(rnd, 40) else {})
    weekdays = [day for day in range(7) if chance(rnd, 70)] or [0, 3]
    return {day: random_spells(rnd) for day in weekdays}


def random_spells(rnd: Random) -> tuple[Spell, ...]:
    """One to three spells anywhere in the day."""
    step = pick(rnd, (30, 30, 15, 1))
    edges = sorted(rnd.sample(range(0, 24 * 60 + 1, step), 2 * between(rnd, 1, 3)))
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def random_calendar(rnd: Random) -> PlainCalendar:
    """A calendar whose laid-out minutes begin before any case and end long after."""
    first = date(between(rnd, 2018, 2026), between(rnd, 1, 12), between(rnd, 1, 28))
    units = {unit: random_week(rnd) for unit in UNITS if chance(rnd, 50)}
    ends = first + pick(rnd, (70, 400, 700)) * DAY
    covers = (first, ends)
    week = random_week(rnd)
    differing = [day for day in random_days(rnd, first) if covers[0] <= day.on <= covers[1]]
    begun = sorted(rnd.sample(range(1, 66), pick(rnd, (0, 0, 1, 2))))
    later = tuple((first + day * DAY, random_week(rnd)) for day in begun)
    zone = pick(rnd, ZONES)
    return PlainCalendar("random", zone, week, units, tuple(differing), covers, first, later=later)


def random_days(rnd: Random, first: date) -> list[Differs]:
    """Holidays, rows of them, swaps, and later announcements that say otherwise; never two of one day at once."""
    found: dict[date, list[Differs]] = {}
    for _ in range(between(rnd, 0, 9)):
        on = first + below(rnd, 130) * DAY
        announced = None if chance(rnd, 40) else on - between(rnd, -3, 59) * DAY
        for _ in range(pick(rnd, (1, 1, 1, 2, 6))):
            hours_of = pick(rnd, (None, None, None, 0, 4, 5))
            found.setdefault(on, [Differs(on, hours_of, announced)])
            on += DAY
    for on, said in sorted(found.items()):
        if chance(rnd, 25):
            later = (said[0].announced or on - 40 * DAY) + between(rnd, 1, 20) * DAY
            said.append(Differs(on, None if said[0].hours_of is not None else below(rnd, 5), later))
    entries = [day for said in found.values() for day in said]
    rnd.shuffle(entries)
    return entries


def random_count(rnd: Random, *, calendar: bool) -> Count:
    """How something counts. Without a calendar only what needs no opening hours."""
    choices = ("working_hours", "working_days", "calendar_days", "elapsed_hours")
    unit = pick(rnd, choices if calendar else choices[2:])
    cut_off = (
        pick(rnd, (15 * 60, 15 * 60, 11 * 60, below(rnd, 1440))) if calendar and chance(rnd, 30) else None
    )
    return Count(
        unit,  # type: ignore[arg-type] # one of the words above
        pick(rnd, ("in_time", "late")),
        pick(rnd, ("excluded", "excluded", "included")),
        pick(rnd, ("rolls", "stays")),
        cut_off,
    )


def random_number(rnd: Random, count: Count) -> int:
    """A number for this counting: small, seldom big, and never fewer days than the rules can count."""
    if count.unit in {"working_hours", "elapsed_hours"}:
        return pick(rnd, (0, 1, 1, 2, 3, 4, 4, 8, 8, between(rnd, 5, 16), pick(rnd, (16, 40))))
    least = (count.reaching == "late") + (count.first_day == "included")
    return least + pick(rnd, (0, 1, 1, 2, 3, 5, between(rnd, 0, 15), pick(rnd, (18, 30, 45))))


def random_rules(rnd: Random, calendar: PlainCalendar | None, limits: int = 6) -> Rules:
    """Rules with several limits, pauses with and without caps, and tasks of which one is not excluded."""
    pauses = {}
    for name in ("supplement", "fee", "expert", "again"):
        counts = random_count(rnd, calendar=calendar is not None)
        cap = (random_number(rnd, counts), counts) if chance(rnd, 40) else None
        pauses[name] = PauseKind(cap, "restart" if name == "again" and chance(rnd, 50) else "continue")
    tasks = {name: random_task(rnd, tuple(pauses), calendar=calendar is not None) for name in WAITS}
    names = (*pauses, *tasks)
    units = tuple(rnd.sample(("hall", *UNITS), between(rnd, 0, 2)))
    zone = calendar.zone if calendar is not None else pick(rnd, ZONES)
    made = {
        f"limit-{index}": random_limit(rnd, names, calendar=calendar is not None) for index in range(limits)
    }
    works = {name: pick(rnd, (*UNITS, "nowhere", None)) for name in BRANCHES}
    return Rules(zone, calendar, units, made, pauses, tasks, works)


def random_task(rnd: Random, pauses: tuple[str, ...], *, calendar: bool) -> TaskKind:
    """A task, mostly excluded, sometimes with a limit whose passing means something."""
    counts = random_count(rnd, calendar=calendar)
    silent_after = (random_number(rnd, counts), counts) if chance(rnd, 40) else None
    return TaskKind(chance(rnd, 75), silent_after, pick(rnd, ("all", "none", (pauses[0], pauses[-1]))))


def random_limit(rnd: Random, names: tuple[str, ...], *, calendar: bool) -> PlainLimit:
    """A limit with a number, a number chosen by a register, or a given date."""
    some = tuple(rnd.sample(names, between(rnd, 1, 4)))
    stopping: tuple[StopsFor, ...] = ("all", "all", "all", "none", some)
    stops_for = pick(rnd, stopping)
    if chance(rnd, 8):
        counts = Count("given_date", pick(rnd, ("in_time", "late")))
        return PlainLimit(counts, stops_for=stops_for, register=pick(rnd, ("time", "day")))
    counts = random_count(rnd, calendar=calendar)
    if chance(rnd, 15):
        chosen = {group: random_number(rnd, counts) for group in ("I", "II")}
        otherwise = random_number(rnd, counts) if chance(rnd, 50) else None
        return PlainLimit(counts, None, chosen, otherwise, stops_for)
    return PlainLimit(counts, random_number(rnd, counts), stops_for=stops_for)


def random_case(rnd: Random, rules: Rules, calendars: Calendars) -> Case:
    """One dossier and one of the limits to ask about, some 20 to 60 days into the laid-out minutes."""
    limit, unit = pick(rnd, tuple(rules.limits)), pick(rnd, RECEIVERS)
    known = calendars.known(rules, None, unit)
    first = rules.calendar.first if rules.calendar is not None else date(2024, between(rnd, 1, 12), 1)
    fine = chance(rnd, 15)
    anchor = random_instant(
        rnd, known, first + between(rnd, 20, 60) * DAY, rules.limits[limit].counting.cut_off, fine=fine
    )
    stops = random_stops(rnd, known, anchor, fine=fine)
    paused = [Paused(*stop, not chance(rnd, 10)) for stop in stops if stop[0] in rules.pauses]
    hows: tuple[Ended, ...] = ("answered_at", "answered_at", "recalled_at", "left_at")
    waited = [Waited(*stop, pick(rnd, hows)) for stop in stops if stop[0] in rules.tasks]
    last = max((e for _, a, b in stops for e in (a, b or a)), default=anchor)
    asked_at = max(last, anchor) + pick(rnd, (0, 1, 60, 1440, below(rnd, 40 * 1440))) * MINUTE
    given = anchor + between(rnd, -1440, 40 * 1440) * MINUTE
    return Case(
        limit,
        anchor,
        None if chance(rnd, 25) else asked_at,
        tuple(sorted(paused, key=lambda p: p.start)),
        tuple(sorted(waited, key=lambda w: w.start)),
        tuple(pick(rnd, (0, 1, 2, 8)) for _ in range(between(rnd, 1, 2))) if chance(rnd, 12) else (),
        pick(rnd, ("I", "I", "II", "II", "III", None)),
        given if chance(rnd, 80) else None,
        known.local_date(given) if chance(rnd, 80) else None,
        unit,
    )


def random_instant(rnd: Random, known: Known, on: date, cut_off: int | None, *, fine: bool) -> datetime:
    """An instant of a date: anywhere, midnight, at or beside an opening, a closing or the cut-off."""
    spells = known.spells(on)
    minutes = [0, 12 * 60, below(rnd, 1440), between(rnd, 6 * 60, 18 * 60)]
    minutes += [edge for spell in spells for edge in spell]
    minutes += [cut_off, cut_off] if cut_off is not None else []
    minute = pick(rnd, minutes) + pick(rnd, (0, 0, 0, 1, -1))
    odd = timedelta(microseconds=below(rnd, 60_000_000)) if fine and chance(rnd, 70) else timedelta(0)
    return known.moment(on, minute) + odd


def random_stops(
    rnd: Random, known: Known, anchor: datetime, *, fine: bool
) -> list[tuple[str, datetime, datetime | None]]:
    """Pauses and waits near the anchor that overlap, touch, nest, are empty or stay open."""
    found: list[tuple[str, datetime, datetime | None]] = []
    edges = [anchor]
    for _ in range(pick(rnd, (0, 0, 0, 1, 1, 2, 3, 5))):
        name = pick(rnd, ("supplement", "fee", "expert", "again", *WAITS))
        on = known.local_date(anchor) + pick(rnd, (-2, 0, 0, 1, 2, below(rnd, 15))) * DAY
        anywhere = random_instant(rnd, known, on, None, fine=fine)
        start = pick(rnd, (anywhere, anywhere, pick(rnd, edges), edges[-1]))
        length = pick(rnd, (0, 1, 30, below(rnd, 600), below(rnd, 3 * 1440), below(rnd, 12 * 1440)))
        ends = (
            start + length * MINUTE,
            random_instant(rnd, known, on + below(rnd, 6) * DAY, None, fine=fine),
        )
        end = max(start, pick(rnd, ends))
        edges += [start, end]
        found.append((name, start, None if chance(rnd, 8) else end))
    return found


def cases(rnd: Random, calendars: Calendars, number: int) -> list[tuple[Rules, Case]]:
    """So many cases on one calendar (seldom on none), a few dozen for each set of rules."""
    calendar = None if chance(rnd, 5) else random_calendar(rnd)
    found: list[tuple[Rules, Case]] = []
    while len(found) < number:
        rules = random_rules(rnd, calendar)
        found += [(rules, random_case(rnd, rules, calendars)) for _ in range(min(50, number - len(found)))]
    return found
