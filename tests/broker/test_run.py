"""`dunghen run`: worker, ticker and relay in one process, on both databases; they begin and end together."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from kafka import KafkaConsumer
from msgspec.structs import replace
from receiving import SECRET, desk
from working import Office, Worker, undisturbed, until

from consumers.apply import apply
from consumers.codec import RawRecord, decode, encode
from consumers.contract.topics import TOPICS
from consumers.kafka import make_topics
from workflow.catalogue import load
from workflow.store.bodies import Told
from workflow.store.looking import channels
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

OVERDUE: Final = "H13-1"
GOOD: Final = Path(__file__).parent.parent / "contract_examples" / "dossier.acted.v1" / "good.json"
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(params=["postgresql", "sqlite"])
def where(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """The store: a URL, or the path of a file."""
    return database if request.param == "postgresql" else str(tmp_path / "run.db")


def overdue(where: str) -> None:
    """Puts a dossier into the store whose slip has long passed; only time has not been asked about it."""
    fact = replace(decode(RawRecord(GOOD.read_bytes().replace(b"2026-", b"2025-"))), subject=OVERDUE)
    store = open_store(where)
    with resources.as_file(resources.files("processes")) as folder:
        apply(store, load(folder), [Told(fact, encode(fact))], now=fact.occurred_at)
    store.close()


def started(office: Office, folder: Path, *words: str, **settings: object) -> Worker:
    process = Worker(office.environ(**settings), folder / f"run-{len(office.workers)}.log", "run", *words)
    office.workers.append(process)
    return process


def told(where: str) -> tuple[int, int, int]:
    """Positions together, dossiers still due, and batches and letters not yet sent."""
    store = open_store(where)
    try:
        with store.reading() as reading:
            ((positions,),) = reading.ask("SELECT coalesce(sum(position), 0) FROM positions")
            ((due,),) = reading.ask("SELECT count(*) FROM dossiers WHERE next_due_at < 1780000000000000")
            ((waits,),) = reading.ask(
                "SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL)"
                " + (SELECT count(*) FROM dead_letters WHERE sent_at IS NULL)"
            )
            return int(positions), int(due), int(waits)
    finally:
        store.close()


def judged(where: str) -> list[tuple[Any, ...]]:
    """Each dossier's judgment, without what differs from run to run."""
    store = open_store(where)
    try:
        with store.reading() as reading:
            rows = reading.dossiers()
            return [(*row[:3], row.state, row.facts, row.ended_at) for row in rows if row.subject != OVERDUE]
    finally:
        store.close()


def sent_messages(office: Office, prefix: str) -> Counter[str]:
    """How often each id was sent on our topics."""
    names = [prefix + one.name for one in TOPICS if one.name == "decisions" or one.name.startswith("alerts.")]
    consumer = KafkaConsumer(
        *names,
        bootstrap_servers=office.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=3_000,
    )
    try:
        return Counter(json.loads(record.value)["id"] for record in consumer)
    finally:
        consumer.close()


def test_one_process_reads_judges_notices_and_sends_and_ends_whole(
    office: Office, messages: list[bytes], where: str, tmp_path: Path, another: Callable[[], str]
) -> None:
    prefix = office.topic.removesuffix("dossiers")
    make_topics(office.bootstrap, prefix, TOPICS, replicas=1, make=True)
    overdue(where)
    office.send(messages)
    process = started(office, tmp_path, STORE=where)
    port = process.said("started", kind="worker+ticker+relay")["port"]
    until(lambda: told(where) == (len(messages), 0, 0), "all read, nothing due, everything sent")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
        assert answer.status == 200

    assert process.end() == 0
    events = Counter(one["event"] for one in process.lines())
    assert events["stopped"] == 1
    assert events["ticked"] >= 1
    assert events["relayed"] >= 1
    assert not [one for one in process.lines() if one.get("reason") in {"store_busy", "version_conflict"}]
    assert set(sent_messages(office, prefix).values()) == {1}
    plain = another()
    undisturbed(plain, messages)
    assert judged(where) == judged(plain)


def test_from_files_there_is_no_relay_and_deadlines_are_noticed_until_it_is_told_to_end(
    office: Office, messages: list[bytes], where: str, tmp_path: Path
) -> None:
    (tmp_path / "month.jsonl").write_bytes(b"\n".join(messages) + b"\n")
    overdue(where)
    words = ("--source", str(tmp_path / "month.jsonl"))
    process = started(office, tmp_path, *words, STORE=where, BROKERS="127.0.0.1:9")
    port = process.said("started", kind="worker+ticker")["port"]
    process.said("file read")
    until(lambda: told(where)[1] == 0, "nothing due")
    process.said("ticked")

    def ready() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return bool(answer.status == 200)

    assert ready()
    assert told(where)[2] > 0
    assert process.end() == 0


def test_with_routes_alerts_go_through_channels_too(
    office: Office, messages: list[bytes], where: str, tmp_path: Path, definitions: Path
) -> None:
    (tmp_path / "month.jsonl").write_bytes(b"\n".join(messages[:100]) + b"\n")
    (tmp_path / "secret").write_text(SECRET)
    with desk() as at_desk:
        (tmp_path / "routes.yaml").write_text(
            f"zone: UTC\nwebhooks: {{desk: {{url: '{at_desk.url}', secrets: [secret]}}}}\n"
            "routes: {late: {channel: desk, kinds: [dossier_late], gather_seconds: 0}}\n"
        )
        words = ("--source", str(tmp_path / "month.jsonl"), "--routes", str(tmp_path / "routes.yaml"))
        process = started(
            office, tmp_path, *words, STORE=where, BROKERS="127.0.0.1:9", RUN_PROCEDURES=definitions
        )
        process.said("started", kind="worker+ticker+notify+notify-desk")
        until(lambda: begun(where), "the channel has begun")
        overdue(where)
        (got, *_) = at_desk.wait(lambda got: any(OVERDUE.encode() in one.body for one in got))
        assert got.headers["webhook-id"].startswith("dh-")
        assert process.end() == 0


def begun(where: str) -> bool:
    store = open_store(where)
    try:
        return bool(channels(store, datetime.now(UTC)))
    finally:
        store.close()


def test_a_part_that_fails_ends_the_others_and_the_process_with_its_error(
    office: Office, tmp_path: Path
) -> None:
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 10_000)[:-20])
    process = started(office, tmp_path, "--source", str(tmp_path / "cut.jsonl.gz"))

    assert process.process.wait(60) == 2
    assert process.said("failed")["part"] == "worker"
    assert "cut.jsonl.gz" in process.log.read_text(encoding="utf-8").splitlines()[-1]
