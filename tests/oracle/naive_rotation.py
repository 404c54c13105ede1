"""Rotation told naively, a day at a time, from plain records: an independent model of `workflow.rotation.duties`.

An event is a tuple: its day, its kind, and what the kind says. No voids, no revisions, one time.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

Event = tuple[Any, ...]
ONE = timedelta(days=1)
NEVER = date(2100, 1, 1)


def starts(events: list[Event], place: tuple[str, str]) -> set[date]:
    """Days on which a post was taken up."""
    told = {day for day, kind, *what in events if kind == "appointed" and tuple(what) == place}
    found = set(told)
    for day, kind, *what in events:
        if kind != "moved" or what[1] != place or what[0] == place:
            continue
        again = min((left for left in leavings(events, place) if left > day), default=NEVER)
        if not any(day <= one <= again for one in told):
            found.add(day + ONE)
    return found


def leavings(events: list[Event], place: tuple[str, str]) -> set[date]:
    """Days that were the last in a post."""
    return {day for day, kind, *what in events if kind == "moved" and what[0] == place and what[1] != place}


def held(events: list[Event], place: tuple[str, str], on: date) -> bool:
    """Whether a post was held on a day: taken up by then and not left in between, or left later, no beginning told."""
    begun, left = starts(events, place), leavings(events, place)
    if any(day <= on and not any(day <= last < on for last in left) for day in begun):
        return True
    earliest = min(left, default=None)
    return earliest is not None and on <= earliest and not any(day <= earliest for day in begun)


def last_day(events: list[Event], place: tuple[str, str], on: date) -> date | None:
    """The last day in a post that is held on a day, None where nobody has told one."""
    return min((day for day in leavings(events, place) if day >= on), default=None)


def due_on(since: date, years: int, spells: list[tuple[date, date | None]]) -> date | None:
    """The first day on or after the end of a term that no exemption or deferral covers."""
    try:
        day = since.replace(year=since.year + years)
    except ValueError:
        day = date(since.year + years, 2, 28)
    while any(first <= day and (last is None or day <= last) for first, last in spells):
        day += ONE
        if day > NEVER:
            return None
    return day


def verified_since(findings: list[str], asking: tuple[str, ...]) -> int | None:
    """The place of the finding a move rests on: walk back from the last one while they ask for it."""
    place = len(findings)
    while place and findings[place - 1] in asking:
        place -= 1
    return None if place == len(findings) else place
