"""`dunghen import`: files into a store."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click
from msgspec import Struct, to_builtins

from consumers.applied import Applied, Buried
from consumers.apply import Beside, Told, apply
from consumers.codec import encode
from consumers.files.entries import batches, files_of
from consumers.files.sourcefile import open_source_file
from consumers.intake import kept_in
from consumers.ticker import DOSSIERS_A_TICK, tick
from workflow import catalogue as definitions
from workflow.cli.approvals import tell_unlisted
from workflow.cli.inputs import FILE, moment
from workflow.cli.options import Command, file_limits, output_option
from workflow.cli.output import Column, print_json, print_rows, refusal_line
from workflow.cli.progress import watched
from workflow.cli.stores import Place, store_options
from workflow.cli.unknown import print_unknown
from workflow.errors import InputError, StoreBusy, UsageError, VersionConflict, Words
from workflow.i18n import current, filled
from workflow.kept import retold
from workflow.store.looking import strange_units, unmodelled
from workflow.store.rows import Position
from workflow.store.trying import tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumers.files.entries import Entry, Messages, Rows
    from consumers.files.registers import Register
    from consumers.files.sourcefile import SourceFile
    from workflow.catalogue import Catalogue
    from workflow.cli.output import Form
    from workflow.sources import SourceDefinition
    from workflow.store.store import Store

Done = TypeVar("Done")
BATCH: Final = 1_000
"""Facts in one transaction: the commit is what costs, and a thousand share one."""
TRIES: Final = 10
"""How often a batch is tried where other writers come first; each time at least one of them has got on."""
LETTERS_TOLD: Final = 20
"""Dead letters an import names; all of them are in the store."""
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FIGURES: Final = (
    Column("file", "File"),
    Column("rows", "Rows", "right"),
    Column("appended", "Added", "right"),
    Column("known", "There already", "right"),
    Column("filtered", "Left out", "right"),
    Column("refused", "Refused", "right"),
    Column("dead", "Dead letters", "right"),
)


class Imported(Struct):
    """What became of one file.

    `went_on_after`: the place up to which an earlier import had read it. `known`: facts that were there already, or
    stand in the file a second time. `refused`: by reason; `dead`: facts kept as dead letters; `letters`: the first of
    them. `stopped`: why the file was not read to its end.
    """

    file: str
    went_on_after: int = 0
    rows: int = 0
    appended: int = 0
    known: int = 0
    filtered: int = 0
    dead: int = 0
    refused: dict[str, int] = {}
    blocked: list[str] = []
    stopped: str | None = None
    letters: list[Buried] = []

    def add(self, done: Applied) -> None:
        """Count one batch."""
        self.appended += done.appended
        self.known += done.duplicates
        self.dead += done.dead
        fresh = done.letters[: LETTERS_TOLD - len(self.letters)]
        self.letters += [one._replace(detail=retold(one.detail, current)) for one in fresh]
        self.blocked = sorted({*self.blocked, *done.blocked})


class Definitions(NamedTuple):
    """What is judged by, the source of the file, and the folder with its form or mapping."""

    catalogue: Catalogue
    source: SourceDefinition
    beside: Path


@click.command("import", cls=Command)
@click.argument("path", type=click.Path(exists=True, path_type=Path), metavar="FILE|DIR")
@store_options
@click.option("--source", required=True, help="The source that wrote the file, by its name.")
@click.option(
    "--mapping", type=FILE, help="How the file's columns become facts; by default as the source says."
)
@click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)
@click.option(
    "--as-of", help="Look for alerts as of this date or time, such as the file's last day; by default now."
)
@click.option(
    "--dry-run", is_flag=True, help="Say what an import into this store would do, and store nothing."
)
@output_option("table", "json")
def import_(  # noqa: PLR0913 - one parameter per option
    path: Path,
    place: Place,
    source: str,
    mapping: Path | None,
    procedures: Path | None,
    as_of: str | None,
    dry_run: bool,  # noqa: FBT001 - a flag of the command line
    output: Form,
) -> int:
    """Bring a file, or all logs of a folder, into a store, and judge what is in them.

    Stopped in whatever way, the same command goes on where it was; importing a file again adds nothing. Ends with 1
    where something could not be taken.
    """
    with _definitions(procedures, source) as known, _store(place, dry_run=dry_run) as store:
        until = moment(as_of, known.source.timezone, "--as-of") or datetime.now(UTC)
        if path.is_dir():
            done = [_one_of_several(store, known, file, mapping, until) for file in files_of(path)]
        else:
            done = [_brought(store, known, path, mapping, until)]
        _look(store, known.catalogue, until)
        codes, strange = unmodelled(store), strange_units(store, known.catalogue.organisation)
    if output == "json":
        counted = {"unmodelled": to_builtins(codes), "strange_units": to_builtins(strange)}
        print_json({"dry_run": dry_run, "files": done, **counted})
    else:
        print_rows(map(_row, done), FIGURES, "table", title="Nothing was stored" if dry_run else "")
        print_unknown(codes, strange)
    return int(any(one.refused or one.dead or one.blocked or one.stopped for one in done))


def _one_of_several(
    store: Store, known: Definitions, file: Path, mapping: Path | None, until: datetime
) -> Imported:
    """A file of a folder: the others are not lost because of one that cannot be read."""
    try:
        return _brought(store, known, file, mapping, until)
    except InputError as fault:
        stopped = _said(fault)
        click.echo(stopped, err=True)
        return Imported(str(file), stopped=stopped)


def _brought(store: Store, known: Definitions, file: Path, mapping: Path | None, until: datetime) -> Imported:
    opened = open_source_file(file, known.source, known.beside, file_limits(), mapping, kept_in(store))
    done = import_file(store, known.catalogue, opened, file, lambda: datetime.now(UTC), as_of=until)
    _tell(opened.reading, done)
    return done


def import_file(
    store: Store,
    catalogue: Catalogue,
    file: SourceFile,
    path: Path,
    now: Callable[[], datetime],
    *,
    batch: int = BATCH,
    as_of: datetime | None = None,
) -> Imported:
    """Brings one file into the store, from where an earlier import of it stopped; what became of it.

    Alerts are looked at as life would have: as of what was told by then, and not beyond `as_of`, by default now.
    Each `batch` of so many facts moves the position in its own transaction, so that nothing is lost or taken twice
    wherever it ends.
    A file that cannot be read on behind facts that were taken says where it `stopped`; they stay. Raises InputError for
    what concerns the whole file where nothing of it was taken, StoreError.
    """
    stream, reading = f"file/{file.identity}", file.reading
    with store.writing() as writing:
        after, epoch = writing.claim(stream, 0, log=file.identity)
    found = Imported(str(path), went_on_after=after)
    last, reached = as_of or now(), datetime.min.replace(tzinfo=UTC)
    try:
        for entries in _watched(reading, after, batch):
            end = entries[-1].position
            step = Position(stream, 0, after, end, epoch)
            told = [_told(entry, path) for entry in entries]
            reached = min(max(reached, _told_by(told)), last)
            beside = Beside(as_of=reached)
            found.add(
                _applied(lambda: apply(store, catalogue, told, now=now(), position=step, beside=beside))  # noqa: B023 - called at once
            )
            after = end
    except InputError as fault:
        if not after:
            raise
        found.stopped = _said(fault)
    found.rows, found.filtered = reading.rows, reading.filtered
    found.known += reading.repeated
    found.refused = dict(reading.refusals.counts)
    return found


def _said(fault: InputError) -> str:
    return filled(fault.template, fault.values)


def _told_by(told: Sequence[Told]) -> datetime:
    """When a batch was told: as the last of its facts was entered, but for one in a hundred, since some come early."""
    times = sorted(one.fact.entered_at or one.fact.occurred_at for one in told)
    return times[(len(times) - 1) * 99 // 100]


def _look(store: Store, catalogue: Catalogue, until: datetime) -> None:
    """Looks at all dossiers whose moment has come by then. Raises StoreError."""
    while (
        _applied(lambda: tick(store, catalogue, now=until, written_at=datetime.now(UTC))).dossiers
        == DOSSIERS_A_TICK
    ):
        pass


def _applied(batch: Callable[[], Done]) -> Done:
    """A batch, taken again where another writer was first; the store has waited for it already. Raises StoreError."""
    for _ in range(TRIES - 1):
        try:
            return batch()
        except (StoreBusy, VersionConflict):
            continue
    return batch()


def _watched(reading: Messages | Rows | Register, after: int, size: int) -> Iterator[list[Entry]]:
    yield from batches(watched(reading.entries(after), reading.progress, "Importing"), size)


def _told(entry: Entry, path: Path) -> Told:
    """A fact with its bytes; rows come without their own, so they are kept as the message they amount to."""
    received = encode(entry.fact) if entry.received is None else entry.received
    return Told(entry.fact, received, f"{path}:{entry.position}")


@contextmanager
def _store(place: Place, *, dry_run: bool) -> Iterator[Store]:
    """The store; for a dry run what is done to it is undone, and one that is not there yet is thrown away."""
    if not dry_run:
        with place.opened(make=True) as store:
            yield store
        return
    if place.there:
        with place.opened() as store, tried(store) as trial:
            yield trial
        return
    with tempfile.TemporaryDirectory(prefix="dunghen-") as folder:
        aside = Place(str(Path(folder) / "dry-run.db"), None)
        with aside.opened(make=True) as store:
            yield store


@contextmanager
def _definitions(procedures: Path | None, source: str) -> Iterator[Definitions]:
    with ExitStack() as files:
        ours = files.enter_context(resources.as_file(resources.files("processes")))
        folder = procedures or ours
        catalogue = definitions.load(folder)
        tell_unlisted(catalogue)
        found = catalogue.sources.get(source)
        if found is None:
            raise UsageError(
                "--source: expected one of {known}, found {found}; name one of them, or define it below {folder}",
                known=", ".join(catalogue.sources) or Words("none"),
                found=source,
                folder=str(folder / "sources"),
                reason="unknown_source",
            )
        yield Definitions(catalogue, found, folder / "sources")


def _row(one: Imported) -> dict[str, Any]:
    return {**to_builtins(one), "refused": sum(one.refused.values())}


def _tell(reading: Messages | Rows | Register, one: Imported) -> None:
    """What was not taken, line by line, and where an earlier import had come to; on standard error."""
    refusals = reading.refusals
    for refusal in refusals.listed:
        click.echo(refusal_line(refusal.where, refusal.template, refusal.values), err=True)
    if refusals.total > len(refusals.listed):
        more = refusals.total - len(refusals.listed)
        click.echo(current("and {count} more rows that were not taken").format(count=more), err=True)
    for (field, value), count in sorted(reading.uncoded.items()):
        said = current("{field}: {count} times {value}, which the source's codes do not list")
        click.echo(said.format(field=field, count=count, value=value), err=True)
    if one.went_on_after and not one.appended:
        click.echo(
            current("{file}: read before up to {place}; nothing was added").format(
                file=one.file, place=one.went_on_after
            ),
            err=True,
        )
    elif one.went_on_after:
        click.echo(
            current("{file}: went on after {place}, where an earlier import had stopped").format(
                file=one.file, place=one.went_on_after
            ),
            err=True,
        )
    for letter in one.letters:
        click.echo(f"{letter.place}: {letter.reason}: {letter.detail}", err=True)
    if one.stopped:
        said = current(
            "{stopped}. Reading stopped there; what stood before it was taken and stays ({count} added, {known} there "
            "already). Correct the file and import it again: what is there is not added twice"
        )
        click.echo(said.format(stopped=one.stopped, count=one.appended, known=one.known), err=True)
    if one.dead:
        said = current(
            "{file}: {count} messages were kept as dead letters; each reason is counted by: dunghen status"
        )
        click.echo(said.format(file=one.file, count=one.dead), err=True)
    for subject in one.blocked:
        click.echo(
            current("{dossier}: could not be judged; see why with: dunghen dossier show {dossier}").format(
                dossier=subject
            ),
            err=True,
        )
