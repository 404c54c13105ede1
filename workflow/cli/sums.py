"""Deadlines for people: each date, whether it was kept, and its sum line by line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from workflow.cli.naming import in_names, worded
from workflow.clocks.sums import spelled
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from workflow.model import Deadline, Line
    from workflow.procedure.language import Revision

KINDS = {
    "appointment": "appointment on the slip",
    "benchmark": "benchmark",
    "committed": "committed date",
    "statutory": "statutory date",
    "limit": "limit",
    "step": "step",
    "phase": "phase",
    "task": "task",
}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?[+-]\d\d:\d\d")
"""As `spelled` writes them."""


def print_deadlines(deadlines: Iterable[Deadline], zone: ZoneInfo, revision: Revision | None = None) -> None:
    """Prints each deadline with its sum; the parts of a `revision` by their names."""
    for deadline in deadlines:
        click.echo()
        kind, due = current(KINDS[deadline.kind]), shown_instant(deadline.due_at, zone)
        click.echo(f"{kind} · {deadline.rule}: {due} · {_kept(deadline, zone)}")
        print_sum(deadline.sum, zone, revision)
        if deadline.basis:
            click.echo(f"  {current('basis: {basis}').format(basis=worded(deadline.basis))}")


def print_sum(lines: Iterable[Line], zone: ZoneInfo, revision: Revision | None = None) -> None:
    """Prints the lines of a sum, each with the date it reaches; the parts of a `revision` by their names."""
    for line in lines:
        reached = f"  → {shown_instant(line.at, zone)}" if line.at is not None else ""
        told = line.values if revision is None else in_names(line.values, revision)
        values = {name: _shown_value(value, zone) for name, value in told.items()}
        click.echo(f"  {current(line.text).format(**values)}{reached}")


def _shown_value(value: str | int, zone: ZoneInfo) -> str | int:
    """A value of a line; an instant as instants are shown, though a sum spells it whole."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return shown_instant(datetime.fromisoformat(value), zone)
    return value


def shown_instant(instant: datetime, zone: ZoneInfo) -> str:
    """An instant by the wall clock of `zone`; the last microsecond of a day as the end of that day."""
    local = instant.astimezone(zone)
    if (local.hour, local.minute, local.second) == (23, 59, 59):
        return current("end of {day}").format(day=local.date().isoformat())
    return spelled(instant, zone)[:16] if not local.second else local.strftime("%Y-%m-%d %H:%M:%S")


def shown_length(length: timedelta) -> str:
    """A length of time that is not negative, in days of 24 hours, hours and minutes."""
    minutes = length // timedelta(minutes=1)
    days, rest = divmod(minutes, 24 * 60)
    return current("{days} d {hours} h {minutes} min").format(days=days, hours=rest // 60, minutes=rest % 60)


def shown_worktime(minutes: int) -> str:
    """So many minutes of working time, in hours and minutes: how long a working day is differs."""
    return current("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def shown_wait(seconds: float) -> str:
    """How long something has waited; nothing where nothing waits."""
    return shown_length(timedelta(seconds=seconds)) if seconds else ""


def _kept(deadline: Deadline, zone: ZoneInfo) -> str:
    verdict = current("late") if deadline.late else current("in time")
    if deadline.met_at is not None:
        return current("{verdict}, met {when}").format(
            verdict=verdict, when=shown_instant(deadline.met_at, zone)
        )
    if deadline.open_pause:
        return current("{verdict}, the clock stands").format(verdict=verdict)
    return current("{verdict}, still running").format(verdict=verdict)
