"""`dunghen procedure`: check, show, draw and compare procedures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from workflow.cli.options import Group, language_option, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.surroundings import surroundings
from workflow.cli.vocabulary import worded as in_words
from workflow.cli.writing import OUT, written_whole
from workflow.errors import DefinitionError, UsageError, Words
from workflow.i18n import current, filled, message
from workflow.procedure import tables
from workflow.procedure.checks import check, check_all
from workflow.procedure.diagram import svg
from workflow.procedure.diff import changes, worded
from workflow.procedure.finding import shown_run
from workflow.procedure.ledger import ledger_fault
from workflow.procedure.mermaid import mermaid
from workflow.procedure.reader import read_each, read_procedures
from workflow.yamltree import Placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workflow.cli.output import Form
    from workflow.errors import DunghenError
    from workflow.i18n import Language
    from workflow.procedure.finding import Finding
    from workflow.procedure.language import Revision
    from workflow.procedure.ledger import Listed

FILE: Final = click.Path(path_type=Path)

FINDINGS: Final = (
    Column("level", "Level", words=True),
    Column("place", "Place"),
    Column("code", "Code"),
    Column("message", "Finding"),
    Column("run", "Shown by"),
    Column("because", "Accepted because"),
)
STATES: Final = (
    Column("state", "State"),
    Column("name", "Name"),
    Column("role", "Role"),
    Column("limit", "Limit of a stay"),
    Column("ends", "May end here"),
    Column("guards", "Guards"),
    Column("tasks", "Tasks"),
)
MOVES: Final = (
    Column("action", "Action"),
    Column("name", "Name"),
    Column("roles", "Roles"),
    Column("from", "From"),
    Column("to", "To"),
    Column("guards", "Guards"),
    Column("milestone", "Milestone"),
    Column("order_break", "Out of order", words=True),
)
LIMITS: Final = (
    Column("limit", "Limit"),
    Column("name", "Name"),
    Column("length", "Length"),
    Column("counts", "Counted as", words=True),
    Column("binds", "Binds", words=True),
    Column("date", "Date", words=True),
    Column("basis", "Legal basis"),
)
PHASES: Final = (
    Column("phase", "Phase"),
    Column("name", "Name"),
    Column("starts", "Starts with"),
    Column("ends", "Ends with"),
)
PAUSES: Final = (
    Column("pause", "Pause"),
    Column("name", "Name"),
    Column("at_most", "At most", "right"),
    Column("cap_length", "Cap"),
    Column("on_resume", "On resuming", words=True),
    Column("waits_for", "Waits for", words=True),
    Column("basis", "Legal basis"),
)
GUARDS: Final = (
    Column("guard", "Guard"),
    Column("name", "Name"),
    Column("asks", "Requires"),
    Column("on_break", "If broken", words=True),
    Column("basis", "Legal basis"),
)
REGISTERS: Final = (
    Column("register", "Register"),
    Column("type", "Type", words=True),
    Column("keep", "Keeps", words=True),
    Column("from", "From"),
    Column("actions", "Actions"),
    Column("initial", "Initially"),
)
LABELS: Final = {
    "procedure": "Procedure",
    "revision": "Revision",
    "name": "Name",
    "figures": "Figures",
    "document": "Approved by document",
    "decision": "Decision",
    "decided_on": "Decided on",
    "effective_from": "Holds from",
    "effective_to": "Holds to",
    "zone": "Time zone",
    "calendar": "Calendar",
    "basis": "Legal basis",
    "initial": "Initial state",
    "fingerprint": "Fingerprint",
}
HEADING: Final = (Column("field", "Of the revision"), Column("value", "Value"))
CHANGES: Final = (
    Column("kind", "Kind"),
    Column("section", "Section"),
    Column("name", "Name"),
    Column("field", "Field"),
    Column("before", "Before"),
    Column("after", "After"),
)


@click.group(cls=Group)
def procedure() -> None:
    """Procedures: check, show, draw and compare them."""


@procedure.command("check")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE...",
)
@click.option(
    "--ledger",
    type=FILE,
    help="The ledger of approved revisions their fingerprints are held to; by default the nearest file "
    "APPROVED in or above what is checked.",
)
@click.option(
    "--calendar", type=FILE, multiple=True, help="A calendar beside or instead of those that come with us."
)
@click.option("--accepted", is_flag=True, help="List also what the revisions accept, with their reasons.")
@output_option()
@language_option
def check_command(
    files: tuple[Path, ...], ledger: Path | None, calendar: tuple[Path, ...], output: Form, *, accepted: bool
) -> int:
    """Checks procedures: files, or folders with all procedures below.

    Lists each finding with its place and a run that shows it; a file that cannot be read is one, and the others are
    checked. So is a calendar of their folder. Ends with 1 if there is an error.
    """
    told = [one for file in files for one in read_each(file)]
    read = [one for one in told if isinstance(one, Placed)]
    zones, listed, faults = surroundings(files, calendar, ledger)
    rows = [_error(fault, place) for place, fault in faults]
    rows += [row for one in told for row in _rows(one, zones, listed)]
    rows += [
        _row(one, _place(read, one), "")
        for one in check_all(one.value for one in read)
        # What holds between two revisions may be what could not be read.
        if one.code != "gap" or len(read) == len(told)
    ]
    shown = [row for row in rows if accepted or row["level"] != "accepted"]
    print_rows(shown, FINDINGS, output)
    levels = [row["level"] for row in rows]
    click.echo(
        current("{revisions} revisions: {errors} errors, {warnings} warnings, {accepted} accepted").format(
            revisions=len(read),
            errors=levels.count("error"),
            warnings=levels.count("warning"),
            accepted=levels.count("accepted"),
        ),
        err=True,
    )
    return 1 if "error" in levels else 0


def _rows(
    one: Placed[Revision] | DefinitionError, zones: Mapping[str, str] | None, listed: Listed | None
) -> Iterator[dict[str, object]]:
    """What is found of one revision: by its checks and, where a ledger is given, between the two."""
    if isinstance(one, DefinitionError):
        yield _error(one, str(one.values.get("place") or one.values.get("name", "")))
        return
    for finding in check(one.value, zones):
        yield _row(
            finding, one.place(finding.where), shown_run(one.value, finding.trace) if finding.trace else ""
        )
    fault = None if listed is None else ledger_fault(one.value, listed)
    if fault is not None:
        yield _error(fault, one.place(("approval",)), "approval")


def _error(error: DunghenError, place: str, path: str = "") -> dict[str, object]:
    said = message(error).removeprefix(f"{place}: ")
    return {
        "level": "error",
        "place": place,
        "code": error.code,
        "path": path,
        "message": said,
        "run": "",
        "because": None,
    }


def _place(read: Sequence[Placed[Revision]], finding: Finding) -> str:
    """Where the revision stands that a finding between revisions names first."""
    code, number, *path = finding.where
    named = (one for one in read if (one.value.procedure, one.value.revision) == (code, number))
    return next((one.place(tuple(path)) for one in named), finding.place)


def _row(finding: Finding, place: str, run: str) -> dict[str, object]:
    return {
        "level": finding.level,
        "place": place,
        "code": finding.code,
        "path": finding.place,
        "message": filled(finding.text, finding.values),
        "run": run,
        "because": finding.because,
    }


@procedure.command("show")
@click.argument("file", type=FILE)
@click.option("--revision", help="Which revision, where the file holds several.")
@output_option("table", "json")
@language_option
def show_command(file: Path, revision: str | None, output: Form) -> None:
    """Shows a procedure: states, moves, limits, phases, pauses, guards and registers, in words."""
    shown, language = _one(read_procedures(file), file, revision), _language()
    parts: dict[str, tuple[Sequence[Column], list[dict[str, object]]]] = {
        "states": (STATES, list(tables.states(shown, language, current))),
        "moves": (MOVES, list(tables.moves(shown, language, current))),
        "limits": (LIMITS, list(tables.limits(shown, language, current))),
        "phases": (PHASES, list(tables.phases(shown, language))),
        "pauses": (PAUSES, list(tables.pauses(shown, language, current))),
        "guards": (GUARDS, list(tables.guards(shown, language, current))),
        "registers": (REGISTERS, list(tables.registers(shown))),
    }
    heading = tables.heading(shown, language)
    if output == "json":
        print_json({**heading, **{name: rows for name, (_, rows) in parts.items()}})
        return
    said = [
        {"field": current(LABELS[key]), "value": in_words(str(one)) if key == "figures" else one}
        for key, one in heading.items()
        if one is not None
    ]
    print_rows(said, HEADING, output)
    for columns, rows in parts.values():
        if rows:
            print_rows(rows, columns, output)


@procedure.command("diagram")
@click.argument("file", type=FILE)
@click.option("--revision", help="Which revision, where the file holds several.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "mermaid"]),
    default="svg",
    show_default=True,
    help="A picture, or text.",
)
@click.option("--out", type=OUT, help="The file to write; by default standard output.")
@language_option
def diagram_command(file: Path, revision: str | None, form: str, out: Path | None) -> None:
    """Draws the states and moves of a procedure."""
    drawn = (svg if form == "svg" else mermaid)(
        _one(read_procedures(file), file, revision), _language(), current
    )
    if out is None:
        click.echo(drawn, nl=False)
    else:
        with written_whole(out) as picture:
            picture.write(drawn.encode())


@procedure.command("diff")
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--before-revision", help="Which revision of the first file, where it holds several.")
@click.option("--after-revision", help="Which revision of the second file, where it holds several.")
@output_option()
@language_option
def diff_command(
    before: Path, after: Path, before_revision: str | None, after_revision: str | None, output: Form
) -> None:
    """Says what changed between two revisions of a procedure, part by part."""
    old = _one(read_procedures(before), before, before_revision, "--before-revision")
    new = _one(read_procedures(after), after, after_revision, "--after-revision")
    found = changes(old, new)
    if output == "table":
        for change in found:
            click.echo(worded(change, current))
        if not found:
            click.echo(current("No difference: both have the same fingerprint."), err=True)
        return
    rows = [{column.key: getattr(change, column.key) for column in CHANGES} for change in found]
    print_rows(rows, CHANGES, output)


def _one(
    revisions: Sequence[Revision], file: Path, number: str | None, option: str = "--revision"
) -> Revision:
    found = [revision for revision in revisions if number in (None, revision.revision)]
    if len(found) == 1:
        return found[0]
    raise UsageError(
        "{file}: expected {expected}, found {found}; name one of them with {option}",
        file=str(file),
        expected=Words("one revision") if number is None else Words("one revision {number}", number=number),
        found=", ".join(f"{r.procedure} {r.revision}" for r in revisions),
        option=option,
        reason="which_revision",
    )


def _language() -> Language:
    """The language the command runs in, as `use` has set it for the whole process."""
    return "vi" if os.environ.get("LANGUAGE") == "vi" else "en"
