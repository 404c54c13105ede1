"""The office of random procedures that count by working hours: one calendar, and units with hours of their own."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from oracle.minutes import Calendars, Differs, PlainCalendar, Rules

if TYPE_CHECKING:
    from datetime import datetime

    from oracle.minutes import Known
    from workflow.procedure.language import Revision

CALENDAR = PlainCalendar(
    "trial",
    "Asia/Ho_Chi_Minh",
    dict.fromkeys(range(7), ((7 * 60, 11 * 60), (13 * 60, 17 * 60))),
    {
        "early": dict.fromkeys(range(7), ((5 * 60, 9 * 60 + 30),)),
        "night": dict.fromkeys(range(7), ((0, 6 * 60), (20 * 60, 24 * 60))),
    },
    (Differs(date(2024, 1, 3), None, date(2024, 1, 2)),),
    (date(2023, 12, 1), date(2024, 3, 1)),
    date(2023, 12, 1),
    60,
)
WORKS = {"u1": "night", "u2": None, "u3": "early", "tax": "night"}
UNITS = ("u1", "u2", "u3", "early", "stranger")
KEPT = Calendars()


def office(revision: Revision) -> Rules:
    """What the walk asks about a procedure that names the calendar."""
    return Rules(CALENDAR.zone, CALENDAR, revision.units, {}, {}, {}, WORKS)


def known(revision: Revision, at: datetime, unit: str | None) -> Known:
    """Its calendar as known at an instant, with the hours that count for a unit."""
    return KEPT.known(office(revision), at, unit)
