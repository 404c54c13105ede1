"""Every judgment of a store made again from its facts and archived definitions, and compared: with the rows of the
dossiers, and with what was said of each fact.

Facts and rows are read side by side in the order of the dossiers. What was said lies in the outbox in another order,
and there may be more of it than fits in memory: so both sides are added up, one sum for each part of the dossiers,
and only the parts whose sums differ are looked at message by message.
"""

from __future__ import annotations

from itertools import chain, compress, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from workflow.audit.again import Rejudging
from workflow.audit.waking import Waking
from workflow.catalogue import JUDGE_VERSION
from workflow.factrows import FactRows, identities
from workflow.facts import begins_dossier
from workflow.links import joins
from workflow.plan import APPLIED
from workflow.store.bodies import Bodies
from workflow.store.judgments import codes_of, unpack
from workflow.store.rows import DossierRow, to_us
from workflow.store.said import decisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflow.audit.again import Again
    from workflow.audit.archive import Archive
    from workflow.factrows import Identity
    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.model import Outcome
    from workflow.store.store import Reading

Where: TypeAlias = Literal["row", "said", "facts"]
PARTS: Final = 1 << 16
"""Sums that are kept: the more, the fewer dossiers are looked at again for one difference."""
LOOKED_AT: Final = 1 << 10
"""Parts that are looked at together message by message: what is held in memory for them is a small share of all."""
MASK: Final = (1 << 64) - 1
_encode: Final = msgspec.json.Encoder().encode
_APPLIED: Final = _encode(APPLIED)
_NOTHING: Final = b""


class Difference(Struct, frozen=True, omit_defaults=True):
    """What is stored or was said, and what follows from the facts. `where`: in the dossier's row (`what` is its
    column, or a part of its judgment), in what was said of a fact (`fact` names it), or in the facts kept of it."""

    subject: str
    where: Where
    what: str
    kept: str
    derived: str
    fact: str | None = None


class Counts(Struct):
    """How much was judged again. `older`: dossiers that were last judged by other definitions than the newest, and were
    judged again by those. `engine`: dossiers last judged by another version of the engine, and judged again by this
    one, so that a difference may be its doing. `blocked`: dossiers that could not be judged, and cannot."""

    dossiers: int = 0
    facts: int = 0
    said: int = 0
    older: int = 0
    engine: int = 0
    blocked: int = 0
    differences: int = 0


