"""The door to Kafka for writing, and for looking at topics."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from consumers.codec import RawRecord
from consumers.contract.topics import ENVELOPE_BYTES, MESSAGE_BYTES_MAX
from consumers.kafkaclient import ANSWER_MS, connected, fault_of, tombstone
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from consumers.contract.outgoing import Record
    from consumers.contract.topics import Topic

_FOR_EVER_MS: Final = 86_400_000
"""The producer gives up no record by itself: a later one of the same key could then pass it."""
RECORD_BYTES_MAX: Final = MESSAGE_BYTES_MAX + ENVELOPE_BYTES
_KEYS_REMEMBERED: Final = 16_384
"""Keys whose partition is not counted anew: what is said of a dossier comes in bursts."""


@lru_cache(_KEYS_REMEMBERED)
def partition_of(key: bytes | None, partitions: int) -> int | None:
    """The partition of a key, the one every client of Kafka finds; None for no key: any will do.

    The library would find the same, but asks for the partitions of the topic and hashes in Python for each record: a
    third of what sending one costs.
    """
    return None if key is None else (murmur2(key) & 0x7FFFFFFF) % partitions


class Publisher:
    """Sends records with the idempotent producer: in order, each once on its partition, acknowledged by all replicas.

    A record that was not acknowledged in time ends the producer and all it holds, so that nothing behind it can pass
    it: of an idempotent producer the broker takes the records of a partition only without a gap.
    """

    def __init__(self, servers: str, *, patience_s: float = 30.0, **settings: Any) -> None:  # noqa: ANN401 - the library's
        """`settings` of the library (TLS, SASL). Connects when something is first published."""
        self._servers = servers
        self._patience_s = patience_s
        self._settings = settings
        self._producer: Any = None

    def __call__(self, records: Sequence[Record]) -> None:
        """Sends these and returns when each is acknowledged.

        Raises BrokerUnreachable where they are not in time (send them again), BrokerRefused where sending them again
        will not help.
        """
        try:
            producer = self._connected()
            partitions = {
                topic: len(producer.partitions_for(topic)) for topic in {one.topic for one in records}
            }
            futures = [
                producer.send(
                    one.topic,
                    one.value,
                    one.key,
                    list(one.headers),
                    partition_of(one.key, partitions[one.topic]),
                )
                for one in records
            ]
            producer.flush(self._patience_s)
            for future in futures:
                future.get(0)
        except KafkaError as fault:
            self.close()
            raise fault_of(self._servers, fault) from fault

    def close(self) -> None:
        """Ends the producer at once; what is not acknowledged is given up."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        # Its own `close` first waits for what cannot be sent, and fails before it has ended anything.
        sender = producer._sender  # noqa: SLF001
        sender.force_close()
        sender.join(ANSWER_MS / 1000)
        producer.close(timeout=0)

    def _connected(self) -> Any:  # noqa: ANN401 - as above
        if self._producer is None:
            self._producer = connected(
                KafkaProducer,
                bootstrap_servers=self._servers,
                bootstrap_timeout_ms=ANSWER_MS,
                max_block_ms=ANSWER_MS,
                delivery_timeout_ms=_FOR_EVER_MS,
                linger_ms=5,
                batch_size=256 * 1024,
                max_request_size=RECORD_BYTES_MAX,
                allow_auto_create_topics=False,
                **self._settings,
            )
        return self._producer


class Made(NamedTuple):
    """A topic and what was found: made now, there as it should be, or there but otherwise (`differs` says how)."""

    topic: str
    found: Literal["missing", "made", "there", "differs"]
    differs: str = ""


