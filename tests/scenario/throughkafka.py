"""The messages of the scenario sent through a broker: the worker reads them from the topic, by the scenario's clock."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Self

from kafka import KafkaAdminClient, KafkaProducer

from consumers.codec import encode
from consumers.decoding import decoded, zones_of
from consumers.health import Health
from consumers.kafkareader import Reader
from consumers.kafkasettings import KafkaSettings
from consumers.metrics import Metrics
from consumers.worker import PART, Worker
from servers.kafka import Kafka
from workflow.store.looking import positions

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.store.store import Store

TOPIC: Final = "dunghen.dossiers"
PARTITIONS: Final = 3
WITHIN_S: Final = 120.0
LOOK_S: Final = 0.002


class ThroughKafka:
    """A broker, a topic, and a worker that reads it in a thread of its own. Close it, or use it as a context."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        """Starts all three."""
        self._store = store
        self._sent = 0
        self._now: datetime | None = None
        self._stop, self._fault = Event(), list[BaseException]()
        with ExitStack() as undone:
            broker = undone.enter_context(Kafka())
            admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
            admin.create_topics({TOPIC: {"num_partitions": PARTITIONS, "replication_factor": 1}})
            admin.close()
            self._producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
            undone.callback(self._producer.close)
            streams = Reader(
                broker.bootstrap,
                [TOPIC],
                KafkaSettings(),
                partial(decoded, zones=zones_of(catalogue.sources.values())),
            )
            self._worker = Worker(store, catalogue, streams, Health((PART,)), Metrics(), self._clock)
            self._thread = Thread(target=self._run, name="worker")
            self._thread.start()
            undone.callback(self._end)
            self._undone = undone.pop_all()

    def __call__(self, facts: list[Fact], now: datetime) -> None:
        """Sends facts, and waits until the worker has applied them as of `now`."""
        self._now = now
        answers = [
            self._producer.send(TOPIC, key=fact.subject.encode(), value=encode(fact)) for fact in facts
        ]
        self._producer.flush()
        for answer in answers:
            answer.get(WITHIN_S)
        self._sent += len(facts)
        end = time.monotonic() + WITHIN_S
        while facts and sum(one.position for one in positions(self._store)) < self._sent:
            assert not self._fault, self._fault
            assert time.monotonic() < end, f"not read within {WITHIN_S} s"
            self._stop.wait(LOOK_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undone.close()

    def _clock(self) -> datetime:
        assert self._now is not None
        return self._now

    def _run(self) -> None:
        try:
            self._worker.run(self._stop)
        except BaseException as fault:
            self._fault.append(fault)
            raise

    def _end(self) -> None:
        self._stop.set()
        self._thread.join()