class Replay:
    """One run over a store. `counts` grows while `differences` are taken."""

    def __init__(
        self, reading: Reading, archive: Archive, *, dates: bool = True, now: datetime | None = None
    ) -> None:
        """`reading`: one view of the store, held to the end. Without `dates` the due dates of the rows are left out,
        which cost more than all the rest. `now`: as of when dossiers are asked whether the ticker will look at them in
        time; without it, or without `dates`, none is."""
        self.counts = Counts()
        self._reading = reading
        self._again = Rejudging(archive, dates=dates)
        self._waking = Waking(reading, archive.newest.office, now) if dates and now is not None else None
        self._bodies = Bodies()
        self._sums = [0] * PARTS
        self._blocked: set[str] = set()

    def differences(self) -> Iterator[Difference]:
        """Each difference once: those of rows in the order of the dossiers, then those of what was said."""
        for one in chain(self._dossiers(), self._messages()):
            self.counts.differences += 1
            yield one

    def _dossiers(self) -> Iterator[Difference]:
        for subject, stored, facts in self._side_by_side():
            if stored is None:
                if begins_dossier(facts):
                    yield Difference(subject, "row", "row", "none", f"a dossier of {len(facts)} facts")
            elif not facts and not stored.linked:
                if not stored.facts:
                    continue  # known once by a link alone, which does not stand any more
                yield Difference(subject, "facts", "facts", str(stored.facts), "0")
            else:
                self.counts.dossiers += 1
                yield from self._dossier(stored, facts)

    def _side_by_side(self) -> Iterator[tuple[str, DossierRow | None, Sequence[Fact]]]:
        rows = self._reading.dossiers()
        stored = next(rows, None)
        for subject, found in groupby(self._reading.histories(), key=itemgetter(0)):
            while stored is not None and stored.subject < subject:
                yield stored.subject, stored, ()
                stored = next(rows, None)
            rows_of_it = list(found)
            facts = self._bodies.dossier(rows_of_it)
            self.counts.facts += len(rows_of_it)
            if stored is not None and stored.subject == subject:
                yield subject, stored, facts
                stored = next(rows, None)
            else:
                yield subject, None, facts
        for rest in chain(() if stored is None else (stored,), rows):
            yield rest.subject, rest, ()

    def _dossier(self, stored: DossierRow, facts: Sequence[Fact]) -> Iterator[Difference]:
        if stored.blocked is not None:
            yield from self._still_blocked(stored, facts)
            return
        self.counts.engine += stored.judge_version != JUDGE_VERSION
        found = self._judged(stored, facts)
        if isinstance(found, str):
            yield Difference(stored.subject, "row", "judgment", stored.state, found)
            return
        self.counts.older += found.older
        self._add(stored, found.judged.judgment)
        if found.row != stored:
            yield from _unequal(stored, found.row)
        if self._waking is not None and not found.older:
            at = self._waking.overslept(stored, found.judged.judgment)
            if at is not None:
                yield Difference(
                    stored.subject, "row", "next_due_at", str(stored.next_due_at), f"{to_us(at)} or before"
                )

    def _still_blocked(self, stored: DossierRow, facts: Sequence[Fact]) -> Iterator[Difference]:
        self._blocked.add(stored.subject)
        self.counts.blocked += 1
        found = self._judged(stored, facts)
        if not isinstance(found, str):
            yield Difference(
                stored.subject, "row", "blocked", stored.blocked or "", found.judged.judgment.dossier.state
            )

    def _judged(self, stored: DossierRow, facts: Sequence[Fact]) -> Again | str:
        """The dossier judged again by the definitions its row names; why not, where that cannot be done."""
        return self._again.judged(stored, facts, self._linked(stored, facts))

    def _linked(self, stored: DossierRow, facts: Sequence[Fact]) -> dict[str, Sequence[Fact]]:
        """The facts of every code a dossier is linked to, its own too; empty for one that tells of no link."""
        if stored.linked is None and (isinstance(facts, FactRows) or not any(map(joins, facts))):
            return {}
        others = [code for code in codes_of(stored) if code != stored.subject]
        return {stored.subject: facts} | {code: list(self._reading.facts([code])) for code in others}

    def _add(self, stored: DossierRow, judgment: Judgment) -> None:
        subject = stored.subject
        part, total = hash(subject) % PARTS, 0
        for source, identifier, revision, outcome in _said(stored, judgment):
            content = _APPLIED if outcome is APPLIED else _encode(outcome)
            total += hash((subject, source, identifier, revision, content))
        self._sums[part] = (self._sums[part] + total) & MASK

    def _messages(self) -> Iterator[Difference]:
        sums, blocked = self._sums, self._blocked
        for one in decisions(self._reading):
            if one.subject in blocked:
                continue
            self.counts.said += 1
            subject, source, identifier, revision = one.subject, one.source, one.id, one.revision
            total = hash((subject, source, identifier, revision, bytes(one.outcome)))
            if one.supersedes:
                total -= hash((subject, source, identifier, revision, bytes(one.supersedes)))
            part = hash(subject) % PARTS
            sums[part] = (sums[part] - total) & MASK
        unequal = [part for part, total in enumerate(sums) if total]
        for start in range(0, len(unequal), LOOKED_AT):
            yield from self._one_by_one(frozenset(unequal[start : start + LOOKED_AT]))

    def _one_by_one(self, parts: frozenset[int]) -> Iterator[Difference]:
        """What was said last of each fact of these parts, against what follows."""
        said: dict[str, dict[tuple[str, str, int], tuple[int, bytes]]] = {}
        for one in decisions(self._reading):
            if hash(one.subject) % PARTS in parts and one.subject not in self._blocked:
                facts = said.setdefault(one.subject, {})
                key = (one.source, one.id, one.revision)
                if one.version >= facts.get(key, (0, _NOTHING))[0]:
                    facts[key] = one.version, bytes(one.outcome)
        rows = (row for row in self._reading.dossiers() if hash(row.subject) % PARTS in parts)
        for stored in rows:
            if stored.blocked is None:
                yield from self._compared(stored, said.pop(stored.subject, {}))
        for subject, kept in said.items():
            for key, (_, outcome) in kept.items():
                yield Difference(subject, "said", "outcome", _shown(outcome), "no dossier row", _named(key))

    def _compared(
        self, stored: DossierRow, said: dict[tuple[str, str, int], tuple[int, bytes]]
    ) -> Iterator[Difference]:
        found = self._judged(stored, list(self._reading.facts([stored.subject])))
        if isinstance(found, str):
            return
        derived = {
            (source, identifier, revision): _encode(outcome)
            for source, identifier, revision, outcome in _said(stored, found.judged.judgment)
        }
        for key in sorted(derived.keys() | said.keys()):
            kept, follows = said.get(key, (0, _NOTHING))[1], derived.get(key, _NOTHING)
            if kept != follows:
                yield Difference(
                    stored.subject, "said", "outcome", _shown(kept), _shown(follows), _named(key)
                )


def _said(stored: DossierRow, judgment: Judgment) -> Iterator[tuple[str, str, int, Outcome]]:
    """What became of the facts of one code, each named by source, id and revision; a judgment of several codes holds
    those of all."""
    facts, outcomes = judgment.facts, judgment.outcomes
    told: Iterator[tuple[Identity, Outcome]] = zip(identities(facts), outcomes, strict=True)
    if stored.linked is not None:
        told = compress(told, (fact.subject == stored.subject for fact in facts))
    for one, outcome in told:
        yield *one, outcome


def _unequal(stored: DossierRow, derived: DossierRow) -> Iterator[Difference]:
    """The columns that differ; of the judgment its parts."""
    for name, kept, follows in zip(DossierRow._fields[:-1], stored, derived, strict=False):
        if kept != follows:
            yield Difference(stored.subject, "row", name, str(kept), str(follows))
    if stored.judgment == derived.judgment:
        return
    if stored.judge_version != JUDGE_VERSION:  # its fields may be others, so they are not read
        kept, follows = (f"by version {one} of the judging" for one in (stored.judge_version, JUDGE_VERSION))
        yield Difference(stored.subject, "row", "judgment", kept, follows)
    else:
        yield from _unequal_parts(stored.subject, stored.judgment, derived.judgment)


def _unequal_parts(subject: str, kept: bytes, follows: bytes) -> Iterator[Difference]:
    try:
        before, after = unpack(kept), unpack(follows)
    except msgspec.DecodeError:
        yield Difference(subject, "row", "judgment", f"{len(kept)} bytes of no judgment", "a judgment")
        return
    for name in before.__struct_fields__:
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield Difference(subject, "row", f"judgment.{name}", _json(one), _json(other))


def _json(value: object) -> str:
    return _encode(value).decode()


def _shown(content: bytes) -> str:
    return content.decode() if content else "nothing"


def _named(key: tuple[str, str, int]) -> str:
    source, identifier, revision = key
    return f"{source}/{identifier}" + (f" revision {revision}" if revision else "")
