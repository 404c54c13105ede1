"""`dunghen risk`: the table that says which open dossiers will miss their date, and how well it foretold."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.catalogue import of_risk
from workflow.cli.inputs import moment
from workflow.cli.naming import with_names
from workflow.cli.options import Group, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.cli.sums import shown_instant
from workflow.cli.writing import OUT, written_whole
from workflow.errors import DunghenError, UsageError
from workflow.i18n import current
from workflow.risk.backtest import trial
from workflow.risk.outlook import Outlook, outlook
from workflow.risk.stays import course
from workflow.risk.table import ALWAYS, THRESHOLD_PERCENT, Risk
from workflow.store.looking import two_thirds_received
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Seen
    from workflow.risk.stays import Course
    from workflow.risk.table import Backtest, Cell, RiskTable

BANDS: Final = (
    Column("band", "Risk, %", "right"),
    Column("moments", "Moments", "right"),
    Column("said", "Said late, %", "right"),
    Column("came", "Came late, %", "right"),
)
CELLS: Final = (
    Column("procedure", "Procedure"),
    Column("step", "Step"),
    Column("unit", "Unit"),
    Column("dossiers", "Dossiers", "right"),
    Column("half", "Half needed, h", "right"),
    Column("nine_tenths", "Nine in ten needed, h", "right"),
    Column("at_risk_with", "At risk with, h", "right"),
)


OPEN: Final = (
    Column("subject", "Dossier", id=True),
    Column("step", "Step"),
    Column("unit", "Unit", named="below"),
    Column("officer", "Officer"),
    Column("due_at", "Due"),
    Column("left", "Left, h", "right"),
    Column("risk", "Risk, %", "right"),
    Column("at_risk_from", "At risk from"),
)
FLAT: Final = tuple(Column(key, "") for key in Outlook.__struct_fields__)


@click.group(cls=Group)
def risk() -> None:
    """Foretell which open dossiers will miss their date."""


@risk.command("fit")
@looking_options
@click.option(
    "--split", help="Fit to what was released by this date; by default when two thirds of all were received."
)
@click.option("--revision", help="The table's revision; by default the date of the split.")
@click.option(
    "--threshold",
    type=click.IntRange(1, 99),
    default=THRESHOLD_PERCENT,
    show_default=True,
    help="The risk in per cent at which a dossier is at risk.",
)
@click.option("--out", type=OUT, help="Also write the table here, for the folder risk of the definitions.")
@output_option("table", "json")
def fit(
    looking: Looking,
    split: str | None,
    revision: str | None,
    threshold: int,
    out: Path | None,
    output: Form,
) -> None:
    """Fit a risk table to the earlier dossiers of a store, test it on the later ones, and archive it in the store."""
    with looking.opened() as store:
        at = moment(split, store.zone, "--split") or two_thirds_received(store.store, store.at) or store.at
        named = revision or f"{at.astimezone(store.zone):%Y-%m-%d}"
        courses = _Courses(store)
        table = trial(courses, at, revision=named, threshold_percent=threshold)
        with store.store.writing() as writing:
            writing.archive([of_risk(table)], to_us(store.now))
    if out is not None:
        with written_whole(out) as file:
            file.write(of_risk(table).content + b"\n")
    _show_table(table, output, courses.left_out)


@risk.command("show")
@looking_options
@click.option("--procedure", help="Only the cells of this procedure.")
@output_option("table", "json")
def show(looking: Looking, procedure: str | None, output: Form) -> None:
    """Show the risk table in force: its test, and what dossiers needed in each step."""
    with looking.opened() as store:
        found = _in_force(store, looking)
    _show_table(found.table, output)
    if output == "table":
        cells = (cell for cell in found.table.cells if procedure in (None, cell.procedure))
        print_rows((_row(found, cell) for cell in cells), CELLS, "table", title="Still needed in each step")


@risk.command("list")
@looking_options
@click.option("--unit", "units", multiple=True, help="Only those this unit holds.")
@click.option("--at-risk", is_flag=True, help="Only those that are at risk by now.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many are shown at most."
)
@output_option()
def list_(looking: Looking, units: tuple[str, ...], at_risk: bool, limit: int, output: Form) -> None:  # noqa: FBT001 - a flag
    """List open dossiers by their risk of missing their date, the greatest first.

    Those whose date has passed are left out: dunghen dossier list --overdue.
    """
    with looking.opened() as store:
        table = _in_force(store, looking)
        found = sorted(_outlooks(store, table, units, at_risk=at_risk), key=lambda one: one.order)
        zone, catalogue, threshold = store.zone, store.catalogue, table.table.threshold_percent
    shown = found[:limit]
    if output == "table":
        rows = (with_names(_open_row(one, zone), catalogue, unit="unit") for one in shown)
        print_rows(rows, OPEN, "table")
        words = current(
            "{count} open dossiers; at risk is one with {percent} % or more, by risk table {revision}."
        )
        click.echo(words.format(count=len(found), percent=threshold, revision=table.table.revision))
    else:
        told = (with_names(one, catalogue, unit="unit") for one in map(msgspec.structs.asdict, shown))
        print_rows(told, FLAT, output)
    if len(found) > limit:
        click.echo(
            current("{shown} of {total} dossiers shown; see more with --limit").format(
                shown=limit, total=len(found)
            ),
            err=True,
        )


def _outlooks(store: Seen, risk: Risk, units: tuple[str, ...], *, at_risk: bool) -> Iterator[Outlook]:
    for one in watched(store.judged(), store.progress, "Looking"):
        if one.duplicate or (units and one.dossier.unit not in units) or one.rules.revision.kind == "log":
            continue
        found = outlook(one.rules.family[one.dossier.revision], one.dossier, risk, store.at)
        if found is None or found.risk >= 1:
            continue
        if not at_risk or (found.at_risk_from is not None and found.at_risk_from <= store.at):
            yield found


def _open_row(one: Outlook, zone: ZoneInfo) -> dict[str, object]:
    left = _hours(one.left)
    return {
        **msgspec.structs.asdict(one),
        "due_at": shown_instant(one.due_at, zone),
        "left": current("{hours}, clock stands").format(hours=left) if one.waiting else left,
        "risk": f"{100 * one.risk:.1f}",
        "at_risk_from": "" if one.at_risk_from is None else shown_instant(one.at_risk_from, zone),
    }


def _in_force(store: Seen, looking: Looking) -> Risk:
    found = store.catalogue.risk
    if found is None:
        raise UsageError(
            "{store}: there is no risk table; make one with: dunghen risk fit --store {store}",
            store=looking.place.where,
            reason="no_risk_table",
        )
    return found


class _Courses:
    """The histories of a store's dossiers; those that cannot be judged are counted and left out."""

    def __init__(self, store: Seen) -> None:
        self._store = store
        self._done = 0
        self.left_out = 0

    def __iter__(self) -> Iterator[Course]:
        total = self._store.progress()[1]
        return iter(watched(self._found(), lambda: (self._done, total), "Fitting"))

    def _found(self) -> Iterator[Course]:
        store = self._store
        with store.store.reading() as reading:
            for subject, facts in groupby(reading.facts(), key=lambda fact: fact.subject):
                self._done += 1
                known = store.known(facts)
                if not known or subject in store.duplicates:
                    continue
                try:
                    found = course(store.catalogue.rules_for(known), subject, known, store.at)
                except DunghenError:
                    self.left_out += 1
                    continue
                if found is not None:
                    yield found


