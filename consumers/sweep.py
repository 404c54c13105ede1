"""Dossiers judged anew where what they rest on is no longer what counts: after a new calendar, procedure, source or
engine. What differs is said; everything else stays as it was.

The definitions are archived at one instant, and every dossier is judged as of it. Then batch after batch goes on in the
order of the dossiers, each with how far it came in its own transaction, so that a sweep that was stopped goes on.

Where nothing but the calendar is another, and of a dossier all took place while it could be late by both calendars or
by neither, it is not folded again: its dates are counted anew.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from consumers.apply import refold
from consumers.stories import locked
from workflow.alerts.office import FAR
from workflow.catalogue import JUDGE_VERSION
from workflow.choosing import in_force
from workflow.clocks.calendar import CalendarDefinition, alike_until
from workflow.sources import UNKNOWN_SOURCE, SourceDefinition
from workflow.store import sweeps
from workflow.store.judgments import kept
from workflow.store.rows import DossierRow, SweepRow, from_us, to_us
from workflow.store.said import indexed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from consumers.judging import FactId
    from workflow.catalogue import Catalogue, Definition
    from workflow.model import Dossier, Outcome
    from workflow.rules import Rules
    from workflow.store.said import Said
    from workflow.store.store import Reading, Store, Writing

BATCH: Final = 500
"""Dossiers judged anew in one transaction: few enough that other writers of the same dossiers hardly wait."""
LOOKED_AT: Final = 10_000
"""Dossiers looked at together at most, where most need nothing: a batch begins with as many as it may judge."""

Shown: TypeAlias = str | bool | datetime | None
COMPARED: Final = (
    "procedure",
    "revision",
    "state",
    "appointment_due_at",
    "appointment_late",
    "committed_due_at",
    "committed_late",
    "released_at",
    "deviated",
    "blocked",
)
"""What of a dossier may move and is told, with its old and new value."""


class Change(Struct, frozen=True):
    """One value that moved."""

    what: str
    before: Shown
    after: Shown


class Moved(Struct, frozen=True):
    """A dossier that came to something else. `because`: which of the things it rests on are others now. `outcomes`: of
    how many facts something else was said."""

    subject: str
    because: tuple[str, ...]
    changes: tuple[Change, ...]
    outcomes: int


class Swept(Struct, frozen=True):
    """How far a sweep has come, and the dossiers of its last batch that moved."""

    row: SweepRow
    moved: tuple[Moved, ...]


class Asked(NamedTuple):
    """Why a dossier is judged anew. `version`: its row's, where nothing but the calendar is another."""

    because: tuple[str, ...]
    version: int | None


def reasons(row: DossierRow, catalogue: Catalogue, *, steps_told: bool = True) -> tuple[str, ...]:
    """Why a dossier must be judged anew; none where it rests on what counts. Pure.

    `procedure`: its revision is not there or says something else, another is in force on its date of receipt, or its
    code, judged by the generic procedure so far, has a procedure of its own now. `calendar`, `engine`: they are others
    now. `blocked`: it could not be judged, and is tried again. `steps_told`: a source that reports steps tells of it.
    """
    rules = catalogue.rules(row.procedure, row.revision)
    if row.blocked is not None:
        return ("blocked",)
    if (
        rules is None
        or not catalogue.judges(row.code, rules, steps_told=steps_told)
        or _received_under(row, rules) is not rules
    ):
        return ("procedure",)
    basis = catalogue.basis(rules)
    pairs = (
        ("procedure", row.fingerprint, basis.fingerprint),
        ("calendar", row.calendar, basis.calendar),
        ("engine", row.judge_version, basis.judge_version),
    )
    return tuple(name for name, kept, counts in pairs if kept != counts)


def _received_under(row: DossierRow, rules: Rules) -> Rules:
    """The revision in force on the date of receipt. A dossier that was migrated to another is only looked at again, as
    is every one of which a move was ever told: one to a revision that was not known may take effect now."""
    if len(rules.family) == 1 or row.received_at is None:
        return rules
    return in_force(rules.family, from_us(row.received_at))


