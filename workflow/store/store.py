"""The store: transactions, and what may be asked and said inside one. Other folders never name a table."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from workflow.errors import PositionLost, VersionConflict
from workflow.store import postgresql, sqlite
from workflow.store.archived import definition_of, to_keep
from workflow.store.faults import overtaken, translated
from workflow.store.outbox import Outbox
from workflow.store.reading import Reading
from workflow.store.rows import to_us
from workflow.store.wrote import Record, Step, checksum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from workflow.catalogue import Definition
    from workflow.store.rows import AlertRow, DeadLetter, DossierRow, FactRow, Identity, Position

__all__ = ["Reading", "Store", "Writing"]

Row: TypeAlias = tuple[Any, ...]
_CLAIM: Final = (
    "INSERT INTO positions (stream, partition, position, epoch, log) VALUES (%s, %s, %s, 1, %s)"
    " ON CONFLICT (stream, partition) DO UPDATE SET epoch = positions.epoch + 1"
)

_SET_POSITION: Final = (
    "INSERT INTO positions (stream, partition, position, epoch, log) VALUES (%s, %s, %s, 1, %s)"
    " ON CONFLICT (stream, partition) DO UPDATE SET epoch = positions.epoch + 1, position = excluded.position,"
    " log = excluded.log"
)

_SAY: Final = (
    "INSERT INTO outbox (recorded_at, messages, content, withheld, sent_at, routed_at, wrote, checksum)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
NO_MESSAGES: Final = b"[]"


class Store:
    """A database with our tables. `open_store` makes one; `close` it."""

    def __init__(
        self, name: str, engine: Engine, watch: Callable[[str], None] | None = None, *, shadow: bool = False
    ) -> None:
        """`name` stands for the store in errors; in `shadow` what is put in the outbox is never sent."""
        self.name = name
        self._shadow = shadow
        self.engine = engine
        self._watch = watch
        self._sql = sqlite if engine.dialect.name == "sqlite" else postgresql
        self._archived: set[Definition] = set()
        # SQLite has one writer: threads of ours take turns here, where none waits longer than another needs.
        self._turn: AbstractContextManager[Any] = Lock() if self._sql is sqlite else nullcontext()

    @contextmanager
    def writing(self, *, keep: bool = True) -> Iterator[Writing]:
        """One transaction: all of it is kept when the block ends, nothing where it raises, or without `keep`.

        Raises a StoreError of its own kind for every fault of the database.
        """
        with translated(self.name), self._turn, self.engine.connect() as connection:
            with connection.begin() as transaction:
                writing = Writing(connection, self._sql, self.name, self._archived, shadow=self._shadow)
                yield writing
                writing.end()
                if not keep:
                    transaction.rollback()
            if keep:
                self._archived |= writing.fresh
                if self._watch is not None:
                    self._watch("COMMITTED")

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One view of the store as it is now; it holds up no writer. Raises as `writing` does."""
        with translated(self.name), self.engine.connect() as plain:
            connection = plain.execution_options(reads=True, **self._sql.ONE_VIEW)
            with connection.begin():
                yield Reading(connection, self._sql)

    @contextmanager
    def relaying(self, *, oust: bool = False) -> Iterator[Outbox | None]:
        """The outbox for one relay at a time, on a connection of its own; None while another relay has it.

        `oust` ends the session of the one that has it, on PostgreSQL: a process that was stopped would hold it for
        ever. Raises a StoreError where it cannot be asked.
        """
        with translated(self.name), self.engine.connect() as connection:
            # Never given back to the pool: its lock ends with it.
            connection.detach()
            with self._sql.alone(connection, "relay", oust=oust) as free:
                yield Outbox(connection, self._sql, self.name, self._turn) if free else None

    @contextmanager
    def alone(self, work: str) -> Iterator[bool]:
        """Whether no other process does this work now; if so none begins it while the block lasts.

        On a connection of its own, with whose end the lock ends. Raises a StoreError where it cannot be asked.
        """
        with translated(self.name), self.engine.connect() as connection:
            connection.detach()
            with self._sql.alone(connection, work, oust=False) as free:
                yield free

    def close(self) -> None:
        """Closes every connection. SQLite then leaves one file."""
        self.engine.dispose()


