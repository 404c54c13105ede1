"""What one transaction may read and write. Rows are taken in the order of their keys, so no two writers can wait for
each other."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from sqlalchemy import bindparam, insert, select, tuple_, update

from workflow.canonical import digest
from workflow.errors import StoreChanged
from workflow.store.stored import DossierRow, fact_of, unpack
from workflow.store.tables import (
    DEAD_LETTERS,
    DEFINITIONS,
    DOSSIER_COLUMNS,
    DOSSIERS,
    FACT_COLUMNS,
    FACTS,
    OUTBOX,
    POSITIONS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from workflow.facts import Fact

Identity: TypeAlias = tuple[str, str, str, int]
"""Subject, source, id, revision of a fact."""

IN_ONE_QUERY: Final = 2_000
"""Keys asked for at once; the database allows 32,766 values in one statement."""


class Position(NamedTuple):
    """How far a partition of a stream is read, in which claim (`epoch`) and of which log."""

    stream: str
    part: int
    position: int
    epoch: int
    log: str


class Transaction:
    """One transaction of a `Store`; over when its `with` block is."""

    def __init__(self, connection: Connection, place: str) -> None:
        """`place` names the database in errors."""
        self._connection = connection
        self._place = place

    def claim(self, stream: str, part: int, log: str) -> Position:
        """Takes a partition over: its position in a new epoch; 0 where it was never read. Its log stays the one
        it was first read of."""
        found = self.position(stream, part)
        if found is None:
            claimed = Position(stream, part, 0, 1, log)
            self._connection.execute(insert(POSITIONS).values(claimed._asdict()))
            return claimed
        claimed = found._replace(epoch=found.epoch + 1)
        self._connection.execute(update(POSITIONS).where(*_of(found)).values(epoch=claimed.epoch))
        return claimed

    def position(self, stream: str, part: int) -> Position | None:
        """Where a partition stands, None where it was never claimed."""
        columns = POSITIONS.c
        query = select(POSITIONS).where(columns.stream == stream, columns.part == part)
        row = self._connection.execute(query).first()
        return None if row is None else Position(*row)

    def advance(self, at: Position, to: int) -> Position:
        """Moves a position on. Raises StoreChanged where it is no longer `at`: another claim took it over."""
        done = self._connection.execute(update(POSITIONS).where(*_of(at)).values(position=to))
        if done.rowcount != 1:
            raise StoreChanged(
                "{place}: expected {stream}/{part} at position {position} in epoch {epoch}, found it elsewhere; "
                "another process took it over, claim it again",
                place=self._place,
                reason="position_changed",
                **at._asdict(),
            )
        return at._replace(position=to)

    def dossiers(self, subjects: Iterable[str]) -> dict[str, DossierRow]:
        """The rows of those subjects that are known, in the order of their keys."""
        found = {}
        for some in _portions(sorted(subjects)):
            query = select(DOSSIERS).where(DOSSIERS.c.subject.in_(some)).order_by(DOSSIERS.c.subject)
            for row in self._connection.execute(query).mappings():
                judgment = row["judgment"]
                found[row["subject"]] = DossierRow(dict(row), None if judgment is None else unpack(judgment))
        return found

    def digests(self, identities: Iterable[Identity]) -> dict[Identity, bytes]:
        """The digests of those facts that are known."""
        columns = FACTS.c
        key = (columns.subject, columns.source, columns.id, columns.revision)
        found = {}
        for some in _portions(sorted(identities)):
            for *identity, told in self._connection.execute(
                select(*key, columns.digest).where(tuple_(*key).in_(some))
            ):
                found[identity[0], identity[1], identity[2], identity[3]] = bytes(told)
        return found

    def facts(self, subject: str) -> list[Fact]:
        """Every fact of a subject, in the order in which they were recorded."""
        query = select(FACTS).where(FACTS.c.subject == subject).order_by(FACTS.c.seq)
        return [fact_of(dict(row)) for row in self._connection.execute(query).mappings()]

    def append_facts(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Appends facts; each row is one of `stored.row_of`. Raises StoreChanged where one is known already."""
        self._insert(FACTS.name, FACT_COLUMNS, rows)

    def write_dossiers(self, rows: Sequence[dict[str, Any]]) -> None:
        """Writes rows whose `version` is one more than the stored one, or 1. Raises StoreChanged otherwise."""
        new = [tuple(row[name] for name in DOSSIER_COLUMNS) for row in rows if row["version"] == 1]
        self._insert(DOSSIERS.name, DOSSIER_COLUMNS, new)
        changed = [{**row, "b_subject": row["subject"], "before": row["version"] - 1} for row in rows]
        changed = [row for row in changed if row["before"]]
        if not changed:
            return
        values: dict[str, Any] = {name: bindparam(name) for name in DOSSIER_COLUMNS if name != "subject"}
        columns = DOSSIERS.c
        known = (columns.subject == bindparam("b_subject"), columns.version == bindparam("before"))
        for row in changed:
            del row["subject"]
        if self._connection.execute(update(DOSSIERS).where(*known).values(values), changed).rowcount != len(
            changed
        ):
            raise StoreChanged(
                "{place}: expected {count} dossiers as they were read, found some changed; read again and retry",
                place=self._place,
                count=len(changed),
                reason="dossier_changed",
            )

    def append_outbox(self, body: bytes, *, messages: int, recorded_at: int) -> None:
        """Appends the messages of one batch as one row."""
        row = {"body": body, "messages": messages, "recorded_at": recorded_at}
        self._connection.execute(insert(OUTBOX).values(row))

    def outbox(self) -> list[tuple[int, bytes]]:
        """Every row of the outbox by its number."""
        rows = self._connection.execute(select(OUTBOX.c.seq, OUTBOX.c.body).order_by(OUTBOX.c.seq))
        return [(seq, bytes(body)) for seq, body in rows]

    def append_dead_letters(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keeps what could not be taken, until it expires."""
        if rows:
            self._connection.execute(insert(DEAD_LETTERS), rows)

    def dead_letters(self) -> list[dict[str, Any]]:
        """Every dead letter, the oldest first."""
        query = select(DEAD_LETTERS).order_by(DEAD_LETTERS.c.seq)
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def archived(self) -> dict[tuple[str, str, str], str]:
        """The fingerprint of every archived definition, by kind, name and revision."""
        columns = DEFINITIONS.c
        query = select(columns.kind, columns.name, columns.revision, columns.fingerprint)
        return {
            (kind, name, revision): print_ for kind, name, revision, print_ in self._connection.execute(query)
        }

    def archive(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keeps definitions by their bytes. Raises StoreChanged for a revision that is there already."""
        if rows:
            self._connection.execute(insert(DEFINITIONS), rows)

    def erase(self, subject: str, source: str, identifier: str, revision: int | None) -> None:
        """Erases the bytes a fact came as, in every revision where none is named; its columns and its proof stay."""
        columns = FACTS.c
        named = [columns.subject == subject, columns.source == source, columns.id == identifier]
        if revision is not None:
            named.append(columns.revision == revision)
        query = update(FACTS).where(*named, columns.received.is_not(None)).values(received=None)
        self._connection.execute(query)

    def altered(self) -> list[Identity]:
        """The facts whose columns, or whose received bytes where not erased, no longer agree with their proof."""
        found = []
        for row in self._connection.execute(select(FACTS).order_by(FACTS.c.seq)).mappings():
            received = row["received"]
            proven = received is None or sha256(row["salt"] + received).digest() == row["received_hash"]
            if not proven or digest(fact_of(dict(row))) != row["digest"]:
                found.append((row["subject"], row["source"], row["id"], row["revision"]))
        return found

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
            self._connection.exec_driver_sql(statement, list(rows))


def _of(at: Position) -> list[Any]:
    return [column == getattr(at, column.name) for column in POSITIONS.c]


def _portions(keys: list[Any]) -> Iterable[list[Any]]:
    return (keys[start : start + IN_ONE_QUERY] for start in range(0, len(keys), IN_ONE_QUERY))
