"""The store: transactions, and what may be asked and said inside one. Other folders never name a table."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from itertools import groupby
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from workflow.errors import PositionLost, VersionConflict
from workflow.store import postgresql, sqlite
from workflow.store.archived import definition_of, to_keep
from workflow.store.bodies import FACT_COLUMNS, Bodies
from workflow.store.faults import overtaken, translated
from workflow.store.outbox import Outbox
from workflow.store.rows import AlertRow, DeadLetter, DossierRow, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from workflow.catalogue import Definition
    from workflow.facts import Fact
    from workflow.store.rows import FactRow, Identity, Position

Row: TypeAlias = tuple[Any, ...]
_DOSSIER: Final = ", ".join(DossierRow._fields)
ALERT_COLUMNS: Final = ", ".join(AlertRow._fields)
_CLAIM: Final = (
    "INSERT INTO positions (stream, partition, position, epoch, log) VALUES (%s, %s, %s, 1, %s)"
    " ON CONFLICT (stream, partition) DO UPDATE SET epoch = positions.epoch + 1"
)

_SET_POSITION: Final = (
    "INSERT INTO positions (stream, partition, position, epoch, log) VALUES (%s, %s, %s, 1, %s)"
    " ON CONFLICT (stream, partition) DO UPDATE SET epoch = positions.epoch + 1, position = excluded.position,"
    " log = excluded.log"
)


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
            connection = plain.execution_options(reads=True)
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


class Reading:
    """What may be asked of the store in one transaction."""

    def __init__(self, connection: Connection, sql: Any) -> None:  # noqa: ANN401 - one of two modules of the same functions
        """Of an open transaction."""
        self._connection = connection
        self._sql = sql
        self._bodies = Bodies()

    def facts(self, subjects: Iterable[str] | None = None) -> Iterator[Fact]:
        """Facts by dossier, of each in the order they were recorded; of some dossiers, or all."""
        return map(self._bodies.fact, self.fact_rows(subjects))

    def fact_rows(self, subjects: Iterable[str] | None = None) -> Iterator[Row]:
        """Rows of FACT_COLUMNS in the order of `facts`."""
        return self._of(f"SELECT {FACT_COLUMNS} FROM facts", subjects, "subject, recorded_at")

    def histories(self, subjects: Iterable[str] | None = None) -> Iterator[Row]:
        """Rows of FACT_COLUMNS by dossier, of each in the order of time and sequence: as most of them are judged."""
        return self._of(f"SELECT {FACT_COLUMNS} FROM facts", subjects, "subject, occurred_at, sequence")

    def told(self, subjects: Iterable[str]) -> Iterator[tuple[str, Sequence[Fact]]]:
        """Those of some dossiers that have facts, each with its facts to be judged together, in any order. When most
        were recorded is not read: no judgment asks for it."""
        for subject, rows in groupby(self.histories(subjects), itemgetter(0)):
            yield subject, self._bodies.dossier(list(rows))

    def dossiers(self, subjects: Iterable[str] | None = None) -> Iterator[DossierRow]:
        """Dossiers by their code; some, or all."""
        return map(self._sql.dossier, self._of(f"SELECT {_DOSSIER} FROM dossiers", subjects, "subject"))

    def due(self, by: datetime, limit: int) -> list[str]:
        """The codes of dossiers whose next date has come, the earliest first, at most so many."""
        statement = (
            "SELECT subject FROM dossiers WHERE next_due_at <= %s ORDER BY next_due_at, subject LIMIT %s"
        )
        return [subject for (subject,) in self._stream(statement, (to_us(by), limit))]

    def alerts(self, subjects: Iterable[str] | None = None) -> list[AlertRow]:
        """Alerts as they were last said, by id; those about some subjects, or all."""
        everything = f"SELECT {ALERT_COLUMNS} FROM alerts"
        if subjects is None:
            rows = self.rows(f"{everything} ORDER BY id")
        else:
            rows = self.rows(f"{everything} WHERE {{subject}} ORDER BY id", subject=subjects)
        return [AlertRow._make((*row[:-1], bytes(row[-1]))) for row in rows]

    def outbox(self, after: int = 0, limit: int = 1_000) -> list[tuple[int, bytes]]:
        """Batches of messages not older than `after`: each one's number and its content, a JSON list."""
        statement = "SELECT seq, content FROM outbox WHERE seq > %s ORDER BY seq LIMIT %s"
        return [(seq, bytes(content)) for seq, content in self._stream(statement, (after, limit))]

    def dead_letters(self) -> list[DeadLetter]:
        """Messages that could not be taken, in the order they came."""
        statement = f"SELECT {', '.join(DeadLetter._fields)} FROM dead_letters ORDER BY seq"
        return [DeadLetter._make(row) for row in self._stream(statement)]

    def position(self, stream: str, partition: int) -> tuple[int, int, str] | None:
        """Position, epoch and log identity of a stream's partition; None where it was never claimed."""
        statement = "SELECT position, epoch, log FROM positions WHERE stream = %s AND partition = %s"
        found = self.rows(statement, (stream, partition))
        return found[0] if found else None

    def definitions(self, known_at: datetime | None = None) -> list[Definition]:
        """The archived definitions, those recorded first first; those recorded by a moment, or all."""
        statement = "SELECT kind, name, revision, fingerprint, content FROM definitions"
        values: Row = ()
        if known_at is not None:
            statement, values = f"{statement} WHERE recorded_at <= %s", (to_us(known_at),)
        rows = self._stream(f"{statement} ORDER BY recorded_at, kind, name, revision", values)
        return [definition_of(row) for row in rows]

    def definitions_between(self, after: datetime, until: datetime) -> list[tuple[Definition, datetime]]:
        """Definitions recorded later than `after`, up to `until`, each with its recorded instant."""
        statement = (
            "SELECT kind, name, revision, fingerprint, content, recorded_at FROM definitions"
            " WHERE recorded_at > %s AND recorded_at <= %s ORDER BY recorded_at, kind, name, revision"
        )
        rows = self._stream(statement, (to_us(after), to_us(until)))
        return [(definition_of(row), from_us(row[5])) for row in rows]

    def subjects_between(self, after: datetime, until: datetime) -> list[str]:
        """The codes of dossiers with facts recorded later than `after`, up to `until`."""
        statement = (
            "SELECT DISTINCT subject FROM facts WHERE recorded_at > %s AND recorded_at <= %s ORDER BY subject"
        )
        return [subject for (subject,) in self._stream(statement, (to_us(after), to_us(until)))]

    def proofs(self) -> Iterator[Row]:
        """For each fact: the columns of a fact, then its type, digest, received bytes, salt and their hash."""
        columns = f"{FACT_COLUMNS}, type, digest, received, salt, received_hash"
        return self._stream(f"SELECT {columns} FROM facts ORDER BY seq")

    def ask(self, statement: str, values: Row = ()) -> Iterator[Row]:
        """The rows of a statement of the store's other modules."""
        return self._stream(statement, values)

    @property
    def dialect(self) -> str:
        """Which of the two databases this is: sqlite or postgresql."""
        return self._connection.dialect.name

    def rows(self, statement: str, values: Sequence[object] = (), **lists: Iterable[str]) -> list[Row]:
        """All rows of a statement of this folder, of which few come; `{name}` in it stands for the condition that the
        column of that name is one of the texts of that list; the lists come in their order in it, after the values."""
        among = {name: self._sql.among(name) for name in lists}
        listed = (self._sql.listed(texts) for texts in lists.values())
        whole = statement.format(**among) if lists else statement
        found: list[Row] = self._sql.gather(self._connection, whole, (*values, *listed))
        return found

    def _of(self, statement: str, subjects: Iterable[str] | None, order: str) -> Iterator[Row]:
        """Rows of a table that is keyed by dossiers, in an order; of some dossiers, or all."""
        where, values = ("", ()) if subjects is None else self._among(subjects)
        return self._stream(f"{statement}{where} ORDER BY {order}", values)

    def _among(self, subjects: Iterable[str]) -> tuple[str, Row]:
        return f" WHERE {self._sql.among('subject')}", (self._sql.listed(subjects),)

    def _stream(self, statement: str, values: Row = ()) -> Iterator[Row]:
        found: Iterator[Row] = self._sql.stream(self._connection, statement, values)
        return found


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

    def set_position(self, stream: str, partition: int, position: int, log: str) -> None:
        """Has a partition read on from a position of a log, whatever was kept of it; who reads it loses the claim."""
        self.run(_SET_POSITION, (stream, partition, position, log))

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

    def say(self, recorded_at: int, messages: int, content: bytes) -> None:
        """Puts a batch of messages in the outbox, one row."""
        self.run(
            "INSERT INTO outbox (recorded_at, messages, content, withheld) VALUES (%s, %s, %s, %s)",
            (recorded_at, messages, content, self.shadow),
        )

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
        kept = map(definition_of, rows)
        self.run_all(
            "INSERT INTO definitions (kind, name, revision, fingerprint, content, recorded_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(*one, recorded_at) for one in to_keep(self._name, new, kept, again=into_force)],
        )
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