def differing(kept: Iterable[Definition], catalogue: Catalogue) -> tuple[str, ...]:
    """The sources whose order or rights differ from what was kept of them last: all their dossiers are judged anew.

    Pure. `kept`: definitions, the first recorded first.
    """
    last = {
        one.name: msgspec.json.decode(one.content, type=SourceDefinition).order()
        for one in kept
        if one.kind == "source"
    }
    return tuple(
        sorted(name for name, order in catalogue.orders.items() if last.get(name, UNKNOWN_SOURCE) != order)
    )


def known_alike(kept: Iterable[Definition], catalogue: Catalogue) -> dict[str, datetime]:
    """Until when each calendar that was kept judges as its namesake of the catalogue does, by fingerprint. Pure."""
    found: dict[str, datetime] = {}
    for one in kept:
        now = catalogue.calendars.get(one.name)
        if one.kind == "calendar" and now is not None:
            older = msgspec.json.decode(one.content, type=CalendarDefinition)
            found[one.fingerprint] = alike_until(older, now.definition) or FAR
    return found


def stands(dossier: Dossier, alike: datetime) -> bool:
    """Whether what became of a dossier's facts is the same by two calendars that judge alike until then: all of them
    took effect before, and none broke a rule of another kind than a date. Such a violation may name the date, and an
    alert on a refused event wait for working hours. Pure."""
    last = dossier.last_key
    return (
        last is not None and last[0] < alike and all(kind == "deadline" for kind in dossier.broken.values())
    )


def moved(before: DossierRow, after: DossierRow, because: tuple[str, ...], outcomes: int) -> Moved | None:
    """What of a dossier came to something else; None where nothing did. Pure."""
    changes = tuple(
        Change(name, _shown(name, one), _shown(name, other))
        for name in COMPARED
        if (one := getattr(before, name)) != (other := getattr(after, name))
    )
    return Moved(before.subject, because, changes, outcomes) if changes or outcomes else None


