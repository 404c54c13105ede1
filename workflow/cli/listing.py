"""Dossiers in a list, and one of them whole, for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.cli.naming import with_names
from workflow.cli.output import Column, print_rows, tell_none, with_name
from workflow.cli.sums import shown_instant
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from workflow.audit.views import View
    from workflow.cli.output import Form
    from workflow.cli.stores import Seen

COLUMNS: Final = (
    Column("subject", "Dossier", id=True),
    Column("procedure", "Procedure", named="below"),
    Column("state", "State"),
    Column("unit", "Unit", named="below"),
    Column("officer", "Officer"),
    Column("received_at", "Received"),
    Column("due_at", "Due"),
    Column("standing", "Verdict"),
    Column("blocked", "Blocked"),
)
FLAT: Final = (
    *COLUMNS[:4],
    Column("officer", "Officer"),
    Column("revision", "Revision"),
    Column("open", "Open"),
    Column("since", "In this state since"),
    Column("received_at", "Received"),
    Column("released_at", "Released"),
    Column("ended_at", "Ended"),
    Column("due_at", "Due"),
    Column("by", "Date"),
    Column("late", "Late"),
    Column("overdue", "Overdue"),
    Column("deviated", "Deviated"),
    Column("blocked", "Blocked"),
)
ONE: Final = (
    *FLAT,
    Column("code", "Code named"),
    Column("on_time_only_by_report_of", "On time only by a report of"),
    Column("fingerprint", "Fingerprint"),
    Column("judge_version", "Judged by engine"),
    Column("version", "Version of its row"),
    Column("facts", "Facts"),
    Column("last_recorded_at", "Last recorded"),
)
"""All that is told of one dossier but its registers and dates."""
FIELDS: Final = (Column("field", "Field"), Column("value", "Value"))


def print_views(found: Sequence[View], total: int, form: Form, store: Seen) -> None:
    """Prints dossiers, and says on standard error where there are more than these."""
    if form == "table":
        print_rows(_named((_shown(one, store.zone) for one in found), store), COLUMNS, "table")
        tell_none(found, form, "No dossier meets what is asked.")
    else:
        print_rows(_named(map(msgspec.structs.asdict, found), store), FLAT, form)
    if total > len(found):
        click.echo(
            current("{shown} of {total} dossiers shown; see more with --limit").format(
                shown=len(found), total=total
            ),
            err=True,
        )


def print_one(fields: Mapping[str, object], columns: Iterable[Column], zone: ZoneInfo) -> None:
    """Prints all fields of one thing, one a line, by the titles of `columns`; those without a value are left out."""
    known = {column.key: column for column in columns}
    beside = {f"{column.key}_name" for column in known.values() if column.named}
    rows = [
        {
            "field": current(known[name].title) if name in known else name,
            "value": with_name(fields, known[name]) if f"{name}_name" in beside else _value(value, zone),
        }
        for name, value in fields.items()
        if value not in (None, "", (), [], {}) and name not in beside
    ]
    print_rows(rows, FIELDS, "table")


def _named(rows: Iterable[Mapping[str, object]], store: Seen) -> Iterator[dict[str, object]]:
    return (with_names(row, store.catalogue, procedure="procedure", unit="unit") for row in rows)


def _shown(one: View, zone: ZoneInfo) -> dict[str, object]:
    return {
        **msgspec.structs.asdict(one),
        "received_at": _instant(one.received_at, zone),
        "due_at": _instant(one.due_at, zone),
        "standing": _standing(one),
    }


def _standing(one: View) -> str:
    words = [
        current("overdue") if one.overdue else "",
        current("late") if one.late else "",
        current("deviated") if one.deviated else "",
    ]
    return ", ".join(word for word in words if word)


def _instant(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else shown_instant(at, zone)


def _value(value: object, zone: ZoneInfo) -> object:
    return shown_instant(value, zone) if isinstance(value, datetime) else value
