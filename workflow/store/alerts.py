"""The life of an alert as a row and back, and what was heard of each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from workflow.alerts.life import Life
from workflow.store.rows import AlertRow, FeedRow, to_us

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from workflow.store.store import Reading, Writing

_OF: Final = "SELECT id, content FROM alerts WHERE {id}"
_ABOUT: Final = (
    "SELECT id, content FROM alerts WHERE {subject} AND NOT (kind = 'refused_event' AND state = 'retracted')"
)
_STATES: Final = "('waiting', 'raised', 'acknowledged', 'snoozed')"
_OPEN: Final = f"SELECT id, content FROM alerts WHERE kind = %s AND state IN {_STATES}"
_FEEDS: Final = f"SELECT {', '.join(FeedRow._fields)} FROM feeds ORDER BY source, stream, partition"
_HEAR: Final = (
    "INSERT INTO feeds (source, stream, partition, told_at, heard_at) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (source, stream, partition) DO UPDATE SET heard_at = excluded.heard_at,"
    " told_at = CASE WHEN feeds.told_at > excluded.told_at THEN feeds.told_at ELSE excluded.told_at END"
)

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Life).decode


def row(life: Life) -> AlertRow:
    """The row of an alert."""
    alert = life.alert
    return AlertRow(
        alert.id,
        alert.kind,
        alert.topic,
        alert.subject,
        alert.unit,
        life.state,
        life.n,
        None if alert.due_at is None else to_us(alert.due_at),
        to_us(life.raised_at),
        _encode(life),
    )


def lives(rows: Iterable[AlertRow]) -> dict[str, Life]:
    """The lives of alerts, by their ids."""
    return {one.id: _decode(one.content) for one in rows}


def lives_of(reading: Reading, ids: Iterable[str]) -> dict[str, Life]:
    """The lives of the alerts of these ids that were ever said, or wait to be."""
    return _read(reading.rows(_OF, id=ids))


def lives_about(reading: Reading, subjects: Collection[str]) -> dict[str, dict[str, Life]]:
    """The lives of the alerts about these subjects, by subject and id, but for refusals that were taken back: of those
    nothing more is said, unless the fact is refused again; then ask for them by their ids."""
    found: dict[str, dict[str, Life]] = {}
    for identifier, content in reading.rows(_ABOUT, subject=subjects) if subjects else ():
        life = _decode(content)
        found.setdefault(life.alert.subject, {})[identifier] = life
    return found


def lives_open(reading: Reading, kind: str) -> dict[str, Life]:
    """The lives of the alerts of a kind that are neither resolved nor retracted, nor history."""
    return _read(reading.rows(_OPEN, (kind,)))


def feeds(reading: Reading) -> list[FeedRow]:
    """What was heard of each source, by each reader."""
    return [FeedRow._make(row) for row in reading.rows(_FEEDS)]


def hear(writing: Writing, rows: Iterable[FeedRow]) -> None:
    """Keeps what a reader of a stream has heard of its sources."""
    for row in rows:
        writing.run(_HEAR, row)


def _read(rows: Iterable[tuple[str, bytes]]) -> dict[str, Life]:
    return {identifier: _decode(content) for identifier, content in rows}
