"""Real workers on real servers: started as commands, watched by their log, compared with a run nothing disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
from kafka import KafkaAdminClient, KafkaProducer

from consumers.apply import Beside, apply, letter
from consumers.codec import RawRecord
from consumers.decoding import decoded
from consumers.kafkareader import Raw
from consumers.streams import Stream
from workflow.catalogue import load
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

WITHIN_S: Final = 120.0
SESSION_MS: Final = 6_000
FACTS: Final = (
    "SELECT subject, source, id, revision, type, occurred_at, entered_at, sequence, told, received, digest FROM facts"
    " ORDER BY subject, source, id, revision"
)
DOSSIERS: Final = (
    "SELECT subject, code, procedure, revision, state, unit, officer, received_at, released_at, ended_at,"
    " appointment_due_at, appointment_late, committed_due_at, committed_late, deviated, blocked, facts, judgment"
    " FROM dossiers ORDER BY subject"
)


def until(reached: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> Any:
    """What `reached` gives once it gives something true; looked at again and again, never blindly waited for."""
    end = time.monotonic() + within_s
    while True:
        found = reached()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.05)


class Worker:
    """One `dunghen worker`, or another command that keeps running."""

    def __init__(self, environ: dict[str, str], log: Path, *words: str) -> None:
        self.log = log
        command = [
            sys.executable,
            "-c",
            "from workflow.cli.main import main; main()",
            *(words or ("worker",)),
        ]
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, env=environ, stderr=errors, stdout=errors, stdin=subprocess.DEVNULL
            )

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """What it has logged so far, of one kind or all."""
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            if line.startswith("{") and line.endswith("}"):
                said = json.loads(line)
                if event is None or said["event"] == event:
                    found.append(said)
        return found

    def said(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of this kind and with these fields, waited for."""

        def found() -> dict[str, Any] | None:
            assert self.process.poll() is None or self.lines(event), self.log.read_text(encoding="utf-8")
            matching = (one for one in self.lines(event) if fields.items() <= one.items())
            return next(matching, None)

        one: dict[str, Any] = until(found, f"{event} {fields} in {self.log}")
        return one

    def ready(self) -> bool:
        """Whether it says that nothing stands in the way of its work."""
        url = f"http://127.0.0.1:{self.said('started')['port']}/readyz"
        try:
            with urlopen(url, timeout=WITHIN_S) as answer:
                return bool(answer.status == 200)
        except HTTPError:
            return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it by a signal and waits; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        return self.process.wait(WITHIN_S)


class Office:
    """A topic, a group and a database of one test, and the workers on them."""

    def __init__(self, bootstrap: str, database: str, prefix: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.database = database
        self.topic = f"{prefix}dossiers"
        self.workers: list[Worker] = []
        self._folder = folder
        self._prefix = prefix

    def environ(self, **settings: object) -> dict[str, str]:
        named = {
            "KAFKA_GROUP": self._prefix,
            "KAFKA_SESSION_TIMEOUT_MS": SESSION_MS,
            "KAFKA_LOG_CHECK_MS": 500,
            "BROKERS": self.bootstrap,
            "PREFIX": self._prefix,
            "STORE": self.database,
            "HEALTH_PORT": 0,
            **settings,
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
        return kept | {f"DUNGHEN_{key}": str(value) for key, value in named.items()}

    def make_topic(self) -> None:
        """Makes the topic, of three partitions."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        sizes = {"max.message.bytes": str(80 << 20)}
        admin.create_topics(
            {self.topic: {"num_partitions": 3, "replication_factor": 1, "configs": sizes}},
            wait_for_metadata=True,
        )
        admin.close()

    def shadow(self) -> Worker:
        """A worker that sends nothing."""
        log = self._folder / "shadow.log"
        self.workers.append(Worker(self.environ(), log, "worker", "--shadow"))
        return self.workers[-1]

    def worker(self, **settings: object) -> Worker:
        """A worker, started."""
        log = self._folder / f"worker-{len(self.workers)}.log"
        self.workers.append(Worker(self.environ(**settings), log))
        return self.workers[-1]

    def run(self, *words: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        return subprocess.run(
            [sys.executable, "-c", "from workflow.cli.main import main; main()", *words],
            env=self.environ(**settings),
            capture_output=True,
            text=True,
            check=False,
        )

    def send(
        self, messages: Iterable[bytes | tuple[bytes | None, bytes | None]], partition: int | None = None
    ) -> None:
        """Puts messages on the topic, keyed by their subject, or by the key given; acknowledged when it returns."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5, max_request_size=80 << 20)
        try:
            futures = [
                producer.send(self.topic, key=key, value=value, partition=partition)
                for key, value in map(_keyed, messages)
            ]
            producer.flush()
            for future in futures:
                future.get(30)
        finally:
            producer.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(statement).fetchall()

    def count(self, table: str) -> int:
        ((count,),) = self.rows(f"SELECT count(*) FROM {table}")
        return int(count)

    def read_to(self, positions: int) -> None:
        """Waits until so many records of the topic were read, in all partitions together."""

        def done() -> bool:
            for worker in self.workers:
                assert worker.process.poll() in {None, 0, 1, -9}, worker.log.read_text(encoding="utf-8")
            ((at,),) = self.rows("SELECT coalesce(sum(position), 0) FROM positions")
            assert at <= positions
            return bool(at == positions)

        until(done, f"{positions} records read")

    def judged(self) -> tuple[list[Any], list[Any]]:
        """Facts and dossiers, without what differs from run to run."""
        return self.rows(FACTS), self.rows(DOSSIERS)

    def close(self) -> None:
        for worker in self.workers:
            worker.end(signal.SIGKILL)


def month(folder: Path, dossiers: int = 120, seed: int = 5, until: str | None = None) -> list[bytes]:
    """The messages of a simulated month, damaged as it comes; `until`: told no further than to that day."""
    path = folder / f"month-{dossiers}-{seed}.jsonl"
    cut = () if until is None else ("--until", until)
    words = ("simulate", "--seed", str(seed), "--dossiers", str(dossiers), "--out", str(path), *cut)
    done = subprocess.run(
        [sys.executable, "-c", "from workflow.cli.main import main; main()", *words, "--month", "2025-03"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return path.read_bytes().splitlines()


def undisturbed(database: str, messages: Sequence[bytes]) -> None:
    """Applies the messages to another database in this process, in one go and in their order."""
    store = open_store(database)
    with resources.as_file(resources.files("processes")) as folder:
        catalogue = load(folder)
    now = datetime.now(UTC)
    read = decoded(Raw(Stream("undisturbed", 0), [RawRecord(one) for one in messages], 0, 0, 0, 0), {})
    beside = Beside(letters=[letter(one, now) for one in read.unreadable])
    apply(store, catalogue, read.told, now=now, beside=beside)
    store.close()


def shuffled(messages: Sequence[bytes], seed: int) -> list[bytes]:
    found = list(messages)
    random.Random(seed).shuffle(found)
    return found


def _keyed(message: bytes | tuple[bytes | None, bytes | None]) -> tuple[bytes | None, bytes | None]:
    if isinstance(message, tuple):
        return message
    return json.loads(message)["subject"].encode(), message
