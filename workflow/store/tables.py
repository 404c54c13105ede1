"""The tables, for the statements built on them. What they are made of, key and trigger, stands in `migrations`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import column, table

FACT_COLUMNS: Final = (
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
    "received",
    "salt",
    "received_hash",
    "digest",
)
DOSSIER_COLUMNS: Final = (
    "subject",
    "code",
    "procedure",
    "revision",
    "fingerprint",
    "judge_version",
    "state",
    "unit",
    "officer",
    "received_at",
    "released_at",
    "ended_at",
    "appointment_due_at",
    "appointment_late",
    "committed_due_at",
    "committed_late",
    "deviated",
    "next_due_at",
    "blocked",
    "version",
    "facts",
    "last_recorded_at",
    "judgment",
)

FACTS: Final = table("facts", column("seq"), *map(column, FACT_COLUMNS))
DOSSIERS: Final = table("dossiers", *map(column, DOSSIER_COLUMNS))
OUTBOX: Final = table("outbox", *map(column, ("seq", "recorded_at", "messages", "body")))
POSITIONS: Final = table("positions", *map(column, ("stream", "part", "position", "epoch", "log")))
DEFINITIONS: Final = table(
    "definitions", *map(column, ("kind", "name", "revision", "fingerprint", "body", "recorded_at"))
)
DEAD_LETTERS: Final = table(
    "dead_letters",
    *map(
        column,
        ("seq", "place", "reason", "detail", "message_key", "value", "headers", "recorded_at", "expires_at"),
    ),
)
