"""How far the dossiers of a store have been judged anew, and which come next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.store.rows import DossierRow, SweepRow
from workflow.store.tables import BESIDE_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.store.store import Reading, Writing

ACTED: Final = "dossier.acted.v1"
OPENED: Final = "dossier.opened.v1"
MIGRATED: Final = "dossier.migrated.v1"
_COLUMNS: Final = ", ".join(SweepRow._fields)
_KEEP: Final = (
    f"INSERT INTO sweeps ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (target) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in SweepRow._fields[1:])
)


def unfinished(reading: Reading) -> dict[str, SweepRow]:
    """The sweeps that were begun and not brought to their end, by their targets."""
    rows = reading.rows(f"SELECT {_COLUMNS} FROM sweeps WHERE NOT finished")
    return {row[0]: SweepRow._make((*row[:-1], bool(row[-1]))) for row in rows}


def keep(writing: Writing, sweep: SweepRow) -> None:
    """Keeps how far a sweep has come."""
    writing.run(_KEEP, tuple(sweep))


def dossiers_after(reading: Reading, subject: str, limit: int) -> list[DossierRow]:
    """The next dossiers by their code, at most so many; their judgments are left out."""
    names = ", ".join(DossierRow._fields[:-1])
    statement = f"SELECT {names} FROM dossiers WHERE subject > %s ORDER BY subject LIMIT %s"
    return [DossierRow._make((*row, b"")) for row in reading.rows(statement, (subject, limit))]


def told_by(reading: Reading, sources: Iterable[str], subjects: Iterable[str]) -> set[str]:
    """Those of the dossiers that have a fact of one of the sources."""
    statement = "SELECT DISTINCT subject FROM facts WHERE {subject} AND {source}"
    return {subject for (subject,) in reading.rows(statement, subject=subjects, source=sources)}


def told_otherwise(reading: Reading, sources: Iterable[str], subjects: Iterable[str]) -> set[str]:
    """Those of the dossiers of which another source than these told an act or an opening balance."""
    statement = (
        f"SELECT DISTINCT subject FROM facts WHERE type IN ('{ACTED}', '{OPENED}') AND {{subject}} "
        "AND NOT {source}"
    )
    return {subject for (subject,) in reading.rows(statement, subject=subjects, source=sources)}


def migrated(reading: Reading, subjects: Iterable[str]) -> set[str]:
    """Those of the dossiers that were ever told to be moved to another revision of their procedure."""
    statement = (
        f"SELECT DISTINCT subject FROM facts WHERE {BESIDE_ONLY} AND type = '{MIGRATED}' AND {{subject}}"
    )
    return {subject for (subject,) in reading.rows(statement, subject=subjects)}
