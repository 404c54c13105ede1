"""The tables, as the newest migration leaves them (a test compares). Instants are whole microseconds since 1970 UTC.

Texts that are keys sort by their bytes on every database, so that all writers lock in one order.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    text,
)

METADATA: Final = MetaData()
Key: Final = Text().with_variant(Text(collation="C"), "postgresql")
Number: Final = BigInteger().with_variant(Integer(), "sqlite")

FACTS: Final = Table(
    "facts",
    METADATA,
    Column("seq", Number, Identity(), nullable=False),
    Column("subject", Key, nullable=False),
    Column("source", Key, nullable=False),
    Column("id", Key, nullable=False),
    Column("revision", Number, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", Number, nullable=False),
    Column("entered_at", Number),
    Column("recorded_at", Number, nullable=False),
    Column("sequence", Number, nullable=False),
    Column("told", LargeBinary, nullable=False),
    Column("received", LargeBinary),
    Column("salt", LargeBinary),
    Column("received_hash", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
"""`told`: the body in canonical JSON, what the fold reads. `received`: the message as it came, with `salt` erasable;
`received_hash` is SHA-256 of the two. `digest`: SHA-256 of the canonical form.

Unique on the identity alone: one more unique key over (source, id) costs more than all the rest (the same id under two
dossiers is found by an audit instead). SQLite keys the rows by `seq` and has the identity as an index; PostgreSQL
keys them by the identity and has a BRIN index on `seq`.
"""

BESIDE_ONLY: Final = "type >= 'dossier.linked' AND type < 'source'"
"""Facts that are asked for by their type: of officers, links, ratings, corrections. A statement has to say this as it
stands, or the index does not serve it; acts, the great number, stay out of it."""

DOSSIERS: Final = Table(
    "dossiers",
    METADATA,
    Column("subject", Key, nullable=False),
    Column("code", Text),
    Column("procedure", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("calendar", Text),
    Column("judge_version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("unit", Text),
    Column("officer", Text),
    Column("received_at", Number),
    Column("released_at", Number),
    Column("ended_at", Number),
    Column("appointment_due_at", Number),
    Column("appointment_late", Boolean(create_constraint=False)),
    Column("committed_due_at", Number),
    Column("committed_late", Boolean(create_constraint=False)),
    Column("deviated", Boolean(create_constraint=False), nullable=False),
    Column("minutes_left", Number),
    Column("next_due_at", Number),
    Column("blocked", Text),
    Column("linked", Text),
    Column("version", Number, nullable=False),
    Column("facts", Number, nullable=False),
    Column("last_recorded_at", Number, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("judgment", LargeBinary, nullable=False),
    PrimaryKeyConstraint("subject"),
    sqlite_with_rowid=False,
)

ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("subject", Key, nullable=False),
    Column("unit", Text),
    Column("state", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("due_at", Number),
    Column("raised_at", Number, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

FEEDS: Final = Table(
    "feeds",
    METADATA,
    Column("source", Key, primary_key=True),
    Column("stream", Key, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("told_at", Number, nullable=False),
    Column("heard_at", Number, nullable=False),
)
"""One row for each source and reader of a stream, so that readers do not wait for one another."""

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("seq", Number, Identity(), primary_key=True),
    Column("recorded_at", Number, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("withheld", Boolean(create_constraint=False), nullable=False),
    Column("sent_at", Number),
    Column("routed_at", Number),
    Column("wrote", LargeBinary, nullable=False),
    Column("checksum", Number, nullable=False),
)
"""One row is the messages of one batch. `withheld`: written in shadow mode, never to be sent. `sent_at`: when the
broker had acknowledged all of them; `routed_at`: when its alerts were laid out for the channels. No highest number
sent is kept instead: of two writers the one with the lower number may commit later, and would be passed over for ever.
`wrote`: what its transaction wrote beside (workflow/store/wrote.py); `checksum`: of all of these but the two marks.
"""

POSITIONS: Final = Table(
    "positions",
    METADATA,
    Column("stream", Key, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("position", Number, nullable=False),
    Column("epoch", Number, nullable=False),
    Column("log", Text, nullable=False),
)

CHANNELS: Final = Table(
    "channels",
    METADATA,
    Column("name", Key, primary_key=True),
    Column("since", Number, nullable=False),
    Column("delivered_at", Number),
    Column("failed_at", Number),
    Column("failures", Integer, nullable=False),
    Column("fault", Text),
)
"""`since`: it gets what is said from then on. `failures`: attempts in a row that failed; `fault`: of the last."""

NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("seq", Number, Identity(), primary_key=True),
    Column("channel", Key, nullable=False),
    Column("route", Key, nullable=False),
    Column("address", Key, nullable=False),
    Column("id", Key, nullable=False),
    Column("alert", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("unit", Text),
    Column("due_at", Number),
    Column("routed_at", Number, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("delivery", Key),
)
"""One message for one address of a channel; `delivery` is the one it went into, NULL while it waits for one."""

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("seq", Number, Identity(), primary_key=True),
    Column("id", Key, unique=True, nullable=False),
    Column("channel", Key, nullable=False),
    Column("route", Key, nullable=False),
    Column("address", Key, nullable=False),
    Column("form", Text, nullable=False),
    Column("unit", Text),
    Column("notices", Integer, nullable=False),
    Column("made_at", Number, nullable=False),
    Column("state", Text, nullable=False),
    Column("settled_at", Number),
    Column("fault", Text),
)
"""One webhook call or mail, under an id that stays. `form`: `unit`, `digest`, or `quiet` for what was snoozed before
it went out. `state`: `waiting`, `sent`, `parked` (refused for good) or `quiet`."""

DEFINITIONS: Final = Table(
    "definitions",
    METADATA,
    Column("kind", Key, primary_key=True),
    Column("name", Key, primary_key=True),
    Column("revision", Key, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("recorded_at", Number, nullable=False),
)

SWEEPS: Final = Table(
    "sweeps",
    METADATA,
    Column("target", Key, primary_key=True),
    Column("recorded_at", Number, nullable=False),
    Column("sources", Text, nullable=False),
    Column("after", Key, nullable=False),
    Column("dossiers", Number, nullable=False),
    Column("moved", Number, nullable=False),
    Column("finished", Boolean(create_constraint=False), nullable=False),
)

DEAD_LETTERS: Final = Table(
    "dead_letters",
    METADATA,
    Column("seq", Number, Identity(), primary_key=True),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("recorded_at", Number, nullable=False),
    Column("expires_at", Number, nullable=False),
    Column("withheld", Boolean(create_constraint=False), nullable=False),
    Column("sent_at", Number),
    Column("redriven_at", Number),
)

TO_SEND: Final = text("sent_at IS NULL AND NOT withheld")
TO_ROUTE: Final = text("routed_at IS NULL AND NOT withheld")
TO_DELIVER: Final = text("delivery IS NULL")
IS_OPEN: Final = text("state IN ('waiting', 'parked')")
IS_BLOCKED: Final = text("blocked IS NOT NULL")
IS_CONFLICT: Final = text("reason = 'id_conflict'")
"""Conditions of indexes, asked in the same words so that they are found by them."""
UNSENT_LETTERS: Final = Index(
    "dead_letters_unsent", DEAD_LETTERS.c.seq, sqlite_where=TO_SEND, postgresql_where=TO_SEND
)
UNSENT: Final = Index("outbox_unsent", OUTBOX.c.seq, sqlite_where=TO_SEND, postgresql_where=TO_SEND)
UNROUTED: Final = Index("outbox_unrouted", OUTBOX.c.seq, sqlite_where=TO_ROUTE, postgresql_where=TO_ROUTE)
NOTICES_WAITING: Final = Index(
    "notices_waiting",
    *(NOTICES.c[name] for name in ("channel", "route", "address", "seq")),
    sqlite_where=TO_DELIVER,
    postgresql_where=TO_DELIVER,
)
NOTICES_OF: Final = Index("notices_delivery", NOTICES.c.delivery, NOTICES.c.seq)
DELIVERIES_OPEN: Final = Index(
    "deliveries_open",
    *(DELIVERIES.c[name] for name in ("channel", "state", "seq")),
    sqlite_where=IS_OPEN,
    postgresql_where=IS_OPEN,
)
DELIVERIES_MADE: Final = Index(
    "deliveries_made", *(DELIVERIES.c[name] for name in ("channel", "route", "address", "made_at"))
)
BLOCKED: Final = Index(
    "dossiers_blocked", DOSSIERS.c.subject, sqlite_where=IS_BLOCKED, postgresql_where=IS_BLOCKED
)
NEXT_DUE: Final = Index("dossiers_next_due_at", DOSSIERS.c.next_due_at)
ALERTS_KIND: Final = Index("alerts_kind", ALERTS.c.kind, ALERTS.c.state)
_DATED: Final = DOSSIERS.c.appointment_due_at.is_not(None)
RELEASED: Final = Index(
    "dossiers_released",
    *(DOSSIERS.c[name] for name in ("unit", "released_at", "appointment_late", "appointment_due_at")),
    sqlite_where=and_(DOSSIERS.c.released_at.is_not(None), _DATED),
    postgresql_where=and_(DOSSIERS.c.released_at.is_not(None), _DATED),
)
WAITING: Final = Index(
    "dossiers_waiting",
    *(
        DOSSIERS.c[name]
        for name in ("unit", "procedure", "state", "appointment_due_at", "minutes_left", "released_at")
    ),
    sqlite_where=and_(DOSSIERS.c.released_at.is_(None), _DATED),
    postgresql_where=and_(DOSSIERS.c.released_at.is_(None), _DATED),
)
"""What the budget of lateness is counted by, without reading the rows: `released_at` stands in the second, where it is
always NULL, since SQLite would read the row to be sure of it."""
ENDED: Final = Index(
    "dossiers_ended", *(DOSSIERS.c[name] for name in ("ended_at", "received_at", "released_at"))
)
"""What a source's count of a day is compared by: the dossiers that were open in it, and those that ended since."""
BESIDE: Final = Index(
    "facts_beside",
    FACTS.c.type,
    FACTS.c.subject,
    sqlite_where=text(BESIDE_ONLY),
    postgresql_where=text(BESIDE_ONLY),
)
ALERTS_SUBJECT: Final = Index("alerts_subject", ALERTS.c.subject)
EXPIRES: Final = Index("dead_letters_expires_at", DEAD_LETTERS.c.expires_at)
PLACE: Final = Index("dead_letters_place", DEAD_LETTERS.c.place)
CONFLICTS: Final = Index(
    "dead_letters_conflicts", DEAD_LETTERS.c.detail, sqlite_where=IS_CONFLICT, postgresql_where=IS_CONFLICT
)
IDENTITY: Final = UniqueConstraint(
    FACTS.c.subject, FACTS.c.source, FACTS.c.id, FACTS.c.revision, name="facts_identity"
)
