"""What several commands read: procedures with their calendars, a log through its mapping, moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from consumers.files.dossiers import NotGrouped
from consumers.files.factfile import FactFile, open_facts
from consumers.files.mapping import Mapping, read_mapping
from workflow.choosing import choose
from workflow.cli.options import file_limits
from workflow.clocks.calendar import read_calendar, read_calendars
from workflow.errors import InputError, UsageError, Words
from workflow.factrows import FactRows
from workflow.facts import Acted, code_of
from workflow.organisation import hours_of, organisation_in, read_organisation
from workflow.procedure.checks import require_sound
from workflow.procedure.reader import read_procedures
from workflow.rules import compile_family
from workflow.sources import SourceOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from workflow.clocks.calendar import Calendar
    from workflow.facts import Fact
    from workflow.organisation import Organisation
    from workflow.rules import Rules

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Log(NamedTuple):
    """A log and the rules that judge it, by revision of the one procedure."""

    facts: FactFile
    family: dict[str, Rules]
    mapping: Mapping | None

    @property
    def closes(self) -> bool:
        """Whether the end of the log is the end of every dossier."""
        return self.mapping is not None and self.mapping.log_end == "closes"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which moments without one are meant."""
        return next(iter(self.family.values())).zone

    @property
    def only(self) -> Rules | None:
        """The one revision that judges whatever the log holds; None where a dossier's facts have to say."""
        mapping = self.mapping
        named = mapping is None or mapping.fields.procedure is not None or mapping.case.procedure is not None
        return None if named or len(self.family) > 1 else next(iter(self.family.values()))

    def rules(self, facts: Sequence[Fact]) -> Rules:
        """The revision that judges a dossier of these facts. Raises InputError where they name another procedure."""
        revision = next(iter(self.family.values())).revision
        expected = revision.procedure
        code = (
            facts.code if isinstance(facts, FactRows) else next(filter(None, map(code_of, facts)), expected)
        )
        if code not in {expected, None} and not revision.generic:
            raise InputError(
                "expected a dossier of the procedure {expected}, found one of {found}; judge it by its own",
                reason="other_procedure",
                expected=expected,
                found=code,
            )
        return choose(self.family, facts)


def open_log(
    path: Path,
    procedure: Path,
    mapping: Path | None,
    calendars: tuple[Path, ...],
    organisation: Path | None,
) -> Log:
    """A log ready to be judged. Raises DefinitionError, UnsoundProcedure, InputError."""
    declared = read_mapping(mapping) if mapping is not None else None
    sources = {} if declared is None else {declared.source: SourceOrder(order=declared.order)}
    return Log(
        open_facts(path, declared, limits=file_limits()),
        read_family(procedure, calendars, organisation, sources),
        declared,
    )


def read_family(
    procedure: Path,
    calendars: tuple[Path, ...],
    organisation: Path | None,
    sources: dict[str, SourceOrder] | None = None,
) -> dict[str, Rules]:
    """The revisions of the one procedure in a file, checked and compiled."""
    revisions = read_procedures(procedure)
    codes = sorted({revision.procedure for revision in revisions})
    if len(codes) != 1:
        raise UsageError(
            "{file}: expected one procedure, found {found}; name the file of the one that judges",
            file=procedure,
            found=", ".join(codes) or Words("none"),
        )
    require_sound(revisions, procedure)
    units = hours_of(organisation_of(organisation))
    return compile_family(revisions, all_calendars(calendars), sources or {}, units)


def all_calendars(extra: tuple[Path, ...]) -> dict[str, Calendar]:
    """The calendars that come with Dunghen, and those of the files given; a given one takes the place of ours."""
    with resources.as_file(resources.files("processes") / "calendars") as folder:
        found = read_calendars(folder)
    for path in extra:
        calendar = read_calendar(path)
        found[calendar.definition.name] = calendar
    return found


def organisation_of(given: Path | None) -> Organisation | None:
    """The organisation of the file given, else the one that comes with Dunghen."""
    if given is not None:
        return read_organisation(given)
    with resources.as_file(resources.files("processes")) as folder:
        return organisation_in(folder)


def moment(text: str | None, zone: ZoneInfo, option: str) -> datetime | None:
    """An instant from an option: a time, with its own offset or meant in `zone`, or a date, meaning its end."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(
            "{option}: expected a date or time such as 2026-02-23 or 2026-02-23T16:30, found {found}",
            option=option,
            found=text,
        ) from cause
    if names_day(text):
        value = datetime.combine(value.date(), time.max)
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def names_day(text: str) -> bool:
    """Whether a moment is told as a day alone, in whichever form of ISO 8601."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def regrouped(facts: FactFile, read: Callable[[], None]) -> None:
    """Runs `read`; once more if the file's dossiers turn out not to lie together, since it is then sorted first."""
    try:
        read()
    except NotGrouped:
        click.echo(
            f"{facts.path}: {click.style('not grouped by dossier: sorting first', dim=True)}", err=True
        )
        read()


def facts_of(log: Log, subject: str) -> list[Fact]:
    """All facts of one dossier of a log. Raises UsageError where the log has none of that code."""
    found: list[Fact] = []

    def read() -> None:
        found.clear()
        for code, facts in log.facts.dossiers():
            if code == subject:
                found.extend(facts)

    regrouped(log.facts, read)
    if not found:
        raise UsageError(
            "{file}: no dossier {subject}; its code must be written exactly as in the file",
            file=log.facts.path,
            subject=subject,
        )
    return found


def events_in(facts: list[Fact]) -> int:
    """How many of a dossier's facts are acts."""
    return sum(isinstance(fact.body, Acted) for fact in facts)


def not_yet(store: str, subject: str) -> UsageError:
    """The error of who asks about a dossier as it was before anything of it."""
    return UsageError(
        "{store}: nothing of the dossier {subject} was known or had taken place by then; ask about a later moment",
        store=store,
        subject=subject,
        reason="not_yet",
    )
