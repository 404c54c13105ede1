"""`dunghen activate`: definitions put into force in a store, and the dossiers they touch judged anew."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import resources
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from consumers.sweep import Moved, Sweep
from workflow import catalogue as definitions
from workflow.cli.approvals import tell_unlisted
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import store_options
from workflow.cli.sums import shown_instant
from workflow.i18n import current
from workflow.store.looking import dossiers
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.cli.stores import Place

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
SHOWN: Final = 50
"""Dossiers of a table that is shown to a person; the other forms have them all."""
MOVED: Final = (
    Column("subject", "Dossier", id=True),
    Column("because", "Because of"),
    Column("what", "What"),
    Column("before", "Before"),
    Column("after", "After"),
)

SWEPT_WORDS: Final = {
    "procedure": "procedure",
    "calendar": "calendar",
    "engine": "engine",
    "blocked": "blocked",
    "source": "source",
    "asked": "asked for",
    "revision": "revision",
    "state": "state",
    "appointment_due_at": "benchmark",
    "appointment_late": "late against it",
    "committed_due_at": "committed date",
    "committed_late": "late against the committed date",
    "released_at": "released",
    "deviated": "deviated",
    "outcomes": "outcomes of its facts",
}
"""What a table calls a reason, and a thing that moved."""


@click.command(cls=Command)
@store_options
@click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Judge every dossier anew, which mends rows that are not what follows from their facts.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would move, and keep nothing.")
@output_option("table", "json", "jsonl")
def activate(
    place: Place,
    procedures: Path | None,
    everything: bool,  # noqa: FBT001 - a flag of the command line
    dry_run: bool,  # noqa: FBT001 - as above
    output: Form,
) -> None:
    """Put definitions into force: archive what is new, and judge anew every dossier that rests on something older.

    Told is each dossier that came to something else, why, and its old and new dates; only what differs is said to
    others. Stopped in whatever way, the same command goes on where it was.
    """
    with ExitStack() as held:
        ours = held.enter_context(resources.as_file(resources.files("processes")))
        known = definitions.load(procedures or ours)
        tell_unlisted(known)
        store = held.enter_context(place.opened())
        total = dossiers(store)
        sweep = Sweep(store, known, datetime.now(UTC), keep=not dry_run, everything=everything)
        begun = sweep.row
        told = _told(sweep, total)
        zone = next(iter(known.family(None).values())).zone
        if output == "jsonl":
            print_rows(map(msgspec.to_builtins, told), MOVED, "jsonl")
        elif output == "json":
            listed = [msgspec.to_builtins(one) for one in told]
        else:
            _print_moved(told, zone)
        row = sweep.row
    counts = {"judged": row.dossiers - begun.dossiers, "moved": row.moved - begun.moved}
    if output == "json":
        print_json({"dry_run": dry_run, "activated_at": from_us(row.recorded_at), **counts, "found": listed})
        return
    said = (
        current("{judged} dossiers would be judged anew, {moved} of them come to something else.")
        if dry_run
        else current(
            "Activated at {at}: {judged} dossiers judged anew, {moved} of them came to something else."
        )
    )
    click.echo(said.format(at=shown_instant(from_us(row.recorded_at), zone), **counts), err=output != "table")


def _told(sweep: Sweep, total: int) -> Iterator[Moved]:
    """Each dossier that moved, batch after batch, under a bar."""
    batches = watched(sweep.batches(), lambda: (sweep.row.dossiers, total), "Judging anew")
    return chain.from_iterable(one.moved for one in batches)


def _print_moved(told: Iterator[Moved], zone: ZoneInfo) -> None:
    rows = [row for one in islice(told, SHOWN) for row in _rows(one, zone)]
    print_rows(rows, MOVED, "table", title="Came to something else")
    if more := sum(1 for _ in told):
        click.echo(current("and {count} more; all of them with: --output jsonl").format(count=more), err=True)


def _rows(one: Moved, zone: ZoneInfo) -> Iterator[dict[str, object]]:
    because = ", ".join(_worded(name) for name in one.because)
    for change in one.changes:
        yield {
            "subject": one.subject,
            "because": because,
            "what": _worded(change.what),
            "before": _shown(change.before, zone),
            "after": _shown(change.after, zone),
        }
    if one.outcomes:
        yield {"subject": one.subject, "because": because, "what": _worded("outcomes"), "after": one.outcomes}


def _worded(name: str) -> str:
    return current(SWEPT_WORDS[name])


def _shown(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, bool):
        return current("yes") if value else current("no")
    return shown_instant(value, zone) if isinstance(value, datetime) else value
