"""Records of a topic as facts, to be looked at: a bounded range, read outside any group, nothing of it kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumers.decoding import facts_of
from consumers.files.refusals import Refusals
from consumers.forms.reading import Part
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from consumers.codec import RawRecord
    from workflow.facts import Fact

REFUSALS_KEPT: Final = 1_000


class TopicFacts:
    """Records as facts, told like those of a file.

    `rows`: records; `filtered`: those that say nothing, such as a removed row that Debezium captured.
    """

    mapping = None

    def __init__(self, topic: str, records: Sequence[RawRecord], zone: ZoneInfo | None) -> None:
        """`zone` reads times without an offset, which are refused where it is None."""
        self.path = topic
        self.rows = len(records)
        self.filtered = 0
        self.uncoded: dict[tuple[str, str], int] = {}
        self.refusals = Refusals(REFUSALS_KEPT)
        self._records = records
        self._zone = zone
        self._done = 0

    def progress(self) -> tuple[int, int]:
        """Records looked at so far, and all there are."""
        return self._done, self.rows

    def parts(self) -> Iterator[Part]:
        """What each record tells, in the order of its partition. One that says nothing is a part without a fact."""
        self._done = self.filtered = 0
        self.refusals.clear()
        for record in self._records:
            self._done += 1
            try:
                found = facts_of(record, self._zone)
            except InputError as error:
                self.refusals.add(record.place, error)
                yield Part(record.place, None, error)
                continue
            self.filtered += not found
            for fact in found or (None,):
                yield Part(record.place, fact)

    def dossiers(self) -> Iterator[tuple[str, Sequence[Fact]]]:
        """Each dossier's code and facts."""
        facts: dict[str, list[Fact]] = {}
        for part in self.parts():
            if part.fact is not None:
                facts.setdefault(part.fact.subject, []).append(part.fact)
        yield from sorted(facts.items())
