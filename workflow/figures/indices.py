"""The published indices that can be computed from events: Decision 766/QĐ-TTg, and the figures of the client text.

What each counts and lacks is said in `workflow/cli/indices.py`; one that cannot be computed is never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from workflow.figures.rates import Share, in_period

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.figures.rates import Measure, Period

DAY_S: Final = 86_400
PROGRESS_MAX: Final = 20
"""Points of progress among the hundred of Decision 766/QĐ-TTg."""


GROUPS: Final = ("publicity", "online", "payment", "digitised", "satisfaction")
"""The other five of its six scores; that of progress is 2.1."""


class Index(Struct, frozen=True, omit_defaults=True):
    """One index. `value`: of how many how many, or None; `days`: a mean; `score`: points of the published scale."""

    number: str
    value: Share | None = None
    days: str | None = None
    score: str | None = None


def indices(measures: Iterable[Measure], period: Period, now: datetime) -> list[Index]:
    """The indices of a period, in the order of their numbers."""
    on_time, petitions, kept = Share(), Share(), Share()
    seconds = ended = 0
    end = min(period.until, now)
    for one in measures:
        if one.received_at is None or not in_period(one, period):
            continue
        if one.kind == "feedback":
            petitions.count(not any(due.late(end) for due in (*one.marks, *one.headline)))
            continue
        if one.portal is None:
            continue
        on_time.count(one.portal.on_time(end))
        if one.released_at is not None and one.released_at < end and one.headline:
            kept.count(not any(due.late(end) for due in one.headline))
        if one.issued_at is not None and period.since <= one.issued_at < end:
            ended += 1
            seconds += int((one.issued_at - one.received_at).total_seconds())
    return [
        Index("1.4"),
        Index("2.1", value=on_time, score=_points(on_time)),
        Index(
            "2.2",
            value=Share(ended, ended) if ended else None,
            days=_hundredths(seconds, ended * DAY_S) if ended else None,
        ),
        Index("5.2", value=petitions),
        Index("5.3"),
        Index("5.4"),
        *(Index(group) for group in GROUPS),
        Index("PAR", value=kept),
        Index("SIPAS"),
    ]


def _points(share: Share) -> str | None:
    return _hundredths(PROGRESS_MAX * share.numerator, share.denominator) if share.denominator else None


def _hundredths(numerator: int, denominator: int) -> str:
    """A quotient with two decimals, halves up."""
    whole = (200 * numerator + denominator) // (2 * denominator)
    return f"{whole // 100}.{whole % 100:02}"
