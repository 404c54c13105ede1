"""The commands of `dunghen audit` that work on a store: its judgments made again, its rows verified."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.audit.replay import Replay
from workflow.cli.inputs import FILE
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.stores import archive_of, store_options
from workflow.errors import UsageError
from workflow.i18n import current
from workflow.store.looking import dossiers, facts
from workflow.store.proof import NO_WITNESS, Verification
from workflow.store.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from workflow.cli.output import Form
    from workflow.cli.stores import Place
    from workflow.store.breaches import Breach, Broken

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
    Column("table", "Table"),
    Column("row", "Row", id=True),
    Column("expected", "Expected"),
    Column("found", "Found"),
)
ADVICE: Final[dict[Breach, str]] = {
    "content": "content: the row was changed since it was written; restore it from the last backup that verifies.",
    "received": "received: the message kept beside the fact is another; ask its source for it, or restore it.",
    "erased_unsaid": "erased_unsaid: the message was erased and no fact says so; restore it, or record the erasure.",
    "recorded_at": "recorded_at: when it was recorded was changed; set it back to what is expected.",
    "gone": "gone: the row was removed; restore it from the last backup that verifies.",
    "unsaid": "unsaid: no batch wrote the row; ask who has put it there, and compare with the last backup.",
    "checksum": "checksum: the row of the outbox was changed; compare what was sent from it with its topics.",
    "witness": "witness: the store is no continuation of what was kept; compare it with the backup of that day.",
}
"""What to do about each kind of breach."""


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
            run = Replay(reading, archive_of(reading), dates=not without_dates, now=datetime.now(UTC))
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
@click.option(
    "--witness",
    type=FILE,
    help="What an earlier run printed with --output json, kept where nobody could change it.",
)
@output_option("table", "json", "jsonl")
def verify(place: Place, witness: Path | None, output: Form) -> int:
    """Check that a store is still what its batches wrote: facts, messages, alerts, definitions, positions, letters.

    Ends with 1 where a row is not.
    """
    earlier = NO_WITNESS if witness is None else _witness(witness)
    with place.opened() as store:
        total = facts(store)
        with store.reading() as reading:
            run = Verification(reading, datetime.now(UTC), earlier)
            found = watched(run.broken(), lambda: (run.facts, total), "Verifying")
            counted = _Counted(found)
            listed = _listed(
                map(msgspec.to_builtins, counted), output, BREACHES, "Rows that are not what was written"
            )
    if output == "json":
        kept = msgspec.to_builtins(run.witness)
        print_json({"facts": run.facts, "broken": counted.number, "found": listed, "witness": kept})
    else:
        said = current(
            "{facts} facts looked at, and the rows of all that was written with them: {broken} breaches."
        )
        click.echo(said.format(facts=run.facts, broken=counted.number), err=output != "table")
    for breach in sorted(counted.breaches):
        click.echo(current(ADVICE[breach]), err=True)
    return int(counted.number > 0)


class _Printed(msgspec.Struct):
    witness: Witness


def _witness(path: Path) -> Witness:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Printed).witness
    except msgspec.MsgspecError as fault:
        raise UsageError(
            "{file}: expected what dunghen audit verify printed with --output json, found something else ({fault})",
            file=path.name,
            fault=str(fault),
            reason="no_witness",
        ) from fault


class _Counted:
    """Breaches as they come, how many came, and of which kinds."""

    def __init__(self, rows: Iterable[Broken]) -> None:
        self.number = 0
        self.breaches: set[Breach] = set()
        self._rows = rows

    def __iter__(self) -> Iterator[Broken]:
        for row in self._rows:
            self.number += 1
            self.breaches.add(row.breach)
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
