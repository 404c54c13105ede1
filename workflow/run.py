"""A run: acts of one dossier by one source, in an order nobody needs to look for.

A log told row by row is such a run for most dossiers. Kept in columns it costs no object per event, and the fold need
not ask again what the type already says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from workflow.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.facts import Acted


class Run(Sequence[Fact]):
    """Acts of revision 0 in strictly rising sequence and never falling time, as columns of equal length.

    Who fills the columns keeps that promise; facts that break it are given to the fold as a plain list. `known` is what
    is known of the dossier from its start. It reads as the sequence of its facts.
    """

    __slots__ = ("acts", "ids", "known", "sequences", "source", "subject", "times")

    def __init__(self, subject: str, source: str, known: Fact | None = None) -> None:
        """An empty run."""
        self.subject = subject
        self.source = source
        self.known = known
        self.acts: list[Acted] = []
        self.times: list[datetime] = []
        self.ids: list[str] = []
        self.sequences: list[int] = []

    def __len__(self) -> int:
        return len(self.acts) + (self.known is not None)

    def __iter__(self) -> Iterator[Fact]:
        if self.known is not None:
            yield self.known
        subject, source = self.subject, self.source
        for identifier, at, act, sequence in zip(
            self.ids, self.times, self.acts, self.sequences, strict=True
        ):
            yield Fact(subject, source, identifier, at, act, sequence)

    @overload
    def __getitem__(self, index: int) -> Fact: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fact]: ...
    def __getitem__(self, index: int | slice) -> Fact | list[Fact]:
        """One fact, or a list of them."""
        return list(self)[index]
