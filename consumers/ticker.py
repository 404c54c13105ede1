"""What time alone brings about: dossiers whose moment has come are looked at again, and what that changes is said.

No clock and no loop here: whoever calls says when it is, and calls again while as many were found as were asked for.
Several tickers may call at once: on PostgreSQL each takes dossiers no other has taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumers.apply import fold_whole, redrive, settle
from consumers.saying import speak_of_counts, speak_of_silence, touch
from workflow.alerts.feeds import day_of
from workflow.messages import encode
from workflow.store.alerts import lives_open
from workflow.store.looking import day_count
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

DOSSIERS_A_TICK: Final = 1_000
"""Dossiers looked at in one transaction: it lasts some tenths of a second, so events are not held up."""


class Ticked(Struct, frozen=True, kw_only=True):
    """What a tick did: dossiers looked at, how many were folded anew, what was said about alerts, and by how many
    milliseconds each dossier was looked at after its moment."""

    dossiers: int = 0
    refolded: int = 0
    said: int = 0
    late_ms: tuple[int, ...] = ()


def tick(
    store: Store,
    catalogue: Catalogue,
    *,
    now: datetime,
    limit: int = DOSSIERS_A_TICK,
    written_at: datetime | None = None,
) -> Ticked:
    """Looks at dossiers whose moment has come by `now`, the earliest first, at most `limit`; one transaction.

    They are judged by the newest definitions, those of `catalogue`. `written_at`: when this takes place, where dossiers
    are looked at as of another moment. Raises as `apply`.
    """
    now_us = to_us(now)
    with store.writing() as writing:
        rows = writing.lock_due(now, limit)
        if not rows:
            return Ticked()
        touched = touch(writing, catalogue, rows, dict.fromkeys(rows, ()), now)
        unread = [one for one in touched if not one.look()]
        stories = {one.subject for one in unread if rows[one.subject].linked is not None}
        touched = [one for one in touched if one.subject not in stories]
        needing = [one for one in unread if one.subject not in stories]
        fold_whole(writing, needing, {one.subject: rows[one.subject].last_recorded_at for one in needing})
        done, said = settle(writing, catalogue, touched, written_at or now, looked_at=written_at and now)
    if stories:
        # All codes of a story are locked in their order, which cannot be done while some are held already.
        redrive(store, catalogue, stories, now=now, live=written_at is None)
    late = (now_us - row.next_due_at for row in rows.values() if row.next_due_at is not None)
    return Ticked(
        dossiers=len(rows),
        refolded=done.refolded,
        said=said,
        late_ms=tuple(each // 1_000 for each in late),
    )


def tick_feeds(store: Store, catalogue: Catalogue, *, now: datetime) -> int:
    """Looks at every source: which is silent past its cadence, and whose counts disagree with ours; how much was said.

    Once a minute will do. Raises StoreErrors.
    """
    office = catalogue.office
    with store.reading() as reading:
        open_alerts = [life.alert for life in lives_open(reading, "feed_incomplete").values()]
    counts = {
        alert.id: day_count(store, alert.subject, *office.day(alert.subject, day_of(alert)))
        for alert in open_alerts
        if alert.raise_at is None or alert.raise_at <= now
    }
    with store.writing() as writing:
        said = [*speak_of_silence(writing, office, now), *speak_of_counts(writing, counts, now)]
        writing.say(to_us(now), len(said), encode(said))
    return len(said)
