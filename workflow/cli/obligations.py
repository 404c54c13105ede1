"""`dunghen obligations`: what is owed by a date, begun by its schedule; and shares that the department's plan names."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Final

import click

from consumers.apply import Told, apply
from consumers.codec import encode
from workflow import catalogue as definitions
from workflow.audit.views import in_order, view
from workflow.cli.approvals import tell_unlisted
from workflow.cli.imports import FOLDER
from workflow.cli.listing import print_views
from workflow.cli.options import Group, output_option
from workflow.cli.output import Column, print_rows
from workflow.cli.periods import period_of, period_options
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options, store_options
from workflow.errors import UsageError
from workflow.figures.obligations import Owed, accounts, begun, filed_online, fulfilled, owed, read_schedule
from workflow.figures.rates import OWED, Share
from workflow.i18n import current
from workflow.rotation.careers import career
from workflow.store import beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Place, Seen
    from workflow.figures.obligations import Schedule
    from workflow.figures.rates import Period

SHARES: Final = (
    Column("what", "What"),
    Column("numerator", "Yes", "right"),
    Column("denominator", "Of", "right"),
    Column("percent", "%", "right"),
    Column("without", "Without"),
)
WHAT: Final = {
    "report": "reports due, submitted in full and on time",
    "obligation": "files due, submitted in full and on time",
    "accounts": "officers with an account on the national portal",
    "online_3": "dossiers of level 3 services filed online",
    "online_4": "dossiers of level 4 services filed online",
}
_folder_option = click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)


@click.group(cls=Group)
def obligations() -> None:
    """See what is owed by a date though no citizen asked for it."""


@obligations.command()
@store_options
@_folder_option
@output_option("table", "json")
def begin(place: Place, procedures: Path | None, output: Form) -> None:
    """Begin what the schedule says is due to begin by now. To do it again begins nothing twice."""
    with _folder(procedures) as folder, place.opened(make=True) as store:
        now = datetime.now(UTC)
        facts = begun(_schedule(folder), now)
        told = [Told(fact, encode(fact), f"schedule:{fact.subject}") for fact in facts]
        catalogue = definitions.load(folder)
        tell_unlisted(catalogue)
        done = apply(store, catalogue, told, now=now)
    rows = [{"begun": done.appended, "known": done.duplicates, "dead": done.dead}]
    columns = (Column("begun", "Begun", "right"), Column("known", "There already", "right"))
    print_rows(rows, columns, output)


@obligations.command("list")
@looking_options
@click.option("--all", "every", is_flag=True, help="Also those that have ended.")
@output_option()
def list_(looking: Looking, every: bool, output: Form) -> None:  # noqa: FBT001 - a flag of the command line
    """List reports and obligations by their day due, open ones unless all are asked for."""
    with looking.opened() as store:
        found = [
            view(one.rules, one.dossier, store.at, one.blocked)
            for one in watched(store.judged(), store.progress, "Looking")
            if one.rules.revision.kind in OWED
        ]
        shown = in_order((one for one in found if every or one.open), "due")
        print_views(shown, len(shown), output, store)


@obligations.command()
@looking_options
@period_options
@_folder_option
@output_option()
def shares(
    looking: Looking, since: str | None, until: str | None, procedures: Path | None, output: Form
) -> None:
    """Count what was owed and came in full and on time, officers with a portal account, and dossiers filed online, each
    with what it is divided by.

    Owed: of the reports and files whose day due lies in the period and has passed, or that were submitted before it;
    those called off are left out.

    Accounts: of the officers who hold a post on the last day of the period. Online: of the dossiers received in the
    period whose channel is told, by the level at which the schedule file says their service is offered.
    """
    with _folder(procedures) as folder, looking.opened() as store:
        period = period_of(since, until, store.at, store.zone)
        rows = [
            *_fulfilled(store, period),
            *_accounts(store, period),
            *_online(store, _schedule(folder), period),
        ]
    shown = [{**row, "what": current(WHAT[str(row["what"])])} for row in rows] if output == "table" else rows
    print_rows(shown, SHARES, output)


def _fulfilled(store: Seen, period: Period) -> Iterator[dict[str, object]]:
    found: list[Owed] = [
        owed(one.rules, one.dossier, store.at)
        for one in watched(store.judged(), store.progress, "Counting")
        if one.rules.revision.kind in OWED
    ]
    for kind in OWED:
        share, without = fulfilled((one for one in found if one.kind == kind), period)
        yield _row(kind, share, without)


def _accounts(store: Seen, period: Period) -> Iterator[dict[str, object]]:
    with store.store.reading() as reading:
        careers = [
            career(store.catalogue.orders, name, facts, known_at=store.known_at, valid_at=store.at)
            for name, facts in beside.officers(reading)
        ]
    last = (period.until - timedelta(microseconds=1)).astimezone(store.zone).date()
    share, without = accounts(careers, last)
    yield _row("accounts", share, without)


def _online(store: Seen, schedule: Schedule, period: Period) -> Iterator[dict[str, object]]:
    levels = schedule.online.levels if schedule.online is not None else {}
    for level in (3, 4):
        share = Share()
        for online in _channels(store, [name for name, at in levels.items() if at == level], period):
            share.count(online)
        yield _row(f"online_{level}", share, [])


def _channels(store: Seen, procedures: list[str], period: Period) -> list[bool]:
    """For each dossier of these procedures received in the period whether it was filed online, where that is told."""
    with store.store.reading() as reading:
        subjects = beside.judged_by(reading, procedures)
        facts = reading.facts(subjects) if subjects else iter(())
        found = [
            filed_online(store.catalogue.orders, told, period)
            for _, told in groupby(facts, key=lambda fact: fact.subject)
        ]
    return [one for one in found if one is not None]


def _row(what: str, share: Share, without: list[str]) -> dict[str, object]:
    return {
        "what": what,
        "numerator": share.numerator,
        "denominator": share.denominator,
        "percent": share.percent,
        "without": without,
    }


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    with resources.as_file(resources.files("processes")) as ours:
        yield given or ours


def _schedule(folder: Path) -> Schedule:
    found = sorted((folder / "schedules").glob("*.yaml"))
    if not found:
        raise UsageError(
            "{folder}: expected a schedule below it, found none; keep one in {folder}/schedules",
            folder=str(folder),
            reason="no_schedule",
        )
    return read_schedule(found[0])
