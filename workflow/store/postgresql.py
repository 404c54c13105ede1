"""The statements of the store as PostgreSQL runs them: COPY for facts, arrays for everything that is looked up."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from workflow.store.rows import NEXT_OF_ALERT, AlertRow, DossierRow, FactRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from workflow.store.rows import Identity

Row: TypeAlias = tuple[Any, ...]

_CURSORS: Final = count()
"""Numbers of cursors: several may be read side by side in one transaction."""

ONE_VIEW: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ"}
"""What makes a transaction see one state of the store to its end, not one for each statement."""
_DOSSIER: Final = ", ".join(DossierRow._fields)
_FACT: Final = ", ".join(FactRow._fields)
_NUMBERS: Final = {
    "judge_version": "int4",
    "alerts": "int4",
    "minutes_left": "int8",
    "version": "int8",
    "facts": "int8",
    "last_recorded_at": "int8",
}
_TYPES: Final = {
    **dict.fromkeys(DossierRow._fields, "text"),
    **{name: "int8" for name in DossierRow._fields if name.endswith("_at")},
    **_NUMBERS,
    **dict.fromkeys(("appointment_late", "committed_late", "deviated"), "bool"),
    "judgment": "bytea",
}
_LOCK: Final = f"SELECT {_DOSSIER} FROM dossiers WHERE subject = ANY(%b::text[]) ORDER BY subject FOR UPDATE"
_LOCK_DUE: Final = (
    f"WITH due AS MATERIALIZED (SELECT {_DOSSIER} FROM dossiers WHERE next_due_at <= %s"
    " ORDER BY next_due_at LIMIT %s FOR UPDATE SKIP LOCKED)"
    f" SELECT {_DOSSIER} FROM due ORDER BY subject"
)
_COPY: Final = f"COPY facts ({_FACT}) FROM STDIN (FORMAT BINARY)"
_FACT_TYPES: Final = [
    *("text", "text", "text", "int8", "text", "int8", "int8", "int8", "int8"),
    *("bytea", "bytea", "bytea", "bytea", "bytea"),
]
_ARRAYS: Final = ", ".join(f"%b::{_TYPES[name]}[]" for name in DossierRow._fields)
"""Lists go in binary, here and below: as text each element is searched for what must be quoted, at four times the
price."""
_INSERT: Final = f"INSERT INTO dossiers ({_DOSSIER}) SELECT * FROM unnest({_ARRAYS})"
_SET: Final = ", ".join(f"{name} = t.{name}" for name in DossierRow._fields[1:])
_UPDATE: Final = (
    f"UPDATE dossiers d SET {_SET} FROM unnest({_ARRAYS}) AS t ({_DOSSIER})"
    " WHERE d.subject = t.subject AND d.version = t.version - 1"
)
_ALERT: Final = ", ".join(AlertRow._fields)
_ALERT_TYPES: Final = ("text",) * 6 + ("int4", "int8", "int8", "bytea")
_KEEP: Final = (
    f"INSERT INTO alerts ({_ALERT}) SELECT * FROM unnest({', '.join(f'%b::{one}[]' for one in _ALERT_TYPES)})"
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in AlertRow._fields[1:])
    + f" WHERE {NEXT_OF_ALERT}"
)
LOCKS: Final = 1_147_498_056
"""The space of our advisory locks, so that another program's of the same database are not taken for ours."""
_OUST: Final = (
    "SELECT pg_terminate_backend(pid, 2000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = %s::int4::oid AND objid = hashtext(%s)::oid AND objsubid = 2"
)
_KNOWN: Final = (
    "SELECT f.subject, f.source, f.id, f.revision, f.digest"
    " FROM unnest(%b::text[], %b::text[], %b::text[], %b::int8[]) AS t (subject, source, id, revision)"
    " JOIN facts f USING (subject, source, id, revision)"
)

_OUST_WRITER: Final = (
    # Who holds the row is asked of the row itself: a number of a process, kept from before, may by now be another's.
    "SELECT pg_terminate_backend(l.pid) FROM positions p JOIN pg_locks l"
    " ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = p.xmax"
    " WHERE p.stream = %s AND p.partition = %s AND l.pid <> pg_backend_pid()"
)


