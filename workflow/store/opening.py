"""A store, opened: the engine with every setting that matters passed explicitly, and its tables brought up to date."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from workflow.errors import StoreForeign, StoreNewer, StoreReadOnly, StoreUnreachable, UsageError
from workflow.store.faults import translated
from workflow.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import Connection
    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection

MIGRATIONS: Final = Path(__file__).resolve().parent / "migrations"
BUSY_TIMEOUT_MS: Final = 5_000
CACHE_KIB: Final = 256 * 1024
"""SQLite's pages held in memory: below it the indexes of a million dossiers are read from the disk again and again."""
WAL_AUTOCHECKPOINT_PAGES: Final = 20_000
"""About 80 MB between two checkpoints: pages that change often are copied into the database once, not each time."""


def open_store(
    where: str | Path, *, watch: Callable[[str], None] | None = None, shadow: bool = False
) -> Store:
    """The store at a path (SQLite; made where it is not there) or a URL such as postgresql://user@host/name.

    Its tables are brought up to date. `watch` is told of each call to the database before it is made, and of each
    commit before and after. In `shadow` everything is judged and kept, and nothing of it is ever sent. Raises a
    StoreError of its own kind where it is newer or of something else, takes no writes, is full or broken, or does not
    answer; UsageError for a URL of no database we know.
    """
    url = _url(where)
    name = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    with translated(name), ExitStack() as undone:
        engine = _engine(url, name)
        undone.callback(engine.dispose)
        if watch is not None:
            _tell(engine, watch)
        with engine.connect() as connection:
            _migrate(connection, name)
        undone.pop_all()
    return Store(name, engine, watch, shadow=shadow)


def schema_versions() -> list[str]:
    """The numbers of all migrations, oldest first."""
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return [script.revision for script in scripts][::-1]


def migrate(engine: Engine, to: str = "head") -> None:
    """Brings the tables to a version, a higher one than they have."""
    with engine.connect() as connection, translated(str(engine.url)):
        _upgrade(connection, to)


def _url(where: str | Path) -> URL:
    text = str(where)
    try:
        url = make_url(text if "://" in text else f"sqlite:///{text}")
    except ArgumentError as fault:
        raise _unknown(text) from fault
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise _unknown(text)
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if not url.database or url.database == ":memory:":
        raise _unknown(text)
    return url


def _unknown(text: str) -> UsageError:
    return UsageError(
        "{store}: expected the path of a SQLite file or a URL such as postgresql://user@host/name, found neither",
        store=text,
        reason="store_url",
    )


def _engine(url: URL, name: str) -> Engine:
    if url.get_backend_name() == "sqlite":
        folder = Path(url.database or "").resolve().parent
        if not folder.is_dir():
            raise StoreUnreachable(
                "{store}: there is no folder {folder}; make it, or name another file",
                store=name,
                folder=str(folder),
            )
        engine = create_engine(
            _as_it_lies(url, name),
            connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        )
        event.listen(engine, "connect", lambda connection, _record: _only_ours(connection, name))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        # No limit of its own: each thread uses one at a time, and how many threads there are depends on the channels.
        engine = create_engine(url, pool_size=2, max_overflow=-1, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as fault:
        raise UsageError(
            "{store}: the PostgreSQL driver is not installed; install it with: pip install 'dunghen[pg]'",
            store=name,
            reason="store_driver",
        ) from fault
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _as_it_lies(url: URL, name: str) -> URL:
    """The same file, read as it lies where nothing can be made beside it: SQLite would make two files there even to
    read. Not where these are there already, such as those of a writer of another account."""
    path = Path(url.database or "").resolve()
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    may_make = os.access(path.parent, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
    if may_make or not path.exists() or index.exists():
        return url
    if log.exists() and log.stat().st_size:
        raise StoreReadOnly(
            "{store}: cannot be read in a folder that takes no writes, since its last batches lie in {log}; copy both "
            "files into a folder of your own and name the copy",
            store=name,
            log=log.name,
        )
    return url.set(database=f"file:{quote(str(path))}", query={"immutable": "1", "mode": "ro", "uri": "true"})


def _only_ours(connection: DBAPIConnection, name: str) -> None:
    # Asked before anything is set: already the way of its journal would be written into the file.
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    _refuse_foreign({table for (table,) in cursor.fetchall()}, name)
    cursor.close()


def _refuse_foreign(tables: Collection[str], name: str) -> None:
    """Raises StoreForeign where there are tables and ours are not among them."""
    if tables and "facts" not in tables:
        raise StoreForeign(
            "{store}: not a store of Dunghen, it holds the tables {found}; name a store, or a database of nothing yet",
            store=name,
            found=", ".join(sorted(tables)[:5]),
        )


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # Transactions are begun by us: the driver's own begin would be too late and of the wrong kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{CACHE_KIB}",
        f"wal_autocheckpoint = {WAL_AUTOCHECKPOINT_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the one write lock at once: taken later, it fails with no waiting if another wrote in between.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare_postgresql(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SET synchronous_commit = on")
    cursor.execute("SET timezone = 'UTC'")
    cursor.close()
    connection.commit()


def _tell(engine: Engine, watch: Callable[[str], None]) -> None:
    def before(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        watch(statement)

    engine.update_execution_options(watch=watch)
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "commit", lambda _connection: watch("COMMIT"))


def _migrate(connection: Connection, name: str) -> None:
    known = schema_versions()
    with connection.execution_options(reads=True).begin():
        _refuse_foreign(inspect(connection).get_table_names(), name)
        found = MigrationContext.configure(connection).get_current_revision()
    if found == known[-1]:
        return
    if found is not None and found not in known:
        raise StoreNewer(
            "{store}: its tables are of version {found}, this Dunghen knows up to {known}; install the newer Dunghen",
            store=name,
            found=found,
            known=known[-1],
        )
    _upgrade(connection, "head")


def _upgrade(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    with connection.execution_options(reads=False).begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('dunghen migrations'))")
        command.upgrade(config, to)
