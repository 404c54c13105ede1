"""What the benches on real servers share: topics with messages, a worker in this process, the load of the machine."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

import month
import msgspec

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
        self.polls = 0

    def begin(self, stream: Stream, position: int) -> bool:
        """As ever; the clock runs from here."""
        self.began = time.perf_counter()
        return super().begin(stream, position)

    def poll(self) -> list[Polled]:
        """As ever, counted."""
        polled = super().poll()
        got = sum(len(one.told) + len(one.unreadable) for one in polled)
        self.left -= got
        self.polls += got > 0
        return polled

    def ended(self) -> bool:
        """Once everything was handed out; it is committed when the worker asks."""
        if self.left <= 0 and not self.done:
            self.done = time.perf_counter()
        return self.left <= 0


def work(store: Store, known: Catalogue, reader: Measured) -> float:
    """Runs the product's own worker in this thread until the reader has ended; seconds from its first read."""
    Worker(store, known, reader, Health((WORKER,)), Metrics()).run(Event())
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
def quiet() -> Iterator[None]:
    """The log is written as ever, to nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        log.start(nowhere, "json")
        yield


def load() -> str:
    """The load of the machine, since others may use it."""
    return "load {:.1f}/{:.1f}/{:.1f}".format(*os.getloadavg())
