"""`dunghen deadletters`: messages that could not be taken, looked at and taken again."""

from __future__ import annotations

import base64
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from consumers.contract.outgoing import headers_of
from consumers.decoding import zones_of
from consumers.redriving import redriven
from workflow.catalogue import load
from workflow.cli.approvals import tell_unlisted
from workflow.cli.listing import print_one
from workflow.cli.options import Command, Group, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.stores import Looking, store_options
from workflow.cli.sums import shown_instant
from workflow.errors import UsageError
from workflow.i18n import current
from workflow.kept import retold
from workflow.store.letters import letter, letters
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from consumers.redriving import Redriven
    from workflow.cli.output import Form
    from workflow.cli.stores import Place
    from workflow.store.letters import Kept
    from workflow.store.store import Store

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
LETTERS: Final = (
    Column("number", "Number", "right"),
    Column("recorded_at", "Recorded"),
    Column("place", "Place"),
    Column("reason", "Reason"),
    Column("detail", "Detail"),
    Column("bytes", "Bytes", "right"),
    Column("redriven_at", "Taken since"),
)
ONE: Final = (*LETTERS, Column("key", "Key"), Column("headers", "Headers"), Column("value", "Value"))
REDRIVEN: Final = (
    Column("number", "Number", "right"),
    Column("place", "Place"),
    Column("before", "Before"),
    Column("outcome", "Outcome", words=True),
    Column("reason", "Reason"),
    Column("detail", "Detail"),
)
_REASON: Final = click.option("--reason", help="Only those that lie there for this reason.")


@click.group(cls=Group)
def deadletters() -> None:
    """Messages that could not be taken: what they are, why, and taking them again."""


@deadletters.command("list", cls=Command)
@store_options
@_REASON
@click.option("--all", "taken", is_flag=True, help="Those that were taken since, too.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@output_option()
def list_(place: Place, reason: str | None, taken: bool, limit: int, output: Form) -> None:  # noqa: FBT001 - a flag of the command line
    """List the messages that could not be taken, in the order they came."""
    with Looking(place, None, None).opened() as seen:
        found = [_listed(one) for one in islice(_all(seen.store, reason, taken=taken), limit)]
        if output == "table":
            found = [_briefly(_at_desk(row, seen.zone)) for row in found]
    print_rows(found, LETTERS, output)
    if not found:
        click.echo(current("No such message: everything asked about was taken."), err=True)


@deadletters.command(cls=Command)
@click.argument("number", type=click.IntRange(1))
@store_options
@output_option("table", "json")
def show(number: int, place: Place, output: Form) -> None:
    """Show one message that could not be taken, whole, with its headers and the reason.

    JSON has key, value and headers as base64, whatever their bytes are.
    """
    with Looking(place, None, None).opened() as seen:
        kept = _one(seen.store, number)
        zone = seen.zone
    headers = headers_of(kept.letter)
    if output == "table":
        shown = {name: value.decode(errors="backslashreplace") for name, value in headers}
        value = kept.letter.value.decode(errors="backslashreplace")
        key = None if kept.letter.key is None else kept.letter.key.decode(errors="backslashreplace")
        print_one({**_listed(kept), "key": key, "headers": shown, "value": value}, ONE, zone)
        return
    print_json(
        {
            **_listed(kept),
            "expires_at": from_us(kept.letter.expires_at),
            "key": None if kept.letter.key is None else base64.b64encode(kept.letter.key).decode(),
            "value": base64.b64encode(kept.letter.value).decode(),
            "headers": [[name, base64.b64encode(value).decode()] for name, value in headers],
        }
    )


@deadletters.command(cls=Command)
@click.argument("numbers", type=click.IntRange(1), nargs=-1)
@store_options
@_REASON
@click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of each.")
@output_option()
def redrive(
    numbers: tuple[int, ...],
    place: Place,
    reason: str | None,
    procedures: Path | None,
    dry_run: bool,  # noqa: FBT001 - a flag of the command line
    output: Form,
) -> int:
    """Take messages again by today's definitions: those of these numbers, or all that wait.

    Each is taken in one transaction with its mark, so it may be stopped and run again at any moment. One that still
    cannot be taken stays, with the reason of today. Ends with 1 where one stays.
    """
    now = datetime.now(UTC)
    with ExitStack() as held:
        ours = held.enter_context(resources.as_file(resources.files("processes")))
        catalogue = load(procedures or ours)
        tell_unlisted(catalogue)
        store = held.enter_context(place.opened())
        found = [_one(store, number) for number in dict.fromkeys(numbers)] if numbers else _all(store, reason)
        zones = zones_of(catalogue.sources.values())
        done = [redriven(store, catalogue, one, zones, now=now, keep=not dry_run) for one in found]
    rows = [_told(one) for one in done]
    print_rows(map(_briefly, rows) if output == "table" else rows, REDRIVEN, output)
    stays = sum(one.outcome == "stays" for one in done)
    said = (
        current("{count} would be taken, {stays} would stay.")
        if dry_run
        else current("{count} taken, {stays} stay.")
    )
    click.echo(said.format(count=len(done) - stays, stays=stays), err=True)
    return int(stays > 0)


def _all(store: Store, reason: str | None, *, taken: bool = False) -> Iterator[Kept]:
    """Letters by their numbers, some in memory at a time."""
    after = 0
    while True:
        with store.reading() as reading:
            page = letters(reading, after, reason=reason, taken=taken)
        if not page:
            return
        yield from page
        after = page[-1].number


def _one(store: Store, number: int) -> Kept:
    with store.reading() as reading:
        found = letter(reading, number)
    if found is None:
        raise UsageError(
            "{store}: there is no dead letter {number}; see those there are with: dunghen deadletters list --all",
            store=store.name,
            number=number,
            reason="no_letter",
        )
    return found


def _at_desk(row: dict[str, object], zone: ZoneInfo) -> dict[str, object]:
    """The row with its instants as they are read in a zone."""
    return {
        name: shown_instant(value, zone) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _briefly(row: dict[str, object]) -> dict[str, object]:
    """The row without its place in its detail: it has a column of its own."""
    said = str(row["detail"] or "").removeprefix(f"{row['place']}: ")
    return {**row, "detail": said}


def _told(one: Redriven) -> dict[str, object]:
    found: dict[str, object] = msgspec.structs.asdict(one)
    return {**found, "detail": None if one.detail is None else retold(one.detail, current)}


def _listed(kept: Kept) -> dict[str, object]:
    one = kept.letter
    return {
        "number": kept.number,
        "recorded_at": from_us(one.recorded_at),
        "place": one.place,
        "reason": one.reason,
        "detail": retold(one.detail, current),
        "bytes": len(one.value),
        "redriven_at": None if kept.redriven_at is None else from_us(kept.redriven_at),
    }
