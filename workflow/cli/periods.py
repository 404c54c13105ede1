"""A period a command counts over: its two options, and what they mean."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from workflow.cli.inputs import moment, names_day
from workflow.cli.sums import shown_instant
from workflow.errors import UsageError
from workflow.figures.rates import Period

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

_FROM: Final = click.option(
    "--from", "since", help="First day of the period; by default the first of the year asked about."
)
_TO: Final = click.option("--to", "until", help="Last day of the period; by default the day asked about.")


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--from` and `--to`; the command receives them as `since` and `until`."""
    return _FROM(_TO(command))


def period_of(since: str | None, until: str | None, at: datetime, zone: ZoneInfo) -> Period:
    """The period asked for, the last instant included; the year of `at` up to it where nothing is said.

    Raises UsageError where it ends before it begins.
    """
    last = moment(until, zone, "--to") or at
    first = _start(since, zone) or last.astimezone(zone).replace(
        month=1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
    if first > last:
        raise UsageError(
            "--from {since} lies after --to {until}; exchange them",
            since=shown_instant(first, zone),
            until=shown_instant(last, zone),
            reason="period",
        )
    named = f"{first.astimezone(zone):%Y-%m-%d}..{last.astimezone(zone):%Y-%m-%d}"
    return Period(named, first, last + timedelta(microseconds=1))


def _start(text: str | None, zone: ZoneInfo) -> datetime | None:
    """The first instant of a day, or the instant itself where a time is given."""
    found = moment(text, zone, "--from")
    if text is None or found is None or not names_day(text):
        return found
    return found.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
