"""The one place that knows the errors of SQLAlchemy and the drivers: each becomes an error of ours."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from workflow.errors import (
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
    Unstorable,
    VersionConflict,
)
from workflow.store.misread import misread

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from psycopg import Error as PostgresError
except ImportError:  # the extra `pg` is not installed, so no such error can come
    PostgresError = sqlite3.Error  # type: ignore[misc,assignment]


class Known(NamedTuple):
    """A fault of a database: its SQLite codes, the beginnings of its SQLSTATE, and our error."""

    sqlite: tuple[str, ...]
    states: tuple[str, ...]
    error: type[StoreError]
    template: str


KNOWN: Final = (
    Known(
        ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"),
        ("53100",),
        StoreFull,
        "{store}: no room left on the disk ({found}); make room; nothing was half-written, and what goes on running "
        "goes on by itself",
    ),
    Known(
        ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_DIR_FSYNC"),
        ("53400",),
        StoreFull,
        "{store}: cannot be written on ({found}); see that no quota or limit of size is reached and the disk is sound; "
        "nothing was half-written, and what goes on running goes on by itself",
    ),
    Known(
        ("SQLITE_READONLY", "SQLITE_PERM"),
        ("25006", "42501"),
        StoreReadOnly,
        "{store}: takes no writes ({found}); give the account of Dunghen the right to write the file and its folder, "
        "or name a server that is no replica",
    ),
    Known(
        ("SQLITE_NOTADB", "SQLITE_CORRUPT"),
        ("XX001", "XX002"),
        StoreCorrupt,
        "{store}: is no database, or a broken one ({found}); name another file, or restore the last backup",
    ),
    Known(
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        ("55P03", "40001", "40P01", "57014"),
        StoreBusy,
        "{store}: another writer holds it ({found}); try again, and see which other Dunghen is running on it",
    ),
    Known(
        ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_TRIGGER"),
        ("23505",),
        VersionConflict,
        "{store}: another writer was first ({found}); the batch is taken again",
    ),
    Known(
        ("SQLITE_TOOBIG", "SQLITE_MISMATCH", "SQLITE_CONSTRAINT", "SQLITE_RANGE"),
        ("22", "23", "54"),
        Unstorable,
        "{store}: a value cannot be stored ({found}); the message that holds it becomes a dead letter",
    ),
    Known(
        ("SQLITE_CANTOPEN", "SQLITE_IOERR"),
        ("08", "57P", "28", "3D", "53"),
        StoreUnreachable,
        "{store}: does not answer ({found}); check that the path or the server, its database and its account are right",
    ),
)


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turns what a database raises inside into a StoreError that names the store and what to do next."""
    try:
        yield
    except (UnicodeEncodeError, OverflowError) as fault:
        raise Unstorable(
            "{store}: a value cannot be stored ({found}); the message that holds it becomes a dead letter",
            store=store,
            found=_said(fault),
        ) from fault
    except (SQLAlchemyError, sqlite3.Error, PostgresError) as fault:
        raise _error(store, fault) from fault


def _error(store: str, fault: Exception) -> StoreError:
    cause = fault.orig if isinstance(fault, DBAPIError) and fault.orig is not None else fault
    broken = isinstance(fault, DBAPIError) and fault.connection_invalidated
    found = _named(store, cause)
    if found is not None and not (broken and not found.retriable):
        return found
    other = misread(store, cause)
    if other is not None:
        return StoreCorrupt(
            "{store}: in the table {table} the row {row} holds in its column {column} what is no text in UTF-8, which "
            "Dunghen never writes; restore the last backup, and see what else writes into this file",
            store=store,
            table=other.table,
            row=other.row,
            column=other.column,
        )
    if broken or type(cause).__name__ == "OperationalError":
        unreachable = KNOWN[-1]
        return unreachable.error(unreachable.template, store=store, found=_said(cause))
    return StoreError("{store}: {found}; nothing was written, report this", store=store, found=_said(cause))


def _named(store: str, cause: BaseException) -> StoreError | None:
    code = getattr(cause, "sqlite_errorname", None) or ""
    state = getattr(cause, "sqlstate", None) or ""
    for one in KNOWN:
        if (code and code.startswith(one.sqlite)) or (state and state.startswith(one.states)):
            return one.error(one.template, store=store, found=_said(cause))
    return None


def _said(cause: BaseException) -> str:
    return " ".join(str(cause).split()) or type(cause).__name__


def overtaken(store: str, expected: int, found: int) -> VersionConflict:
    """Of so many alerts only those found were as their writer knew them."""
    return VersionConflict(
        "{store}: expected to write {expected} alerts, found {found} of them unchanged by others; what was said is "
        "worked out again",
        store=store,
        expected=expected,
        found=found,
    )
