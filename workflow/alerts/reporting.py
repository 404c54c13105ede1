"""Whether a dossier is on time, or on time only because somebody said so after its date had passed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.risk.stays import promised

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from workflow.alerts.office import Office
    from workflow.facts import Fact
    from workflow.model import Dossier
    from workflow.rules import Rules


def reported_late_at(
    office: Office, rules: Rules, dossier: Dossier, facts: Sequence[Fact], at: datetime
) -> datetime | None:
    """When the result of a dossier that is on time was first recorded, if that was after its date by more than the
    reporting delay of its source; None for one that is late, open, or was reported in time.

    Facts from before a source's first live day say nothing of it. `facts`: those that were judged, with their recorded
    times. Raises CalendarRange.
    """
    own = rules.family[dossier.revision]
    date = promised(own, dossier, at)
    if date is None or date.met_at is None or date.late:
        return None
    told = [fact for fact in facts if fact.occurred_at == date.met_at and fact.recorded_at is not None]
    if not told:
        return None
    first = min(told, key=lambda fact: (fact.recorded_at or at, fact.source, fact.id))
    recorded_at = first.recorded_at
    if recorded_at is None or office.history(first.source, first.occurred_at):
        return None
    return recorded_at if recorded_at > date.due_at + office.delay(first.source) else None
