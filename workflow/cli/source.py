"""`dunghen source`: which sources there are, and what one of their files would become, without storing it."""

from __future__ import annotations

from collections import Counter
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
from workflow.choosing import choose
from workflow.cli.inputs import FILE, all_calendars, organisation_of, regrouped
from workflow.cli.options import Group, file_limits, kafka_settings, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.clocks.calendar import read_calendars
from workflow.errors import UsageError
from workflow.facts import Acted, Opened
from workflow.fold import fold
from workflow.i18n import current, filled
from workflow.organisation import hours_of, organisation_in
from workflow.procedure.reader import read_procedures
from workflow.rules import compile_family
from workflow.sources import orders, read_source, read_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumers.files.entries import Messages
    from consumers.files.factfile import FactFile
    from consumers.forms.formfile import FormFile
    from consumers.forms.reading import Part
    from workflow.cli.output import Form
    from workflow.facts import Fact
    from workflow.rules import Rules
    from workflow.sources import SourceDefinition, SourceOrder

_Identity = tuple[str, str, str, int]
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
LISTED_MAX = 1_000
"""Messages shown one by one; all are counted."""
SOURCES = (
    Column("source", "Source"),
    Column("vi", "In Vietnamese"),
    Column("en", "In English"),
    Column("authority", "Ordered by"),
    Column("reports", "Reports"),
    Column("voids", "May void"),
    Column("reader", "Read through"),
)
MESSAGES = (
    Column("place", "Place"),
    Column("dossier", "Dossier"),
    Column("action", "Action"),
    Column("occurred_at", "When"),
    Column("reason", "Not taken because"),
    Column("expected", "Expected"),
    Column("found", "Found"),
    Column("do", "What to do"),
)
GROUPED = (Column("what", "What"), Column("value", "Value"), Column("count", "Count", "right"))
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
@click.option("--brokers", envvar="DUNGHEN_BROKERS", help="Kafka, for a topic: host:port.")
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    help="How many of the newest records of each partition of a topic are read.",
)
@output_option("table", "json")
def check(  # noqa: PLR0913 - one parameter per option
    what: str,
    name: str | None,
    procedure: tuple[Path, ...],
    procedures: Path | None,
    secret: Path | None,
    brokers: str | None,
    last: int,
    output: Form,
) -> int:
    """Tell what each message of a file or of a topic would become, without storing anything.

    A topic is read in no group, so that nobody's position moves; its messages are our own, plain or as Debezium
    captures them. Ends with 1 where a message is not taken, a value has no code, or a fact is refused.
    """
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
        families = _families(procedure, procedures, orders(known))
        report = _Report(None if named is None else named[0], known, families)
        told = opened.parts() if isinstance(opened, TopicFacts) else parts(opened)
        for part in watched(told, opened.progress, "Checking"):
            report.tell(part)
        regrouped(opened, lambda: report.judge(opened))  # type: ignore[arg-type] # both kinds of file read alike
    found = report.summary(opened)
    if output == "json":
        print_json({"messages": report.listed, **found})
    else:
        _print(report, found, what)
    return int(any(found[word] for word in ("refusals", "unmapped", "unknown_actions", "outcomes_refused")))


