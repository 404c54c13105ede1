"""Stored dossiers judged again, each by the definitions its row names."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from workflow.judge import FAULTS, Judged, judge
from workflow.links import stories
from workflow.store.judgments import Standing, pack, row, story_row
from workflow.store.rows import DossierRow, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from workflow.audit.archive import Archive
    from workflow.catalogue import Basis, Catalogue
    from workflow.facts import Fact
    from workflow.rules import Rules

    Named: TypeAlias = tuple[str, str, str, str | None]

_NAMED = slice(DossierRow._fields.index("procedure"), DossierRow._fields.index("judge_version"))
"""The columns that name the definitions a dossier was judged by."""
_BASIS_END = _NAMED.stop
_UNDATED = "code", "procedure", "revision", "fingerprint", "calendar", "state", "facts", "judgment"
_undated = attrgetter(*_UNDATED)


class Again(NamedTuple):
    """A dossier judged again: its judgment, its row, and whether by other definitions than the newest."""

    judged: Judged
    row: DossierRow
    older: bool = False


class Rejudging:
    """Dossiers judged again by what an archive keeps. Remembers which of its catalogues a row may rest on."""

    def __init__(self, archive: Archive, *, dates: bool) -> None:
        """Without `dates` the due dates of a row are taken over from it."""
        self._archive, self._newest, self._dates = archive, archive.newest, dates
        self._catalogues: dict[Named, tuple[Catalogue, ...]] = {}

    def judged(
        self, stored: DossierRow, facts: Sequence[Fact], told: Mapping[str, Sequence[Fact]]
    ) -> Again | str:
        """The dossier by the definitions its row names; why not, where that cannot be done.

        `told`: the facts of every code of its story, empty for a dossier of one code.
        """
        first: Again | str | None = None
        for catalogue in self._named(stored):
            found = self._again(catalogue, stored, facts, told)
            first = first or found
            if not isinstance(found, str) and found.row[:_BASIS_END] == stored[:_BASIS_END]:
                return found if catalogue is self._newest else found._replace(older=True)
        return first or "its definitions are not archived"

    def _named(self, stored: DossierRow) -> tuple[Catalogue, ...]:
        """The catalogues that hold what a row names, the newest first."""
        named: Named = stored[_NAMED]  # type: ignore[assignment] # mypy sees through no slice by name
        found = self._catalogues.get(named)
        if found is None:
            found = tuple(self._archive.candidates(stored))
            if found:  # what rows name that were tampered with is not remembered
                self._catalogues[named] = found
        return found

    def _again(
        self,
        catalogue: Catalogue,
        stored: DossierRow,
        facts: Sequence[Fact],
        told: Mapping[str, Sequence[Fact]],
    ) -> Again | str:
        try:
            if told:
                return _story_again(catalogue, stored, facts, told)
            judged = judge(catalogue, stored.subject, facts)
            judgment = judged.judgment
            basis = _basis(catalogue, judgment.rules, stored)
            if not self._dates:
                return Again(judged, _without_dates(stored, judged, basis, len(facts)))
            at = from_us(stored.last_recorded_at)
            counted = judgment.rules.clock.governing(judgment.dossier, at=at)
            standing = _standing(stored, judged, len(facts))
            return Again(judged, row(judgment.rules, basis, judgment.dossier, standing, counted))
        except FAULTS as fault:
            return str(fault)


def _story_again(
    catalogue: Catalogue, stored: DossierRow, facts: Sequence[Fact], told: Mapping[str, Sequence[Fact]]
) -> Again:
    """One code of a story, by the facts of all. Raises one of FAULTS."""
    story = next(one for one in stories(catalogue.orders, told) if stored.subject in one.codes)
    together = [fact for code in story.codes for fact in told.get(code, ())]
    judged = judge(catalogue, story.head, together)
    judgment = judged.judgment
    basis = _basis(catalogue, judgment.rules, stored)
    recorded = [to_us(fact.recorded_at) for fact in together if fact.recorded_at is not None]
    latest = max([*recorded, stored.last_recorded_at])
    dates = judgment.rules.clock.governing(judgment.dossier, at=from_us(latest))
    standing = _standing(stored, judged, len(facts))
    found = story_row(judgment.rules, basis, judgment.dossier, standing, dates, story, stored.subject, latest)
    return Again(judged, found)


def _basis(catalogue: Catalogue, rules: Rules, stored: DossierRow) -> Basis:
    """What a judgment rests on, said of the version of the engine that judged last: what it says is compared."""
    found = catalogue.basis(rules)
    same = found.judge_version == stored.judge_version
    return found if same else found._replace(judge_version=stored.judge_version)


def _standing(stored: DossierRow, judged: Judged, facts: int) -> Standing:
    """What a row says beside its judgment. When to look again is no judgment: the ticker moves it as time passes."""
    return Standing(
        judged.code,
        stored.version,
        facts,
        stored.last_recorded_at,
        alerts=stored.alerts,
        next_due_at=stored.next_due_at,
    )


def _without_dates(stored: DossierRow, judged: Judged, basis: Basis, facts: int) -> DossierRow:
    """The row with what follows without counting any date."""
    rules, dossier = judged.judgment.rules, judged.judgment.dossier
    found = (
        judged.code,
        rules.revision.procedure,
        dossier.revision,
        basis.fingerprint,
        basis.calendar,
        dossier.state,
        facts,
        pack(dossier),
    )
    if found == _undated(stored):
        return stored
    return stored._replace(**dict(zip(_UNDATED, found, strict=True)))  # type: ignore[arg-type] # by their names
