"""`dunghen ticker` as a process on real PostgreSQL: what is due is said once, whoever shares the work or is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from msgspec.structs import replace

from consumers.apply import apply
from consumers.codec import RawRecord, decode, encode
from consumers.ticker import tick
from workflow.catalogue import load
from workflow.facts import Acted, Appointment
from workflow.messages import read
from workflow.store.bodies import Told
from workflow.store.opening import open_store
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workflow.store.store import Store

pytestmark = pytest.mark.timeout(120)
COUNT: Final = 40
DOWN: Final = 3_000
OUT_MAX_S: Final = 60.0
GOOD: Final = Path(__file__).parent.parent / "contract_examples" / "dossier.acted.v1" / "good.json"
FACT: Final = decode(RawRecord(GOOD.read_bytes().replace(b"2026-", b"2025-")))


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def ticker(database: str, definitions: Path) -> subprocess.Popen[bytes]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
    environ |= {"DUNGHEN_STORE": database, "DUNGHEN_HEALTH_PORT": "0"}
    command = [sys.executable, "-c", "from workflow.cli.main import main; main()", "ticker"]
    command += ["--procedures", str(definitions)]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE)


def fill(store: Store, definitions: Path, first: int = 0) -> None:
    """Dossiers whose slip has long passed; only time has not been asked about them."""
    catalogue = load(definitions)
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
            for _, content in reading.outbox(limit=100_000)
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


def test_two_tickers_say_each_thing_once_and_end_when_told(
    store: Store, database: str, definitions: Path
) -> None:
    fill(store, definitions)
    assert due(store) == COUNT
    processes = [ticker(database, definitions) for _ in range(2)]
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


def test_a_ticker_that_is_killed_loses_nothing(store: Store, database: str, definitions: Path) -> None:
    fill(store, definitions)
    first = ticker(database, definitions)
    assert first.stderr is not None
    first.stderr.readline()
    first.kill()
    first.communicate()
    fill(store, definitions, first=COUNT)
    second = ticker(database, definitions)
    wait_until_none_is_due(store)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=20)
    found = alerts(store)

    assert len(found) == len(set(found)) >= 2 * COUNT


def test_after_thirty_days_down_every_lateness_comes_out_once_with_its_true_date(
    store: Store, database: str, definitions: Path, another: Callable[[], str]
) -> None:
    """As one that never was down says it, though all at once; within the time a storm may take."""
    slips = [FACT.occurred_at + timedelta(days=15 + number * 30 / DOWN) for number in range(DOWN)]
    assert isinstance(FACT.body, Acted)
    told = [
        Told(fact, encode(fact), place=f"t/0/{number}")
        for number, slip in enumerate(slips)
        for fact in [replace(FACT, subject=f"H13-{number}", body=replace(FACT.body, appointment=at(slip)))]
    ]
    catalogue = load(definitions)
    apply(store, catalogue, told, now=FACT.occurred_at)
    with closing(open_store(another())) as awake:
        apply(awake, catalogue, told, now=FACT.occurred_at)
        for day in range(60):
            while tick(awake, catalogue, now=FACT.occurred_at + timedelta(days=day)).dossiers:
                pass
        while tick(awake, catalogue, now=datetime.now(UTC)).dossiers:
            pass
        expected = standing(awake)

    began = time.monotonic()
    process = ticker(database, definitions)
    wait_until_none_is_due(store, OUT_MAX_S)
    took = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert took < OUT_MAX_S
    assert standing(store) == expected
    late = [one for one in expected if one[1] == "dossier_late"]
    assert sorted(due_at for *_, due_at in late) == sorted(map(to_us, slips))
    said = alerts(store)
    assert len(said) == len(set(said)) >= DOWN


def at(moment: datetime) -> Appointment:
    return Appointment(at=moment)


def standing(store: Store) -> list[tuple[Any, ...]]:
    """The alerts about dossiers that stand: id, kind, unit, and the true moment."""
    asked = (
        "SELECT a.id, a.kind, a.unit, a.due_at FROM alerts a JOIN dossiers USING (subject)"
        " WHERE a.state = 'raised' ORDER BY a.id"
    )
    with store.reading() as reading:
        return [tuple(row) for row in reading.ask(asked)]
