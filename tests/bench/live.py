"""What the benches on real servers share: topics with messages, a worker in this process, the load of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple, Self

import month
import msgspec
import psycopg
from kafka import KafkaProducer

from consumers.contract.outgoing import Record
from consumers.contract.topics import TOPICS
from consumers.decoding import decoded
from consumers.health import Health
from consumers.kafka import Publisher, make_topics
from consumers.kafkareader import Reader
from consumers.kafkasettings import KafkaSettings
from consumers.metrics import Metrics
from consumers.relay import PART as RELAY
from consumers.relay import Relay
from consumers.worker import PART as WORKER
from consumers.worker import Worker
from workflow import log
from workflow.store.looking import backlog
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consumers.streams import Polled, Stream
    from servers.finding import Servers
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

EVENT_BYTES = 600
TOPIC = "dossiers"
MODEL = "dunghen_bench"
FETCH_BYTES_MAX = 8 << 20
WAIT_S = 60.0
LOOK_S = 0.004
"""How often the database is asked what is judged: latencies are told up to so much too long."""
APPEARED = "SELECT seq, id FROM facts WHERE seq > %s ORDER BY seq"


def padded(line: bytes, size: int = EVENT_BYTES) -> bytes:
    """The same event in so many bytes: an attribute of the envelope that no one reads makes up what is missing."""
    missing = size - len(line) - len(b',"padding":""')
    return line if missing < 0 else line[:-1] + b',"padding":"' + b"." * missing + b'"}'


def subject_of(line: bytes) -> bytes:
    """The key of a message: its dossier."""
    return str(msgspec.json.decode(line)["subject"]).encode()


def topics(servers: Servers, prefix: str, partitions: int = 1) -> str:
    """Makes all topics of an installation of its own; the name of that of dossiers."""
    made = [
        msgspec.structs.replace(one, partitions=partitions) if one.name == TOPIC else one for one in TOPICS
    ]
    make_topics(servers.bootstrap, prefix, made, replicas=1, make=True)
    return prefix + TOPIC


def publish(publisher: Publisher, topic: str, lines: Iterable[bytes]) -> None:
    """Sends messages, acknowledged."""
    publisher([Record(topic, subject_of(line), line, ()) for line in lines])


def database(servers: Servers, name: str) -> str:
    """The URL of a store with empty tables, of a name that is free."""
    servers.drop(name)
    return servers.database(name, MODEL)


def model(servers: Servers) -> None:
    """Makes the database the others are copied from."""
    servers.drop(MODEL)
    open_store(servers.database(MODEL)).close()


class Measured(Reader):
    """Reads a topic up to a count of records and notes when reading began: joining the group is no part of it."""

    def __init__(self, servers: str, topic: str, group: str, wanted: int) -> None:
        settings = KafkaSettings(group=group, batch_records_max=month.BATCH, fetch_bytes_max=FETCH_BYTES_MAX)
        super().__init__(servers, [topic], settings, partial(decoded, zones={}))
        self.began = self.done = 0.0
        self.left = wanted
        self.newest = datetime.min.replace(tzinfo=UTC)

    def begin(self, stream: Stream, position: int) -> bool:
        """As ever; the clock runs from here."""
        self.began = time.perf_counter()
        return super().begin(stream, position)

    def poll(self) -> list[Polled]:
        """As ever, counted."""
        polled = super().poll()
        got = sum(len(one.told) + len(one.unreadable) for one in polled)
        self.left -= got
        times = [told.fact.occurred_at for one in polled for told in one.told]
        self.newest = max(times, default=self.newest)
        return polled

    def ended(self) -> bool:
        """Once everything was handed out; it is committed when the worker asks."""
        if self.left <= 0 and not self.done:
            self.done = time.perf_counter()
        return self.left <= 0


def work(store: Store, known: Catalogue, reader: Measured) -> float:
    """Runs the product's own worker in this thread until the reader has ended; seconds from its first read.

    It judges as of the newest event it knows, as a worker that keeps up does: by the clock of today all these dossiers
    would be late until their next event is read.
    """
    worker = Worker(store, known, reader, Health((WORKER,)), Metrics(), clock=lambda: reader.newest)
    worker.run(Event())
    return reader.done - reader.began


class Sending:
    """The product's own relay in a thread of its own, and when its last message was acknowledged."""

    def __init__(self, store: Store, servers: str, prefix: str) -> None:
        self._store = store
        self._stop = Event()
        self._publisher = Publisher(servers)
        self.last = 0.0
        self.messages = 0
        relay = Relay(store, self._publish, prefix, Health((RELAY,)), Metrics())
        self._thread = Thread(target=relay.run, args=(self._stop,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._publisher.close()

    def drained(self) -> float:
        """When the last message was acknowledged, once nothing is left."""
        while backlog(self._store, datetime.now(UTC)).messages:
            time.sleep(0.02)
        return self.last

    def _publish(self, records: Sequence[Record]) -> None:
        self._publisher(records)
        self.last = time.perf_counter()
        self.messages += len(records)


@contextmanager
def command(name: str, servers: Servers, url: str, prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the product as a process of its own, ended by SIGTERM."""
    place = ("--database", url, "--brokers", servers.bootstrap, "--prefix", prefix, "--health-port", "0")
    settings = {"DUNGHEN_KAFKA_GROUP": prefix + "group"}
    begun = subprocess.Popen(
        [Path(sys.executable).with_name("dunghen"), name, *place],
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield begun
        if begun.poll() is not None:
            raise SystemExit(f"dunghen {name} ended with {begun.returncode} while it was measured")
    finally:
        begun.terminate()
        begun.wait()


class Seen(NamedTuple):
    """What became of events sent at a rate: for each, seconds from its sending until its judgment could be read; and
    the longest time in which none appeared though some were sent; events a second from first sent to last seen."""

    latencies: list[float]
    longest_gap: float
    rate: float


class Flow:
    """Events sent at a steady rate by a thread, while this one asks the database which of them are judged.

    A fact and its dossier's judgment are committed together: where the one can be read, so can the other. `settle`:
    sends these first and waits until they are judged, so that a worker that is starting is not measured.
    """

    def __init__(self, servers: Servers, topic: str, url: str) -> None:
        self._producer = KafkaProducer(bootstrap_servers=servers.bootstrap)
        self._topic = topic
        self._database = psycopg.connect(url, autocommit=True)
        self._after = 0

    def settle(self, lines: Sequence[bytes]) -> None:
        """Sends events and waits for them."""
        self.run(lines, rate=len(lines))

    def run(self, lines: Sequence[bytes], rate: float, wait_s: float = WAIT_S) -> Seen:
        """Sends events, each with an id of its own, and watches until all are judged."""
        sent: dict[str, float] = {}
        sending = Thread(target=self._send, args=(lines, rate, sent), daemon=True)
        seen: dict[str, float] = {}
        sending.start()
        until = time.perf_counter() + len(lines) / rate + wait_s
        last, longest = time.perf_counter(), 0.0
        while len(seen) < len(lines):
            found = self._appeared()
            now = time.perf_counter()
            seen.update(dict.fromkeys(found, now))
            if found or len(seen) == len(sent):
                longest, last = max(longest, now - last), now
            if now > until:
                raise SystemExit(f"of {len(lines)} events {len(lines) - len(seen)} were not judged in time")
            time.sleep(LOOK_S)
        sending.join()
        took = max(seen.values()) - min(sent.values())
        return Seen([seen[name] - at for name, at in sent.items()], longest, len(lines) / took)

    def close(self) -> None:
        """Gives both connections back."""
        self._producer.close()
        self._database.close()

    def _send(self, lines: Sequence[bytes], rate: float, sent: dict[str, float]) -> None:
        began = time.perf_counter()
        named = [(line, msgspec.json.decode(line)) for line in lines]
        for number, (line, told) in enumerate(named):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            sent[told["id"]] = time.perf_counter()
            self._producer.send(self._topic, key=told["subject"].encode(), value=line)
        self._producer.flush()

    def _appeared(self) -> list[str]:
        rows = self._database.execute(APPEARED, (self._after,)).fetchall()
        self._after = max((seq for seq, _ in rows), default=self._after)
        return [name for _, name in rows]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@contextmanager
def quiet() -> Iterator[None]:
    """The log is written as ever, to nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log.start(nowhere, "json")
        yield


def load() -> str:
    """The load of the machine, since others may use it."""
    return "load {:.1f}/{:.1f}/{:.1f}".format(*os.getloadavg())
