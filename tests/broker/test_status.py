"""`dunghen status` beside a broker: how far each partition was read, and how far its log goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from consumers.contract.outgoing import Record
from consumers.contract.topics import DOSSIERS
from consumers.kafka import Publisher, make_topics
from workflow.messages import encode
from workflow.store.opening import open_store
from workflow.store.rows import EPOCH, Position, to_us

if TYPE_CHECKING:
    from servers.finding import Servers


def status(*words: str) -> dict[str, Any]:
    asked = f"from workflow.cli.main import main; main(['status', '--output', 'json', *{list(words)}])"
    environ = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
    done = subprocess.run([sys.executable, "-c", asked], env=environ, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_lag_is_the_end_of_the_log_less_the_position(servers: Servers, database: str, name: str) -> None:
    topic = f"{name}.{DOSSIERS.name}"
    make_topics(servers.bootstrap, f"{name}.", [DOSSIERS], replicas=1, make=True)
    with closing(Publisher(servers.bootstrap)) as publish:
        publish([Record(topic, b"one key", b"{}", ()) for _ in range(7)])
    store = open_store(database)
    with store.writing() as writing:
        for partition in range(DOSSIERS.partitions):
            writing.claim(topic, partition, log="log")
        writing.say(to_us(EPOCH), 3, encode([]))
    plain = status("--store", database)
    beside = status("--store", database, "--brokers", servers.bootstrap)
    behind = {one["partition"]: one["lag"] for one in beside["positions"]}
    (full,) = [partition for partition, lag in behind.items() if lag]
    with store.writing() as writing:
        writing.move(Position(topic, full, 0, 5, 1))
    later = status("--store", database, "--brokers", servers.bootstrap)
    store.close()

    assert {one["lag"] for one in plain["positions"]} == {None}
    assert behind[full] == 7
    assert sum(behind.values()) == 7
    assert [one for one in later["positions"] if one["partition"] == full] == [
        {"stream": topic, "partition": full, "position": 5, "epoch": 1, "log": "log", "end": 7, "lag": 2}
    ]
    assert plain["waiting"]["messages"] == 3
    assert plain["waiting"]["blocked"] == 0
