"""`dunghen rates`: how many dossiers were late, and how many followed their procedure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import click
from click.core import ParameterSource
from msgspec.structs import replace

from workflow.cli.approvals import tell_unlisted
from workflow.cli.budgets import show_budget
from workflow.cli.completeness import Feeds, units_of_officers
from workflow.cli.indices import show_indices
from workflow.cli.naming import with_names
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_note, print_rows
from workflow.cli.periods import period_of, period_options
from workflow.cli.plotting import plot
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.cli.writing import OUT
from workflow.errors import UsageError
from workflow.figures import rates as counting
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from workflow.cli.naming import CodeOf
    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Seen
    from workflow.figures.rates import By, Measure, Period, Rates, Share

LATE: Final = (
    Column("late_appointment", "Late, slip", "right"),
    Column("late_committed", "Late, committed", "right"),
    Column("late_or_overdue", "Late or overdue", "right"),
    Column("overdue", "Overdue, of open", "right"),
)
FOLLOWED: Final = (
    Column("followed", "Followed the procedure", "right"),
    Column("both", "Followed it and on time", "right"),
    Column("approved", "Approved procedure", "right"),
)
OTHERS: Final = (
    Column("portal_on_time", "On time, Decision 766", "right"),
    Column("opencps_on_time", "On time, OpenCPS", "right"),
    Column("without_date", "Without a date", "right"),
    Column("complete", "Feeds complete", "right"),
)
KEYS: Final = (
    *(column.key for column in LATE),
    "followed",
    "both",
    "portal_on_time",
    "opencps_on_time",
    "approved",
)
"""In the order of JSON and CSV."""
CODES: Final[dict[str, CodeOf]] = {"unit": "unit", "officer-unit": "unit", "procedure": "procedure"}
"""What the groups are codes of."""
NOTHING: Final = "-"
"""Of no dossiers there is no rate."""
Asked: TypeAlias = Literal["all", "unit", "procedure", "officer-unit", "month"]
GROUPS: Final = {
    "all": Column("group", "All"),
    "unit": Column("group", "Unit", named="below"),
    "procedure": Column("group", "Procedure", named="below"),
    "officer-unit": Column("group", "Officer's unit", named="below"),
    "month": Column("group", "Month"),
}

WITHOUT: Final = {
    "budget": ("picture", "index", "by", "since", "until"),
    "picture": ("index", "by", "since", "until"),
    "index": ("by",),
}
"""What is shown instead of the rates, each with the options that say nothing about it."""


@click.command(cls=Command)
@looking_options
@period_options
@click.option(
    "--by",
    type=click.Choice(tuple(GROUPS)),
    default="unit",
    show_default=True,
    help="What to count apart.",
)
@click.option(
    "--plot",
    "picture",
    type=OUT,
    help="Write the late rate of the year against the budget as a picture (SVG).",
)
@click.option(
    "--index", type=click.Choice(["766"]), help="Show the published indices of that decision instead."
)
@click.option("--budget", is_flag=True, help="Show the budget of lateness of the year instead, of each unit.")
@output_option()
def rates(  # noqa: PLR0913 - one parameter per option
    looking: Looking,
    since: str | None,
    until: str | None,
    by: Asked,
    picture: Path | None,
    index: str | None,
    budget: bool,  # noqa: FBT001 - a flag of the command line
    output: Form,
) -> None:
    """Count the dossiers that were late and those that followed their procedure, each rate with what it is divided by.

    Late, slip: released in the period after the benchmark (first appointment and permitted pauses), of those released
    that have a slip. Released is what is ready at the desk, else issued or ended. Late, committed: issued in the period
    after the committed date, of those issued that have one. Late or overdue: released late, or open at the
    end past their date, of all received or in hand. Overdue: of those open at the end. Followed: released without
    breaking a rule of order, role, guard or end, of those released whose steps are told. On time, Decision 766: by the
    national portal's ends and supplements, of all received or in hand. On time, OpenCPS: of those released, whole per
    cent, 100 of nothing, as that software reckons. Approved: judged by an approved procedure, of all counted. Feeds
    complete: of what the sources counted as received, what we know; without a count nothing is known of it. Of no
    dossiers there is no rate. Duplicates are left out; so are reports and obligations, which are no dossiers of a
    citizen (dunghen obligations), and from Decision 766's share feedback too.
    """
    _check_together(click.get_current_context())
    with looking.opened() as store:
        if budget:
            show_budget(store, output)
            return
        if picture is not None:
            plot(store, _measures(store, "all"), picture)
            return
        period = period_of(since, until, store.at, store.zone)
        if index:
            show_indices(_measures(store, "all"), period, store.at, output)
            return
        tell_unlisted(store.catalogue)
        feeds = Feeds(store)
        parts, whole = _counted(feeds.watch(_measures(store, by)), period, by, store)
        left_out = len(store.duplicates)
        months = {one.name: one for one in counting.months(period.since, period.until, store.zone)}
    rows = [
        {**row, "complete": _share(feeds.share(one.told_by, months.get(one.period, period)))}
        for one, row in ((one, _row(one, by)) for one in parts)
    ]
    complete = feeds.share(whole.told_by, period)
    rows.append({**_row(whole, "all"), "complete": _share(complete)})
    if by in CODES:
        rows = [with_names(row, store.catalogue, group=CODES[by]) for row in rows]
    if output == "table":
        _print_tables(rows, GROUPS[by])
        _tell(whole, left_out, counted=complete.denominator > 0)
    elif output == "csv":
        print_rows(map(_flat, rows), [Column(key, "") for key in _flat(rows[0])], "csv")
    else:
        print_rows(rows, (), output)


def _check_together(context: click.Context) -> None:
    """Raises UsageError where an option was given that another makes mean nothing."""
    given = {
        one.name: one.opts[0]
        for one in context.command.params
        if one.name and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
    }
    for name, others in WITHOUT.items():
        other = next((given[one] for one in others if one in given), None)
        if name in given and other is not None:
            raise UsageError(
                "{option}: shows a figure of its own, which {other} says nothing about; leave one of them out",
                option=given[name],
                other=other,
                reason="options_apart",
            )


def _print_tables(rows: Iterable[dict[str, object]], group: Column) -> None:
    """One below the other: all beside each other fit no terminal."""
    shown = [_shown(row) for row in rows]
    beside = group._replace(named="beside") if group.named else group
    print_rows(shown, (beside, *LATE), "table", title="Late")
    print_rows(shown, (beside, *FOLLOWED), "table", title="By the procedure")
    title = "On time as others count it, and what the figures rest on"
    print_rows(shown, (group, *OTHERS), "table", title=title)


def _measures(store: Seen, by: Asked) -> Iterator[Measure]:
    units = units_of_officers(store) if by == "officer-unit" else {}
    unlisted = {(one.procedure, one.revision) for one in store.catalogue.unlisted}
    for one in watched(store.judged(), store.progress, "Counting"):
        if not one.duplicate and one.rules.revision.kind not in counting.OWED:
            found = counting.measure(one.rules, one.dossier, store.at, one.code, unlisted)
            unit = units.get(found.officer or "")
            yield found if unit is None else replace(found, officer_unit=unit)


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
    group: By = "officer_unit" if by == "officer-unit" else by
    parts = counting.rates(measures, [period], group, now=store.at)
    return [] if by == "all" else parts, counting.total(parts, period.name)


def _row(one: Rates, by: str) -> dict[str, object]:
    return {
        "by": by,
        "group": one.period if by == "month" else one.group,
        "period": one.period,
        **{key: _share(getattr(one, key)) for key in KEYS},
        "without_date": one.without_date,
    }


def _share(share: Share) -> dict[str, object]:
    return {"numerator": share.numerator, "denominator": share.denominator, "percent": share.percent}


def _shown(row: dict[str, object]) -> dict[str, object]:
    group = current("All") if row["by"] == "all" else row["group"] or current("no unit named")
    shares = {key: _words(row[key]) for key in (*KEYS, "complete")}
    return {**row, **shares, "group": group}


def _words(share: object) -> str:
    assert isinstance(share, dict)  # noqa: S101 - made by `_share`
    if not share["denominator"] and share["percent"] is None:
        return NOTHING
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


def _tell(whole: Rates, left_out: int, *, counted: bool) -> None:
    print_note(current("Period: {period}").format(period=whole.period))
    print_note(
        current("{n} of {m} dossiers were judged by an approved procedure.").format(
            n=whole.approved.numerator, m=whole.approved.denominator
        )
    )
    if not whole.late_appointment.denominator:
        print_note(current("Nothing with a slip was released in this period: there is no late rate."))
    if not counted:
        print_note(
            current(
                "Feeds complete -: no source told how many it had received (source.counted.v1), so nobody knows what "
                "is missing."
            )
        )
    if left_out:
        print_note(current("{count} duplicates are left out.").format(count=left_out))
