"""`dunghen source check TOPIC`: what the messages of a topic would become, read beside everybody and kept nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from consumers.codec import RawRecord, decode, encode
from consumers.contract.outgoing import Record
from consumers.contract.topics import DOSSIERS
from consumers.decoding import zones_of
from consumers.kafka import Publisher, make_topics, newest
from workflow.sources import read_sources

if TYPE_CHECKING:
    from servers.finding import Servers

SOURCES: Final = Path(__file__).parent.parent.parent / "processes" / "sources"
DOSSIERS_TOPIC: Final = "dunghen.dossiers"
COMMAND: Final = Path(sys.executable).with_name("dunghen")
GOOD: Final = (
    Path(__file__).parent.parent / "contract_examples" / "dossier.acted.v1" / "good.json"
).read_bytes()
FACT: Final = decode(RawRecord(GOOD))


def check(topic: str, *more: str) -> tuple[int, dict[str, Any], str]:
    words = ["source", "check", topic, "-o", "json", *more]
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def filled(servers: Servers, name: str, values: list[tuple[bytes, tuple[tuple[str, bytes], ...]]]) -> str:
    topic = f"{name}.{DOSSIERS.name}"
    make_topics(servers.bootstrap, f"{name}.", [DOSSIERS], replicas=1, make=True)
    with closing(Publisher(servers.bootstrap)) as publish:
        publish([Record(topic, b"k", value, headers) for value, headers in values])
    return topic


def test_facts_shells_and_mistakes_are_told_with_their_places(servers: Servers, name: str) -> None:
    message = encode(FACT)
    attributes = json.loads(message)
    data = json.dumps(attributes.pop("data")).encode()
    attributes["content-type"] = attributes.pop("datacontenttype")
    binary = tuple(
        (key if key == "content-type" else f"ce_{key}", str(value).encode())
        for key, value in attributes.items()
    )
    removed = json.dumps({"op": "d", "before": {}, "after": None, "source": {}}).encode()
    topic = filled(
        servers,
        name,
        [(json.dumps(message.decode()).encode(), ()), (data, binary), (removed, ()), (b"no message", ())],
    )
    status, found, _ = check(topic, "--brokers", servers.bootstrap)
    places = [one["place"] for one in found["messages"]]

    assert status == 1
    assert found["records"] == 4
    assert found["says_nothing"] == 1
    assert found["refusals"] == {"key_differs": 1, "not_json": 1}
    told = {one["outcome"]: one.get("id") for one in found["messages"] if "reason" not in one}
    assert told.pop("says_nothing") is None
    assert list(told.values()) == [FACT.id]
    assert all(place.startswith(f"{topic}/") for place in places)


def test_a_time_without_an_offset_is_refused_as_a_worker_of_that_topic_would(
    servers: Servers, name: str
) -> None:
    told = json.loads(GOOD)
    told["data"]["occurred_at"] = told["data"]["occurred_at"][:19]
    topic = filled(
        servers, name, [(json.dumps(json.dumps(told)).encode(), ()), (json.dumps(GOOD.decode()).encode(), ())]
    )
    for words in ((), ("--source", "one-stop")):
        status, found, _ = check(topic, "--brokers", servers.bootstrap, *words)
        assert (status, found["refusals"], found["facts"]) == (1, {"time_without_zone": 1}, 1)


def test_a_topic_of_sources_in_several_zones_gives_its_times_none() -> None:
    (one,) = [one for one in read_sources(SOURCES).values() if one.source == "one-stop"]
    other = replace(one, source="another", zone="Asia/Tokyo")
    assert zones_of([one, replace(one, source="third")]) == {DOSSIERS_TOPIC: one.timezone}
    assert zones_of([one, other]) == {}


def test_only_the_newest_are_read_and_no_position_moves(servers: Servers, name: str) -> None:
    values = [(json.dumps(json.dumps({"n": n})).encode(), ()) for n in range(30)]
    topic = filled(servers, name, list(values))
    last = newest(servers.bootstrap, topic, 4)

    assert [one.value for one in last] == [value for value, _ in values[-4:]]
    assert last == newest(servers.bootstrap, topic, 4)
    assert len(newest(servers.bootstrap, topic, 1_000)) == 30


def test_a_topic_that_is_not_there_is_named_as_is_a_broker_that_is_not_told(servers: Servers) -> None:
    status, _, said = check("no.such.topic", "--brokers", servers.bootstrap)
    assert status == 2
    assert "no.such.topic: there is no such file here and no such topic" in said
    status, _, said = check("no.such.topic")
    assert status == 2
    assert "--brokers" in said
