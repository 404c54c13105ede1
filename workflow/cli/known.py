"""`dunghen audit diff`: what was known at one moment and at a later one, and what made the difference."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.audit.difference import Comparison
from workflow.cli.inputs import moment
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import archive_of, store_options
from workflow.cli.sums import shown_instant
from workflow.errors import UsageError
from workflow.i18n import current
from workflow.store.looking import dossiers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from workflow.audit.difference import Differing
    from workflow.cli.output import Form
    from workflow.cli.stores import Place

SHOWN: Final = 50
"""Dossiers of a table that is shown to a person; the other forms have them all."""
NAMED: Final = 3
"""Facts and definitions named in a line of the table."""
DIFFERING: Final = (
    Column("subject", "Dossier", id=True),
    Column("what", "What"),
    Column("before", "Before"),
    Column("after", "After"),
    Column("because", "Because of"),
)
DEFINITIONS: Final = (
    Column("kind", "Definitions"),
    Column("name", "Name"),
    Column("revision", "Revision"),
    Column("recorded_at", "Recorded"),
)


@click.command(cls=Command)
@store_options
@click.option(
    "--known", nargs=2, required=True, metavar="A B", help="The two moments of knowledge, the earlier first."
)
@output_option("table", "json", "jsonl")
def diff(place: Place, known: tuple[str, str], output: Form) -> None:
    """Say what became known between two moments, and what follows from it.

    Both are read as of the later moment, so that nothing differs by the passing of time alone. Each dossier is listed
    with what is otherwise now, and the facts and definitions recorded in between that did it.
    """
    with place.opened() as store:
        total = dossiers(store)
        with store.reading() as reading:
            archive = archive_of(reading)
            zone = next(iter(archive.newest.family(None).values())).zone
            first, second = _moments(known, zone)
            run = Comparison(reading, archive, first, second)
            found = iter(watched(run.differing(), lambda: (run.dossiers, total), "Comparing"))
            if output == "table":
                _print_comparison(run, found, zone)
            elif output == "jsonl":
                print_rows(map(msgspec.to_builtins, found), DIFFERING, "jsonl")
            else:
                listed = [msgspec.to_builtins(one) for one in found]
                said = {"known": [first, second], "definitions": run.definitions, "dossiers": listed}
                print_json(said)


def _moments(known: tuple[str, str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    first, second = (moment(one, zone, "--known") for one in known)
    assert first is not None  # noqa: S101 - both are given
    assert second is not None  # noqa: S101 - as above
    if first >= second:
        raise UsageError(
            "--known: expected the earlier moment first, found {first} and then {second}; change their order",
            first=known[0],
            second=known[1],
            reason="moments",
        )
    return first, second


def _print_comparison(run: Comparison, found: Iterator[Differing], zone: ZoneInfo) -> None:
    shown = list(islice(found, SHOWN))
    more = sum(1 for _ in found)
    definitions = [
        {**msgspec.to_builtins(one), "recorded_at": shown_instant(one.recorded_at, zone)}
        for one in run.definitions
    ]
    print_rows(definitions, DEFINITIONS, "table", title="First used in between")
    print_rows(
        [row for one in shown for row in _rows(one, zone)], DIFFERING, "table", title="Known otherwise"
    )
    if more:
        click.echo(current("and {count} more; all of them with: --output jsonl").format(count=more), err=True)
    click.echo(current("{count} dossiers are known otherwise.").format(count=len(shown) + more))


def _rows(one: Differing, zone: ZoneInfo) -> Iterator[dict[str, object]]:
    """A line for each thing known otherwise; what did it stands in the first."""
    did = [
        *(f"{fact.source}/{fact.id} ({fact.action})" for fact in one.facts),
        *(f"{new.kind} {new.name} {new.revision}" for new in one.definitions),
    ]
    because = did[:NAMED] + ([f"+{len(did) - NAMED}"] if len(did) > NAMED else [])
    changes = [
        *((change.what, change.before, change.after) for change in one.changes),
        *((f"{fact.source}/{fact.id}", fact.before.status, fact.after.status) for fact in one.rejudged),
    ]
    for number, (what, before, after) in enumerate(changes):
        yield {
            "subject": one.subject,
            "what": what,
            "before": _shown(before, zone),
            "after": _shown(after, zone),
            "because": because if number == 0 else [],
        }


def _shown(value: object, zone: ZoneInfo) -> object:
    return shown_instant(value, zone) if isinstance(value, datetime) else value