class Sweep:
    """One run over a store. Without `keep` nothing is kept: it tells what would move."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        now: datetime,
        *,
        keep: bool = True,
        batch: int = BATCH,
        everything: bool = False,
    ) -> None:
        """Archives what is new among the definitions, at `now`, unless an earlier run that was stopped did.

        `everything`: dossiers that rest on what counts are judged anew too, which mends rows that are not what follows.
        Raises LedgerError for a definition that was edited after its first use, StoreError.
        """
        self.store, self.catalogue, self.keep, self.batch = store, catalogue, keep, batch
        self._everything = everything
        with store.writing(keep=keep) as writing:
            self.row = _begun(writing, catalogue, _target(catalogue, everything=everything), to_us(now))
            self._alike = known_alike(writing.definitions(), catalogue)
        self._sources: list[str] = msgspec.json.decode(self.row.sources)
        self._said: Said | None = None

    def batches(self) -> Iterator[Swept]:
        """Judges anew, batch by batch. Raises StoreError; another run goes on after the last batch that was kept."""
        with ExitStack() as held:
            while not self.row.finished:
                with self.store.reading() as reading:
                    found, after = self._next(reading)
                yield self._batch(found, after, held)

    def _told(self, rows: Iterable[str], held: ExitStack) -> Mapping[str, Mapping[FactId, Outcome]]:
        """What was said of the facts of dossiers; all is read once the first must be folded anew."""
        if self._said is None:
            with self.store.reading() as reading:
                self._said = held.enter_context(indexed(reading))
        return self._said.of(rows)

    def _next(self, reading: Reading) -> tuple[dict[str, Asked], str | None]:
        """The next dossiers to judge anew, each with why, and the last one looked at; None at the end."""
        found: dict[str, Asked] = {}
        after, size = self.row.after, self.batch
        while rows := sweeps.dossiers_after(reading, after, size):
            size = min(2 * size, LOOKED_AT)
            told = (
                sweeps.told_by(reading, self._sources, [row.subject for row in rows]) if self._sources else ()
            )
            subjects = [row.subject for row in rows if len(self.catalogue.family(row.code)) > 1]
            migrated = sweeps.migrated(reading, subjects) if subjects else ()
            by_milestones = self._by_milestones(reading, rows)
            for row in rows:
                after = row.subject
                because = reasons(row, self.catalogue, steps_told=after not in by_milestones)
                because = because or (("procedure",) if after in migrated else ())
                because += ("source",) if after in told else ()
                because = because or (("asked",) if self._everything else ())
                plain = because == ("calendar",) and after not in migrated and not self._everything
                if because:
                    found[after] = Asked(because, row.version if plain else None)
                if len(found) == self.batch:
                    return found, after
        return found, None

    def _by_milestones(self, reading: Reading, rows: Iterable[DossierRow]) -> set[str]:
        """Those of the dossiers that the generic procedure judges though their code is modelled, since only sources
        that report milestones tell of them."""
        generic = self.catalogue.family(None)
        asked = {
            row.subject
            for row in rows
            if row.procedure == self.catalogue.generic and self.catalogue.family(row.code) is not generic
        }
        by = [name for name, order in self.catalogue.orders.items() if not order.steps]
        return asked - sweeps.told_otherwise(reading, by, asked) if asked else set()

    def _batch(self, found: Mapping[str, Asked], after: str | None, held: ExitStack) -> Swept:
        with locked(self.store, found, keep=self.keep) as (writing, rows):
            moves = self._judged(writing, rows, found, held) if rows else ()
            last = self.row
            row = last._replace(
                after=last.after if after is None else after,
                dossiers=last.dossiers + len(rows),
                moved=last.moved + len(moves),
                finished=after is None,
            )
            sweeps.keep(writing, row)
        self.row = row
        return Swept(row, moves)

    def _judged(
        self, writing: Writing, rows: Mapping[str, DossierRow], found: Mapping[str, Asked], held: ExitStack
    ) -> tuple[Moved, ...]:
        standing = {
            subject: dossier
            for subject, one in found.items()
            if subject in rows and (dossier := self._standing(rows[subject], one.version)) is not None
        }
        folded = [subject for subject in rows if subject not in standing]
        told = self._told(folded, held) if folded else {}
        now_us = self.row.recorded_at
        _, touched = refold(writing, self.catalogue, rows, now_us=now_us, told=told, standing=standing)
        moves = [
            moved(
                rows[one.subject],
                one.row,
                found[one.subject].because if one.subject in found else (),
                sum(d.outcome is not None for d in one.decisions),
            )
            for one in touched
            if one.row is not None
        ]
        return tuple(one for one in moves if one is not None)

    def _standing(self, row: DossierRow, version: int | None) -> Dossier | None:
        """The kept judgment of a dossier of which only the dates need be counted anew; None of any other, and of one
        that was written since it was looked at."""
        alike = self._alike.get(row.calendar or "")
        if alike is None or row.version != version or row.linked is not None:
            return None
        dossier = kept(row)
        return dossier if stands(dossier, alike) else None


def _begun(writing: Writing, catalogue: Catalogue, target: str, now_us: int) -> SweepRow:
    """The row of a run that was stopped, or of a new one; this takes over what others that were stopped had to do."""
    unfinished = sweeps.unfinished(writing)
    if target in unfinished:
        return unfinished[target]
    kept = writing.definitions()
    used = [catalogue.rules(one.name, one.revision) for one in kept if one.kind == "procedure"]
    in_force = catalogue.used(rules for rules in used if rules is not None)
    writing.archive(in_force, now_us, into_force=True)
    sources = {*differing(kept, catalogue)}
    for other in unfinished.values():
        sources.update(msgspec.json.decode(other.sources, type=list[str]))
        sweeps.keep(writing, other._replace(finished=True))
    told = msgspec.json.encode(sorted(sources)).decode()
    begun = SweepRow(target, now_us, told, after="", dossiers=0, moved=0, finished=False)
    sweeps.keep(writing, begun)
    return begun


def _target(catalogue: Catalogue, *, everything: bool) -> str:
    """What tells these definitions and this engine from all others, and a run over everything from one over some."""
    used = catalogue.used(rules for family in catalogue.families.values() for rules in family.values())
    told = [JUDGE_VERSION, *sorted(one.fingerprint for one in used)]
    told += ["everything"] if everything else []
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _shown(name: str, value: object) -> Shown:
    if name.endswith("_at") and isinstance(value, int):
        return from_us(value)
    return value if isinstance(value, str | bool) else None
