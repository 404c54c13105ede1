"""`dunghen rates`: how many dossiers were late, and how many followed their procedure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import click

from workflow import rates as counting
from workflow.cli.budgets import show_budget
from workflow.cli.inputs import moment
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.errors import UsageError
from workflow.i18n import current
from workflow.rates import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Seen
    from workflow.rates import Measure, Rates, Share

SHARES: Final = (
    Column("late_appointment", "Late, slip", "right"),
    Column("late_committed", "Late, committed", "right"),
    Column("late_or_overdue", "Late or overdue, of all in hand", "right"),
    Column("followed", "Followed the procedure", "right"),
    Column("both", "Followed it and on time", "right"),
    Column("approved", "Approved procedure", "right"),
)
KEYS: Final = tuple(column.key for column in SHARES)
UNDATED: Final = Column("without_date", "Without a date", "right")
Asked: TypeAlias = Literal["all", "unit", "procedure", "month"]
GROUPS: Final = {
    "all": Column("group", "All"),
    "unit": Column("group", "Unit"),
    "procedure": Column("group", "Procedure"),
    "month": Column("group", "Month"),
}


@click.command(cls=Command)
@looking_options
@click.option(
    "--from", "since", help="First day of the period; by default the first of the year asked about."
)
@click.option("--to", "until", help="Last day of the period; by default the day asked about.")
@click.option(
    "--by",
    type=click.Choice(tuple(GROUPS)),
    default="unit",
    show_default=True,
    help="What to count apart.",
)
@click.option("--budget", is_flag=True, help="Show the budget of lateness of the year instead, of each unit.")
@output_option()
def rates(
    looking: Looking,
    since: str | None,
    until: str | None,
    by: Asked,
    budget: bool,  # noqa: FBT001 - a flag of the command line
    output: Form,
) -> None:
    """Count the dossiers that were late and those that followed their procedure, each rate with what it is divided by.

    Late, slip: released in the period after the benchmark (first appointment and permitted pauses), of those released
    that have a slip. Late, committed: the same for the committed date. Late or overdue: released late, or open at the
    end past their date, of all received or in hand: the reading of Decision 766/QĐ-TTg. Followed: released without
    breaking a rule of order, role, guard or end, of those released whose steps are told. Approved: judged by an
    approved procedure, of all counted. Of no dossiers there is no rate. Duplicates are left out.
    """
    if budget:
        with looking.opened() as store:
            show_budget(store, output)
        return
    with looking.opened() as store:
        period = _period(since, until, store.at, store.zone)
        measures = (
            counting.measure(one.rules, one.dossier, store.at)
            for one in watched(store.judged(), store.progress, "Counting")
            if not one.duplicate
        )
        parts, whole = _counted(measures, period, by, store)
        left_out = len(store.duplicates)
    rows = [*_rows(parts, by), *_rows([whole], "all")]
    if output == "table":
        print_rows(map(_shown, rows), (GROUPS[by], *SHARES, UNDATED), "table")
        _tell(whole, left_out)
    elif output == "csv":
        print_rows(map(_flat, rows), [Column(key, "") for key in _flat(rows[0])], "csv")
    else:
        print_rows(rows, (), output)


def _counted(
    measures: Iterable[Measure], period: Period, by: Asked, store: Seen
) -> tuple[list[Rates], Rates]:
    """The rates of the parts and of the whole, in one passage through the dossiers."""
    if by == "month":
        periods = [*counting.months(period.since, period.until, store.zone), period]
        found = counting.rates(measures, periods, now=store.at)
        whole = [one for one in found if one.period == period.name]
        parts = [one for one in found if one.period != period.name]
        return parts, counting.total(whole, period.name)
    parts = counting.rates(measures, [period], by, now=store.at)
    return [] if by == "all" else parts, counting.total(parts, period.name)


def _period(since: str | None, until: str | None, at: datetime, zone: ZoneInfo) -> Period:
    last = moment(until, zone, "--to") or at
    first = _start(since, zone) or last.astimezone(zone).replace(
        month=1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
    if first > last:
        raise UsageError(
            "--from {since} lies after --to {until}; exchange them",
            since=first.isoformat(),
            until=last.isoformat(),
            reason="period",
        )
    named = f"{first.astimezone(zone):%Y-%m-%d}..{last.astimezone(zone):%Y-%m-%d}"
    return Period(named, first, last + timedelta(microseconds=1))


def _start(text: str | None, zone: ZoneInfo) -> datetime | None:
    """The first instant of a day, or the instant itself where a time is given."""
    found = moment(text, zone, "--from")
    if text is None or found is None or len(text) != len("2026-03-01"):
        return found
    return found.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _rows(found: Iterable[Rates], by: str) -> Iterator[dict[str, object]]:
    for one in found:
        group = one.period if by == "month" else one.group
        yield {
            "by": by,
            "group": group,
            "period": one.period,
            **{key: _share(getattr(one, key)) for key in KEYS},
            "without_date": one.without_date,
        }


def _share(share: Share) -> dict[str, object]:
    return {"numerator": share.numerator, "denominator": share.denominator, "percent": share.percent}


def _shown(row: dict[str, object]) -> dict[str, object]:
    group = current("All") if row["by"] == "all" else row["group"] or current("no unit named")
    shares = {key: _words(row[key]) for key in KEYS}
    return {**row, **shares, "group": group}


def _words(share: object) -> str:
    assert isinstance(share, dict)  # noqa: S101 - made by `_share`
    counted = f"{share['numerator']}/{share['denominator']}"
    return counted if share["percent"] is None else f"{counted} = {share['percent']} %"


def _flat(row: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            found |= {f"{key}_{part}": value[part] for part in ("numerator", "denominator", "percent")}
        else:
            found[key] = value
    return found


def _tell(whole: Rates, left_out: int) -> None:
    click.echo(current("Period: {period}").format(period=whole.period))
    click.echo(
        current("{n} of {m} dossiers were judged by an approved procedure.").format(
            n=whole.approved.numerator, m=whole.approved.denominator
        )
    )
    if not whole.late_appointment.denominator:
        click.echo(current("Nothing with a slip was released in this period: there is no late rate."))
    if left_out:
        click.echo(current("{count} duplicates are left out.").format(count=left_out))
