"""`dunghen evaluation`: how many of the returned dossiers were evaluated, through what, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.cli.naming import with_names
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_rows
from workflow.cli.periods import period_of, period_options
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.figures.evaluation import BANDS, CHANNELS, CRITERIA, evaluate, rating, returned
from workflow.i18n import current
from workflow.store import beside

if TYPE_CHECKING:
    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Seen
    from workflow.figures.evaluation import By, Evaluation, Rating
    from workflow.figures.rates import Share

GROUPS: Final = {
    "all": Column("group", "All"),
    "desk": Column("group", "Desk"),
    "unit": Column("group", "Unit", named="below"),
}
SHARES: Final = (
    Column("evaluated", "Evaluated", "right"),
    Column("tablet", "Tablet", "right"),
    Column("paper", "Paper", "right"),
    Column("web", "Web", "right"),
    Column("points", "Points", "right"),
    Column("content", "Without a 0", "right"),
    Column("by_handler", "Keyed by a handler", "right"),
)
CRITERIA_COLUMNS: Final = (Column("criterion", "Criterion"), Column("points", "Points", "right"))
BAND_COLUMNS: Final = (Column("band", "Band, unverified"), Column("count", "Count", "right"))
NAMES: Final = {
    "on_time": "time against the law",
    "agency_time": "time of each agency",
    "visits": "visits to complete the dossier",
    "agencies": "agencies to go to",
    "one_stop": "one-stop intake kept",
    "publicity": "publicity",
    "courtesy": "attitude of officers",
    "feedback_heard": "feedback taken in and explained",
    "online": "online service",
    "excellent": "excellent",
    "good": "good",
    "fair": "fair",
    "weak": "weak",
}


@click.command(cls=Command)
@looking_options
@period_options
@click.option(
    "--by", type=click.Choice(tuple(GROUPS)), default="desk", show_default=True, help="What to count apart."
)
@output_option()
def evaluation(looking: Looking, since: str | None, until: str | None, by: By, output: Form) -> None:
    """Count the evaluations of dossiers returned in a period, each share with what it is divided by.

    Evaluated: rated, of those returned. Tablet, paper, web: rated through each, of those returned. Points: given, of
    those that could be given. Without a 0: ratings in which no criterion got 0. Keyed by a handler: paper forms that
    somebody keyed who also handled the dossier. Of no dossiers there is no share.
    """
    with looking.opened() as store:
        period = period_of(since, until, store.at, store.zone)
        ratings = _ratings(store)
        catalogue = store.catalogue
        organisation = catalogue.organisation
        found = [
            one
            for each in watched(store.judged(), store.progress, "Counting")
            if not each.duplicate
            if (one := returned(each.rules, each.dossier, organisation, store.at)) is not None
        ]
    parts = [] if by == "all" else evaluate(found, ratings, period, by)
    whole = evaluate(found, ratings, period)
    if output == "table":
        shown = [
            *(_shown(one, by) for one in parts),
            *({**_shown(one, by), "group": current("All")} for one in whole),
        ]
        if by == "unit":
            shown = [with_names(row, catalogue, group="unit") for row in shown]
        print_rows(shown, (GROUPS[by], *SHARES), "table")
        for counted in whole:
            _print_whole(counted)
        click.echo(current("Period: {period}").format(period=period.name))
        return
    rows = [_flat(each, name) for name, group in ((by, parts), ("all", whole)) for each in group]
    if by == "unit":
        rows = [with_names(row, catalogue, group="unit") for row in rows]
    print_rows(rows, [Column(key, "") for key in rows[0]] if rows else (), output)


def _ratings(store: Seen) -> dict[str, Rating]:
    with store.store.reading() as reading:
        return {
            dossier: given
            for dossier, facts in beside.rated(reading)
            if (given := rating(store.catalogue.orders, facts, known_at=store.known_at, valid_at=store.at))
        }


def _shown(one: Evaluation, by: By) -> dict[str, object]:
    nobody = current("no desk named") if by == "desk" else current("no unit named")
    return {
        "group": one.group or nobody,
        "evaluated": _words(one.evaluated),
        **{channel: _words(one.channels[channel]) for channel in CHANNELS},
        "points": _words(one.points),
        "content": _words(one.content),
        "by_handler": _words(one.by_handler),
    }


def _print_whole(one: Evaluation) -> None:
    criteria = [
        {"criterion": current(NAMES[name]) if name in NAMES else name, "points": _words(share)}
        for name, share in one.criteria.items()
    ]
    bands = [{"band": current(NAMES[band]), "count": one.bands[band]} for _, band in BANDS]
    print_rows(criteria, CRITERIA_COLUMNS, "table")
    print_rows(bands, BAND_COLUMNS, "table")


def _words(share: Share) -> str:
    counted = f"{share.numerator}/{share.denominator}"
    return counted if share.percent is None else f"{counted} = {share.percent} %"


def _flat(one: Evaluation, by: str) -> dict[str, object]:
    """One group as a row; criteria beyond the nine are left out, so that rows agree."""
    shares = {
        "evaluated": one.evaluated,
        **one.channels,
        "points": one.points,
        "content": one.content,
        "by_handler": one.by_handler,
        **{f"criterion_{name}": one.criteria[name] for name in CRITERIA},
    }
    flat: dict[str, object] = {"by": by, "group": one.group}
    for name, share in shares.items():
        flat |= {f"{name}_{part}": value for part, value in msgspec.structs.asdict(share).items()}
        flat[f"{name}_percent"] = share.percent
    return {**flat, **{f"band_{band}": count for band, count in one.bands.items()}}
