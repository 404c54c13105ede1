"""The door to Kafka for reading: a member of a group that never believes what the group remembers."""

from __future__ import annotations

import time
from contextlib import suppress
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    OffsetAndMetadata,
    OffsetSpec,
    TopicPartition,
)
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    FencedInstanceIdError,
    IllegalStateError,
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from consumers.codec import RawRecord
from consumers.kafkaclient import ANSWER_MS, connected, fault_of, tombstone
from consumers.streams import Log, Stream
from workflow import log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from consumers.kafkasettings import KafkaSettings
    from consumers.streams import Polled

ISOLATION: Final = "read_committed"
NO_LOG: Final = "none"
"""In place of an identity, where there is no such topic."""
OUT_OF_RANGE: Final = (LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError)
"""The log is not what it was when our position was counted in it."""


def checks_are_quick() -> bool:
    """Whether checksums of records are computed in C. In Python they cost six times all the rest of a consumer."""
    return find_spec("crc32c") is not None


def log_of(servers: str, topic: str, **settings: Any) -> str:  # noqa: ANN401 - the library's
    """The identity of a topic's log: another once the topic is made anew. Raises BrokerUnreachable, BrokerRefused."""
    try:
        admin = connected(
            KafkaAdminClient, bootstrap_servers=servers, bootstrap_timeout_ms=ANSWER_MS, **settings
        )
        (found,) = admin.describe_topics([topic])
        admin.close()
    except KafkaError as fault:
        raise fault_of(servers, fault) from fault
    return NO_LOG if found["error_code"] else str(found["topic_id"])


QUIET_MS: Final = 200
"""A log is not made anew while records keep coming: after so long without any it is looked at before they are taken."""


class Raw(NamedTuple):
    """Records of one partition as they came, without tombstones.

    `since`: the offset they were asked from, `after`: after the last of these, `end`: after the last there is.
    `last_at_ms`: when the last of these was written.
    """

    stream: Stream
    records: list[RawRecord]
    since: int
    after: int
    end: int
    last_at_ms: int


