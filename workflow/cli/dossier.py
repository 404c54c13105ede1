"""`dunghen dossier`: one dossier's story, and what may come next in it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from workflow.audit.allowed import Choice, allowed
from workflow.audit.explain import Happening, Stay, Story, story
from workflow.cli.inputs import FILE, facts_of, moment, open_log
from workflow.cli.options import Group, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.sums import print_deadlines, shown_instant
from workflow.fold import fold
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.model import Outcome, Violation
    from workflow.procedure.language import Names, Revision

TIMELINE = (
    Column("at", "When"),
    Column("what", "Action"),
    Column("who", "By whom"),
    Column("outcome", "Outcome"),
    Column("state", "State after"),
    Column("holder", "Held by"),
    Column("rules", "Broken rules"),
)
STAYS = (
    Column("state", "State"),
    Column("role", "Role"),
    Column("holder", "Held by"),
    Column("entered", "From"),
    Column("left", "To"),
    Column("took", "Took"),
    Column("due", "Limit"),
    Column("verdict", "Verdict"),
)
NEXT = (
    Column("action", "Action"),
    Column("may", "May come next"),
    Column("to", "Leads to"),
    Column("by", "By whom"),
    Column("why", "Conditions, or why not"),
)


def _log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options that say which dossier of which log, and as of when."""
    for option in reversed(
        (
            click.argument("file", type=FILE),
            click.argument("dossier"),
            click.option("--procedure", type=FILE, required=True, help="The procedure to judge by."),
            click.option(
                "--mapping",
                type=FILE,
                help="How the file's columns become facts; not needed for our own messages.",
            ),
            click.option(
                "--calendar",
                type=FILE,
                multiple=True,
                help="A calendar beside or instead of those that come with us.",
            ),
            click.option(
                "--at", help="As it was at this date or time; by default at the dossier's last event."
            ),
            click.option(
                "--known-at", help="As it was known at this date or time; by default all that is known."
            ),
        )
    ):
        command = option(command)
    return command


@click.group(cls=Group)
def dossier() -> None:
    """Look at one dossier."""


@dossier.command()
@_log_options
@output_option("table", "json")
def explain(  # noqa: PLR0913 - one parameter per option
    file: Path,
    dossier: str,
    procedure: Path,
    mapping: Path | None,
    calendar: tuple[Path, ...],
    at: str | None,
    known_at: str | None,
    output: Form,
) -> None:
    """Tell a dossier's story: events with their outcome, stays against their limits, dates with their sums."""
    log = open_log(file, procedure, mapping, calendar)
    facts = facts_of(log, dossier)
    rules = log.rules(facts)
    asked, known = moment(at, log.zone, "--at"), moment(known_at, log.zone, "--known-at")
    until = asked or max(fact.occurred_at for fact in facts)
    told = story(
        rules, dossier, facts, at=until, known_at=known, valid_at=asked, closes=log.closes and asked is None
    )
    if output == "json":
        print_json(told)
        return
    _print_story(told, rules.family[told.dossier.revision].revision, log.zone)


@dossier.command("allowed")
@_log_options
@output_option("table", "json")
def allowed_next(  # noqa: PLR0913 - one parameter per option
    file: Path,
    dossier: str,
    procedure: Path,
    mapping: Path | None,
    calendar: tuple[Path, ...],
    at: str | None,
    known_at: str | None,
    output: Form,
) -> None:
    """List which actions may come next, by whom, and why the others may not."""
    log = open_log(file, procedure, mapping, calendar)
    facts = facts_of(log, dossier)
    rules = log.rules(facts)
    asked, known = moment(at, log.zone, "--at"), moment(known_at, log.zone, "--known-at")
    judged = fold(rules, dossier, facts, known_at=known, valid_at=asked).dossier
    choices = allowed(rules, judged, asked or max(fact.occurred_at for fact in facts))
    if output == "json":
        print_json({"dossier": dossier, "state": judged.state, "actions": choices})
        return
    revision = rules.family[judged.revision].revision
    title = f"{dossier}: {_named(revision.states[judged.state].name, judged.state)}"
    rows = [
        _choice(choice, revision, log.zone) for choice in sorted(choices, key=lambda one: not one.allowed)
    ]
    print_rows(rows, NEXT, "table", title=title)


