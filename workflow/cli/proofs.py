"""The commands of `dunghen audit` that work on a store: its judgments made again, its rows verified."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.audit.replay import Replay
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import archive_of, store_options
from workflow.i18n import current
from workflow.store.looking import dossiers, facts
from workflow.store.proof import Verification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workflow.cli.output import Form
    from workflow.cli.stores import Place

SHOWN: Final = 50
"""Rows of a table that is shown to a person; the other forms have them all."""
DIFFERENCES: Final = (
    Column("subject", "Dossier", id=True),
    Column("where", "Where"),
    Column("what", "What"),
    Column("fact", "Fact"),
    Column("kept", "Kept"),
    Column("derived", "Derived"),
)

BREACHES: Final = (
    Column("breach", "Breach"),
    Column("subject", "Dossier", id=True),
    Column("source", "Source"),
    Column("id", "Fact"),
    Column("revision", "Revision"),
)


@click.command(cls=Command)
@store_options
@click.option(
    "--without-dates", is_flag=True, help="Leave the due dates of the rows out; several times as fast."
)
@output_option("table", "json", "jsonl")
def replay(place: Place, without_dates: bool, output: Form) -> int:  # noqa: FBT001 - a flag of the command line
    """Judge every dossier of a store again, from its facts and the definitions kept with them, and compare.

    Compared are the rows of the dossiers and what was said of each fact. Ends with 1 where something differs.
    """
    begun = time.perf_counter()
    with place.opened() as store:
        total = dossiers(store)
        with store.reading() as reading:
            run = Replay(reading, archive_of(reading), dates=not without_dates)
            found = watched(run.differences(), lambda: (run.counts.dossiers, total), "Judging again")
            listed = _listed(map(msgspec.to_builtins, found), output, DIFFERENCES, "Differences")
    counts = msgspec.to_builtins(run.counts)
    seconds = time.perf_counter() - begun
    if output == "json":
        print_json({**counts, "seconds": round(seconds, 3), "found": listed})
    else:
        said = current(
            "{dossiers} dossiers of {facts} facts judged again and {said} decisions compared in {seconds} s: "
            "{differences} differences. {older} were judged by older definitions, {blocked} cannot be judged."
        )
        click.echo(said.format(**counts, seconds=f"{seconds:.1f}"), err=output != "table")
    if run.counts.engine:
        click.echo(
            current(
                "{count} dossiers were last judged by another version of the engine, and were judged again by this "
                "one: what differs of them may be its doing. See it with: dunghen activate --dry-run"
            ).format(count=run.counts.engine),
            err=True,
        )
    if run.counts.differences:
        click.echo(
            current(
                "Rows and what was said are made what follows from the facts by: dunghen activate --all; a dossier "
                "without a row, or a row without facts, is brought back by the last backup."
            ),
            err=True,
        )
    return int(run.counts.differences > 0)


@click.command(cls=Command)
@store_options
@output_option("table", "json", "jsonl")
def verify(place: Place, output: Form) -> int:
    """Check that every fact of a store is still what was appended: its content, and its message unless erased.

    Ends with 1 where one is not.
    """
    with place.opened() as store:
        total = facts(store)
        with store.reading() as reading:
            run = Verification(reading)
            found = watched(run.broken(), lambda: (run.facts, total), "Verifying")
            counted = _Counted(one._asdict() for one in found)
            listed = _listed(counted, output, BREACHES, "Facts that are not what was appended")
    if output == "json":
        print_json({"facts": run.facts, "broken": counted.number, "found": listed})
    else:
        said = current("{facts} facts looked at: {broken} are not what was appended.")
        click.echo(said.format(facts=run.facts, broken=counted.number), err=output != "table")
    return int(counted.number > 0)


class _Counted:
    """Rows as they come, and how many came."""

    def __init__(self, rows: Iterable[dict[str, object]]) -> None:
        self.number = 0
        self._rows = rows

    def __iter__(self) -> Iterator[dict[str, object]]:
        for row in self._rows:
            self.number += 1
            yield row


def _listed(
    found: Iterable[dict[str, object]], output: Form, columns: Sequence[Column], title: str
) -> list[dict[str, object]]:
    """All that was found, for JSON; the other forms are printed, the table cut to what a person reads."""
    if output == "json":
        return list(found)
    if output == "jsonl":
        print_rows(found, columns, output)
        return []
    rows = iter(found)
    print_rows(islice(rows, SHOWN), columns, output, title=title)
    if more := sum(1 for _ in rows):
        click.echo(current("and {count} more; all of them with: --output jsonl").format(count=more), err=True)
    return []
