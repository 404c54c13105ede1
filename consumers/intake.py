"""What of a batch is to be taken: made ready, told apart from what is there already, and the dead letters among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from workflow.errors import InputError, Words
from workflow.facts import CORRECTIONS, STANDING_ALONE, begins_dossier
from workflow.kept import as_kept
from workflow.store.bodies import Bodies, Prepared, Told, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from workflow.facts import Fact
    from workflow.store.rows import DossierRow
    from workflow.store.store import Store, Writing

Taken: TypeAlias = tuple[Told, Prepared]
_KNOWN_BEFORE: Final = STANDING_ALONE | CORRECTIONS
"""What alone does not tell whether its subject is a dossier: what was told before does."""


class Dead(NamedTuple):
    """A message that could not be taken, and why. `detail`: as `workflow.kept` keeps it."""

    told: Told
    reason: str
    detail: str


def kept_in(store: Store) -> Callable[[Iterable[str]], list[Fact]]:
    """Asks a store for all facts of the dossiers of some codes, as they are when it is asked."""

    def kept(subjects: Iterable[str]) -> list[Fact]:
        with store.reading() as reading:
            return list(reading.facts(subjects))

    return kept


def prepared(batch: Sequence[Told]) -> tuple[list[Taken], list[Dead]]:
    """Each message with its fact as the row will tell it; those that have no canonical form are dead letters."""
    taken: list[Taken] = []
    dead: list[Dead] = []
    bodies = Bodies()
    for told in batch:
        try:
            taken.append((told, prepare(told.fact, bodies)))
        except InputError as fault:
            dead.append(Dead(told, fault.code, as_kept(fault)))
    return taken, dead


def about_officers(writing: Writing, taken: list[Taken], rows: dict[str, DossierRow]) -> set[str]:
    """The codes of officers among those that corrections and erasures name: these begin no dossier either."""
    told: dict[str, list[Fact]] = {}
    for _, one in taken:
        if one.fact.subject not in rows:
            told.setdefault(one.fact.subject, []).append(one.fact)
    bodies = {subject: {type(fact.body) for fact in facts} for subject, facts in told.items()}
    asked = {
        subject
        for subject, found in bodies.items()
        if found <= _KNOWN_BEFORE and not found.isdisjoint(CORRECTIONS)
    }
    for fact in writing.facts(asked) if asked else ():
        told[fact.subject].append(fact)
    return {subject for subject in asked if not begins_dossier(told[subject])}


def new_ones(
    writing: Writing, taken: list[Taken], rows: dict[str, DossierRow], alone_too: set[str]
) -> tuple[list[Taken], int, list[Dead]]:
    """What is not there yet, how much was there, and what contradicts what is there."""
    facts = [one.fact for _, one in taken]
    identities = [(fact.subject, fact.source, fact.id, fact.revision) for fact in facts]
    seen = writing.known(
        [
            identity
            for identity, (_, one) in zip(identities, taken, strict=True)
            if identity[0] in rows or identity[0] in alone_too or type(one.fact.body) in STANDING_ALONE
        ]
    )
    fresh: list[Taken] = []
    conflicts: list[Dead] = []
    duplicates = 0
    for identity, (told, one) in zip(identities, taken, strict=True):
        digest = seen.setdefault(identity, one.digest)
        if digest is one.digest:
            fresh.append((told, one))
        elif digest == one.digest:
            duplicates += 1
        else:
            conflicts.append(Dead(told, "id_conflict", as_kept(_conflict(*identity))))
    return fresh, duplicates, conflicts


def _conflict(subject: str, source: str, identifier: str, revision: int) -> Words:
    return Words(
        "{subject}/{source}/{id} revision {revision} has other content",
        subject=subject,
        source=source,
        id=identifier,
        revision=revision,
    )
