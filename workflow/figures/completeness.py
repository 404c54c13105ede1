"""How complete feeds were: what sources counted each day, against what we know of that day. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.facts import Counted
from workflow.standing import stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from workflow.facts import Fact
    from workflow.sources import SourceOrder


class Complete(NamedTuple):
    """Of what a source says it received on the days it counted, how much we know; days beyond the count prove nothing.

    `days`: how many days it counted.
    """

    known: int = 0
    counted: int = 0
    days: int = 0

    def with_other(self, other: Complete) -> Complete:
        """Both together."""
        return Complete(self.known + other.known, self.counted + other.counted, self.days + other.days)


def counts_of(orders: Mapping[str, SourceOrder], facts: Iterable[Fact], at: datetime) -> dict[date, Counted]:
    """The counts of one source that stand as of `at`, by the day they are about; of several the last."""
    placed = stand(orders, list(facts), None, at).placed
    return {one.fact.body.day: one.fact.body for one in placed if isinstance(one.fact.body, Counted)}


def complete(
    counted: Mapping[date, Counted], known: Mapping[date, int], since: date, until: date
) -> Complete:
    """How complete a source was from `since` to `until`, both included. `known`: dossiers we know, by day of receipt.

    More than it counted is not more than complete: what we have beyond its count does not make up for another day.
    """
    days = [(day, one) for day, one in counted.items() if since <= day <= until]
    return Complete(
        sum(min(known.get(day, 0), one.received) for day, one in days),
        sum(one.received for _, one in days),
        len(days),
    )