class Writing(Reading):
    """What may be said to the store in one transaction."""

    def __init__(
        self,
        connection: Connection,
        sql: Any,  # noqa: ANN401 - as above
        name: str,
        archived: set[Definition],
        *,
        shadow: bool = False,
    ) -> None:
        """Of an open transaction; `archived` are the definitions known to be kept. `shadow`: nothing is to be sent."""
        super().__init__(connection, sql)
        self.shadow = shadow
        self._name = name
        self._archived = archived
        self.fresh: set[Definition] = set()
        self._record = Record()

    def claim(self, stream: str, partition: int, *, log: str, start: int = 0) -> tuple[int, int]:
        """Takes a stream's partition over from whoever had it: the position to read on from, and the new epoch.

        Raises PositionLost where the log is another one than that our position was counted in.
        """
        self.run(_CLAIM, (stream, partition, start, log))
        found = self.position(stream, partition)
        assert found is not None  # noqa: S101 - just written
        if found[2] != log:
            raise PositionLost(
                "{store}: {stream}/{partition}: expected the log {expected}, found {found}; it was made anew, decide "
                "from where to read and set the position by hand",
                store=self._name,
                stream=stream,
                partition=partition,
                expected=found[2],
                found=log,
                reason="log_changed",
            )
        return found[0], found[1]

    def set_position(self, stream: str, partition: int, position: int, log: str, at: datetime) -> None:
        """Has a partition read on from a position of a log, whatever was kept of it; who reads it loses the claim."""
        self.run(_SET_POSITION, (stream, partition, position, log))
        found = self.position(stream, partition)
        assert found is not None  # noqa: S101 - just written
        self._record.step(Step(stream, partition, None, position, found[1]), to_us(at))

    def wait_at_most(self, lock_ms: int) -> None:
        """For the rest of the transaction, gives up waiting for a lock after so long: StoreBusy."""
        self._sql.wait_at_most(self._connection, lock_ms)

    def oust(self, stream: str, partition: int) -> None:
        """Ends the connection of whoever is changing the position of this partition now."""
        self._sql.oust(self._connection, stream, partition)

    def move(self, position: Position) -> None:
        """Moves a position on. The first statement of a batch: whoever lost the claim stops here.

        Raises PositionLost.
        """
        done = self.run(
            "UPDATE positions SET position = %s WHERE stream = %s AND partition = %s AND position = %s AND epoch = %s",
            (position.after, position.stream, position.partition, position.before, position.epoch),
        )
        if done != 1:
            raise PositionLost(
                "{store}: {stream}/{partition}: expected position {before} of claim {epoch}, found another; another "
                "worker reads on, claim the partition again",
                store=self._name,
                stream=position.stream,
                partition=position.partition,
                before=position.before,
                epoch=position.epoch,
            )
        self._record.moved(position)

    def lock(self, subjects: Iterable[str]) -> dict[str, DossierRow]:
        """The dossiers of these codes, locked in the order of their codes until the transaction ends."""
        return {row.subject: row for row in self._sql.lock(self._connection, sorted(subjects))}

    def lock_due(self, by: datetime, limit: int) -> dict[str, DossierRow]:
        """Dossiers whose alerts must be looked at by a moment, the earliest first, at most so many, in the order of
        their codes; those another writer holds are left to it."""
        return {row.subject: row for row in self._sql.lock_due(self._connection, to_us(by), limit)}

    def known(self, identities: Sequence[Identity]) -> dict[Identity, bytes]:
        """The digests of those identities that are there already."""
        if not identities:
            return {}
        return {tuple(row[:4]): bytes(row[4]) for row in self._sql.known(self._connection, identities)}

    def append(self, rows: Sequence[FactRow]) -> None:
        """Appends facts that are not there yet."""
        if rows:
            self._sql.append(self._connection, rows)
            self._record.facts(rows)

    def put(self, rows: Sequence[DossierRow]) -> None:
        """Writes dossiers, each one version higher than it was. Raises VersionConflict where another was first."""
        new = [row for row in rows if row.version == 1]
        changed = [row for row in rows if row.version > 1]
        done = self._sql.put(self._connection, new, changed)
        if done != len(rows):
            raise VersionConflict(
                "{store}: expected to write {expected} dossiers, found {found} of them unchanged by others; the "
                "batch is taken again",
                store=self._name,
                expected=len(rows),
                found=done,
            )

    def keep_alerts(self, rows: Sequence[AlertRow]) -> None:
        """Writes alerts, new ones and those that changed. Raises VersionConflict where another said more of one."""
        done = self._sql.keep_alerts(self._connection, rows) if rows else 0
        if done != len(rows):
            raise overtaken(self._name, len(rows), done)
        self._record.alerts(rows)

    def say(self, recorded_at: int, messages: int, content: bytes) -> None:
        """Puts a batch of messages in the outbox, one row, with what the transaction wrote so far; nothing where there
        is neither. A row of no messages is never sent."""
        if not messages and not self._record:
            return
        wrote, over = self._record.taken(), None if messages else recorded_at
        self._record = Record()
        proof = checksum(recorded_at, messages, self.shadow, content, wrote)
        self.run(_SAY, (recorded_at, messages, content, self.shadow, over, over, wrote, proof))

    def buried(self, letter: DeadLetter) -> None:
        """Takes note of a dead letter that was kept."""
        self._record.letter(letter)

    def retaken(self, letter: DeadLetter, at: int | None) -> None:
        """Takes note of a dead letter that was taken after all, or with None stays."""
        self._record.retaken(letter, at)

    def end(self) -> None:
        """Says what was written and no batch said. The last that a transaction does."""
        self.say(self._record.recorded_at, 0, NO_MESSAGES)

    def archive(self, used: Iterable[Definition], recorded_at: int, *, into_force: bool = False) -> None:
        """Keeps definitions that are used for the first time. `into_force`: also those that count again after others.

        Raises LedgerError where one of the same kind, name and revision was kept with other content.
        """
        new = [one for one in used if into_force or one not in self._archived]
        if not new:
            return
        rows = self.rows(
            "SELECT kind, name, revision, fingerprint, content FROM definitions WHERE {name}"
            " ORDER BY recorded_at, revision",
            name=dict.fromkeys(one.name for one in new),
        )
        first = list(to_keep(self._name, new, map(definition_of, rows), again=into_force))
        self.run_all(
            "INSERT INTO definitions (kind, name, revision, fingerprint, content, recorded_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(*one, recorded_at) for one in first],
        )
        self._record.archived(first, recorded_at)
        self.fresh |= set(new)

    def erase(self, subject: str, source: str, identifier: str, revision: int | None) -> int:
        """Erases the received bytes of a fact, or of all its revisions; how many there were."""
        statement = (
            "UPDATE facts SET received = NULL, salt = NULL WHERE subject = %s AND source = %s AND id = %s"
            " AND received IS NOT NULL"
        )
        if revision is None:
            return self.run(statement, (subject, source, identifier))
        return self.run(f"{statement} AND revision = %s", (subject, source, identifier, revision))

    def run(self, statement: str, values: Row) -> int:
        """Runs a statement of this folder; how many rows it touched."""
        return self._connection.exec_driver_sql(self._sql.marked(statement), values).rowcount

    def run_all(self, statement: str, rows: Sequence[Row]) -> None:
        """Runs a statement of this folder once for each of these rows."""
        if rows:
            self._connection.exec_driver_sql(self._sql.marked(statement), list(rows))
