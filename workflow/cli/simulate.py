"""`dunghen simulate`: a month of the department, made up, with the truth behind it."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import date, datetime, time
from importlib import resources
from random import Random
from typing import IO, TYPE_CHECKING

import click
import msgspec

from consumers.codec import encode
from workflow.cli.inputs import all_calendars
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.progress import watched
from workflow.cli.writing import OUT, written_whole
from workflow.errors import UsageError
from workflow.organisation import hours_of, read_organisation
from workflow.procedure.reader import read_procedures
from workflow.rules import compile_family
from workflow.simulation.department import Department, Truth, department
from workflow.simulation.department import simulate as made_up
from workflow.simulation.volumes import UNDAMAGED, Rates

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.cli.output import Form
    from workflow.facts import Fact
    from workflow.procedure.language import Revision

FIGURES = (Column("figure", "Figure"), Column("value", "Count", "right"))


@click.command(cls=Command)
@click.option("--seed", type=int, required=True, help="The same seed gives the same bytes.")
@click.option("--dossiers", type=click.IntRange(1), required=True, help="How many dossiers arrive.")
@click.option("--out", type=OUT, required=True, help="The file of messages to write.")
@click.option("--truth", type=OUT, help="Write here what is so of each dossier, and what was planted in it.")
@click.option("--month", default="2026-03", show_default=True, help="The month in which they arrive.")
@click.option(
    "--until", help="The day before which the stream ends; by default every dossier is told to its end."
)
@click.option(
    "--late-rate",
    type=click.FloatRange(0, 1),
    default=Rates().late,
    show_default=True,
    help="The share of dossiers made late.",
)
@click.option("--undamaged", is_flag=True, help="Send everything once, in order and as it was.")
@output_option("table", "json")
def simulate(  # noqa: PLR0913 - one parameter per option
    seed: int,
    dossiers: int,
    out: Path,
    truth: Path | None,
    month: str,
    until: str | None,
    late_rate: float,
    undamaged: bool,  # noqa: FBT001 - a flag of the command line
    output: Form,
) -> None:
    """Make up a month of the department's dossiers as messages of the event contract."""
    body = department_of(_day(f"{month}-01", "--month"))
    rates = msgspec.structs.replace(UNDAMAGED if undamaged else Rates(), late=late_rate)
    end = None if until is None else datetime.combine(_day(until, "--until"), time(), body.work.zone)
    random = Random(seed)  # noqa: S311 - a made-up history, no secret
    counts: Counter[str] = Counter()
    told = made_up(body, dossiers, rates, random, until=end)
    with ExitStack() as files:
        messages = files.enter_context(written_whole(out))
        truths = files.enter_context(written_whole(truth)) if truth is not None else None
        for one in watched(told, lambda: (counts["dossiers"], dossiers), "Simulating"):
            _write(one, messages, truths, counts)
    if output == "json":
        print_json(dict(sorted(counts.items())))
        return
    print_rows(
        [{"figure": name, "value": counts[name]} for name in sorted(counts)],
        FIGURES,
        "table",
        title=str(out),
    )


def _write(one: Fact | Truth, messages: IO[bytes], truths: IO[bytes] | None, counts: Counter[str]) -> None:
    if not isinstance(one, Truth):
        counts["messages"] += 1
        messages.write(encode(one) + b"\n")
        return
    _count(counts, one)
    if truths is not None:
        truths.write(msgspec.json.encode(one) + b"\n")


def _count(counts: Counter[str], truth: Truth) -> None:
    counts["dossiers"] += 1
    counts["late"] += truth.late
    for planted in truth.planted:
        counts[planted.kind] += 1


def department_of(first: date) -> Department:
    """The department that comes with us, in the month that begins with `first`. Raises UsageError, DefinitionError."""
    calendars = all_calendars(())
    with resources.as_file(resources.files("processes")) as folder:
        revisions = read_procedures(folder / "can-tho")
        organisation = read_organisation(folder / "organisation" / "can-tho.yaml")
    families: dict[str, list[Revision]] = {}
    for revision in revisions:
        families.setdefault(revision.procedure, []).append(revision)
    compiled = [
        compile_family(family, calendars, hours_of=hours_of(organisation)) for family in families.values()
    ]
    return department(compiled, organisation, calendars[organisation.calendar].worktime(None, None), first)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(
            "{option}: expected a month such as 2026-03 or a day such as 2026-04-01, found {found}",
            option=option,
            found=text.removesuffix("-01") if option == "--month" else text,
        ) from cause
