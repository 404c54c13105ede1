"""Facts as rows: acts of one dossier by one source, in an order nobody needs to look for.

A log told row by row is such for most dossiers. Kept as rows it costs no object per event, and the fold need not ask
again what the type already says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias, overload

from workflow.facts import Acted, Fact, Opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    Row: TypeAlias = tuple[datetime, Acted, str, int]
    Identity: TypeAlias = tuple[str, str, int]

_time: Final = attrgetter("occurred_at", "sequence")
identity: Final[Callable[[Fact], Identity]] = attrgetter("source", "id", "revision")
"""Source, id and revision: what a fact is told by among those of its dossier."""


class FactRows(Sequence[Fact]):
    """Acts of revision 0 in strictly rising sequence and never falling time: rows of time, act, id and sequence.

    Who appends to `rows` keeps that promise. `known` is what is known of the dossier from its start. `shared`: equal
    acts of many dossiers are one object, so that what an act does can be learned by its identity. It reads as the
    sequence of its facts: those it was made of, where it was made of facts.
    """

    __slots__ = ("_made_of", "known", "rows", "shared", "source", "subject")

    def __init__(
        self,
        subject: str,
        source: str,
        known: Fact | None = None,
        *,
        rows: list[Row] | None = None,
        shared: bool = False,
        made_of: Sequence[Fact] | None = None,
    ) -> None:
        """`rows`: those there are already; `made_of`: the facts all of them tell, to which none is added."""
        self.subject = subject
        self.source = source
        self.known = known
        self.shared = shared
        self.rows: list[Row] = [] if rows is None else rows
        self._made_of = made_of

    def follows(self, other: FactRows) -> bool:
        """Whether these rows may stand behind those of `other`: the same dossier and source, later or at once."""
        before, after = other.rows[-1], self.rows[0]
        same = self.subject == other.subject and self.source == other.source and self.known is None
        return same and before[3] < after[3] and before[0] <= after[0]

    @property
    def code(self) -> str | None:
        """The first procedure these facts name."""
        known = None if self.known is None else self.known.body
        if isinstance(known, Opened) and known.procedure is not None:
            return known.procedure
        for _, act, _, _ in self.rows:
            if act.procedure is not None:
                return act.procedure
        return None

    def __len__(self) -> int:
        return len(self.rows) + (self.known is not None)

    def __iter__(self) -> Iterator[Fact]:
        return self._told() if self._made_of is None else iter(self._made_of)

    def _told(self) -> Iterator[Fact]:
        if self.known is not None:
            yield self.known
        subject, source = self.subject, self.source
        for at, act, identifier, sequence in self.rows:
            yield Fact(subject, source, identifier, at, act, sequence)

    def __eq__(self, other: object) -> bool:
        """Whether the other is a sequence of the same facts."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # rows may still be added

    @overload
    def __getitem__(self, index: int) -> Fact: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fact]: ...
    def __getitem__(self, index: int | slice) -> Fact | list[Fact]:
        """One fact, or a list of them."""
        return list(self)[index]


def identities(facts: Sequence[Fact]) -> Iterator[Identity]:
    """The `identity` of each fact, in their order."""
    if isinstance(facts, FactRows) and facts.known is None:
        return ((facts.source, identifier, 0) for _, _, identifier, _ in facts.rows)
    return map(identity, facts)


def in_time(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Facts by their own times and sequences, as most are judged: where `as_rows` finds their order, if they have one.
    Rows lie so already."""
    return facts if isinstance(facts, FactRows) else sorted(facts, key=_time)


def as_rows(facts: Sequence[Fact]) -> FactRows | None:
    """The same facts as rows; None where their order must be looked for first.

    Strictly rising sequences also say that no two are one identity: facts of one identity have the same content.
    """
    if isinstance(facts, FactRows):
        return facts
    if not facts:
        return None
    first = facts[0]
    known = first if isinstance(first.body, Opened) and first.body.state is None else None
    found = FactRows(first.subject, first.source, known, made_of=facts)
    add, source, at, sequence = found.rows.append, first.source, first.occurred_at, -1
    if known is not None and known.revision:
        return None
    for fact in facts if known is None else facts[1:]:
        body, before, at = fact.body, at, fact.occurred_at
        if fact.sequence <= sequence or at < before or fact.revision or fact.source != source:
            return None
        if body.__class__ is not Acted:
            return None
        sequence = fact.sequence
        add((at, body, fact.id, sequence))
    return found if found.rows and (known is None or known.sequence < found.rows[0][3]) else None
