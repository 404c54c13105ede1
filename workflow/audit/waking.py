"""Whether the ticker will look at a dossier in time: an alert that its row lets nobody raise is a silent one.

When to look next follows from no facts alone, time moves it. But it never lies behind what the engine finds ahead, so
a moment that was emptied or put off is found.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from workflow.alerts.lateness import standing, watch
from workflow.alerts.life import rungs_said
from workflow.alerts.office import FAR
from workflow.judge import FAULTS
from workflow.store.alerts import lives
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.alerts.office import Office
    from workflow.fold import Judgment
    from workflow.store.rows import DossierRow
    from workflow.store.store import Reading

SETTLED_AFTER: Final = timedelta(days=31)
"""An ended dossier has nothing left to say once its sources had time to report and offices were open again."""


class Waking:
    """Looks at dossiers as of one moment. `now`: the present, or the last moment at which the store was looked at."""

    def __init__(self, reading: Reading, office: Office, now: datetime) -> None:
        """`office`: by whose hours and delays alerts are raised."""
        self._reading, self._office, self._now = reading, office, now

    def overslept(self, stored: DossierRow, judgment: Judgment) -> datetime | None:
        """When an alert of the dossier is due that its row puts off or forgets (UTC); None where there is none.

        One that may be looked at by now has missed nothing: the next tick does it. Of linked codes only that which
        their story goes on under is looked at, since the others raise nothing.
        """
        due = FAR if stored.next_due_at is None else from_us(stored.next_due_at)
        ended_at = judgment.dossier.ended_at
        settled = ended_at is not None and ended_at < self._now - SETTLED_AFTER
        if due <= self._now or settled or judgment.dossier.subject != stored.subject:
            return None
        try:
            ahead = max(self._ahead(stored, judgment))
        except FAULTS:  # the calendar ends before now: the ticker blocks the dossier when it looks
            return None
        return ahead if ahead < due else None

    def _ahead(self, stored: DossierRow, judgment: Judgment) -> Iterator[datetime]:
        """The earliest moment at which something is to be said, past for what should have been said already: once for
        the present, and once for a look as of another moment, which waits for nobody to be at work. Nobody knows by
        which of them the row was written last."""
        rules, dossier, office = judgment.rules, judgment.dossier, self._office
        rows = self._reading.alerts([stored.subject]) if stored.alerts else []
        now = max([self._now, *(from_us(row.raised_at) for row in rows)])
        watched = watch(office, rules, dossier, rules.clock.governing(dossier, at=now), now)
        if not watched.up:
            yield watched.next_at
            return
        said = rungs_said(lives(rows))
        for live in (True, False):
            found, next_at = standing(office, rules, dossier, watched, now, said=said, live=live)
            yield min([next_at, *(alert.due_at or now for alert in found if alert.id not in said)])
