"""What is measured while Dunghen runs, in Prometheus' text format. Names, units and labels stand here and nowhere else.

Counts and times are told by the loops; what lies in the store is asked when someone looks, at most once in a while.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from workflow.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client import Metric

    from workflow.store.looking import Backlog, Channel

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BACKLOG_AGE_S: Final = 5.0
"""How old an answer of the store may be: however many scrape, it is asked no more often."""
_BATCH_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LATENESS_S: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86_400)


class Metrics:
    """The measures of one process. Its methods may be called from any thread."""

    def __init__(self) -> None:
        """Everything at zero."""
        registry = self._registry = CollectorRegistry()
        stream = ("stream", "partition")
        self._lag = Gauge(
            "dunghen_lag_events", "Events of the log not yet applied.", stream, registry=registry
        )
        self._lag_s = Gauge(
            "dunghen_lag_seconds",
            "How long the oldest event not yet applied has waited; 0 where there is none.",
            stream,
            registry=registry,
        )
        self._assigned = Gauge(
            "dunghen_partitions_assigned", "Partitions this worker reads.", registry=registry
        )
        self._stopped = Gauge(
            "dunghen_partitions_stopped",
            "Partitions this worker may not read on: their log is not what it was.",
            registry=registry,
        )
        self._batch = Histogram(
            "dunghen_batch_seconds", "From polled to committed.", buckets=_BATCH_S, registry=registry
        )
        self._events = Counter(
            "dunghen_events", "Events by what became of them.", ("outcome",), registry=registry
        )
        self._retries = Counter(
            "dunghen_retries",
            "Attempts made again after a fault, by its reason.",
            ("reason",),
            registry=registry,
        )
        self._relayed = Counter(
            "dunghen_relayed_messages", "Messages acknowledged by the broker.", ("topic",), registry=registry
        )
        self._relay = Histogram(
            "dunghen_relay_seconds", "From read to marked as sent.", buckets=_BATCH_S, registry=registry
        )
        self._delivered = Counter(
            "dunghen_channel_alerts",
            "Alerts delivered (sent) or refused for good (parked), by channel.",
            ("channel", "state"),
            registry=registry,
        )
        self._lateness = Histogram(
            "dunghen_ticker_lateness_seconds",
            "From the due moment to the judgment that says so.",
            buckets=_LATENESS_S,
            registry=registry,
        )
        self._seen = Gauge(
            "dunghen_source_last_event_timestamp_seconds",
            "When the newest event of a source took place.",
            ("source",),
            registry=registry,
        )

    def assigned(self, partitions: int, stopped: int = 0) -> None:
        """How many partitions this worker reads now, and how many of its own are stopped."""
        self._assigned.set(partitions)
        self._stopped.set(stopped)

    def lag(self, stream: str, partition: int, events: int, waited_s: float) -> None:
        """How far the position of a partition is behind the end of its log."""
        self._lag.labels(stream, partition).set(events)
        self._lag_s.labels(stream, partition).set(waited_s if events else 0)

    def revoked(self, stream: str, partition: int) -> None:
        """Another worker reads this partition from now on, and tells its lag."""
        for gauge in (self._lag, self._lag_s):
            gauge.remove_by_labels({"stream": stream, "partition": str(partition)})

    def batch(self, seconds: float, outcomes: Mapping[str, int]) -> None:
        """One committed batch: how long it took, and how many events came to each outcome."""
        self._batch.observe(seconds)
        for outcome, count in outcomes.items():
            self._events.labels(outcome).inc(count)

    def seen(self, source: str, occurred_at_s: float) -> None:
        """When the newest event of a source took place (seconds since 1970)."""
        self._seen.labels(source).set(occurred_at_s)

    def retried(self, reason: str) -> None:
        """One more attempt after a fault."""
        self._retries.labels(reason).inc()

    def relayed(self, seconds: float, topics: Mapping[str, int]) -> None:
        """One step of the relay: how long it took, and how many messages each topic took."""
        self._relay.observe(seconds)
        for topic, count in topics.items():
            self._relayed.labels(topic).inc(count)

    def delivered(self, channel: str, state: str, alerts: int) -> None:
        """What became of a delivery of so many alerts."""
        self._delivered.labels(channel, state).inc(alerts)

    def ticked(self, lateness_s: Iterable[float]) -> None:
        """For each due dossier judged: how long after its due moment."""
        for seconds in lateness_s:
            self._lateness.observe(seconds)

    def watch(self, backlog: Callable[[], Backlog], clock: Callable[[], float] = time.monotonic) -> None:
        """Tells what waits in the store too, by asking `backlog` when someone looks."""
        self._registry.register(_Waiting(backlog, clock))

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Waiting:
    """What waits in the store. A store that does not answer is said by `dunghen_store_up`, never by an error."""

    def __init__(self, backlog: Callable[[], Backlog], clock: Callable[[], float]) -> None:
        self._ask = backlog
        self._clock = clock
        self._asked_at: float | None = None
        self._found: Backlog | None = None

    def describe(self) -> list[Metric]:
        """Nothing: the store is not asked to be registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges as of the last answer."""
        found = self._answer()
        yield _gauge("dunghen_store_up", "Whether the store answers.", found is not None)
        if found is None:
            return
        yield _gauge(
            "dunghen_dossiers_blocked", "Dossiers whose newest facts could not be judged.", found.blocked
        )
        yield _gauge(
            "dunghen_due_age_seconds",
            "How long ago the earliest moment passed at which a ticker has yet to look at a dossier.",
            found.due_s,
        )
        yield _gauge("dunghen_outbox_messages", "Messages not yet sent.", found.messages)
        yield _gauge("dunghen_outbox_batches", "Rows of the outbox not yet sent.", found.batches)
        yield _gauge("dunghen_outbox_age_seconds", "Age of the oldest message not yet sent.", found.oldest_s)
        letters = GaugeMetricFamily(
            "dunghen_dead_letters", "Messages that could not be taken, kept.", labels=["reason"]
        )
        for letter in found.dead_letters:
            letters.add_metric([letter.reason], letter.count)
        yield letters
        yield from _channels(found.channels)

    def _answer(self) -> Backlog | None:
        now = self._clock()
        if self._asked_at is None or now - self._asked_at >= BACKLOG_AGE_S:
            try:
                self._found = self._ask()
            except StoreError:
                self._found = None
            self._asked_at = now
        return self._found


def _channels(channels: Iterable[Channel]) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "dunghen_channel_waiting", "Alerts not yet delivered through a channel.", labels=["channel"]
    )
    age = GaugeMetricFamily("dunghen_channel_age_seconds", "Age of the oldest of them.", labels=["channel"])
    failures = GaugeMetricFamily(
        "dunghen_channel_failures", "Attempts in a row that failed.", labels=["channel"]
    )
    parked = GaugeMetricFamily(
        "dunghen_channel_parked",
        "Deliveries that were refused for good and wait for a person.",
        labels=["channel"],
    )
    for one in channels:
        waiting.add_metric([one.name], one.waiting)
        age.add_metric([one.name], one.oldest_s)
        failures.add_metric([one.name], one.failures)
        parked.add_metric([one.name], one.parked)
    yield from (waiting, age, failures, parked)


def _gauge(name: str, text: str, value: float) -> Metric:
    family = GaugeMetricFamily(name, text)
    family.add_metric([], value)
    return family
