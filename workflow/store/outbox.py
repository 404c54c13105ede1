"""The outbox as its one reader takes it: what is not sent yet, oldest first, and the mark that it was sent.

Why the order of the numbers is the order of each dossier, though of two writers the one with the lower number may
commit later: a writer locks the dossiers of its batch (or makes them, which locks their keys) before it puts its row
here. So of two batches that share a dossier, the second gets its number after the first has committed: it is higher,
and whoever sees it sees the first. Batches whose order is not certain share no dossier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from workflow.store.faults import translated
from workflow.store.rows import DeadLetter, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

_UNSENT: Final = (
    "SELECT seq, recorded_at, messages, content FROM outbox"
    " WHERE sent_at IS NULL AND NOT withheld ORDER BY seq LIMIT %s"
)

_UNSENT_LETTERS: Final = (
    f"SELECT seq, {', '.join(DeadLetter._fields)} FROM dead_letters"
    " WHERE sent_at IS NULL AND NOT withheld ORDER BY seq LIMIT %s"
)


class Batch(NamedTuple):
    """One row: its number, when it was recorded, how many messages, and they themselves, a JSON list."""

    seq: int
    recorded_at: datetime
    messages: int
    content: bytes


class Outbox:
    """What one relay may do, alone. Its faults are StoreErrors; after one the connection is given up."""

    def __init__(
        self,
        connection: Connection,
        sql: Any,  # noqa: ANN401 - as in the store
        name: str,
        turn: AbstractContextManager[Any],
    ) -> None:
        """Of a connection that holds the lock of the relay as long as it lives; it writes in its `turn`."""
        self._connection = connection
        self._sql = sql
        self._name = name
        self._turn = turn

    def unsent(self, limit: int) -> list[Batch]:
        """The oldest batches not yet sent, at most so many."""
        connection = self._connection.execution_options(reads=True)
        with translated(self._name), connection.begin():
            found = self._sql.gather(connection, _UNSENT, (limit,))
        return [Batch(seq, from_us(at), messages, bytes(content)) for seq, at, messages, content in found]

    def unsent_letters(self, limit: int) -> dict[int, DeadLetter]:
        """The oldest dead letters not yet sent, by their numbers, at most so many."""
        connection = self._connection.execution_options(reads=True)
        with translated(self._name), connection.begin():
            found = self._sql.gather(connection, _UNSENT_LETTERS, (limit,))
        return {seq: DeadLetter._make(letter) for seq, *letter in found}

    def sent(self, batches: Iterable[Batch], at: datetime) -> None:
        """Marks batches as sent."""
        self._mark("outbox", [batch.seq for batch in batches], at)

    def letters_sent(self, numbers: Iterable[int], at: datetime) -> None:
        """Marks dead letters as sent."""
        self._mark("dead_letters", list(numbers), at)

    def _mark(self, table: Literal["outbox", "dead_letters"], numbers: list[int], at: datetime) -> None:
        statement = f"UPDATE {table} SET sent_at = %s WHERE {self._sql.among('seq', 'int8')}"
        values = (to_us(at), self._sql.listed(numbers))
        connection = self._connection.execution_options(reads=False)
        with translated(self._name), self._turn, connection.begin():
            connection.exec_driver_sql(self._sql.marked(statement), values)
