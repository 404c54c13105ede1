"""`dunghen judge`: what judgments over several subjects have to say now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from consumers.several import judge_several
from workflow.alerts.words import ALERT_CHANGES, ALERT_KINDS
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_rows, tell_none
from workflow.cli.stores import Looking, store_options
from workflow.cli.sums import shown_instant
from workflow.i18n import current

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.cli.stores import Place
    from workflow.messages import AlertSaid

SAID: Final = (
    Column("kind", "Alert"),
    Column("change", "Change"),
    Column("subject", "About"),
    Column("rule", "Rests on"),
    Column("due_at", "Due"),
    Column("to", "Goes to"),
)


@click.command(cls=Command)
@store_options
@click.option(
    "--without-acts", is_flag=True, help="Do not look through the acts of officers who left a post."
)
@output_option()
def judge(place: Place, without_acts: bool, output: Form) -> None:  # noqa: FBT001 - a flag of the command line
    """Judge rotation, evaluation, feedback and budgets as of now, and say what was not said yet.

    What changed since the last time goes to the topics of alerts and is printed. The ticker does this by itself every
    quarter of an hour; to run it again, or after it was stopped, says nothing twice.
    """
    with Looking(place, None, None).opened() as seen:
        said = judge_several(seen.store, seen.catalogue, now=datetime.now(UTC), acts=not without_acts)
        zone = seen.zone
    rows = [_row(one) if output != "table" else _at_desk(_row(one), zone) for one in said]
    print_rows(rows, SAID, output)
    tell_none(rows, output, "Nothing is to be said that was not said yet.")


def _at_desk(row: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    due = row["due_at"]
    return row | {
        "kind": current(ALERT_KINDS[row["kind"]]),
        "change": current(ALERT_CHANGES[row["change"]]),
        "due_at": None if due is None else shown_instant(due, zone),
    }


def _row(one: AlertSaid) -> dict[str, Any]:
    alert = one.alert
    return {
        "kind": alert.kind,
        "change": one.change,
        "subject": alert.subject,
        "rule": alert.rule,
        "due_at": alert.due_at,
        "to": alert.to,
        "id": alert.id,
        "n": one.n,
    }