def make_topics(
    servers: str,
    prefix: str,
    topics: Sequence[Topic],
    *,
    replicas: int,
    make: bool,
    **settings: Any,  # noqa: ANN401 - the library's
) -> list[Made]:
    """Makes the topics that are missing, or only says which are. One that is there is never changed.

    Raises BrokerUnreachable, BrokerRefused.
    """
    try:
        admin = connected(
            KafkaAdminClient, bootstrap_servers=servers, bootstrap_timeout_ms=ANSWER_MS, **settings
        )
    except KafkaError as fault:
        raise fault_of(servers, fault) from fault
    try:
        known = set(admin.list_topics())
        missing = [topic for topic in topics if prefix + topic.name not in known]
        if make and missing:
            wanted = {
                prefix + topic.name: {
                    "num_partitions": topic.partitions,
                    "replication_factor": replicas,
                    "configs": topic.settings,
                }
                for topic in missing
            }
            admin.create_topics(wanted, wait_for_metadata=True)
        return [
            Made(prefix + topic.name, "made" if make else "missing")
            if topic in missing
            else _compared(admin, prefix, topic)
            for topic in topics
        ]
    except KafkaError as fault:
        raise fault_of(servers, fault) from fault
    finally:
        admin.close()


def newest(servers: str, topic: str, count: int, **settings: Any) -> list[RawRecord]:  # noqa: ANN401 - the library's
    """The newest records of each partition, at most so many, read in no group: nobody's position moves.

    Raises BrokerUnreachable, BrokerRefused, UsageError for a topic that is not there.
    """
    try:
        with _reading(servers, **settings) as consumer:
            partitions = [
                TopicPartition(topic, one) for one in sorted(consumer.partitions_for_topic(topic) or ())
            ]
            if not partitions:
                raise _no_topic(servers, topic)
            consumer.assign(partitions)
            ends = consumer.end_offsets(partitions)
            for one, start in consumer.beginning_offsets(partitions).items():
                consumer.seek(one, max(start, ends[one] - count))
            return [_raw(one) for one in _until(consumer, ends) if not tombstone(one)]
    except KafkaError as fault:
        raise fault_of(servers, fault) from fault


def _until(consumer: Any, ends: Mapping[TopicPartition, int]) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Records up to these ends; stops where none comes for a while (those that are left were compacted or aborted)."""
    while any(consumer.position(one) < end for one, end in ends.items()):
        polled = consumer.poll(timeout_ms=ANSWER_MS)
        if not polled:
            return
        for one, records in sorted(polled.items()):
            yield from (record for record in records if record.offset < ends[one])


def _raw(record: Any) -> RawRecord:  # noqa: ANN401 - as above
    headers = tuple((name, value or b"") for name, value in record.headers)
    place = f"{record.topic}/{record.partition}/{record.offset}"
    return RawRecord(record.value or b"", record.key, headers, place)


def _no_topic(servers: str, topic: str) -> UsageError:
    return UsageError(
        "{topic}: there is no such file here and no such topic at {broker}; correct the name, or see: dunghen topics "
        "list",
        topic=topic,
        broker=servers,
        reason="no_topic",
    )


@contextmanager
def _reading(servers: str, **settings: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    consumer = connected(
        KafkaConsumer,
        bootstrap_servers=servers,
        bootstrap_timeout_ms=ANSWER_MS,
        group_id=None,
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        **settings,
    )
    try:
        yield consumer
    finally:
        consumer.close()


def log_ends(servers: str, topics: Iterable[str], **settings: Any) -> dict[tuple[str, int], int]:  # noqa: ANN401 - the library's
    """The position after the last record, for each partition of those of the topics that are there.

    Raises BrokerUnreachable, BrokerRefused.
    """
    try:
        with _reading(servers, **settings) as consumer:
            known = sorted(consumer.topics() & set(topics))
            partitions = [
                TopicPartition(name, one) for name in known for one in consumer.partitions_for_topic(name)
            ]
            return {(one.topic, one.partition): end for one, end in consumer.end_offsets(partitions).items()}
    except KafkaError as fault:
        raise fault_of(servers, fault) from fault


def _compared(admin: Any, prefix: str, topic: Topic) -> Made:  # noqa: ANN401 - a library without types
    name = prefix + topic.name
    (found,) = admin.describe_topics([name])
    partitions = len(found["partitions"])
    asked = ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(topic.settings))
    (configs,) = admin.describe_configs([asked], config_filter="all").values()
    differing = [] if partitions == topic.partitions else [f"partitions={partitions}"]
    for key, wanted in topic.settings.items():
        value = configs[name][key]["value"]
        if value != wanted:
            differing.append(f"{key}={value}")
    return Made(name, "differs" if differing else "there", ", ".join(differing))
