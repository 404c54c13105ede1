"""`dunghen deadline`: when something is due by a procedure, line by line, without any log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.choosing import in_force
from workflow.cli.inputs import FILE, moment, names_day, read_family
from workflow.cli.options import Command, output_option
from workflow.cli.output import print_json
from workflow.cli.sums import print_deadlines, shown_instant
from workflow.errors import UsageError, Words
from workflow.i18n import current
from workflow.model import AppointmentTold, PauseTaken
from workflow.procedure.moves import follow_target

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.model import Dossier
    from workflow.rules import Rules


@click.command(cls=Command)
@click.argument("procedure", type=FILE)
@click.option(
    "--received",
    required=True,
    help="When the complete dossier was received; a date alone means the end of that day, after any cut-off.",
)
@click.option("--submitted", help="When it was submitted.")
@click.option(
    "--issued", help="When the result was issued, which meets the committed and the statutory date."
)
@click.option("--ready", help="When the result was ready at the desk, which meets the appointment.")
@click.option("--appointment", help="The date or time printed on the slip.")
@click.option("--pause", multiple=True, help="A pause as ID=FROM..TO, or ID=FROM.. while it is open.")
@click.option(
    "--register", multiple=True, help="A register's value as NAME=VALUE, where a limit depends on it."
)
@click.option("--unit", help="The unit that received it, whose hours count.")
@click.option("--at", help="The moment asked about; by default the last one told.")
@click.option(
    "--calendar", type=FILE, multiple=True, help="A calendar beside or instead of those that come with us."
)
@click.option(
    "--organisation",
    type=FILE,
    help="The organisation whose units are named; by default the one that comes with us.",
)
@output_option("table", "json")
def deadline(  # noqa: PLR0913 - one parameter per option
    procedure: Path,
    received: str,
    submitted: str | None,
    issued: str | None,
    ready: str | None,
    appointment: str | None,
    pause: tuple[str, ...],
    register: tuple[str, ...],
    unit: str | None,
    at: str | None,
    calendar: tuple[Path, ...],
    organisation: Path | None,
    output: Form,
) -> None:
    """Compute every due date of a procedure and show its sum."""
    family = read_family(procedure, calendar, organisation)
    zone = next(iter(family.values())).zone
    received_at = _needed(received, zone, "--received")
    rules = in_force(family, received_at)
    dossier = rules.start("-")
    dossier.received_at, dossier.unit, dossier.hours_of = received_at, unit, _known(unit, rules)
    dossier.submitted_at = moment(submitted, zone, "--submitted")
    dossier.issued_at, dossier.ready_at = moment(issued, zone, "--issued"), moment(ready, zone, "--ready")
    dossier.pauses = _pauses(pause, rules, zone)
    _set_registers(dossier, rules, register)
    _take(dossier, rules)
    if appointment is not None:
        printed = _needed(appointment, zone, "--appointment")
        day_only = names_day(appointment)
        told = AppointmentTold(printed.astimezone(zone).date() if day_only else printed, "first", received_at)
        dossier.appointments = (told,)
    asked = moment(at, zone, "--at") or _last_told(dossier, received_at)
    found = rules.clock.deadlines(dossier, at=asked, explain=True)
    if output == "json":
        print_json(found)
    else:
        print_deadlines(found, zone)
    if not found:
        click.echo(_none_told(rules), err=True)


def _needed(text: str, zone: ZoneInfo, option: str) -> datetime:
    found = moment(text, zone, option)
    assert found is not None  # noqa: S101 - a text was given
    return found


def _known(unit: str | None, rules: Rules) -> str | None:
    """The unit. Raises UsageError where nothing is said of its hours."""
    timetable = rules.clock.timetable
    if unit is None or timetable is None or timetable.knows(unit):
        return unit
    raise UsageError(
        "--unit: expected a unit of the organisation or hours of the calendar, one of {known}, found {found}; "
        "correct it, or name its organisation with --organisation",
        known=", ".join(sorted(timetable.units)) or Words("none"),
        found=unit,
        reason="unknown_unit",
    )


def _take(dossier: Dossier, rules: Rules) -> None:
    """Notes the receipt, the issue and the result made ready where limits look for them: as the actions that do so.
    The dossier stands behind the last of the two that end the work: what only an act before could meet is not asked."""
    times = {"received": dossier.received_at, "issued": dossier.issued_at, "ready": dossier.ready_at}
    for milestone, at in times.items():
        for name, action in rules.revision.actions.items():
            if at is None or action.milestone != milestone:
                continue
            if (slot := rules.layout.actions.get(name)) is not None:
                dossier.firsts[slot] = dossier.lasts[slot] = at
                dossier.counts[slot] = 1
            target = follow_target(action)
            if milestone != "received" and target is not None:
                dossier.state, dossier.since = target, at


def _last_told(dossier: Dossier, received_at: datetime) -> datetime:
    pauses = (taken.ended_at or taken.started_at for taken in dossier.pauses)
    return max(at for at in (received_at, dossier.issued_at, dossier.ready_at, *pauses) if at is not None)


def _none_told(rules: Rules) -> str:
    """Why there is no due date."""
    revision = rules.revision
    if not (revision.limits or any(state.limit or state.tasks for state in revision.states.values())):
        return current("No due date: the procedure declares no limit.")
    return current(
        "No due date: none of the procedure's limits applies to what was given; see them with: dunghen procedure show"
    )


def _pauses(given: tuple[str, ...], rules: Rules, zone: ZoneInfo) -> tuple[PauseTaken, ...]:
    """The pauses in the order of their starts. Raises UsageError where two of one kind overlap."""
    found = sorted((_pause(text, rules, zone) for text in given), key=lambda one: one.started_at)
    last: dict[str, PauseTaken] = {}
    for one in found:
        before = last.get(one.pause)
        if before is not None and (before.ended_at is None or one.started_at < before.ended_at):
            raise UsageError(
                "--pause {name}: expected one pause after the other, found one from {start} before that from {before} "
                "ends; correct the times",
                name=one.pause,
                start=shown_instant(one.started_at, zone),
                before=shown_instant(before.started_at, zone),
                reason="overlapping_pauses",
            )
        last[one.pause] = one
    return tuple(found)


def _pause(text: str, rules: Rules, zone: ZoneInfo) -> PauseTaken:
    name, _, span = text.partition("=")
    start, dots, end = span.partition("..")
    if name not in rules.revision.pauses or not dots:
        raise UsageError(
            "--pause: expected ID=FROM..TO with ID one of {known}, found {found}",
            known=", ".join(rules.revision.pauses) or Words("none"),
            found=text,
        )
    taken = PauseTaken(name, _needed(start, zone, "--pause"), moment(end or None, zone, "--pause"))
    if taken.ended_at is not None and taken.ended_at < taken.started_at:
        raise UsageError(
            "--pause {name}: expected an end after its start, found {found}; correct the times",
            name=name,
            found=span,
            reason="pause_ends_first",
        )
    return taken


def _set_registers(dossier: Dossier, rules: Rules, given: tuple[str, ...]) -> None:
    for text in given:
        name, _, value = text.partition("=")
        slot = rules.layout.registers.get(name)
        if slot is None:
            raise UsageError(
                "--register: expected NAME=VALUE with NAME one of {known}, found {found}",
                known=", ".join(rules.layout.registers) or Words("none"),
                found=text,
            )
        try:
            dossier.registers[slot] = rules.registers.types[name].of(value)
        except ValueError as cause:
            raise UsageError(
                "--register {name}: expected a value of type {kind}, found {found}",
                name=name,
                kind=rules.registers.types[name].kind,
                found=value,
            ) from cause
