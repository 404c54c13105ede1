"""Makes calendars, clocks and dossiers for the tests of time."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from workflow.clocks.calendar import Calendar, CalendarDefinition, read_calendar
from workflow.clocks.clock import Clock, compile_clock
from workflow.layout import layout
from workflow.model import Dossier, PauseTaken
from workflow.procedure.language import Revision
from workflow.yamltree import parse

if TYPE_CHECKING:
    from workflow.model import Deadline

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ROME = ZoneInfo("Europe/Rome")
CAN_THO = Path(__file__).parents[2] / "processes" / "calendars" / "vn-can-tho.yaml"

COUNTINGS = """
counting:
  days: {unit: working_days, reaching: in_time, first_day: excluded}
  days-included: {unit: working_days, reaching: in_time, first_day: included}
  days-late: {unit: working_days, reaching: late, first_day: excluded}
  days-cut: {unit: working_days, reaching: in_time, first_day: excluded, cut_off: "15:00"}
  hours: {unit: working_hours, reaching: in_time}
  hours-late: {unit: working_hours, reaching: late}
  hours-cut: {unit: working_hours, reaching: in_time, cut_off: "15:00"}
  dates: {unit: calendar_days, reaching: in_time, first_day: excluded, rest_day: rolls}
  dates-stay: {unit: calendar_days, reaching: in_time, first_day: excluded, rest_day: stays}
  dates-included: {unit: calendar_days, reaching: in_time, first_day: included, rest_day: stays}
  dates-late: {unit: calendar_days, reaching: late, first_day: excluded, rest_day: stays}
  elapsed: {unit: elapsed_hours, reaching: in_time}
  given: {unit: given_date, reaching: in_time}
"""

HEAD = """
procedure: p
revision: "1"
name: {vi: Thủ tục, en: Procedure}
figures: sample
initial: open
"""
STATES = """
states: {open: {}, closed: {final: true}}
actions: {close: {moves: [{from: [open], to: closed}]}}
"""


@cache
def can_tho() -> Calendar:
    return read_calendar(CAN_THO)


def calendar(days: str = "[]", *, zone: str = "Asia/Ho_Chi_Minh", week: str = "", more: str = "") -> Calendar:
    hours = (
        week
        or "{"
        + ", ".join(f"{d}: [07:00-11:00, 13:00-17:00]" for d in ("mon", "tue", "wed", "thu", "fri"))
        + "}"
    )
    text = (
        f"name: test\nzone: {zone}\ncovers: {{from: 2024-01-01, to: 2024-12-31}}\nhours: {{week: {hours}}}\n"
    )
    return Calendar(parse(f"{text}days: {days}\n{more}".encode(), "test.yaml", CalendarDefinition))


def revision(body: str, *, zone: str = "Asia/Ho_Chi_Minh", named: str | None = "vn-can-tho") -> Revision:
    calendar_line = f"calendar: {named}\n" if named else ""
    states = "" if "states:" in body else STATES
    text = f"{HEAD}zone: {zone}\n{calendar_line}{COUNTINGS}{states}{body}"
    return parse(text.encode(), "procedure.yaml", Revision)


def clock(
    body: str,
    *,
    zone: str = "Asia/Ho_Chi_Minh",
    given: Calendar | None = None,
    bare: bool = False,
    hours_of: dict[str, tuple[str, ...]] | None = None,
) -> Clock:
    """A clock over the calendar of Cần Thơ, another one, or (bare) none."""
    known = given or can_tho()
    read = revision(body, zone=zone, named=None if bare else known.name)
    return compile_clock(read, layout(read), {} if bare else {known.name: known}, hours_of)


def limited(within: int, counts: str, **more: Any) -> Clock:
    """A clock with the one limit `total`, counted from the receipt."""
    return clock(f"limits: {{total: {{binds: {{end: any}}, within: {within}, counts: {counts}}}}}", **more)


PAUSES = """
pauses:
  papers: {}
  fee: {cap: {within: 2, counts: days}}
  appraisal: {on_resume: restart}
"""


def made(within: int, counts: str, more: str = "", *, pauses: str = PAUSES, **given: Any) -> Clock:
    limit = f"limits: {{total: {{binds: {{end: any}}, within: {within}, counts: {counts}{more}}}}}"
    return clock(f"{pauses}{limit}", **given)


def pause(start: str, end: str | None = None, name: str = "papers", *, counts: bool = True) -> PauseTaken:
    return PauseTaken(name, at(start), at(end) if end else None, counts)


def dossier(received: datetime | None = None, **more: Any) -> Dossier:
    values: dict[str, Any] = {"registers": [], "firsts": [None] * 9, "lasts": [None] * 9, "counts": [0] * 9}
    values |= {"subject": "H1", "revision": "1", "state": "open", "received_at": received, **more}
    return Dossier(**values)


def at(text: str, zone: ZoneInfo = HANOI) -> datetime:
    """An instant by the wall clock of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def due(
    made: Clock,
    subject: Dossier,
    limit: str = "total",
    *,
    known: datetime | None = None,
    zone: ZoneInfo = HANOI,
) -> str:
    """The due instant by the wall clock, to the minute; the last minute of a day for its end."""
    made_limit = made.limits[limit]
    anchor = made_limit.anchor(subject)
    assert anchor is not None
    found = made_limit.due(subject, anchor, known)
    assert found is not None
    return wall(found, zone)


def wall(instant: datetime, zone: ZoneInfo = HANOI) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def total(within: int, counts: str, received: str, **more: Any) -> str:
    """When `within` units from a receipt are due in Cần Thơ."""
    return due(limited(within, counts), dossier(at(received)), **more)


def one(deadlines: tuple[Deadline, ...], kind: str) -> Deadline:
    (found,) = [deadline for deadline in deadlines if deadline.kind == kind]
    return found


def told(deadline: Deadline) -> list[str]:
    """A deadline's sum in English."""
    return [line.text.format(**line.values) for line in deadline.sum]
