"""One dossier for people: its story, and what may come next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from workflow.alerts.words import ALERT_STATES
from workflow.cli.naming import named
from workflow.cli.output import Column, print_rows
from workflow.cli.sums import print_deadlines, shown_instant, shown_length
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from workflow.audit.allowed import Choice
    from workflow.audit.explain import Happening, Stay, Story
    from workflow.model import Dossier, Outcome, Violation
    from workflow.procedure.language import Revision

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


FACT_KINDS = {
    "alert.acted.v1": "act on an alert",
    "dossier.opened.v1": "opening balance",
    "dossier.linked.v1": "link to another dossier",
    "dossier.rated.v1": "rating by the applicant",
    "dossier.migrated.v1": "move to another revision",
    "event.voided.v1": "void of an event",
    "body.erased.v1": "erasure of an event's content",
}
"""What a fact is that tells no action, by its type."""


def print_story(told: Story, revision: Revision, zone: ZoneInfo) -> None:
    """Prints what happened, the time at each step, and every date with its sum."""
    state = named(revision.states[told.dossier.state].name, told.dossier.state)
    print_rows(
        [_happening(one, revision, zone) for one in told.happenings],
        TIMELINE,
        "table",
        title=f"{told.dossier.subject}: {named(revision.name, revision.procedure)}, {state}",
    )
    print_rows([_stay(one, revision, zone) for one in told.stays], STAYS, "table", title="Time at each step")
    if told.ended_at is not None:
        click.echo(current("Ended {when}.").format(when=shown_instant(told.ended_at, zone)))
    for violation in told.end_violations:
        click.echo(current("Broken at the end: {rule}").format(rule=_violation(violation, zone)))
    print_deadlines(told.deadlines, zone, revision)


def print_choices(judged: Dossier, choices: Sequence[Choice], revision: Revision, zone: ZoneInfo) -> None:
    """Prints what may come next, then what may not and why."""
    rows = [_choice(choice, revision, zone) for choice in sorted(choices, key=lambda one: not one.allowed)]
    title = f"{judged.subject}: {named(revision.states[judged.state].name, judged.state)}"
    print_rows(rows, NEXT, "table", title=title)
    if judged.ended_at is not None and not any(choice.allowed for choice in choices):
        ended = shown_instant(judged.ended_at, zone)
        click.echo(current("Ended {when}: no further action is expected.").format(when=ended))
    elif judged.halted:
        click.echo(
            current("Stopped by an event out of its order: no action is judged until it is corrected.")
        )


def _happening(one: Happening, revision: Revision, zone: ZoneInfo) -> dict[str, object]:
    action = revision.actions.get(one.what)
    after = revision.states.get(one.after or "")
    return {
        "at": shown_instant(one.occurred_at, zone),
        "what": named(action.name, one.what) if action else _kind(one),
        "who": " ".join(part for part in (one.actor, f"({one.role})" if one.role else None) if part),
        "outcome": _outcome(one.outcome),
        "state": named(after.name, one.after or "") if after else one.after,
        "holder": " / ".join(part for part in (one.unit, one.officer) if part),
        "rules": "; ".join(_violation(violation, zone) for violation in one.outcome.violations),
    }


def _kind(one: Happening) -> str:
    words = current(FACT_KINDS[one.what]) if one.what in FACT_KINDS else one.what
    if one.act is not None:
        words = f"{words}, {current(ALERT_STATES[one.act])}"
    words = words if one.about is None else f"{words}: {one.about}"
    return words if one.reason is None else f"{words} ({one.reason})"


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
        "state": named(declared.name if declared else None, one.state),
        "role": one.role,
        "holder": " / ".join(part for part in (one.unit, one.officer) if part),
        "entered": shown_instant(one.entered_at, zone),
        "left": shown_instant(one.left_at, zone) if one.left_at else current("still there"),
        "took": _took(one),
        "due": shown_instant(one.due_at, zone) if one.due_at else "",
        "verdict": verdict,
    }


def _took(one: Stay) -> str:
    length = one.until - one.entered_at
    if length >= timedelta():
        return shown_length(length)
    return current("none: it had ended before") if one.left_at else current("nothing yet: it begins later")


def _choice(choice: Choice, revision: Revision, zone: ZoneInfo) -> dict[str, object]:
    target = revision.states.get(choice.to or "")
    excluded = [current("not {who}").format(who=who) for who in choice.not_by]
    return {
        "action": named(revision.actions[choice.action].name, choice.action),
        "may": current("yes") if choice.allowed else current("no"),
        "to": named(target.name, choice.to or "") if target else "",
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
