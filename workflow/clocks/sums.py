"""The sum of a deadline, line by line: English templates (keys of their translations) and what fills them.

Built only where an explanation is asked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from workflow.clocks.worktime import MICROSECONDS_A_MINUTE
from workflow.model import Line
from workflow.procedure.language import Choice

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from workflow.clocks.counters import AnyCounter
    from workflow.clocks.stops import Stop
    from workflow.clocks.timetable import Timetable
    from workflow.procedure.language import Anchor, Counting, Limit

_MINUTES_AN_HOUR: Final = 60
CITED_MAX: Final = 1_024
"""Citations of calendars remembered: those of all units by a few calendars. Each alert that is raised has one."""


def spelled(instant: datetime, zone: ZoneInfo) -> str:
    """An instant by the clock of `zone`, to the minute where it has no seconds."""
    local = instant.astimezone(zone)
    exact = local.second or local.microsecond
    return local.isoformat(sep=" ", timespec="auto" if exact else "minutes")


def from_anchor(limit: Limit, anchor: datetime, default: str) -> Line:
    """What the limit counts from; `default` names the place it counts from where it names none itself."""
    starts = limit.starts
    if starts is not None:
        return _from_named(starts, anchor)
    if limit.binds is not None and limit.binds.phase is not None:
        return Line("start of phase {phase}", {"phase": limit.binds.phase}, anchor)
    match default.split("/"):
        case ["task", state, task]:
            return Line("asking for {task} in state {state}", {"task": task, "state": state}, anchor)
        case [*_, state] if state:
            return Line("entering state {state}", {"state": state}, anchor)
    return Line("receipt of the dossier", {}, anchor)


def _from_named(starts: Anchor, anchor: datetime) -> Line:
    if starts.action is not None and starts.which == "first":
        return Line("first {action}", {"action": starts.action}, anchor)
    if starts.action is not None:
        return Line("last {action}", {"action": starts.action}, anchor)
    if starts.entering is not None:
        return Line("entering state {state}", {"state": starts.entering}, anchor)
    return Line("milestone {milestone}", {"milestone": starts.milestone or ""}, anchor)


def in_one_line(limit: Limit, counting: Counting) -> str:
    """How a limit is counted, the same in every language."""
    number = limit.until or (
        f"by {limit.within.register}" if isinstance(limit.within, Choice) else str(limit.within)
    )
    words = [f"{number} {counting.unit}", f"reaching {counting.reaching}"]
    words += [f"first_day {counting.first_day}"] if counting.first_day else []
    words += [f"rest_day {counting.rest_day}"] if counting.rest_day else []
    words += [f"cut_off {counting.cut_off}"] if counting.cut_off else []
    return ", ".join(words)


def restarted(pause: str, at: datetime) -> Line:
    """The pause from whose end the limit counts anew."""
    return Line("counts anew from the end of pause {pause}", {"pause": pause}, at)


def cut_off(counting: Counting, opening: datetime) -> Line:
    """A start at or after the cut-off, or on a rest day, counts as of the next opening."""
    return Line(
        "at or after the cut-off {cut_off}, or on a rest day: counts from the next opening",
        {"cut_off": counting.cut_off or ""},
        opening,
    )


def chosen(register: str, value: str, number: int) -> Line:
    """The number a register chose."""
    return Line(
        "{number} chosen by {register} = {value}", {"number": number, "register": register, "value": value}
    )


def extended(by: int, at: datetime, zone: ZoneInfo) -> Line:
    """One extension by decision."""
    return Line("extended by {number} by the decision of {on}", {"number": by, "on": spelled(at, zone)})


def counted(counting: Counting, number: int, due: datetime) -> Line:
    """The count itself, in its unit."""
    values: dict[str, str | int] = {"number": number}
    included = counting.first_day == "included"
    match counting.unit:
        case "working_hours":
            return Line("plus {number} working hours", values, due)
        case "elapsed_hours":
            return Line("plus {number} hours", values, due)
        case "working_days" if included:
            return Line("{number} working days, the first day included", values, due)
        case "working_days":
            return Line("{number} working days, the first day not counted", values, due)
        case "calendar_days" if included:
            return Line("{number} calendar days, the first day included", values, due)
        case _:
            return Line("{number} calendar days, the first day not counted", values, due)


def day_too_late(number: int) -> Line:
    """Why one day fewer was counted."""
    return Line("day {number} is already too late: the day before is the last", {"number": number})


def stop(
    counting: Counting, zone: ZoneInfo, met: Stop, amount: int | None, before: datetime, due: datetime
) -> Line:
    """One stop and by how much it moved the date from `before` to `due`: `amount` in days, or in microseconds for
    hours; None where it came too late."""
    values: dict[str, str | int] = {
        "names": ", ".join(met.names),
        "from": spelled(met.start, zone),
        "to": spelled(met.end, zone),
    }
    if amount is None:
        del values["to"]
        return Line("{names} began at {from}, when the date had passed: moves nothing", values)
    if met.start >= before:
        return Line(
            "{names} began at {from}, while the last day rolled on: it is the one on which the clock runs again, {to}",
            values,
            due,
        )
    match counting.unit:
        case "working_hours":
            values |= _hours(amount)
            return Line(
                "stopped by {names} from {from} to {to}: {hours}:{minutes} working hours", values, due
            )
        case "elapsed_hours":
            values |= _hours(amount)
            return Line("stopped by {names} from {from} to {to}: {hours}:{minutes} hours", values, due)
        case "working_days":
            values["days"] = amount
            return Line("stopped by {names} from {from} to {to}: {days} working days", values, due)
        case _:
            values["days"] = amount
            return Line("stopped by {names} from {from} to {to}: {days} calendar days", values, due)


def capped(pause: str, until: datetime, zone: ZoneInfo) -> Line:
    """A pause that lasted longer than it may stop the clock."""
    return Line(
        "pause {pause} stops the clock until {until} at most", {"pause": pause, "until": spelled(until, zone)}
    )


def not_permitted(pause: str, start: datetime, zone: ZoneInfo) -> Line:
    """A pause beyond its permitted number."""
    return Line(
        "pause {pause} of {from} is beyond its permitted number: stops no clock",
        {"pause": pause, "from": spelled(start, zone)},
    )


def rolled(day: date, due: datetime) -> Line:
    """A last day that is a rest day."""
    return Line("{day} is a rest day: moves to the next working day", {"day": day.isoformat()}, due)


def given(register: str, due: datetime) -> Line:
    """A date that a register gives."""
    return Line("given by {register}", {"register": register}, due)


def pause_begun(pause: str, start: datetime) -> Line:
    """Where the cap of a pause is counted from."""
    return Line("beginning of the pause {pause}", {"pause": pause}, start)


def counted_when_met(due: datetime) -> Line:
    """A date that what is known now would no longer give."""
    return Line("as it was counted when it was met", {}, due)


@lru_cache(maxsize=CITED_MAX)
def counted_by(timetable: Timetable | None, counter: AnyCounter, unit: str | None) -> tuple[Line, ...]:
    """The calendar revision that counted, and by whose hours; nothing where no calendar did."""
    if timetable is None or counter.label is None:
        return ()
    calendar = Line("counted by calendar {calendar}", {"calendar": counter.label})
    hours = counter.hours
    if unit is not None and timetable.knows(unit):
        if hours is None:
            return calendar, Line("by the usual hours, which unit {unit} works by", {"unit": unit})
        values: dict[str, str | int] = {"hours": hours, "unit": unit}
        return calendar, Line("by the hours {hours}, which unit {unit} works by", values)
    if hours is None:
        return (calendar,)
    return calendar, Line("by the hours {hours}, those of the procedure's units", {"hours": hours})


def beyond_cover(day: date, covered_to: date) -> Line:
    """A date for which the calendar does not know the holidays yet."""
    return Line(
        "{day} lies after {covered_to}, up to which the calendar knows the holidays: may still move",
        {"day": day.isoformat(), "covered_to": covered_to.isoformat()},
    )


def printed(day: date, due: datetime) -> Line:
    """A slip that names a day alone."""
    return Line("printed on the slip: {day}, due at its closing time", {"day": day.isoformat()}, due)


def printed_time(due: datetime) -> Line:
    """A slip that names a time."""
    return Line("printed on the slip", {}, due)


def replaced(cause: str, told_at: datetime, zone: ZoneInfo) -> Line:
    """A later slip whose date takes the place of the one before."""
    return Line("slip of {told}, {cause}: replaces the date", _slip(cause, told_at, zone))


def told_too_late(cause: str, told_at: datetime, zone: ZoneInfo) -> Line:
    """A later slip that was told when the date had passed."""
    return Line(
        "slip of {told}, {cause}: told when the date had passed, moves nothing", _slip(cause, told_at, zone)
    )


def compared(cause: str, told_at: datetime, zone: ZoneInfo) -> Line:
    """A later slip that is shown and moves nothing."""
    return Line("slip of {told}, {cause}: compared, moves nothing", _slip(cause, told_at, zone))


def _slip(cause: str, told_at: datetime, zone: ZoneInfo) -> dict[str, str | int]:
    return {"cause": cause, "told": spelled(told_at, zone)}


def _hours(amount: int) -> dict[str, str | int]:
    hours, minutes = divmod(amount // MICROSECONDS_A_MINUTE, _MINUTES_AN_HOUR)
    return {"hours": hours, "minutes": f"{minutes:02}"}