def _show_table(table: RiskTable, output: Form, left_out: int = 0) -> None:
    if output == "json":
        print_json({**msgspec.to_builtins(table), "left_out": left_out})
        return
    click.echo(
        current(
            "Risk table {revision}: {dossiers} dossiers released from {since} to {until}, {late} of them late."
        ).format(
            revision=table.revision,
            dossiers=table.dossiers,
            since=f"{table.since:%Y-%m-%d}",
            until=f"{table.until:%Y-%m-%d}",
            late=table.late,
        )
    )
    if table.test is not None:
        _show_test(table.test)
    greatest = Risk(table).greatest
    if greatest < table.threshold_percent / 100:
        click.echo(
            current(
                "No risk of this table comes to {percent} %, the greatest is {greatest} %: no dossier will be said to "
                "be at risk before its date. Fit it again with a lower --threshold."
            ).format(percent=table.threshold_percent, greatest=f"{100 * greatest:.1f}")
        )
    if left_out:
        click.echo(current("{count} dossiers could not be judged and are left out.").format(count=left_out))


def _show_test(test: Backtest) -> None:
    rows = [
        {
            "band": f"{band.low}-{band.high}",
            "moments": band.moments,
            "said": f"{100 * band.expected / band.moments:.1f}",
            "came": f"{100 * band.late / band.moments:.1f}",
        }
        for band in test.bands
        if band.moments
    ]
    print_rows(rows, BANDS, "table", title="Tested on later dossiers")
    skill = "-" if test.skill is None else f"{test.skill:+.3f}"
    click.echo(
        current(
            "Brier score {brier}, of the base rate alone {base}; skill {skill} (above 0 is better than it)."
        ).format(brier=f"{test.brier:.4f}", base=f"{test.brier_base:.4f}", skill=skill)
    )
    if test.undecided:
        click.echo(
            current(
                "{count} later dossiers are left out of the test: what becomes of them is not known yet."
            ).format(count=test.undecided)
        )


def _row(found: Risk, cell: Cell) -> dict[str, object]:
    least = found.reached_with(cell.procedure, cell.step or "", cell.unit or "")
    return {
        "procedure": cell.procedure,
        "step": cell.step,
        "unit": cell.unit,
        "dossiers": cell.dossiers,
        "half": _hours(cell.minutes[len(cell.minutes) // 2]),
        "nine_tenths": _hours(cell.minutes[len(cell.minutes) * 9 // 10]),
        "at_risk_with": current("always") if least == ALWAYS else "" if least is None else _hours(least),
    }


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.1f}"
