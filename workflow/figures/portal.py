"""Decision 766/QĐ-TTg, index 2.1: whether the national portal counts a dossier as on time.

Its own end moments and its own way with supplements, so that its figure can stand beside ours. docs/looking.md has the
rule point by point.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from workflow.model import Dossier
    from workflow.rules import Rules

REQUEST: Final = "form-02"
"""The document that asks an applicant to supplement (form 02 of Circular 01/2018/TT-VPCP): the portal's status 5, and
no other wait."""


COUNTED: Final = ("dossier", "complaint", "log")
"""Kinds of procedures whose dossiers index 2.1 is about: feedback has an index of its own, and what an office owes by
a date is no dossier of a citizen."""


class PortalDates(Struct, frozen=True, gc=False):
    """What the portal knows of one dossier.

    `due_at`: the first date printed, which supplements do not move; without one the statutory date, which they do
    (`moved`). `ended_at`: issued, else returned, stopped, refused or withdrawn. `supplements`: each request with its
    completion, in their order.
    """

    due_at: datetime | None
    ended_at: datetime | None
    supplements: tuple[tuple[datetime, datetime | None], ...] = ()
    moved: bool = False

    def on_time(self, at: datetime) -> bool:
        """Whether it counts as on time as of `at`. Without any date it does: nothing says that it is late."""
        asked = [(begun, done) for begun, done in self.supplements if begun <= at]
        done = [(begun, end) for begun, end in asked if end is not None and end <= at]
        if self.ended_at is not None and self.ended_at <= at:
            ended_at = self.ended_at
        elif asked and len(done) < len(asked):
            if len(asked) > 1:
                return False
            ended_at = asked[-1][0]
        else:
            ended_at = at
        if self.due_at is None:
            return True
        if not self.moved:
            # Each wait is cut at the end itself: one taken off before another must not shorten the other.
            waited = (min(end, ended_at) - begun for begun, end in done if begun < ended_at)
            ended_at -= sum(waited, timedelta())
        return ended_at <= self.due_at


def portal_dates(rules: Rules, dossier: Dossier, at: datetime) -> PortalDates:
    """What the portal would know of a judged dossier as of `at`. Raises CalendarRange."""
    first = next((slip for slip in dossier.appointments if slip.cause != "apology"), None)
    requests = {name for name, pause in rules.revision.pauses.items() if REQUEST in pause.documents}
    due_at = None if first is None else rules.clock.printed(first, dossier.hours_of)
    if first is None:
        dates = rules.clock.deadlines(dossier, at=at)
        due_at = max((one.due_at for one in dates if one.kind == "statutory"), default=None)
    return PortalDates(
        due_at=due_at,
        ended_at=dossier.issued_at or dossier.ended_at,
        supplements=tuple((one.started_at, one.ended_at) for one in dossier.pauses if one.pause in requests),
        moved=first is None,
    )
