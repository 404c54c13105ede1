"""What may be asked of the store in one transaction."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from workflow.store.archived import definition_of
from workflow.store.bodies import FACT_COLUMNS, Bodies
from workflow.store.rows import AlertRow, DeadLetter, DossierRow, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from workflow.catalogue import Definition
    from workflow.facts import Fact

Row: TypeAlias = tuple[Any, ...]
_DOSSIER: Final = ", ".join(DossierRow._fields)
_ALERT: Final = ", ".join(AlertRow._fields)


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
        everything = f"SELECT {_ALERT} FROM alerts"
        if subjects is None:
            rows = self.rows(f"{everything} ORDER BY id")
        else:
            rows = self.rows(f"{everything} WHERE {{subject}} ORDER BY id", subject=subjects)
        return [AlertRow._make((*row[:-1], bytes(row[-1]))) for row in rows]

    def outbox(self, after: int = 0, limit: int = 1_000) -> list[tuple[int, bytes]]:
        """Batches of messages not older than `after`: each one's number and its content, a JSON list."""
        statement = "SELECT seq, content FROM outbox WHERE seq > %s AND messages > 0 ORDER BY seq LIMIT %s"
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