class Reader:
    """Reads topics as a member of a group, from positions that others keep: nothing is read before it is begun.

    Memory is bounded by what is fetched ahead. The thread of the library that listens to the group only takes notes.
    """

    def __init__(
        self, servers: str, topics: Iterable[str], settings: KafkaSettings, decode: Callable[[Raw], Polled]
    ) -> None:
        """Joins the group. Raises BrokerUnreachable, BrokerRefused, UsageError."""
        self._servers = servers
        self._settings = settings
        self._decode = decode
        self._next: dict[TopicPartition, int] = {}
        self._looked_at = self._heard_at = time.monotonic()
        self._failed = self._woken = False
        self._joined_again = False
        security = settings.security()
        if settings.sasl and not settings.tls:
            log.warning(
                "open",
                said="unencrypted: set DUNGHEN_KAFKA_TLS, or whoever listens learns name and password",
                broker=servers,
            )
        try:
            self._consumer = connected(
                KafkaConsumer,
                self._say_waiting,
                bootstrap_servers=servers,
                group_id=settings.group,
                group_instance_id=settings.member or None,
                partition_assignment_strategy=[CooperativeStickyAssignor],
                auto_offset_reset="none",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                isolation_level=ISOLATION,
                check_crcs=True,
                session_timeout_ms=settings.session_timeout_ms,
                heartbeat_interval_ms=max(1, settings.session_timeout_ms // 5),
                max_poll_interval_ms=settings.poll_interval_max_ms,
                max_poll_records=settings.batch_records_max,
                fetch_max_bytes=settings.fetch_bytes_max,
                # As the library has it, the share of one partition ends in the middle of the second batch.
                max_partition_fetch_bytes=max(1, settings.fetch_bytes_max // 2),
                bootstrap_timeout_ms=ANSWER_MS,
                metrics_enabled=False,
                **security,
            )
        except KafkaError as fault:
            raise fault_of(servers, fault) from fault
        self._group = _Group(self._consumer)
        wanted = list(topics)
        self._say_missing(wanted)
        self._consumer.subscribe(wanted, listener=self._group)
        self._admin: Any = None
        self._security = security

    def _say_waiting(self, seen: str) -> None:
        said = f"it is waited for ({seen or 'no answer yet'}): see that it runs, and that --brokers names it"
        log.warning("no broker", broker=self._servers, said=said)

    def _say_missing(self, topics: Iterable[str]) -> None:
        """A topic that is not there yet is waited for, and read once it is made."""
        try:
            missing = [topic for topic in topics if not self._consumer.partitions_for_topic(topic)]
        except KafkaError as fault:
            raise fault_of(self._servers, fault) from fault
        for topic in missing:
            said = "there is no such topic yet; it is waited for: make it with dunghen topics create"
            log.warning("no topic", topic=topic, broker=self._servers, said=said)

    def assigned(self) -> Mapping[Stream, int]:
        """The partitions the group gave us, each with a number that changes when it was away in between."""
        return {Stream(*tp): number for tp, number in self._group.owned().items()}

    def logs(self, streams: Collection[Stream]) -> Mapping[Stream, Log]:
        """Identity and bounds of the log of each, by three questions however many they are: events wait meanwhile.

        They are not put to the consumer: a broker answers one connection in order, and there they would wait for all
        that is being fetched. Raises BrokerUnreachable, BrokerRefused.
        """
        if not streams:
            return {}
        try:
            described = self._administrator().describe_topics(sorted({one.name for one in streams}))
            known = {topic["name"]: str(topic["topic_id"]) for topic in described if not topic["error_code"]}
            there = [TopicPartition(*one) for one in streams if one.name in known]
            starts, ends = (self._offsets(there, which) for which in (OffsetSpec.EARLIEST, OffsetSpec.LATEST))
        except KafkaError as fault:
            raise fault_of(self._servers, fault) from fault
        bounds = {Stream(*tp): Log(known[tp.topic], starts[tp], ends[tp]) for tp in there}
        return {one: bounds.get(one, Log(NO_LOG, 0, 0)) for one in streams}

    def _offsets(self, partitions: Iterable[TopicPartition], which: OffsetSpec) -> dict[TopicPartition, int]:
        """The first offset of each, or the one after the last that is committed."""
        found = self._administrator().list_partition_offsets(
            dict.fromkeys(partitions, which), ISOLATION, ANSWER_MS
        )
        return {tp: one.offset for tp, one in found.items()}

    def begin(self, stream: Stream, position: int) -> bool:
        """Reads a partition on from a position; False where the group has taken it from us."""
        tp = TopicPartition(*stream)
        try:
            self._consumer.seek(tp, position)
            self._consumer.resume(tp)
        except (KeyError, ValueError):
            return False
        self._next[tp] = position
        return True

    def leave(self, stream: Stream) -> None:
        """Reads a partition no more until it is begun again."""
        tp = TopicPartition(*stream)
        self._next.pop(tp, None)
        with suppress(KeyError):
            self._consumer.pause(tp)

    def hold(self) -> None:
        """Reads nothing more until each partition is begun again; goes on being a member."""
        self._next.clear()
        for tp in self._consumer.assignment():
            with suppress(KeyError):
                self._consumer.pause(tp)

    def poll(self) -> list[Polled]:
        """At most one batch of records of the partitions that were begun. What came before that is dropped.

        Raises BrokerUnreachable, and BrokerRefused where it cannot go on, such as when another has taken its name.
        """
        try:
            polled = self._consumer.poll(timeout_ms=self._settings.poll_timeout_ms)
        except KafkaError as fault:
            self._failed = isinstance(fault, OUT_OF_RANGE)
            if self._failed:
                return []
            raise fault_of(self._servers, fault) from fault
        self._end_where_replaced()
        self._join_again()
        if polled:
            now = time.monotonic()
            self._woken = (now - self._heard_at) * 1_000 > QUIET_MS
            self._heard_at = now
        found = [self._raw(tp, records) for tp, records in polled.items() if tp in self._next]
        return [self._decode(one) for one in found if one.after > one.since]

    def hint(self, positions: Mapping[Stream, int]) -> None:
        """Commits offsets in Kafka, for tools that show lag; nothing is read from there."""
        offsets = {TopicPartition(*stream): OffsetAndMetadata(at, "", -1) for stream, at in positions.items()}
        with suppress(KafkaError):
            self._consumer.commit_async(offsets)

    def moved(self) -> bool:
        """Whether it is time to look at the logs, or reading has failed since, or went on after nothing had come."""
        now = time.monotonic()
        due = (now - self._looked_at) * 1_000 >= self._settings.log_check_ms
        if not (due or self._failed or self._woken):
            return False
        self._looked_at = now
        self._failed = self._woken = False
        return True

    def ended(self) -> bool:
        """Never: a topic has no end."""
        return False

    def close(self) -> None:
        """Leaves the group, so that others get the partitions at once."""
        self._consumer.close(autocommit=False, timeout_ms=ANSWER_MS)
        if self._admin is not None:
            self._admin.close()

    def _end_where_replaced(self) -> None:
        """Another member that bears our name has our place. The library then only stops its heartbeats and reads on,
        and the two would take the partitions from each other for ever."""
        coordinator = self._consumer._coordinator  # noqa: SLF001 - the library has no public way
        with coordinator._lock:  # noqa: SLF001 - under which it joins and begins its heartbeats
            replaced = coordinator.stable() and not coordinator._heartbeat_enabled  # noqa: SLF001
        if replaced and self._settings.member:
            raise fault_of(self._servers, FencedInstanceIdError(self._settings.member))

    def _join_again(self) -> None:
        """Has the group assign once more where the library would leave us without what is ours.

        A joining that a poll's time cut short is gone on with only where the library still knows why it began; it
        forgets that where the reason was that a topic came to light. Then it sends no heartbeats and reads nothing.

        After a member that has a name joined: partitions move in two rounds, given up in the first, given on in the
        second, which their owner asks for. One killed in between is replaced by its name without any round, and nobody
        would get what it had given up.
        """
        coordinator = self._consumer._coordinator  # noqa: SLF001 - the library has no public way
        cut_short = coordinator.rejoining and not coordinator.rejoin_needed
        named = self._settings.member and not self._joined_again and self._group.joined()
        if named:
            self._joined_again = True
        if cut_short or named:
            coordinator.request_rejoin()

    def _raw(self, tp: TopicPartition, records: list[Any]) -> Raw:
        since = self._next[tp]
        kept = [record for record in records if record.offset >= since]
        if kept:
            self._next[tp] = kept[-1].offset + 1
        end = None
        with suppress(IllegalStateError, KeyError):
            end = self._consumer.highwater(tp)
        return Raw(
            Stream(*tp),
            [
                RawRecord(
                    one.value or b"",
                    one.key,
                    tuple((name, value or b"") for name, value in one.headers),
                    f"{one.topic}/{one.partition}/{one.offset}",
                )
                for one in kept
                if not tombstone(one)
            ],
            since,
            self._next[tp],
            self._next[tp] if end is None else max(end, self._next[tp]),
            kept[-1].timestamp if kept else 0,
        )

    def _administrator(self) -> Any:  # noqa: ANN401 - a library without types
        if self._admin is None:
            self._admin = connected(
                KafkaAdminClient,
                bootstrap_servers=self._servers,
                bootstrap_timeout_ms=ANSWER_MS,
                request_timeout_ms=ANSWER_MS,
                **self._security,
            )
        return self._admin


class _Group(ConsumerRebalanceListener):  # type: ignore[misc] # a library without types
    """What the group gave us. Called by the library's own thread, so it does no more than take notes.

    A new partition is paused and set to its start, or the library would look for a position of its own before we claim.
    """

    def __init__(self, consumer: Any) -> None:  # noqa: ANN401 - a library without types
        self._consumer = consumer
        self._lock = Lock()
        self._owned: dict[TopicPartition, int] = {}
        self._given = 0
        self._joined = False

    def owned(self) -> dict[TopicPartition, int]:
        with self._lock:
            return dict(self._owned)

    def joined(self) -> bool:
        """Whether the group has assigned anything, or nothing, to us since we began."""
        with self._lock:
            return self._joined

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._joined = True
            for tp in assigned:
                self._consumer.pause(tp)
                self._consumer.seek(tp, 0)
                self._given += 1
                self._owned[tp] = self._given

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        with self._lock:
            for tp in revoked:
                self._owned.pop(tp, None)
