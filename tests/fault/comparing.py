"""What a disturbed run kept and sent, beside what one that nothing disturbed did: what is lost, twice, differing."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import psycopg
from kafka import KafkaConsumer, TopicPartition
from working import DOSSIERS, FACTS

from consumers.contract.outgoing import record
from consumers.contract.topics import ALERTS, DEAD_LETTERS, DECISIONS
from consumers.several import judgments
from consumers.ticker import tick, tick_feeds
from workflow.messages import read
from workflow.store.opening import open_store
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflow.catalogue import Catalogue

STANDING: Final = (
    "SELECT id, kind, topic, subject, unit, state, CASE WHEN kind <> 'id_conflict' THEN due_at END FROM alerts"
    " WHERE state NOT IN ('resolved', 'retracted') ORDER BY id"
)
LETTERS: Final = "SELECT DISTINCT value, reason FROM dead_letters ORDER BY value, reason"
Message: TypeAlias = tuple[str, bytes]
"""Its id, and its bytes."""
OUTBOX: Final = "SELECT recorded_at, content FROM outbox ORDER BY seq"


class Kept(NamedTuple):
    """What is in a store, without what differs from run to run."""

    facts: dict[Any, Any]
    dossiers: dict[Any, Any]
    alerts: dict[Any, Any]
    letters: dict[Any, Any]


class Verdict(NamedTuple):
    """How many facts and messages are lost, are there twice, or differ. Nothing of it may be."""

    lost: int
    twice: int
    differing: int


def let_time_pass(database: str, catalogue: Catalogue) -> None:
    """Everything that is due by now is noticed, whether anybody is at work or not, and all that a ticker judges is
    judged."""
    now = datetime.now(UTC)
    with closing(open_store(database)) as store:
        while tick(store, catalogue, now=now, written_at=now).dossiers:
            pass
        tick_feeds(store, catalogue, now=now)
        for _, judge in judgments(store, catalogue, now=now, acts=True):
            judge()


def kept(database: str) -> Kept:
    """What is in a store."""
    with psycopg.connect(database) as connection:
        facts = {row[:4]: row[4:] for row in connection.execute(FACTS)}
        dossiers = {row[0]: row[1:] for row in connection.execute(DOSSIERS)}
        alerts = {row[0]: row[1:] for row in connection.execute(STANDING)}
        letters = dict.fromkeys(connection.execute(LETTERS), ())
    return Kept(facts, dossiers, alerts, letters)


def said(database: str, prefix: str) -> list[Message]:
    """Ids and bytes of all that a store said, in its order."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(OUTBOX).fetchall()
    records = [
        record(message, from_us(at), prefix).value for at, content in rows for message in read(bytes(content))
    ]
    return [(json.loads(value)["id"], value) for value in records]


def arrived(bootstrap: str, prefix: str) -> list[Message]:
    """Ids and bytes of what lies on the topics of decisions and alerts, repeats too."""
    topics = [prefix + topic.name for topic in (DECISIONS, *ALERTS)]
    return [(json.loads(one.value)["id"], one.value) for one in _lying(bootstrap, topics)]


def letters_said(database: str) -> list[Message]:
    """Places and bytes of the dead letters of a store."""
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT place, value FROM dead_letters ORDER BY seq").fetchall()
    return [(place, bytes(value)) for place, value in rows]


def letters_arrived(bootstrap: str, prefix: str) -> list[Message]:
    """Places and bytes of what lies on the topic of dead letters, repeats too."""
    return [
        (dict(one.headers)["dunghen.place"].decode(), one.value)
        for one in _lying(bootstrap, [prefix + DEAD_LETTERS.name])
    ]


def _lying(bootstrap: str, topics: list[str]) -> Iterator[Any]:
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")) as consumer:
        partitions = [
            TopicPartition(one, part) for one in topics for part in consumer.partitions_for_topic(one)
        ]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(one) < end for one, end in ends.items() if end):
            for records in consumer.poll(timeout_ms=200).values():
                yield from records


def known(messages: Iterable[Message]) -> dict[str, Any]:
    """What a consumer knows in the end that drops repeats by id and lets the highest version win: the outcome of each
    fact, and the alerts that stand."""
    latest: dict[str, tuple[int, Any]] = {}
    for identifier, value in dict(messages).items():
        about, _, number = identifier.rpartition("/")
        data = json.loads(value)["data"]
        outcome = (data.get("outcome"), data.get("blocked")) if data["says"] == "decision" else data["state"]
        if about not in latest or latest[about][0] < int(number):
            latest[about] = int(number), outcome
    return {
        about: outcome for about, (_, outcome) in latest.items() if outcome not in ("resolved", "retracted")
    }


def verdict(
    ours: Kept, theirs: Kept, messages: tuple[list[Message], ...], *letters: list[Message]
) -> Verdict:
    """`ours` disturbed, `theirs` not; `messages`: what ours said, what of it arrived, what theirs said; `letters`: the
    dead letters ours has, and what of them arrived."""
    told, came, wanted = messages
    lost = [one for one in theirs.facts if one not in ours.facts]
    unheard = twice = 0
    for here, heard in ((told, came), letters or ([], [])):
        once = dict(here)
        unheard += len(once.keys() - dict(heard).keys())
        twice += len(here) - len(once) + sum(once.get(name) != value for name, value in heard)
    return Verdict(len(lost) + unheard, twice, len(differences(ours, theirs, came, wanted)) - len(lost))


def differences(ours: Kept, theirs: Kept, came: list[Message], wanted: list[Message]) -> list[str]:
    """What is not equal, each in a line: ours, theirs."""
    pairs = {name: (getattr(ours, name), getattr(theirs, name)) for name in Kept._fields}
    pairs["known"] = known(came), known(wanted)
    return [
        f"{name} {key}: {mine.get(key, 'none')}, {other.get(key, 'none')}"
        for name, (mine, other) in pairs.items()
        for key in sorted(mine.keys() | other.keys())
        if mine.get(key, "none") != other.get(key, "none")
    ]