def _print_story(told: Story, revision: Revision, zone: ZoneInfo) -> None:
    state = _named(revision.states[told.dossier.state].name, told.dossier.state)
    print_rows(
        [_happening(one, revision, zone) for one in told.happenings],
        TIMELINE,
        "table",
        title=f"{told.dossier.subject}: {_named(revision.name, revision.procedure)}, {state}",
    )
    print_rows([_stay(one, revision, zone) for one in told.stays], STAYS, "table", title="Time at each step")
    if told.ended_at is not None:
        click.echo(current("Ended {when}.").format(when=shown_instant(told.ended_at, zone)))
    for violation in told.end_violations:
        click.echo(current("Broken at the end: {rule}").format(rule=_violation(violation, zone)))
    print_deadlines(told.deadlines, zone)


def _happening(one: Happening, revision: Revision, zone: ZoneInfo) -> dict[str, object]:
    action = revision.actions.get(one.what)
    after = revision.states.get(one.after or "")
    return {
        "at": shown_instant(one.occurred_at, zone),
        "what": _named(action.name if action else None, one.what),
        "who": " ".join(part for part in (one.actor, f"({one.role})" if one.role else None) if part),
        "outcome": _outcome(one.outcome),
        "state": _named(after.name, one.after or "") if after else one.after,
        "holder": " / ".join(part for part in (one.unit, one.officer) if part),
        "rules": "; ".join(_violation(violation, zone) for violation in one.outcome.violations),
    }


def _outcome(outcome: Outcome) -> str:
    words = current(OUTCOMES[outcome.status])
    return f"{words}, {current('order assumed')}" if outcome.order_assumed else words


OUTCOMES = {
    "applied": "applied",
    "refused": "refused",
    "superseded": "superseded",
    "voided": "voided",
    "not_judged": "not judged",
}


def _stay(one: Stay, revision: Revision, zone: ZoneInfo) -> dict[str, object]:
    declared = revision.states.get(one.state)
    verdict = ""
    if one.due_at is not None:
        verdict = current("late") if one.late else current("in time")
    return {
        "state": _named(declared.name if declared else None, one.state),
        "role": one.role,
        "holder": " / ".join(part for part in (one.unit, one.officer) if part),
        "entered": shown_instant(one.entered_at, zone),
        "left": shown_instant(one.left_at, zone) if one.left_at else current("still there"),
        "took": _length((one.left_at or one.until) - one.entered_at),
        "due": shown_instant(one.due_at, zone) if one.due_at else "",
        "verdict": verdict,
    }


def _length(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    days, rest = divmod(minutes, 24 * 60)
    return current("{days} d {hours} h {minutes} min").format(days=days, hours=rest // 60, minutes=rest % 60)


def _choice(choice: Choice, revision: Revision, zone: ZoneInfo) -> dict[str, object]:
    target = revision.states.get(choice.to or "")
    excluded = [current("not {who}").format(who=who) for who in choice.not_by]
    return {
        "action": _named(revision.actions[choice.action].name, choice.action),
        "may": current("yes") if choice.allowed else current("no"),
        "to": _named(target.name, choice.to or "") if target else "",
        "by": ", ".join([*(choice.roles or (current("anyone"),)), *excluded]),
        "why": "; ".join([*choice.conditions, *(_violation(v, zone) for v in choice.because)]),
    }


def _violation(violation: Violation, zone: ZoneInfo) -> str:
    expected, found = (
        shown_instant(value, zone) if isinstance(value, datetime) else value
        for value in (violation.expected, violation.found)
    )
    return current("{rule}: expected {expected}, found {found}").format(
        rule=violation.rule, expected=expected, found=found
    )


def _named(names: Names | None, identifier: str) -> str:
    if names is None:
        return identifier
    return names.vi if os.environ.get("LANGUAGE") == "vi" else names.en
