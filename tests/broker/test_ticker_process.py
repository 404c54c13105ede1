"""`dunghen ticker` as a process on real PostgreSQL: what is due is said once, whoever shares the work or is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from consumers.apply import apply
from consumers.codec import RawRecord, decode, encode
from workflow.catalogue import load
from workflow.messages import read
from workflow.store.bodies import Told
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.store.store import Store

pytestmark = pytest.mark.timeout(120)
COUNT: Final = 40
GOOD: Final = Path(__file__).parent.parent / "contract_examples" / "dossier.acted.v1" / "good.json"
FACT: Final = decode(RawRecord(GOOD.read_bytes().replace(b"2026-", b"2025-")))


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def ticker(database: str) -> subprocess.Popen[bytes]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
    environ |= {"DUNGHEN_STORE": database, "DUNGHEN_HEALTH_PORT": "0"}
    command = [sys.executable, "-c", "from workflow.cli.main import main; main(['ticker'])"]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE)


def fill(store: Store, first: int = 0) -> None:
    """Dossiers whose slip has long passed; only time has not been asked about them."""
    with resources.as_file(resources.files("processes")) as folder:
        catalogue = load(folder)
    told = []
    for number in range(first, first + COUNT):
        fact = replace(FACT, subject=f"H13-{number}")
        told.append(Told(fact, encode(fact), place=f"t/0/{number}"))
    apply(store, catalogue, told, now=FACT.occurred_at)


def alerts(store: Store) -> list[str]:
    """The ids of what was said about alerts."""
    with store.reading() as reading:
        return [
            one.id
            for _, content in reading.outbox(limit=10_000)
            for one in read(content)
            if one.topic != "decisions"
        ]


def due(store: Store) -> int:
    with store.reading() as reading:
        return len(reading.due(datetime.now(UTC), 1_000))


def wait_until_none_is_due(store: Store, within_s: float = 60) -> None:
    until = time.monotonic() + within_s
    while due(store):
        assert time.monotonic() < until


def test_two_tickers_say_each_thing_once_and_end_when_told(store: Store, database: str) -> None:
    fill(store)
    assert due(store) == COUNT
    processes = [ticker(database) for _ in range(2)]
    wait_until_none_is_due(store)
    for one in processes:
        one.send_signal(signal.SIGTERM)
    said = [one.communicate(timeout=20)[1].decode().splitlines() for one in processes]
    events = [json.loads(line) for lines in said for line in lines]
    found = alerts(store)

    assert [one.returncode for one in processes] == [0, 0]
    assert len(found) == len(set(found)) >= COUNT
    assert sum(one.get("dossiers", 0) for one in events if one["event"] == "ticked") >= COUNT
    assert {lines[-1].count("stopped") for lines in said} == {1}


def test_a_ticker_that_is_killed_loses_nothing(store: Store, database: str) -> None:
    fill(store)
    first = ticker(database)
    assert first.stderr is not None
    first.stderr.readline()
    first.kill()
    first.communicate()
    fill(store, first=COUNT)
    second = ticker(database)
    wait_until_none_is_due(store)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=20)
    found = alerts(store)

    assert len(found) == len(set(found)) >= 2 * COUNT
