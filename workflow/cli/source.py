"""`dunghen source`: which sources there are, and what one of their files would become, without storing it."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from consumers.decoding import zones_of
from consumers.forms.opened import open_source, parts
from consumers.kafka import newest
from consumers.topicfacts import TopicFacts
from workflow.cli.brokers import ADDRESSES
from workflow.cli.checking import Report, print_groups
from workflow.cli.inputs import FILE, all_calendars, organisation_of, regrouped
from workflow.cli.lines import FLAT, print_lines, range_of, rows_of
from workflow.cli.options import Group, file_limits, kafka_settings, output_option
from workflow.cli.output import Column, print_json, print_json_around, print_rows
from workflow.cli.progress import watched
from workflow.clocks.calendar import read_calendars
from workflow.errors import UsageError
from workflow.organisation import hours_of, organisation_in
from workflow.procedure.reader import read_procedures
from workflow.rules import compile_family
from workflow.sources import orders, read_source, read_sources

if TYPE_CHECKING:
    from consumers.files.entries import Messages
    from consumers.files.factfile import FactFile
    from consumers.forms.formfile import FormFile
    from workflow.cli.output import Form
    from workflow.organisation import Organisation
    from workflow.rules import Rules
    from workflow.sources import SourceDefinition, SourceOrder

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
SOURCES = (
    Column("source", "Source"),
    Column("vi", "In Vietnamese"),
    Column("en", "In English"),
    Column("authority", "Ordered by", words=True),
    Column("reports", "Reports", words=True),
    Column("voids", "May void", words=True),
    Column("reader", "Read through"),
)
PLACE = click.Path(exists=True, path_type=Path)


@click.group(cls=Group)
def source() -> None:
    """Sources: the systems that tell facts."""


@source.command("list")
@output_option()
def list_sources(output: Form) -> None:
    """List the sources that come with Dunghen."""
    rows = [
        {
            "source": name,
            "vi": one.name.vi,
            "en": one.name.en,
            "authority": one.authority,
            "reports": one.reports,
            "voids": one.voids,
            "reader": one.form or one.mapping or ("register" if one.register else "messages"),
        }
        for name, one in _shipped().items()
    ]
    print_rows(rows, SOURCES, output)


@source.command()
@click.argument("name")
def show(name: str) -> None:
    """Show one source, by its name or its file, as JSON."""
    with ExitStack() as files:
        print_json(msgspec.to_builtins(_named(name, files)[0]))


@source.command()
@click.argument("what", metavar="FILE|TOPIC")
@click.option(
    "--source",
    "name",
    help="The name of a source, or the file of its definition. A topic's messages name their own.",
)
@click.option(
    "--procedure",
    type=PLACE,
    multiple=True,
    help="Procedures to judge by; by default those that come with us.",
)
@click.option(
    "--procedures",
    type=FOLDER,
    help="The folder of definitions, as for an import; by default those that come with us.",
)
@click.option("--secret", type=FILE, help="The file of the secret that keys the hashes of persons.")
@click.option("--brokers", type=ADDRESSES, envvar="DUNGHEN_BROKERS", help="Kafka, for a topic: host:port.")
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    help="How many of the newest records of each partition of a topic are read.",
)
@click.option(
    "--lines", "wanted", help="Only what became of this line, such as 17, or of these, such as 17-30."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="How many lines of each outcome a table shows at most; the other forms hold all.",
)
@output_option()
def check(  # noqa: PLR0913 - one parameter per option
    what: str,
    name: str | None,
    procedure: tuple[Path, ...],
    procedures: Path | None,
    secret: Path | None,
    brokers: str | None,
    last: int,
    wanted: str | None,
    limit: int,
    output: Form,
) -> int:
    """Tell what each message of a file or of a topic would become, without storing anything.

    For each line it tells the fact and its outcome, or why it is not taken. A topic is read in no group, so that
    nobody's position moves; its messages are our own, plain or as Debezium captures them. Ends with 1 where a message
    is not taken, a value has no code, or a fact is refused.
    """
    lines = None if wanted is None else range_of(wanted)
    limits, key = file_limits(), None if secret is None else secret.read_bytes().strip()
    with ExitStack() as files:
        named = None if name is None else _named(name, files, procedures)
        known = _shipped(procedures) | ({} if named is None else {named[0].source: named[0]})
        opened: FactFile | FormFile | Messages | TopicFacts
        if Path(what).is_file():
            definition, folder = _of_file(named, what)
            opened = open_source(Path(what), definition, folder, limits=limits, secret=key)
        else:
            records = newest(_broker(brokers, what), what, last, **kafka_settings().security())
            # As a worker reads it: only of a topic that is told to be one zone's are times taken without an offset.
            opened = TopicFacts(what, records, zones_of(known.values()).get(what))
        organisation = organisation_of(None) if procedures is None else organisation_in(procedures)
        families = _families(procedure, procedures, orders(known), organisation)
        definition_of = None if named is None else named[0]
        report = Report(definition_of, known, families, limits.dossier_facts_max, organisation)
        regrouped(opened, lambda: report.judge(opened))  # type: ignore[arg-type] # both kinds of file read alike
        found = report.summary(opened)
        told = opened.parts() if isinstance(opened, TopicFacts) else parts(opened)
        rows = rows_of(watched(told, opened.progress, "Checking"), report, what, lines)
        if output == "table":
            print_lines(rows, limit, str(opened.path))
            print_groups(found)
        elif output == "json":
            print_json_around("messages", rows, found)
        else:
            print_rows(rows, FLAT, output)
    return int(any(found[word] for word in ("refusals", "unmapped", "unknown_actions", "outcomes_refused")))


def _broker(brokers: str | None, what: str) -> str:
    if brokers is None:
        raise UsageError(
            "{what}: there is no such file; if it is a topic, name the broker with --brokers",
            what=what,
            reason="no_broker_named",
        )
    return brokers


def _of_file(named: tuple[SourceDefinition, Path] | None, what: str) -> tuple[SourceDefinition, Path]:
    if named is None:
        raise UsageError(
            "{what}: a file does not say how it is to be read; name its source with --source",
            what=what,
            reason="no_source_named",
        )
    return named


def _shipped(procedures: Path | None = None) -> dict[str, SourceDefinition]:
    with resources.as_file(resources.files("processes")) as ours:
        return read_sources((procedures or ours) / "sources")


def _named(name: str, files: ExitStack, procedures: Path | None = None) -> tuple[SourceDefinition, Path]:
    """A source by its name or its file, and the folder its form or mapping lies in."""
    path = Path(name)
    if path.suffix == ".yaml" and path.is_file():
        return read_source(path), path.parent
    ours = files.enter_context(resources.as_file(resources.files("processes")))
    folder = (procedures or ours) / "sources"
    known = read_sources(folder)
    if name not in known:
        raise UsageError(
            "{source}: no such source, expected one of {known} or the file of a definition",
            source=name,
            known=", ".join(known),
        )
    return known[name], folder


def _families(
    paths: tuple[Path, ...],
    procedures: Path | None,
    known: dict[str, SourceOrder],
    organisation: Organisation | None,
) -> dict[str, dict[str, Rules]]:
    """Procedures by code, the generic one always among them."""
    with resources.as_file(resources.files("processes")) as ours:
        folder = procedures or ours
        own = (folder / "generic.yaml",) if paths else (folder,)
        revisions = {(r.procedure, r.revision): r for path in (*own, *paths) for r in read_procedures(path)}
    by_code: dict[str, list[Any]] = {}
    for revision in revisions.values():
        by_code.setdefault(revision.procedure, []).append(revision)
    calendars = all_calendars(()) if procedures is None else read_calendars(procedures / "calendars")
    hours = hours_of(organisation)
    return {code: compile_family(family, calendars, known, hours) for code, family in by_code.items()}
