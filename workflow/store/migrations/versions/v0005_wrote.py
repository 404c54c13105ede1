"""Each outbox row tells what its transaction wrote, with a check sum; what was there before is told by rows of its own.

The forms are those of this version, written out here: a later one must not change what an older store says.
"""

from hashlib import sha256
from itertools import islice
from struct import pack
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec
from alembic import op
from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER: Final = {"sqlite": "INTEGER", "postgresql": "BIGINT"}
BYTES: Final = {"sqlite": "BLOB NOT NULL DEFAULT x''", "postgresql": "BYTEA NOT NULL DEFAULT ''"}
FACTS_A_ROW: Final = 10_000
ROWS_A_TIME: Final = 100
UNTOLD: Final = ("waiting", "history", "retracted", "acknowledged", "snoozed")
NOTHING: Final = (b"", b"", b"", (), (), (), (), ())
LETTER: Final = "place, key, value, headers, recorded_at, expires_at"
SAY: Final = (
    "INSERT INTO outbox (recorded_at, messages, content, withheld, sent_at, routed_at, wrote, checksum)"
    " VALUES (:at, 0, :content, false, :at, :at, :wrote, :checksum)"
)
_encode: Final = msgspec.msgpack.Encoder().encode


def upgrade() -> None:
    """Adds the columns and fills them; it reads every fact once."""
    bind = op.get_bind()
    dialect = bind.dialect.name
    op.execute(f"ALTER TABLE outbox ADD COLUMN wrote {BYTES[dialect]}")
    op.execute(f"ALTER TABLE outbox ADD COLUMN checksum {NUMBER[dialect]} NOT NULL DEFAULT 0")
    at = _sum_up(bind)
    for wrote in _kept(bind):
        packed = _encode(wrote)
        values = {"at": at, "content": b"[]", "wrote": packed}
        bind.execute(
            text(SAY), {**values, "checksum": _checksum(at, 0, withheld=False, content=b"[]", wrote=packed)}
        )


def _sum_up(bind: Connection) -> int:
    """Check sums for the rows there are; the last instant one was recorded at."""
    asked = text(
        "SELECT seq, recorded_at, messages, withheld, content FROM outbox WHERE seq > :after ORDER BY seq LIMIT :rows"
    )
    done = text("UPDATE outbox SET wrote = :wrote, checksum = :checksum WHERE seq = :seq")
    nothing, after, latest = _encode(NOTHING), -1, 0
    while rows := bind.execute(asked, {"after": after, "rows": ROWS_A_TIME}).all():
        sums = [
            {"seq": seq, "wrote": nothing, "checksum": _checksum(at, messages, withheld, content, nothing)}
            for seq, at, messages, withheld, content in rows
        ]
        bind.execute(done, sums)
        after, latest = rows[-1][0], max(latest, *(row[1] for row in rows))
    return latest


def _checksum(at: int, messages: int, withheld: bool, content: bytes, wrote: bytes) -> int:  # noqa: FBT001 - columns
    return crc32(wrote, crc32(content, crc32(pack(">qq?", at, messages, withheld))))


def _kept(bind: Connection) -> "Iterator[tuple[Any, ...]]":
    """What the tables hold, as rows that tell it: facts by ten thousand, then the rest."""
    facts = _rows(bind, "SELECT digest, received_hash, recorded_at FROM facts ORDER BY seq")
    while some := list(islice(facts, FACTS_A_ROW)):
        digests, received, recorded = zip(*some, strict=True)
        yield b"".join(digests), b"".join(received), pack(f">{len(some)}q", *recorded), *NOTHING[3:]
    alerts = (
        (identifier, sha256(content).digest())
        for identifier, state, content in _rows(bind, "SELECT id, state, content FROM alerts ORDER BY id")
        if state in UNTOLD or b'"act":{' in bytes(content)
    )
    while found := list(islice(alerts, FACTS_A_ROW)):
        yield *NOTHING[:5], found, *NOTHING[6:]
    told = _rows(bind, f"SELECT {LETTER} FROM dead_letters ORDER BY seq")
    letters = ((sha256(_encode(tuple(row))).digest(), row[-1]) for row in told)
    while gone := list(islice(letters, FACTS_A_ROW)):
        yield *NOTHING[:6], gone, ()
    steps = [
        (stream, partition, None, position, epoch)
        for stream, partition, position, epoch in _rows(
            bind, "SELECT stream, partition, position, epoch FROM positions ORDER BY stream, partition"
        )
    ]
    definitions = [
        (*row[:4], sha256(row[4]).digest(), row[5])
        for row in _rows(
            bind,
            "SELECT kind, name, revision, fingerprint, content, recorded_at FROM definitions"
            " ORDER BY recorded_at, kind, name, revision",
        )
    ]
    taken = f"SELECT redriven_at, {LETTER} FROM dead_letters WHERE redriven_at IS NOT NULL ORDER BY seq"
    retaken = [(sha256(_encode(tuple(row[1:]))).digest(), row[0]) for row in _rows(bind, taken)]
    if steps or definitions or retaken:
        yield *NOTHING[:3], steps, definitions, (), (), retaken


def _rows(bind: Connection, statement: str) -> "Iterable[Any]":
    """Rows as they come, never all at once."""
    return iter(bind.execute(text(statement), execution_options={"yield_per": 1_000}))