class _Report:
    """What a check met so far."""

    def __init__(
        self,
        definition: SourceDefinition | None,
        sources: Mapping[str, SourceDefinition],
        families: dict[str, dict[str, Rules]],
    ) -> None:
        self._definition = definition
        self._mapped = definition is not None and definition.mapping is not None
        self._sources = sources
        self.families = families
        self.listed: list[dict[str, Any]] = []
        self._rows: dict[_Identity, list[int]] = {}
        self._clear()

    def _clear(self) -> None:
        if self._mapped:
            self.listed.clear()
        self.dossiers = self.facts = self.conflicts = 0
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.procedures: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()

    def tell(self, part: Part) -> None:
        """One message: its fact, or why it is not taken."""
        if part.error is not None:
            values = part.error.values
            # The place has a column of its own.
            said = filled(part.error.template, values).removeprefix(f"{part.place}: ")
            self._refused(part.place, part.error.code, values, said)
        elif part.fact is not None:
            if len(self.listed) < LISTED_MAX:
                self._rows.setdefault(_identity(part.fact), []).append(len(self.listed))
            self._list({"place": part.place, **_told(part.fact)})

    def _refused(self, place: str, reason: str, values: Mapping[str, object], said: str) -> None:
        self._list(_not_taken(place, reason, values, said))

    def _list(self, row: dict[str, Any]) -> None:
        if len(self.listed) < LISTED_MAX:
            self.listed.append(row)

    def _once(self, facts: Sequence[Fact], file: str) -> list[Fact]:
        """The facts of a dossier, each identity once, as a store would keep them; other content is a conflict."""
        first: dict[_Identity, Fact] = {}
        met: Counter[_Identity] = Counter()
        for fact in facts:
            identity = _identity(fact)
            kept = first.setdefault(identity, fact)
            if _content(kept) != _content(fact):
                self._conflict(identity, met[identity], file)
            met[identity] += 1
        return list(first.values())

    def _conflict(self, identity: _Identity, number: int, file: str) -> None:
        self.conflicts += 1
        values = {
            "expected": current("the content first told of {id}").format(id=identity[2]),
            "found": current("other content"),
        }
        said = current("give another content another id or revision, or void the first")
        rows = self._rows.get(identity, ())
        if number < len(rows):
            at = rows[number]
            self.listed[at] = _not_taken(self.listed[at]["place"], "id_conflict", values, said)
        else:
            self._refused(file, "id_conflict", values, said)

    def judge(self, opened: FactFile | FormFile | Messages | TopicFacts) -> None:
        """Folds every dossier of the file."""
        self._clear()
        for code, told in opened.dossiers():
            facts = self._once(told, str(opened.path))
            self.dossiers += 1
            self.facts += len(facts)
            if self._mapped:
                for fact in facts:
                    self._list({"place": str(opened.path), **_told(fact)})
            rules = self._rules(facts)
            judged = fold(rules, code, facts)
            for fact, outcome in zip(judged.facts, judged.outcomes, strict=True):
                broken = ", ".join(violation.rule for violation in outcome.violations)
                self.outcomes[outcome.status, broken] += 1
                body = fact.body
                if isinstance(body, Acted) and body.action not in judged.rules.revision.actions:
                    self.actions[f"{judged.rules.revision.procedure}: {body.action}"] += 1

    def _rules(self, facts: Sequence[Fact]) -> Rules:
        """The procedure the facts name; the generic one where it is not modelled or only milestones are told."""
        bodies = (fact.body for fact in facts)
        code = next((b.procedure for b in bodies if isinstance(b, Acted | Opened) and b.procedure), None)
        if code is not None and code not in self.families:
            self.procedures[code] += 1
        told = {self._sources[fact.source].reports for fact in facts if fact.source in self._sources}
        milestones = (told if self._definition is None else {self._definition.reports}) == {"milestones"}
        family = self.families.get("generic" if milestones or code is None else code)
        return choose(family or self.families["generic"], facts)

    def summary(self, opened: FactFile | FormFile | Messages | TopicFacts) -> dict[str, Any]:
        """What would be taken, and what stands in the way, grouped."""
        if self._mapped:
            for one in opened.refusals.listed:
                said = filled(one.template, one.values)
                self._refused(one.place, one.reason, one.values, said)
        refusals = Counter(opened.refusals.counts)
        if self.conflicts:
            refusals["id_conflict"] += self.conflicts
        return {
            "records": opened.rows,
            "facts": self.facts,
            "dossiers": self.dossiers,
            "says_nothing": opened.filtered,
            "refusals": dict(sorted(refusals.items())),
            "unmapped": {f"{field}: {value}": n for (field, value), n in sorted(opened.uncoded.items())},
            "unknown_procedures": dict(sorted(self.procedures.items())),
            "unknown_actions": dict(sorted(self.actions.items())),
            "outcomes": {" ".join(one).strip(): n for one, n in sorted(self.outcomes.items())},
            "outcomes_refused": sum(n for (status, _), n in self.outcomes.items() if status == "refused"),
        }


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


def _identity(fact: Fact) -> _Identity:
    return fact.subject, fact.source, fact.id, fact.revision


def _content(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, recorded_at=None)


def _not_taken(place: str, reason: str, values: Mapping[str, object], said: str) -> dict[str, Any]:
    return {
        "place": place,
        "reason": reason,
        "expected": str(values.get("expected", "")),
        "found": str(values.get("found", "")),
        "do": said,
    }


def _told(fact: Fact) -> dict[str, Any]:
    action = fact.body.action if isinstance(fact.body, Acted) else type(fact.body).__struct_config__.tag
    return {"dossier": fact.subject, "action": action, "occurred_at": fact.occurred_at, "id": fact.id}


def _print(report: _Report, found: dict[str, Any], title: str) -> None:
    print_rows(report.listed, MESSAGES, "table", title=title)
    grouped = [
        {"what": word, "value": value, "count": count}
        for word in ("refusals", "unmapped", "unknown_procedures", "unknown_actions", "outcomes")
        for value, count in found[word].items()
    ]
    print_rows(grouped, GROUPED, "table")
    click.echo(
        current("Of {records} records {facts} facts of {dossiers} dossiers would be taken.").format(**found)
    )


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
    paths: tuple[Path, ...], procedures: Path | None, known: dict[str, SourceOrder]
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
    hours = hours_of(organisation_of(None) if procedures is None else organisation_in(procedures))
    return {code: compile_family(family, calendars, known, hours) for code, family in by_code.items()}
