"""The database's errors as ours: nobody outside the store sees one of a driver."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from workflow.errors import StoreChanged, StoreDamaged, StoreError, StoreNotWritable, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raises a StoreError for what the database refuses inside; `place` names the database in it."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _ours(error, place) from error


def _ours(error: SQLAlchemyError, place: str) -> StoreError:
    said = getattr(error, "orig", None) or error
    name = getattr(said, "sqlite_errorname", "")
    values = {"place": place, "found": str(said)}
    if name.startswith("SQLITE_READONLY"):
        return StoreNotWritable(
            "{place}: expected a database that can be written, found {found}; give this account the right to write "
            "the file and its folder",
            **values,
        )
    if name == "SQLITE_FULL":
        return StoreNotWritable(
            "{place}: expected room on the disk, found {found}; free some and start again, nothing was lost",
            reason="store_full",
            **values,
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return StoreUnreachable(
            "{place}: expected a database that answers, found {found}; see that the folder exists and that no other "
            "process holds the file, then try again",
            **values,
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreDamaged(
            "{place}: expected a sound database, found {found}; put the last backup in its place", **values
        )
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return StoreChanged(
            "{place}: expected rows that nobody had written yet, found {found}; read again and retry",
            **values,
        )
    return StoreError("{place}: expected the database to do as told, found {found}; report this", **values)
