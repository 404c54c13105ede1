"""The definitions a store has kept, as the catalogues its judgments were made by."""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from workflow.catalogue import from_archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflow.catalogue import Catalogue, Definition
    from workflow.store.rows import DossierRow


class Archive:
    """The catalogue as it stood after each instant something new was kept; each is compiled when first asked for."""

    def __init__(self, kept: Sequence[tuple[Definition, datetime]], spare: Definition) -> None:
        """`kept`: with their recorded instants, the first recorded first. `spare`: the generic procedure, where none
        was needed yet."""
        definitions = [one for one, _ in kept]
        ends = [len(list(group)) for _, group in groupby(kept, key=itemgetter(1))]
        self._states = [definitions[: sum(ends[: number + 1])] for number in range(len(ends))] or [[]]
        self._instants = [at for at, _ in groupby(kept, key=itemgetter(1))]
        self._prints = [{spare.fingerprint, *(one.fingerprint for one in kept)} for kept in self._states]
        self._spare = spare
        self._compiled: dict[int, Catalogue] = {}

    @property
    def newest(self) -> Catalogue:
        """All that is kept."""
        return self._catalogue(len(self._states) - 1)

    def known_at(self, moment: datetime) -> Catalogue:
        """What was kept by a moment."""
        number = bisect_right(self._instants, moment)
        return self._catalogue(number - 1)

    def candidates(self, row: DossierRow) -> Iterator[Catalogue]:
        """The catalogues by which a row may have been judged, the newest first: those with all it names."""
        for number in reversed(range(len(self._states))):
            if row.fingerprint not in self._prints[number]:
                return
            found = self._catalogue(number)
            rules = found.rules(row.procedure, row.revision)
            if rules is not None and found.basis(rules)[:2] == (row.fingerprint, row.calendar):
                yield found

    def _catalogue(self, number: int) -> Catalogue:
        """By the number of the instant; before the first nothing is kept."""
        found = self._compiled.get(number)
        if found is None:
            kept = self._states[number] if number >= 0 else []
            generic = any(one.kind == "procedure" and one.name == self._spare.name for one in kept)
            found = self._compiled[number] = from_archive(kept if generic else [self._spare, *kept])
        return found
