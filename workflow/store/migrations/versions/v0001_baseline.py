"""The first version: facts that are only ever appended, and what follows from them."""

from typing import Final

from alembic import op

revision: str = "0001"
down_revision: str | None = None

TABLES: Final = (
    """CREATE TABLE facts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        subject TEXT NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
        type TEXT NOT NULL, occurred_at INTEGER NOT NULL, entered_at INTEGER, recorded_at INTEGER NOT NULL,
        sequence INTEGER NOT NULL, told BLOB NOT NULL, received BLOB, salt BLOB NOT NULL,
        received_hash BLOB NOT NULL, digest BLOB NOT NULL,
        UNIQUE (subject, source, id, revision))""",
    """CREATE TABLE dossiers (
        subject TEXT PRIMARY KEY, code TEXT, procedure TEXT, revision TEXT, fingerprint TEXT,
        judge_version INTEGER NOT NULL, state TEXT, unit TEXT, officer TEXT,
        received_at INTEGER, released_at INTEGER, ended_at INTEGER,
        appointment_due_at INTEGER, appointment_late INTEGER, committed_due_at INTEGER, committed_late INTEGER,
        deviated INTEGER NOT NULL, next_due_at INTEGER, blocked TEXT, version INTEGER NOT NULL,
        facts INTEGER NOT NULL, last_recorded_at INTEGER NOT NULL, judgment BLOB) WITHOUT ROWID""",
    "CREATE INDEX dossiers_next_due_at ON dossiers (next_due_at) WHERE next_due_at IS NOT NULL",
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, recorded_at INTEGER NOT NULL, messages INTEGER NOT NULL,
        body BLOB NOT NULL)""",
    """CREATE TABLE positions (
        stream TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL, epoch INTEGER NOT NULL,
        log TEXT NOT NULL, PRIMARY KEY (stream, part)) WITHOUT ROWID""",
    """CREATE TABLE definitions (
        kind TEXT NOT NULL, name TEXT NOT NULL, revision TEXT NOT NULL, fingerprint TEXT NOT NULL,
        body BLOB NOT NULL, recorded_at INTEGER NOT NULL, PRIMARY KEY (kind, name, revision))""",
    """CREATE TABLE dead_letters (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, place TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
        message_key BLOB, value BLOB NOT NULL, headers BLOB NOT NULL, recorded_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL)""",
)

KEPT: Final = (
    "seq",
    "subject",
    "source",
    "id",
    "revision",
    "type",
    "occurred_at",
    "entered_at",
    "recorded_at",
    "sequence",
    "told",
    "salt",
    "received_hash",
    "digest",
)
"""What an erasure leaves as it was."""

TRIGGERS: Final = (
    """CREATE TRIGGER facts_are_kept BEFORE DELETE ON facts
        BEGIN SELECT RAISE(ABORT, 'facts are never deleted'); END""",
    "CREATE TRIGGER facts_stay_as_told BEFORE UPDATE ON facts WHEN NOT (OLD.received IS NOT NULL "
    "AND NEW.received IS NULL AND "
    + " AND ".join(f"NEW.{name} IS OLD.{name}" for name in KEPT)
    + ") BEGIN SELECT RAISE(ABORT, 'facts are never changed, only their received bytes may be erased'); END",
    # An INSERT OR REPLACE deletes the old row without firing the trigger above.
    """CREATE TRIGGER facts_are_not_replaced BEFORE INSERT ON facts
        WHEN EXISTS (SELECT 1 FROM facts WHERE seq = NEW.seq)
        OR EXISTS (SELECT 1 FROM facts WHERE subject = NEW.subject AND source = NEW.source AND id = NEW.id
                   AND revision = NEW.revision)
        BEGIN SELECT RAISE(ABORT, 'facts are never replaced'); END""",
)


def upgrade() -> None:
    """Makes the tables and the triggers that keep facts as they were told."""
    for statement in (*TABLES, *TRIGGERS):
        op.execute(statement)
