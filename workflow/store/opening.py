"""A database made ready: its connections set up, its schema at the newest version."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import alembic.command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event

from workflow.errors import StoreError, StoreNewer
from workflow.store.faults import translated
from workflow.store.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY_MS: Final = 5_000
CACHE_KB: Final = 256 * 1024
CHECKPOINT_PAGES: Final = 20_000
SETTINGS: Final = (
    ("busy_timeout", BUSY_MS),  # first: the next one already has to wait for other processes
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),  # a batch that was answered for outlives a power cut
    ("foreign_keys", "ON"),
    ("cache_size", -CACHE_KB),
    ("wal_autocheckpoint", CHECKPOINT_PAGES),
)
"""Pragmas of every connection to SQLite. Cache and checkpoints keep random writes to a large file cheap."""


class Store:
    """An open database. One process at a time writes; any number read beside it."""

    def __init__(self, engine: Engine, place: str) -> None:
        """`place` names the database in errors."""
        self._engine = engine
        self.place = place

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that writes: committed at the end, rolled back by any error. Raises StoreError."""
        with translated(self.place), self._engine.begin() as connection:
            yield Transaction(connection, self.place)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One unchanging view of the store; waits for no writer. Raises StoreError."""
        with translated(self.place), self._engine.connect() as connection:
            reader = connection.execution_options(dunghen_reads=True)
            yield Transaction(reader, self.place)

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()


def open_store(path: Path, *, read_only: bool = False) -> Store:
    """The SQLite database at `path`: made where there is none, brought to the newest version where it is older.

    Raises StoreNewer for one of a later version than this program; StoreUnreachable, StoreNotWritable, StoreDamaged.
    With `read_only` nothing is made nor changed.
    """
    mode = "?mode=ro&uri=true" if read_only else ""
    target = f"file:{path}" if read_only else str(path)
    engine = create_engine(f"sqlite:///{target}{mode}")
    settings = tuple(pair for pair in SETTINGS if not (read_only and pair[0] == "journal_mode"))
    event.listen(engine, "connect", lambda connection, _: _set_up(connection, settings))
    event.listen(engine, "begin", _begin)
    store = Store(engine, str(path))
    try:
        _bring_up(engine, str(path), change=not read_only)
    except StoreError:
        engine.dispose()
        raise
    return store


def _set_up(connection: Any, settings: tuple[tuple[str, int | str], ...]) -> None:  # noqa: ANN401 - the driver's own
    connection.isolation_level = None  # the driver would begin by itself, and too late: `_begin` does
    for name, value in settings:
        connection.execute(f"PRAGMA {name} = {value}")


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once: one that read first could not get it later without beginning anew."""
    reads = connection.get_execution_options().get("dunghen_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _bring_up(engine: Engine, place: str, *, change: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = ScriptDirectory.from_config(config)
    with translated(place), engine.connect() as connection:
        reader = connection.execution_options(dunghen_reads=True)
        found = MigrationContext.configure(reader).get_current_revision()
    versions = [script.revision for script in known.walk_revisions()]
    if found is not None and found not in versions:
        raise StoreNewer(
            "{place}: expected a schema up to version {expected}, found {found}; use the program that made it, or a "
            "newer one",
            place=place,
            expected=versions[0],
            found=found,
        )
    if found != versions[0] and change:
        with translated(place), engine.begin() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
