"""How each open dossier stands: the working time it has left, the risk that it misses its date, and when it presses."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.model import Deadline, Dossier
    from workflow.risk.table import Risk
    from workflow.rules import Rules


class Outlook(Struct, frozen=True):
    """One open dossier. `left`: working minutes until `due_at`, 0 where it has passed; `risk`: 0 to 1, that it misses
    it; `at_risk_from`: when it comes or came to be at risk if nothing happens, None where not before its date. `by`:
    the date it is held to. `waiting`: its clock stands, so what is left does not change."""

    subject: str
    procedure: str
    step: str
    due_at: datetime
    by: str
    left: int
    risk: float
    unit: str | None = None
    officer: str | None = None
    at_risk_from: datetime | None = None
    waiting: bool = False

    @property
    def order(self) -> tuple[float, datetime, str]:
        """What they are sorted by: the greatest risk first, then the earliest date."""
        return -self.risk, self.due_at, self.subject


def outlook(rules: Rules, dossier: Dossier, risk: Risk, at: datetime) -> Outlook | None:
    """How a judged dossier stands as of `at`; None where nothing may come late any more or no date is known: it was not
    received, has ended, or has met its date. Raises CalendarRange."""
    if dossier.received_at is None or dossier.ended_at is not None:
        return None
    date = _held_to(rules.clock.deadlines(dossier, at=at))
    if date is None or date.met_at is not None:
        return None
    left = max(rules.clock.minutes(at, date.due_at, at, dossier.hours_of), 0)
    # Nothing left is late for certain only once the date has passed: until then a minute counts.
    passed = at >= date.due_at if date.reaching_is_late else at > date.due_at
    said = risk.probability(
        rules.revision.procedure, dossier.state, dossier.unit or "", 0 if passed else max(left, 1)
    )
    return Outlook(
        subject=dossier.subject,
        procedure=rules.revision.procedure,
        step=dossier.state,
        due_at=date.due_at,
        by=date.kind,
        left=0 if passed else left,
        risk=said,
        unit=dossier.unit,
        officer=dossier.officer,
        at_risk_from=risk.at_risk_from(rules, dossier, date.due_at, at),
        waiting=date.open_pause,
    )


def _held_to(dates: Sequence[Deadline]) -> Deadline | None:
    """The slip's date, else the committed one that is not met yet."""
    benchmark = next((one for one in dates if one.kind == "benchmark"), None)
    if benchmark is not None:
        return benchmark
    committed = [one for one in dates if one.kind == "committed" and one.met_at is None]
    return min(committed, key=lambda one: one.due_at, default=None)
