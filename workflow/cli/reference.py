"""`dunghen reference`: a made-up year in which officers follow the alerts, and the same year in which they do not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_rows
from workflow.cli.plotting import words_of, write
from workflow.cli.simulate import department_of
from workflow.cli.writing import OUT
from workflow.figures.curves import curves, releases
from workflow.figures.rates import Share, measure
from workflow.i18n import current
from workflow.risk.backtest import trial
from workflow.risk.stays import course
from workflow.risk.table import Risk
from workflow.simulation.office import Office, Year, run, works

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.cli.output import Form
    from workflow.figures.curves import Curve, Point
    from workflow.figures.rates import Measure
    from workflow.risk.stays import Course
    from workflow.simulation.office import Done

UNITS: Final = ("branch-ninh-kieu", "branch-cai-rang", "branch-o-mon")
OFFICERS: Final = 3
MONTHLY: Final = 560
"""Dossiers of a month in all three branches: their officers are busy, and have nothing to spare in a busy week."""
THRESHOLD_PERCENT: Final = 5
"""Same-day dossiers leave little time to act on, so they are called at risk early."""
COLUMNS: Final = (
    Column("case", "Officers"),
    Column("released", "Released", "right"),
    Column("late", "Late", "right"),
    Column("rate", "Late, %", "right"),
)


class _Case(NamedTuple):
    name: str
    curve: Curve


@click.command(cls=Command)
@click.option("--seed", type=int, default=2024, show_default=True, help="The same seed gives the same year.")
@click.option("--year", type=click.IntRange(2022, 2025), default=2024, show_default=True, help="Which year.")
@click.option(
    "--monthly", type=click.IntRange(1), default=MONTHLY, show_default=True, help="Mean dossiers of a month."
)
@click.option("--plot", "picture", type=OUT, help="Write both curves into this picture (SVG).")
@output_option("table", "json")
def reference(seed: int, year: int, monthly: int, picture: Path | None, output: Form) -> None:
    """Make up a year of three branches twice: officers follow the alerts, or do not.

    Arrivals and work are the same. The risk table is fitted to the year before, in which nobody followed alerts.
    Following means: dossiers at risk first, the earliest date before others; and a helper for a branch whose budget of
    lateness is at risk or spent.
    """
    before = branches(year - 1, monthly)
    courses = courses_of(run(before, seed - 1, None), after(year - 1))
    split = datetime(year - 1, 9, 1, tzinfo=UTC)
    table = trial(courses, split, revision=f"{year - 1}", threshold_percent=THRESHOLD_PERCENT)
    body = branches(year, monthly)
    cases = [
        _Case("ignoring", _curve(run(body, seed, None), body)._replace(name=current("alerts ignored"))),
        _Case(
            "following", _curve(run(body, seed, Risk(table)), body)._replace(name=current("alerts followed"))
        ),
    ]
    rows = [_row_of(one, one.curve.points[-1]) for one in cases]
    if output == "table":
        rows = [{**row, "case": one.curve.name} for row, one in zip(rows, cases, strict=True)]
    print_rows(rows, COLUMNS, output)
    if picture is not None:
        under = current("The same arrivals and work in three branches; seed {seed}, made up").format(
            seed=seed
        )
        write(picture, [one.curve for one in cases], (), words_of(year, under), year)


def _row_of(one: _Case, last: Point) -> dict[str, object]:
    return {
        "case": one.name,
        "released": last.released,
        "late": last.late,
        "rate": Share(last.late, last.released).percent,
    }


def branches(year: int, monthly: int) -> Year:
    """A year of the three branches, made up. Raises UsageError, DefinitionError."""
    body = department_of(date(year, 1, 1))
    rules = {route.revision.procedure: route.rules for route in body.routes}
    return Year([Office(unit, OFFICERS) for unit in UNITS], works(rules, body.work), body.work, year, monthly)


def after(year: int) -> datetime:
    """When everything of a year is done."""
    return datetime(year + 1, 2, 1, tzinfo=UTC)


def courses_of(done: list[Done], at: datetime) -> Iterator[Course]:
    """What a risk table sees of these dossiers as of a moment. Raises CalendarRange."""
    for one in done:
        walker = one.walker
        found = course(one.rules, walker.subject, [stop.fact for stop in walker.stops], at)
        if found is not None:
            yield found


def _curve(done: list[Done], body: Year) -> Curve:
    zone = body.calendar.zone
    since, until = datetime(body.year, 1, 1, tzinfo=zone), datetime(body.year, 12, 31, 23, 59, tzinfo=zone)
    measures: list[Measure] = [measure(one.rules, one.walker.dossier, until) for one in done]
    return curves(releases(measures, since, until, zone), until.date())[0]
