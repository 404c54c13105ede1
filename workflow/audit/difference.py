"""What was known of the dossiers at two moments: which judgments differ, and which facts or definitions did it.

Both are read as of the same moment, so that nothing differs by the passing of time alone.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from msgspec import Struct

from workflow.audit.views import View, view
from workflow.facts import Acted
from workflow.judge import FAULTS, judge
from workflow.model import Outcome
from workflow.store.bodies import Bodies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.audit.archive import Archive
    from workflow.catalogue import Catalogue, Definition
    from workflow.facts import Fact
    from workflow.store.store import Reading

Value: TypeAlias = str | bool | datetime | None
COMPARED: Final = tuple(name for name in View.__struct_fields__ if name not in ("subject", "since"))
FactId: TypeAlias = tuple[str, str, int]


class Change(Struct, frozen=True):
    """One thing known otherwise."""

    what: str
    before: Value
    after: Value


class NewFact(Struct, frozen=True):
    """A fact that became known in between, and what became of it. `action`: what it tells, else its type."""

    source: str
    id: str
    revision: int
    action: str
    occurred_at: datetime
    recorded_at: datetime | None
    status: str | None


class Rejudged(Struct, frozen=True):
    """A fact that was known before, of which something else follows now."""

    source: str
    id: str
    revision: int
    before: Outcome
    after: Outcome


class NewDefinition(Struct, frozen=True):
    """A definition that was first used in between."""

    kind: str
    name: str
    revision: str
    recorded_at: datetime


class Differing(Struct, frozen=True):
    """A dossier known otherwise. `facts` and `definitions`: those of in between that did it."""

    subject: str
    changes: tuple[Change, ...]
    facts: tuple[NewFact, ...]
    rejudged: tuple[Rejudged, ...]
    definitions: tuple[NewDefinition, ...]


class Known(NamedTuple):
    """What followed from what was known: the dossier as a line, and each fact's outcome. A dossier that could not be
    judged says why. `hours`: which of its calendar's it was counted by, None for the usual ones."""

    view: View | None
    outcomes: dict[FactId, Outcome]
    blocked: str | None = None
    rests_on: frozenset[tuple[str, str]] = frozenset()
    hours: str | None = None


NOTHING: Final = Known(None, {})


class Comparison:
    """One run over a store. `dossiers` grows while the differences are taken."""

    def __init__(self, reading: Reading, archive: Archive, first: datetime, second: datetime) -> None:
        """`first`, `second`: the two moments of knowledge; everything is read as of the second."""
        self.dossiers = 0
        self._reading, self._first, self._second = reading, first, second
        self._between = reading.definitions_between(first, second)
        self._older, self._newer = archive.known_at(first), archive.known_at(second)

    @property
    def definitions(self) -> tuple[NewDefinition, ...]:
        """All definitions first used in between."""
        return tuple(_definition(one, at) for one, at in self._between)

    def differing(self) -> Iterator[Differing]:
        """The dossiers known otherwise, by their code. Where no definition came, only those with new facts are read."""
        touched = None if self._between else self._reading.subjects_between(self._first, self._second)
        bodies = Bodies()
        for subject, rows in groupby(self._reading.fact_rows(touched), key=itemgetter(0)):
            self.dossiers += 1
            facts = [fact for row in rows if _recorded(fact := bodies.fact(row)) <= self._second]
            found = self._dossier(subject, facts)
            if found is not None:
                yield found

    def _dossier(self, subject: str, facts: Sequence[Fact]) -> Differing | None:
        older = [fact for fact in facts if _recorded(fact) <= self._first]
        new = [fact for fact in facts if _recorded(fact) > self._first]
        if not new and not (older and self._between):
            return None
        before = self._known(self._older, subject, older)
        # A dossier that is new altogether came with its facts, whatever definitions came with it.
        older_rules = self._older if older else self._newer
        middle = self._known(older_rules, subject, facts) if new else before
        after = self._known(self._newer, subject, facts) if self._between else middle
        changes, rejudged = _changes(before, after), _rejudged(before, after)
        if not changes and not rejudged:
            return None
        told = tuple(_new(fact, after) for fact in new) if _differ(before, middle) else ()
        did = self._did(middle, after, facts) if _differ(middle, after) else ()
        return Differing(subject, changes, told, rejudged, did)

    def _known(self, catalogue: Catalogue, subject: str, facts: Sequence[Fact]) -> Known:
        if not facts:
            return NOTHING
        try:
            judgment = judge(catalogue, subject, facts).judgment
            shown = view(judgment.rules, judgment.dossier, self._second)
        except FAULTS as fault:
            return Known(None, {}, str(fault))
        outcomes = {
            (fact.source, fact.id, fact.revision): outcome
            for fact, outcome in zip(judgment.facts, judgment.outcomes, strict=True)
        }
        revision = judgment.rules.revision
        rests_on = {("procedure", revision.procedure), ("calendar", revision.calendar or "")}
        timetable = judgment.rules.clock.timetable
        hours = None if timetable is None else timetable.hours(judgment.dossier.hours_of)
        return Known(shown, outcomes, None, frozenset(rests_on), hours)

    def _did(self, middle: Known, after: Known, facts: Sequence[Fact]) -> tuple[NewDefinition, ...]:
        """The definitions of in between that the dossier rests on; the organisation where it gave it other hours."""
        rests_on = after.rests_on | {("source", fact.source) for fact in facts}
        organisation = self._newer.organisation
        if organisation is not None and middle.hours != after.hours:
            rests_on |= {("organisation", organisation.organisation)}
        return tuple(_definition(one, at) for one, at in self._between if (one.kind, one.name) in rests_on)


def _recorded(fact: Fact) -> datetime:
    assert fact.recorded_at is not None  # noqa: S101 - facts of a store have one
    return fact.recorded_at


def _differ(one: Known, other: Known) -> bool:
    return one.view != other.view or one.blocked != other.blocked or one.outcomes != other.outcomes


def _changes(before: Known, after: Known) -> tuple[Change, ...]:
    pairs = [(name, _value(before, name), _value(after, name)) for name in COMPARED]
    return tuple(Change(name, one, other) for name, one, other in pairs if one != other)


def _value(known: Known, name: str) -> Value:
    if name == "blocked":
        return known.blocked
    found: Value = getattr(known.view, name, None)
    return found


def _rejudged(before: Known, after: Known) -> tuple[Rejudged, ...]:
    return tuple(
        Rejudged(*key, one, after.outcomes[key])
        for key, one in before.outcomes.items()
        if key in after.outcomes and after.outcomes[key] != one
    )


def _new(fact: Fact, after: Known) -> NewFact:
    body = fact.body
    action = body.action if isinstance(body, Acted) else str(type(body).__struct_config__.tag)
    outcome = after.outcomes.get((fact.source, fact.id, fact.revision))
    return NewFact(
        fact.source,
        fact.id,
        fact.revision,
        action,
        fact.occurred_at,
        fact.recorded_at,
        None if outcome is None else outcome.status,
    )


def _definition(one: Definition, at: datetime) -> NewDefinition:
    return NewDefinition(one.kind, one.name, one.revision, at)
