"""By how much a dossier is late, and what that is laid to, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.alerts.attribution import Outage, overrun
from workflow.cli.naming import part_named
from workflow.cli.output import Column, print_rows
from workflow.cli.sums import shown_worktime
from workflow.i18n import current
from workflow.store.alerts import lives

if TYPE_CHECKING:
    from workflow.alerts.attribution import Overrun
    from workflow.cli.stores import Seen
    from workflow.messages import Alert
    from workflow.procedure.language import Revision

_PARTS: Final = (
    Column("reason", "Laid to"),
    Column("name", "Step, pause or source"),
    Column("unit", "Unit"),
    Column("officer", "Officer"),
)
LENGTHS: Final = {
    "working": Column("length", "Working time", "right"),
    "elapsed": Column("length", "Elapsed time", "right"),
}
LAID_TO: Final = {
    "step": "a step beyond its limit",
    "citizen": "the citizen, beyond the cap",
    "agency": "another agency",
    "office": "the office, in a pause of its own",
    "feed": "a source that was silent",
}


def overrun_of(store: Seen, alert: Alert) -> Overrun | None:
    """What the lateness of a dossier is laid to, as of now; None of any other alert. Raises UsageError, StoreError."""
    if alert.kind not in ("dossier_late", "feedback_late"):
        return None
    facts = store.facts(alert.subject)
    with store.store.reading() as reading:
        silent = lives(row for row in reading.alerts([alert.source or ""]) if row.kind == "feed_silent")
    outages = [
        Outage(one.alert.subject, one.alert.due_at, one.alert.ended_at)
        for one in silent.values()
        if one.alert.due_at is not None
    ]
    return overrun(store.rules(facts), alert.subject, facts, store.at, outages)


def print_overrun(why: Overrun, revision: Revision | None) -> None:
    """Prints by how much a date was missed, and its parts; those of a `revision` by their names."""
    elapsed = why.counted == "elapsed"
    one, more = (
        (current("1 day"), current("{number} days"))
        if elapsed
        else (current("1 working day"), current("{number} working days"))
    )
    whole = (
        "{days} past its date, {length} of elapsed time, of which:"
        if elapsed
        else "{days} past its date, {length} of working time, of which:"
    )
    said = (one if why.days == 1 else more).format(number=why.days)
    click.echo(current(whole).format(days=said, length=shown_worktime(why.minutes)))
    rows = [
        {
            **msgspec.structs.asdict(part),
            "length": shown_worktime(part.minutes),
            "reason": current(LAID_TO[part.reason]),
            "name": part.name if revision is None else part_named(part.name, revision),
        }
        for part in why.parts
    ]
    print_rows(rows, (LENGTHS[why.counted], *_PARTS), "table")
