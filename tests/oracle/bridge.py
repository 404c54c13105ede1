"""Carries plain calendars, rules and cases over to the product, and asks both sides the same questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from oracle.minutes import Case, announced_on
from workflow.clocks.calendar import WEEKDAYS, Calendar, CalendarDefinition
from workflow.clocks.clock import compile_clock
from workflow.layout import layout
from workflow.model import AppointmentTold, Dossier, ExtensionTaken, PauseTaken, TaskRun
from workflow.procedure.language import Revision

if TYPE_CHECKING:
    from oracle.minutes import (
        Count,
        Differs,
        PauseKind,
        PlainCalendar,
        PlainLimit,
        Rules,
        TaskKind,
        Week,
    )
    from oracle.slips import SlipCase
    from workflow.clocks.clock import Clock
    from workflow.layout import Layout

SPOKEN = {"vi": "thử", "en": "trial"}


class Compiled(NamedTuple):
    """Rules as the product holds them."""

    revision: Revision
    clock: Clock
    slots: Layout


def calendar_of(plain: PlainCalendar) -> Calendar:
    """The product's calendar."""
    definition = {
        "name": plain.name,
        "zone": plain.zone,
        "covers": {"from": plain.covers[0], "to": plain.covers[1]},
        "hours": {
            "week": _week(plain.week),
            "later": [{"from": since, "week": _week(week)} for since, week in plain.later],
        },
        "units": {unit: {"week": _week(week)} for unit, week in plain.units.items()},
        "days": [_day(day) for day in plain.differing],
    }
    return Calendar(msgspec.convert(definition, CalendarDefinition))


def _week(week: Week) -> dict[str, list[str]]:
    return {
        WEEKDAYS[day]: [f"{_wall(opens)}-{_wall(closes)}" for opens, closes in spells]
        for day, spells in sorted(week.items())
    }


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(day: Differs) -> dict[str, Any]:
    said: dict[str, Any] = {"date": day.on, "name": SPOKEN, "instrument": "trial"}
    said |= {"kind": "off"} if day.hours_of is None else {"kind": "work", "hours_of": WEEKDAYS[day.hours_of]}
    return said | ({"unverified": True} if day.announced is None else {"announced": announced_on(day)})


def compiled(rules: Rules, calendars: dict[int, Calendar]) -> Compiled:
    """The rules compiled by the product; `calendars` keeps the calendars already carried over."""
    known: dict[str, Calendar] = {}
    if rules.calendar is not None:
        key = id(rules.calendar)
        if key not in calendars:
            calendars[key] = calendar_of(rules.calendar)
        known[rules.calendar.name] = calendars[key]
    revision = msgspec.convert(_revision(rules), Revision)
    slots = layout(revision)
    hours_of = {unit: () if hours is None else (hours,) for unit, hours in rules.works.items()}
    return Compiled(revision, compile_clock(revision, slots, known, hours_of), slots)


def _revision(rules: Rules) -> dict[str, Any]:
    said: dict[str, Any] = {
        "procedure": "trial",
        "revision": "1",
        "name": SPOKEN,
        "figures": "sample",
        "zone": rules.zone,
        "initial": "open",
        "units": list(rules.units),
        "states": {
            "open": {"tasks": {n: _task(n, t) for n, t in rules.tasks.items()}},
            "done": {"final": True},
        },
        "actions": {"finish": {"moves": [{"from": ["open"], "to": "done"}]}} | _make_ready(rules),
        "registers": {"chosen": {"type": "text"}, "time": {"type": "time"}, "day": {"type": "date"}},
        "limits": {name: _limit(limit) for name, limit in rules.limits.items()},
        "pauses": {name: _pause(pause) for name, pause in rules.pauses.items()},
    }
    return said | ({} if rules.calendar is None else {"calendar": rules.calendar.name})


def _make_ready(rules: Rules) -> dict[str, Any]:
    return {"make_ready": {"moves": [{"from": ["open"]}], "milestone": "ready"}} if rules.makes_ready else {}


def _limit(limit: PlainLimit) -> dict[str, Any]:
    said: dict[str, Any] = {
        "counts": _counting(limit.counting),
        "binds": {"end": "any"},
        "date": limit.date,
        "stops_for": limit.stops_for,
    }
    if limit.counting.unit == "given_date":
        return said | {"until": limit.register}
    if limit.chosen is None:
        return said | {"within": limit.number}
    otherwise = {} if limit.otherwise is None else {"otherwise": limit.otherwise}
    return said | {"within": {"register": "chosen", "values": limit.chosen} | otherwise}


def _pause(pause: PauseKind) -> dict[str, Any]:
    cap = {} if pause.cap is None else {"cap": {"within": pause.cap[0], "counts": _counting(pause.cap[1])}}
    return {"on_resume": pause.on_resume} | cap


def _task(name: str, task: TaskKind) -> dict[str, Any]:
    said: dict[str, Any] = {"asked": f"ask_{name}", "answered": f"answer_{name}"}
    said["clock"] = "excluded" if task.excluded else "counts"
    if task.silent_after is None:
        return said
    number, counting = task.silent_after
    limit = {"counts": _counting(counting), "within": number, "stops_for": task.stops_for}
    return said | {"on_silence": "proceed", "limit": limit}


def _counting(count: Count) -> dict[str, Any]:
    said: dict[str, Any] = {"unit": count.unit, "reaching": count.reaching}
    if count.unit in {"working_days", "calendar_days"}:
        said |= {"first_day": count.first_day, "rest_day": count.rest_day}
    return said | ({} if count.cut_off is None else {"cut_off": _wall(count.cut_off)})


def dossier_of(case: Case, made: Compiled) -> Dossier:
    """The case as the product keeps it, its registers filled."""
    dossier = Dossier(
        subject="trial",
        revision="1",
        state="open",
        since=case.anchor,
        hours_of=case.unit,
        registers=[None] * len(made.slots.registers),
        firsts=[None] * len(made.slots.actions),
        lasts=[None] * len(made.slots.actions),
        counts=[0] * len(made.slots.actions),
        received_at=case.anchor,
        pauses=tuple(PauseTaken(p.pause, p.start, p.end, p.permitted) for p in case.paused),
        tasks=tuple(TaskRun("open", w.task, "agency", w.start, **{w.how: w.end}) for w in case.waited),
        extensions=tuple(ExtensionTaken(case.limit, by, case.anchor) for by in case.extended),
    )
    for name, slot in made.slots.registers.items():
        dossier.registers[slot] = getattr(case, name)
    return dossier


def slips_of(case: SlipCase, made: Compiled) -> Dossier:
    """A dossier with slips and pauses as the product keeps it."""
    plain = dossier_of(Case("none", case.slips[0].told, case.asked_at, case.paused, unit=case.unit), made)
    told = tuple(AppointmentTold(slip.at, slip.cause, slip.told) for slip in case.slips)
    stopped = {"issued_at": case.issued, "ready_at": case.ready, "ended_at": case.ended}
    return msgspec.structs.replace(plain, appointments=told, **stopped)