def lock(connection: Connection, subjects: Sequence[str]) -> list[DossierRow]:
    """The dossiers of these sorted subjects, locked in their order."""
    return list(map(DossierRow._make, gather(connection, _LOCK, (list(subjects),))))


def lock_due(connection: Connection, by: int, limit: int) -> list[DossierRow]:
    """The dossiers that are due and that nobody holds, the earliest first, at most so many, sorted by subject."""
    return list(map(DossierRow._make, gather(connection, _LOCK_DUE, (by, limit))))


def known(connection: Connection, identities: Sequence[Identity]) -> list[Row]:
    """Those of the identities that are there, each with its digest."""
    return gather(connection, _KNOWN, tuple(list(column) for column in zip(*identities, strict=True)))


def append(connection: Connection, rows: Sequence[FactRow]) -> None:
    """Appends facts."""
    with _driver(connection, _COPY).cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_FACT_TYPES)
        for row in rows:
            copy.write_row(row)


def put(connection: Connection, new: Sequence[DossierRow], changed: Sequence[DossierRow]) -> int:
    """Writes dossiers; the number of those whose version was the one before."""
    done = 0
    for statement, rows in ((_INSERT, new), (_UPDATE, changed)):
        if rows:
            columns = tuple(list(column) for column in zip(*rows, strict=True))
            done += connection.exec_driver_sql(statement, columns).rowcount
    return done


def keep_alerts(connection: Connection, rows: Sequence[AlertRow]) -> int:
    """Writes alerts, new ones and those that changed; how many were as their writers knew them."""
    done = connection.exec_driver_sql(_KEEP, tuple(list(column) for column in zip(*rows, strict=True)))
    return done.rowcount


def gather(connection: Connection, statement: str, values: Row = ()) -> list[Row]:
    """All rows at once: one question and one answer, where `stream` takes four."""
    found: list[Row] = _driver(connection, statement).execute(statement, values, binary=True).fetchall()
    return found


def stream(connection: Connection, statement: str, values: Row = ()) -> Iterator[Row]:
    """Rows as they come, by a cursor of the server."""
    with _driver(connection, statement).cursor(name=f"rows{next(_CURSORS)}", binary=True) as cursor:
        cursor.itersize = 5_000
        cursor.execute(statement, values)
        yield from cursor


def among(column: str, kind: Literal["text", "int8"] = "text") -> str:
    """A condition with one parameter that takes `listed`."""
    return f"{column} = ANY(%b::{kind}[])"


def listed(values: Iterable[str | int]) -> object:
    """Texts or numbers as one parameter."""
    return list(values)


@contextmanager
def alone(connection: Connection, name: str, *, oust: bool) -> Iterator[bool]:
    """Whether the connection has the lock of that name, until the block or the connection ends."""
    lock = (LOCKS, name)
    with connection.begin():
        if oust:
            connection.exec_driver_sql(_OUST, lock)
        free = connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s, hashtext(%s))", lock).scalar()
    yield bool(free)
    if free:
        with connection.begin():
            connection.exec_driver_sql("SELECT pg_advisory_unlock(%s, hashtext(%s))", lock)


def dossier(row: Row) -> DossierRow:
    """A dossier of its columns."""
    return DossierRow._make(row)


def marked(statement: str) -> str:
    """A statement with this driver's marks for its parameters: those it has."""
    return statement


def _driver(connection: Connection, statement: str) -> Any:  # noqa: ANN401 - the driver's own connection
    """The driver under a connection, for a statement that goes past SQLAlchemy: who watches the calls is told here."""
    watch = connection.get_execution_options().get("watch")
    if watch is not None:
        watch(statement)
    driver = connection.connection.dbapi_connection
    assert driver is not None  # noqa: S101 - an open connection has one
    return driver


def wait_at_most(connection: Connection, lock_ms: int) -> None:
    """Waits no longer for any lock in this transaction."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {lock_ms:d}")


def oust(connection: Connection, stream: str, partition: int) -> None:
    """Ends the backend whose transaction is changing this position."""
    connection.exec_driver_sql(_OUST_WRITER, (stream, partition))
