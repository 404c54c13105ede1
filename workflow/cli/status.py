"""`dunghen status`: what is in a store."""

from __future__ import annotations

from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click
import msgspec

from workflow.audit.census import census
from workflow.audit.views import view
from workflow.catalogue import JUDGE_VERSION
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.cli.sums import shown_instant
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from workflow.audit.census import Census, Group
    from workflow.cli.output import Form
    from workflow.cli.stores import Looking
    from workflow.store.looking import Contents

COUNTS = (
    Column("dossiers", "Dossiers", "right"),
    Column("open", "Open", "right"),
    Column("released", "Released", "right"),
    Column("late", "Late", "right"),
    Column("overdue", "Overdue", "right"),
    Column("deviated", "Deviated", "right"),
    Column("blocked", "Blocked", "right"),
)
SOURCES = (
    Column("source", "Source"),
    Column("facts", "Facts", "right"),
    Column("last_at", "Last event"),
    Column("recorded_at", "Last recorded"),
)
LETTERS = (
    Column("reason", "Reason"),
    Column("count", "Count", "right"),
    Column("recorded_at", "Last recorded"),
)
DEFINITIONS = (
    Column("kind", "Definitions"),
    Column("count", "Count", "right"),
    Column("recorded_at", "Newest used since"),
)
UNMODELLED = (Column("code", "Code not modelled"), Column("dossiers", "Dossiers", "right"))


@click.command(cls=Command)
@looking_options
@output_option("table", "json")
def status(looking: Looking, output: Form) -> None:
    """Say what is in a store: dossiers by state, procedure and unit, sources, dead letters, definitions."""
    with looking.opened() as store:
        zone, held = store.zone, store.contents()
        views = (
            view(one.rules, one.dossier, store.at, one.blocked)
            for one in watched(store.judged(), store.progress, "Counting")
        )
        counted = census(views)
        said = {
            "store": store.store.name,
            "at": store.at,
            "version": metadata.version("dunghen"),
            "judge_version": JUDGE_VERSION,
        }
    if output == "json":
        print_json({**said, **msgspec.to_builtins(counted), **msgspec.to_builtins(held)})
        return
    _print_census(counted)
    _print_contents(held, zone)
    click.echo(
        current("{facts} facts in {store}, as of {at}; dunghen {version}.").format(
            facts=held.facts, store=said["store"], at=shown_instant(store.at, zone), version=said["version"]
        )
    )


def _print_census(counted: Census) -> None:
    print_rows([msgspec.structs.asdict(counted.whole)], COUNTS, "table", title="All dossiers")
    print_rows(_groups(counted.states), (Column("name", "State"), *COUNTS), "table", title="By state")
    print_rows(
        _groups(counted.procedures), (Column("name", "Procedure"), *COUNTS), "table", title="By procedure"
    )
    print_rows(_groups(counted.units), (Column("name", "Unit"), *COUNTS), "table", title="By unit")


def _groups(found: Iterable[Group]) -> list[dict[str, object]]:
    return [{"name": one.name, **msgspec.structs.asdict(one.count)} for one in found]


def _print_contents(held: Contents, zone: ZoneInfo) -> None:
    print_rows(_rows(held.sources, zone), SOURCES, "table", title="Sources")
    print_rows(_rows(held.dead_letters, zone), LETTERS, "table", title="Dead letters")
    print_rows(_rows(held.unmodelled, zone), UNMODELLED, "table", title="Judged by the generic procedure")
    print_rows(_kinds(held, zone), DEFINITIONS, "table")


def _kinds(held: Contents, zone: ZoneInfo) -> list[dict[str, object]]:
    """The definitions by kind; JSON has each of them."""
    kinds: dict[str, list[datetime]] = {}
    for one in held.definitions:
        kinds.setdefault(one.kind, []).append(one.recorded_at)
    return [
        {"kind": kind, "count": len(at), "recorded_at": shown_instant(max(at), zone)}
        for kind, at in kinds.items()
    ]


def _rows(found: Iterable[Any], zone: ZoneInfo) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [msgspec.structs.asdict(one) for one in found]
    for row in rows:
        for name in ("last_at", "recorded_at"):
            if name in row:
                row[name] = _shown(row[name], zone)
    return rows


def _shown(value: object, zone: ZoneInfo) -> object:
    return shown_instant(value, zone) if isinstance(value, datetime) else value
