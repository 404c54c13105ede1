"""How complete the feeds behind a figure were, as `dunghen rates` shows it beside each rate."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from workflow.figures.completeness import Complete, complete, counts_of
from workflow.figures.rates import Share
from workflow.rotation.careers import career, day_of
from workflow.store.beside import officers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflow.cli.stores import Seen
    from workflow.facts import Counted
    from workflow.figures.rates import Measure, Period


class Feeds:
    """What each source counted, and what passes by of each of its days."""

    def __init__(self, store: Seen) -> None:
        self._zone = store.zone
        self._known: dict[str, Counter[date]] = {}
        self._counted: dict[str, dict[date, Counted]] = {}
        with store.store.reading() as reading:
            for source in sorted(store.catalogue.orders):
                told = store.known(reading.facts([source]))
                self._counted[source] = counts_of(store.catalogue.orders, told, store.at)

    def watch(self, measures: Iterable[Measure]) -> Iterator[Measure]:
        """The same measures; each is counted on its day of receipt."""
        for one in measures:
            if one.received_at is not None:
                self._known.setdefault(one.told_by, Counter())[day_of(one.received_at, self._zone)] += 1
            yield one

    def share(self, sources: Iterable[str], period: Period) -> Share:
        """Of what these sources counted as received in the period, how much we know; of nothing where none counted."""
        first = day_of(period.since, self._zone)
        last = day_of(period.until - timedelta(microseconds=1), self._zone)
        found = Complete()
        for source in sorted(sources):
            known = self._known.get(source, Counter[date]())
            found = found.with_other(complete(self._counted.get(source, {}), known, first, last))
        return Share(found.known, found.counted)


def units_of_officers(store: Seen) -> dict[str, str]:
    """The unit of each officer's post on the day asked about; of several the first by name."""
    day = day_of(store.at, store.zone)
    found: dict[str, str] = {}
    with store.store.reading() as reading:
        for name, facts in officers(reading):
            held = career(
                store.catalogue.orders, name, facts, known_at=store.known_at, valid_at=store.at
            ).held(day)
            if held:
                found[name] = min(one.unit for one in held)
    return found
