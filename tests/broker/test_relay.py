"""The relay on real Kafka and real PostgreSQL: killed at any moment, a consumer that dedupes by id sees each once."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from msgspec.structs import replace

from consumers.contract.outgoing import Record
from consumers.contract.topics import DEAD_LETTERS, DECISIONS, LETTER_ALWAYS, LETTER_HEADERS, TOPICS
from consumers.kafka import Publisher, make_topics
from consumers.relay import BATCHES, step
from servers.kafka import Kafka
from workflow.errors import BrokerRefused, BrokerUnreachable
from workflow.messages import Decision, encode
from workflow.store.letters import bury
from workflow.store.opening import open_store
from workflow.store.rows import EPOCH, DeadLetter, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.finding import Servers
    from workflow.store.store import Store

NOW = EPOCH.replace(year=2024)
KEYS = 7
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def prefix(servers: Servers, name: str) -> str:
    made = make_topics(servers.bootstrap, f"{name}.", TOPICS, replicas=1, make=True)
    assert {one.found for one in made} == {"made"}
    return f"{name}."


def say(store: Store, batches: int, first: int = 0) -> list[str]:
    """So many rows of KEYS decisions each, one for each key; the ids of all messages in their order."""
    ids = []
    for number in range(first, first + batches):
        decided = [Decision(f"H13-{key}", "gate", "a", 0, number) for key in range(KEYS)]
        ids += [f"H13-{key}/gate/a/0/{number}" for key in range(KEYS)]
        with store.writing() as writing:
            writing.say(to_us(NOW), KEYS, encode(decided))
    return ids


def arrived(bootstrap: str, topic: str) -> list[Any]:
    """All records of a topic, those of a partition in their order."""
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")) as consumer:
        partitions = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        left = {one: end for one, end in consumer.end_offsets(partitions).items() if end}
        found: list[Any] = []
        while any(consumer.position(one) < end for one, end in left.items()):
            for records in consumer.poll(timeout_ms=200).values():
                found += records
    return found


def deduped(records: list[Any]) -> dict[str, list[int]]:
    """For each key the versions a consumer sees that drops what it has seen, in the order it sees them."""
    seen: dict[str, bytes] = {}
    versions: dict[str, list[int]] = {}
    for one in records:
        event = json.loads(one.value)
        if event["id"] in seen:
            assert seen[event["id"]] == one.value, "a repeat differs"
            continue
        seen[event["id"]] = one.value
        versions.setdefault(one.key.decode(), []).append(event["data"]["version"])
    return versions


def relay(database: str, servers: Servers, prefix: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from workflow.cli.main import main; main(['relay'])"]
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")},
        "DUNGHEN_STORE": database,
        "DUNGHEN_BROKERS": servers.bootstrap,
        "DUNGHEN_PREFIX": prefix,
        "DUNGHEN_HEALTH_PORT": "0",
    }
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE)


def wait_sent(store: Store, left: int = 0, within_s: float = 60) -> None:
    until = time.monotonic() + within_s
    while (waiting := unsent(store)) > left:
        assert time.monotonic() < until, f"{waiting} batches are not sent"


def unsent(store: Store) -> int:
    with store.engine.connect() as plain:
        ((count,),) = plain.exec_driver_sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL")
    return int(count)


def test_each_message_goes_to_its_topic_in_the_order_of_its_key(
    store: Store, servers: Servers, prefix: str
) -> None:
    ids = say(store, BATCHES + 3)
    with closing(Publisher(servers.bootstrap)) as publish, store.relaying() as outbox:
        assert outbox is not None
        sent = [step(outbox, publish, prefix, lambda: NOW) for _ in range(3)]
    records = arrived(servers.bootstrap, prefix + DECISIONS.name)

    assert [one.batches for one in sent] == [BATCHES, 3, 0]
    assert sorted(json.loads(one.value)["id"] for one in records) == sorted(ids)
    assert deduped(records) == {f"H13-{key}": list(range(BATCHES + 3)) for key in range(KEYS)}
    assert {len(one.headers) for one in records} == {1}


def test_a_key_has_the_partition_that_any_client_of_the_library_finds_for_it(
    servers: Servers, name: str
) -> None:
    """So those who write to a topic of ours, or read two of them side by side, need nothing of us to find a key."""
    draw = Random(7)
    keys = [draw.randbytes(draw.randrange(1, 40)) for _ in range(500)]
    topics = {f"{name}.{count}": count for count in (1, 7, 12)}
    made = [replace(DECISIONS, name=topic, partitions=count) for topic, count in topics.items()]
    make_topics(servers.bootstrap, "", made, replicas=1, make=True)
    with closing(Publisher(servers.bootstrap)) as publish:
        publish([Record(topic, key, b"ours", ()) for topic in topics for key in keys])
        publish([Record(topic, None, b"no key", ()) for topic in topics])
    with closing(KafkaProducer(bootstrap_servers=servers.bootstrap)) as theirs:
        for topic in topics:
            for key in keys:
                theirs.send(topic, key=key, value=b"theirs")
        theirs.flush()

    for topic, count in topics.items():
        found = arrived(servers.bootstrap, topic)
        ours, other = (
            {one.key: one.partition for one in found if one.value == by} for by in (b"ours", b"theirs")
        )
        assert ours == other
        assert set(ours.values()) == set(range(count))
        assert len(found) == 2 * len(keys) + 1


def test_killed_between_produce_and_mark_it_repeats_with_the_same_ids(
    store: Store, servers: Servers, prefix: str
) -> None:
    """The marking fails as it does for a process that is gone: the step is taken again, whole."""
    say(store, 3)
    with closing(Publisher(servers.bootstrap)) as publish:
        with store.relaying() as outbox:
            assert outbox is not None
            with pytest.raises(KeyboardInterrupt):
                step(outbox, publish, prefix, interrupted)
        with store.relaying() as outbox:
            assert outbox is not None
            step(outbox, publish, prefix, lambda: NOW)
    records = arrived(servers.bootstrap, prefix + DECISIONS.name)

    assert len(records) == 2 * 3 * KEYS
    assert deduped(records) == {f"H13-{key}": [0, 1, 2] for key in range(KEYS)}


def interrupted() -> Any:
    raise KeyboardInterrupt


def test_killed_again_and_again_it_loses_nothing_and_keeps_the_order(
    store: Store, database: str, servers: Servers, prefix: str
) -> None:
    rounds, each = 5, 60
    for number in range(rounds):
        say(store, each, first=number * each)
        before = unsent(store)
        process = relay(database, servers, prefix)
        # Killed somewhere among its steps: the first row that is marked shows that it sends.
        wait_sent(store, left=before - 1)
        process.kill()
        process.communicate()
    process = relay(database, servers, prefix)
    wait_sent(store)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    records = arrived(servers.bootstrap, prefix + DECISIONS.name)

    assert process.returncode == 0
    assert deduped(records) == {f"H13-{key}": list(range(rounds * each)) for key in range(KEYS)}
    lines = [json.loads(line) for line in said.decode().splitlines()]
    assert [line["event"] for line in lines][:2] == ["started", "relaying"]
    assert lines[-1]["event"] == "stopped"


def test_while_one_relay_sends_another_stands_by_and_takes_over(
    store: Store, database: str, servers: Servers, prefix: str
) -> None:
    first = relay(database, servers, prefix)
    say(store, 2)
    wait_sent(store)
    second = relay(database, servers, prefix)
    assert second.stderr is not None
    assert json.loads(second.stderr.readline())["event"] == "started"
    first.kill()
    first.communicate()
    say(store, 2, first=2)
    wait_sent(store)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=20)

    records = arrived(servers.bootstrap, prefix + DECISIONS.name)
    assert deduped(records) == {f"H13-{key}": list(range(4)) for key in range(KEYS)}


def test_a_broker_that_is_killed_and_comes_back_misses_nothing_and_breaks_no_order(store: Store) -> None:
    with Kafka() as kafka, closing(Publisher(kafka.bootstrap, patience_s=3)) as publish:
        make_topics(kafka.bootstrap, "t.", TOPICS, replicas=1, make=True)
        say(store, 4)
        with store.relaying() as outbox:
            assert outbox is not None
            step(outbox, publish, "t.", lambda: NOW)
            say(store, 40, first=4)
            kafka.kill()
            with pytest.raises(BrokerUnreachable):
                step(outbox, publish, "t.", lambda: NOW)
            kafka.restart()
            while unsent(store):
                step(outbox, publish, "t.", lambda: NOW)
        records = arrived(kafka.bootstrap, "t.decisions")

    assert deduped(records) == {f"H13-{key}": list(range(44)) for key in range(KEYS)}


def test_a_broker_that_is_not_there_is_named(store: Store) -> None:
    say(store, 1)
    with closing(Publisher("127.0.0.1:1", patience_s=1)) as publish, store.relaying() as outbox:
        assert outbox is not None
        with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:1: no answer in time"):
            step(outbox, publish, "t.", lambda: NOW)
    assert unsent(store) == 1


def test_a_topic_that_is_not_there_is_said(servers: Servers, store: Store, name: str) -> None:
    say(store, 1)
    with closing(Publisher(servers.bootstrap, patience_s=1)) as publish, store.relaying() as outbox:
        assert outbox is not None
        with pytest.raises((BrokerUnreachable, BrokerRefused), match="topics"):
            step(outbox, publish, f"{name}.", lambda: NOW)
    assert unsent(store) == 1


def test_nothing_said_in_shadow_reaches_a_topic(database: str, servers: Servers, prefix: str) -> None:
    shadow = open_store(database, shadow=True)
    say(shadow, 3)
    with shadow.writing() as writing:
        bury(writing, [DeadLetter("p", "r", "d", None, b"v", b"[]", to_us(NOW), to_us(NOW))])
    with closing(Publisher(servers.bootstrap)) as publish, shadow.relaying() as outbox:
        assert outbox is not None
        assert step(outbox, publish, prefix, lambda: NOW) == (0, {})
    shadow.close()

    assert arrived(servers.bootstrap, prefix + DECISIONS.name) == []


def test_a_dead_letter_goes_out_whole_with_its_place_and_reason_and_once(
    store: Store, servers: Servers, prefix: str
) -> None:
    own = msgspec.json.encode([("trace", base64.b64encode(b"\x00\xff").decode())])
    letters = [
        DeadLetter(
            "dunghen.dossiers/3/17", "not_json", "expected JSON", b"k", b"\xff{", own, to_us(NOW), to_us(NOW)
        ),
        DeadLetter("day.jsonl:4", "not_json", "expected JSON", None, b"x", b"[]", to_us(NOW), to_us(NOW)),
    ]
    with store.writing() as writing:
        bury(writing, letters)
    with closing(Publisher(servers.bootstrap)) as publish, store.relaying() as outbox:
        assert outbox is not None
        topics = [step(outbox, publish, prefix, lambda: NOW).topics for _ in range(2)]
    sent = sorted(arrived(servers.bootstrap, prefix + DEAD_LETTERS.name), key=lambda one: len(one.value))
    (file, whole) = sent

    assert topics == [{prefix + DEAD_LETTERS.name: 2}, {}]
    assert (whole.key, whole.value, file.key, file.value) == (b"k", b"\xff{", None, b"x")
    assert whole.headers[0] == ("trace", b"\x00\xff")
    assert {name for name, _ in whole.headers[1:]} == set(LETTER_HEADERS)
    assert {name for name, _ in file.headers} == set(LETTER_ALWAYS)
    told = dict(whole.headers)
    assert told["__connect.errors.topic"] == b"dunghen.dossiers"
    assert (told["__connect.errors.partition"], told["__connect.errors.offset"]) == (b"3", b"17")
    assert (told["dunghen.reason"], told["dunghen.first-seen"]) == (b"not_json", b"2024-01-01T00:00:00+00:00")


def test_topics_are_made_once_and_one_that_differs_is_told(servers: Servers, name: str) -> None:
    def found(*, make: bool = False, wanted: Any = TOPICS) -> dict[str, str]:
        made = make_topics(servers.bootstrap, f"{name}.", wanted, replicas=1, make=make)
        return {one.topic.removeprefix(f"{name}."): f"{one.found} {one.differs}".strip() for one in made}

    names = [topic.name for topic in TOPICS]
    assert found() == dict.fromkeys(names, "missing")
    assert found(make=True) == dict.fromkeys(names, "made")
    assert found() == dict.fromkeys(names, "there")
    more = [
        type(topic)(**{**{f: getattr(topic, f) for f in topic.__struct_fields__}, "partitions": 5})
        for topic in TOPICS
    ]
    assert found(make=True, wanted=more)["dossiers"] == "differs partitions=12"
