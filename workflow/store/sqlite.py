"""The statements of the store as SQLite runs them: tuples straight to the driver, one statement a table."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from workflow.store.rows import NEXT_OF_ALERT, AlertRow, DossierRow, FactRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from workflow.store.rows import Identity

Row: TypeAlias = tuple[Any, ...]

ONE_VIEW: Final[dict[str, Any]] = {}
"""What makes a transaction see one state of the store to its end: here every one does."""
_DOSSIER: Final = ", ".join(DossierRow._fields)
_FACT: Final = ", ".join(FactRow._fields)
_LOCK: Final = (
    f"SELECT {_DOSSIER} FROM dossiers WHERE subject IN (SELECT value FROM json_each(?)) ORDER BY subject"
)
_LOCK_DUE: Final = (
    f"SELECT {_DOSSIER} FROM dossiers WHERE subject IN (SELECT subject FROM dossiers WHERE next_due_at <= ?"
    " ORDER BY next_due_at LIMIT ?) ORDER BY subject"
)
_APPEND: Final = f"INSERT INTO facts ({_FACT}) VALUES ({', '.join('?' * len(FactRow._fields))})"
_INSERT: Final = f"INSERT INTO dossiers ({_DOSSIER}) VALUES ({', '.join('?' * len(DossierRow._fields))})"
_SET: Final = ", ".join(f"{name} = ?" for name in DossierRow._fields[1:])
_UPDATE: Final = f"UPDATE dossiers SET {_SET} WHERE subject = ? AND version = ? - 1"
_ALERT: Final = ", ".join(AlertRow._fields)
_KEEP: Final = (
    f"INSERT INTO alerts ({_ALERT}) VALUES ({', '.join('?' * len(AlertRow._fields))}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in AlertRow._fields[1:])
    + f" WHERE {NEXT_OF_ALERT}"
)
_KNOWN: Final = (
    "SELECT f.subject, f.source, f.id, f.revision, f.digest FROM json_each(?) j CROSS JOIN facts f"
    " WHERE f.subject = json_extract(j.value, '$[0]') AND f.source = json_extract(j.value, '$[1]')"
    " AND f.id = json_extract(j.value, '$[2]') AND f.revision = json_extract(j.value, '$[3]')"
)
"""One look into the index for each identity, in that order (CROSS JOIN); a list of row values costs ten times that."""
_FLAGS: Final = {None: None, 0: False, 1: True}
_BOOLEANS: Final = [
    DossierRow._fields.index(name) for name in ("appointment_late", "committed_late", "deviated")
]


def lock(connection: Connection, subjects: Sequence[str]) -> list[DossierRow]:
    """The dossiers of these sorted subjects. The write lock of the file is held already."""
    return list(map(dossier, gather(connection, _LOCK, (_json(subjects),))))


def lock_due(connection: Connection, by: int, limit: int) -> list[DossierRow]:
    """The dossiers that are due, the earliest first, at most so many, sorted by subject."""
    return list(map(dossier, gather(connection, _LOCK_DUE, (by, limit))))


def known(connection: Connection, identities: Sequence[Identity]) -> list[Row]:
    """Those of the identities that are there, each with its digest."""
    return gather(connection, _KNOWN, (_json(identities),))


def append(connection: Connection, rows: Sequence[FactRow]) -> None:
    """Appends facts."""
    connection.exec_driver_sql(_APPEND, list(rows))


def put(connection: Connection, new: Sequence[DossierRow], changed: Sequence[DossierRow]) -> int:
    """Writes dossiers; the number of those whose version was the one before."""
    done = 0
    if new:
        done += connection.exec_driver_sql(_INSERT, list(new)).rowcount
    if changed:
        values = [(*row[1:], row[0], row.version) for row in changed]
        done += connection.exec_driver_sql(_UPDATE, values).rowcount
    return done


def keep_alerts(connection: Connection, rows: Sequence[AlertRow]) -> int:
    """Writes alerts, new ones and those that changed; how many were as their writers knew them."""
    done = connection.exec_driver_sql(_KEEP, list(rows))
    return done.rowcount


def gather(connection: Connection, statement: str, values: Row = ()) -> list[Row]:
    """All rows at once."""
    cursor = connection.exec_driver_sql(marked(statement), values).cursor
    return [] if cursor is None else list(cursor.fetchall())


def stream(connection: Connection, statement: str, values: Row = ()) -> Iterator[Row]:
    """Rows as they come."""
    cursor = connection.exec_driver_sql(marked(statement), values).cursor
    while rows := cursor.fetchmany(2_000) if cursor is not None else []:
        yield from rows


def among(column: str, kind: Literal["text", "int8"] = "text") -> str:  # noqa: ARG001 - SQLite needs no type
    """A condition with one parameter that takes `listed`."""
    return f"{column} IN (SELECT value FROM json_each(%s))"


def listed(values: Iterable[str | int]) -> object:
    """Texts or numbers as one parameter."""
    return _json(list(values))


@contextmanager
def alone(connection: Connection, name: str, *, oust: bool) -> Iterator[bool]:  # noqa: ARG001 - a process is not ended
    """Whether this process has the lock of that name until the block ends: of a file beside the database, since a
    database file that is opened and closed once more loses its own locks."""
    database = Path(str(connection.engine.url.database)).resolve()
    with database.with_name(f"{database.name}-{name}").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def dossier(row: Row) -> DossierRow:
    """A dossier of its columns."""
    values = list(row)
    for index in _BOOLEANS:
        values[index] = _FLAGS[values[index]]
    return DossierRow._make(values)


def marked(statement: str) -> str:
    """A statement with this driver's marks for its parameters."""
    return statement.replace("%s", "?")


def _json(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()


def wait_at_most(_connection: Connection, _lock_ms: int) -> None:
    """Nothing: the one write lock is held already."""


def oust(_connection: Connection, _stream: str, _partition: int) -> None:
    """Nothing: SQLite cannot end another process."""
