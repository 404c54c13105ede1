"""From Kafka to PostgreSQL, one worker, events of 600 bytes, each taken exactly once, against a straight line.

`python -m tests.bench kafka_path [--dossiers=N] [--rounds=N]`: a damaged month of the department lies in a topic of one
partition. The floor polls, decodes, steps a table, copies the same rows, moves the position and commits; ours is the
product's own worker. With the relay, the floor also reads each batch's messages back, sends them and marks them as
sent, and ours has the product's own relay in a second thread. Each round begins on empty tables, and floor and ours
take turns. It ends with 1 where the floor's rows are not ours, where a ratio misses its bound, or where the position
and the search for repetitions cost too much beside the same loop without them.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import live
import month
import msgspec
from apply_floor import Floor, Given, table_of
from given import Giving
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from consumers.apply import apply
from consumers.kafka import Publisher
from servers.finding import servers_for
from workflow.cli.main import COLLECT_AFTER
from workflow.cli.running import settled
from workflow.store.opening import open_store
from workflow.store.rows import Position, to_us
from workflow.store.store import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from servers.finding import Servers
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

DOSSIERS, ROUNDS = 1_000, 5
RATIO_MIN, AIM = 0.40, 0.55
RELAYED_MIN, RELAYED_AIM = 0.45, 0.65
BOOKKEEPING_MAX, BOOKKEEPING_ROUNDS, BOOKKEEPING_BATCH = 0.10, 8, 250
UNSENT = "SELECT seq, content FROM outbox WHERE sent_at IS NULL ORDER BY seq LIMIT 16"
SENT = "UPDATE outbox SET sent_at = %s WHERE seq = ANY(%s::int8[])"
SAME = {
    "facts": "subject, source, id, revision, type, occurred_at, entered_at, sequence, told, received, digest",
    "dossiers": "subject, state, procedure, revision, blocked",
}
"""What must be the same in both stores: no time of recording, and nothing that counts batches."""


class Came(NamedTuple):
    """What a thousand messages come to, and when they were judged."""

    now: datetime
    given: Given


class Work(NamedTuple):
    """The messages in their topic, and what each thousand of them comes to."""

    servers: Servers
    known: Catalogue
    topic: str
    lines: Sequence[bytes]
    came: Sequence[Came]
    number: Iterator[int]

    def store(self) -> Store:
        """One with empty tables."""
        return open_store(live.database(self.servers, f"dunghen_bench_{os.getpid()}_{next(self.number)}"))


def came_to(store: Store, known: Catalogue, batches: Sequence[Sequence[bytes]]) -> list[Came]:
    """Applies all batches and reads back what each came to."""
    found, giving = [], Giving(store)
    for lines in batches:
        told = month.decoded(lines)
        now = max(one.fact.occurred_at for one in told)
        came = giving.batch({one.fact.subject for one in told}, partial(apply, store, known, told, now=now))
        found.append(Came(now, came))
    return found


def floor_seconds(work: Work, store: Store, prefix: str | None) -> float:
    """The straight line; `prefix`: of the topics its messages go to, if they do."""
    with store.writing() as writing:
        writing.claim("b", 0, log="L")
    floor = Floor(store, table_of(work.known))
    consumer = KafkaConsumer(
        bootstrap_servers=work.servers.bootstrap,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_bytes=live.FETCH_BYTES_MAX,
        max_partition_fetch_bytes=live.FETCH_BYTES_MAX // 2,
        max_poll_records=month.BATCH,
        metrics_enabled=False,
    )
    producer = KafkaProducer(
        bootstrap_servers=work.servers.bootstrap, linger_ms=5, batch_size=256 * 1024, acks="all"
    )
    partition = TopicPartition(work.topic, 0)
    consumer.assign([partition])
    producer.partitions_for(work.topic)
    at = 0
    began = time.perf_counter()
    consumer.seek(partition, 0)
    for came in work.came:
        lines: list[bytes] = []
        wanted = min(month.BATCH, len(work.lines) - at)
        while len(lines) < wanted:
            polled = consumer.poll(timeout_ms=200, max_records=wanted - len(lines))
            lines += [record.value for records in polled.values() for record in records]
        now_us = to_us(came.now)
        floor.batch(lines, at, now_us, came.given)
        at += len(lines)
        if prefix is not None:
            _relay(floor, producer, prefix, now_us)
    took = time.perf_counter() - began
    consumer.close()
    producer.close()
    floor.close()
    return took


def _relay(floor: Floor, producer: Any, prefix: str, now_us: int) -> None:
    floor.run(UNSENT)
    found = floor.cursor.fetchall()
    futures = [
        producer.send(prefix + "decisions", key=_key(message), value=msgspec.json.encode(message))
        for _, content in found
        for message in msgspec.json.decode(content)
    ]
    producer.flush()
    for future in futures:
        future.get(0)
    floor.run(SENT, (now_us, [seq for seq, _ in found]))
    floor.driver.commit()


def _key(message: dict[str, Any]) -> bytes:
    return str(message.get("subject") or message["alert"]["subject"]).encode()


def our_seconds(work: Work, store: Store, prefix: str | None) -> float:
    """The product's own worker, and its relay where there is a prefix."""
    reader = live.Measured(
        work.servers.bootstrap, work.topic, f"bench-{next(work.number)}", wanted=len(work.lines)
    )
    if prefix is None:
        return live.work(store, work.known, reader)
    with live.Sending(store, work.servers.bootstrap, prefix) as sending:
        live.work(store, work.known, reader)
        return sending.drained() - reader.began


def differing(one: Store, other: Store) -> list[str]:
    """The tables that are not the same."""

    def rows(store: Store, name: str, columns: str) -> list[Any]:
        with store.engine.connect() as connection:
            return sorted(map(str, connection.exec_driver_sql(f"SELECT {columns} FROM {name}")))

    return [name for name, columns in SAME.items() if rows(one, name, columns) != rows(other, name, columns)]


def compared(work: Work, rounds: int, prefix: str | None) -> tuple[list[float], list[float], list[str]]:
    """Seconds of the floor and of ours, round by round, and the tables that differed."""
    seconds: tuple[list[float], list[float]] = ([], [])
    wrong: set[str] = set()
    for _ in range(rounds):
        one, other = work.store(), work.store()
        seconds[0].append(floor_seconds(work, one, prefix))
        seconds[1].append(our_seconds(work, other, prefix))
        wrong.update(differing(one, other))
        one.close()
        other.close()
    return *seconds, sorted(wrong)


@contextmanager
def forgetful() -> Iterator[None]:
    """The loop without its bookkeeping: no search for what is there already (no position is moved either)."""
    known = Writing.known
    setattr(Writing, "known", lambda _writing, _identities: {})  # noqa: B010 - for a while, on purpose
    try:
        yield
    finally:
        setattr(Writing, "known", known)  # noqa: B010 - as above


class Spent(NamedTuple):
    """Seconds by the clock, and of the processor: this process's and that of the database's process that serves it."""

    clock: float
    processor: float


def spent(do: Callable[[], object], backend: int) -> Spent:
    """What this takes; the garbage of what was before is swept first."""
    gc.collect()
    used, began = time.process_time() + _processor_s(backend), time.perf_counter()
    do()
    took = time.perf_counter() - began
    return Spent(took, time.process_time() + _processor_s(backend) - used)


def _processor_s(process: int) -> float:
    """What another process of this machine has used; 0 where that is not told."""
    told = Path(f"/proc/{process}/schedstat")
    return int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0


def bookkeeping(work: Work, rounds: int) -> Spent:
    """What position and search for repetitions add to a batch, as a share of the loop without them.

    Batches of events that come once, each decoded and applied to two stores, right after one another; which comes first
    changes from batch to batch and from round to round, and each round begins on empty tables. Of each batch the least
    of all rounds counts, since what else the machine does can only add to it; then all batches are added up.
    """
    first: dict[tuple[Any, ...], bytes] = {}
    for line in work.lines:
        told = month.decoded([line])[0].fact
        first.setdefault((told.subject, told.source, told.id, told.revision), line)
    batches = month.batches(list(first.values()), BOOKKEEPING_BATCH)
    kept: list[list[Spent]] = []
    plain: list[list[Spent]] = []
    for turn in range(rounds):
        with closing(work.store()) as one, closing(work.store()) as other:
            found = [_both(work, one, other, lines, turn + at) for at, lines in enumerate(batches)]
        kept.append([ours for ours, _ in found])
        plain.append([theirs for _, theirs in found])
    ours, theirs = _least(kept), _least(plain)
    return Spent(ours.clock / theirs.clock - 1, ours.processor / theirs.processor - 1)


def _both(work: Work, one: Store, other: Store, lines: Sequence[bytes], turn: int) -> tuple[Spent, Spent]:
    """One batch with the bookkeeping in one store, and without it in the other; `turn` says which comes first."""
    now = max(told.fact.occurred_at for told in month.decoded(lines))
    with one.writing() as writing:
        at, epoch = writing.claim("b", 0, log="L")

    def keeping() -> None:
        position = Position("b", 0, at, at + len(lines), epoch)
        apply(one, work.known, month.decoded(lines), now=now, position=position)

    def forgetting() -> None:
        with forgetful():
            apply(other, work.known, month.decoded(lines), now=now)

    if turn % 2:
        theirs = spent(forgetting, _backend(other))
        return spent(keeping, _backend(one)), theirs
    return spent(keeping, _backend(one)), spent(forgetting, _backend(other))


def _backend(store: Store) -> int:
    with store.writing() as writing:
        ((process,),) = writing.rows("SELECT pg_backend_pid()")
    return int(process)


def _least(rounds: Sequence[Sequence[Spent]]) -> Spent:
    """The least of each batch, added up."""
    batches = list(zip(*rounds, strict=True))
    return Spent(
        sum(min(one.clock for one in batch) for batch in batches),
        sum(min(one.processor for one in batch) for batch in batches),
    )


def prepared(servers: Servers, dossiers: int, number: Iterator[int]) -> tuple[Work, str]:
    """A topic with the messages, and the prefix of all topics."""
    prefix = f"bench{os.getpid()}."
    known = month.catalogue()
    lines = [live.padded(line) for line in month.messages(month.facts(known, dossiers))]
    topic = live.topics(servers, prefix)
    live.model(servers)
    with closing(Publisher(servers.bootstrap)) as publisher:
        live.publish(publisher, topic, lines)
    work = Work(servers, known, topic, lines, [], number)
    store = work.store()
    came = came_to(store, known, month.batches(lines))
    store.close()
    return work._replace(came=came), prefix


def main() -> int:
    """Measures, prints, and says whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=DOSSIERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    gc.set_threshold(COLLECT_AFTER)  # as every command of the product has it; for the floor too
    missed = []
    with live.quiet(), servers_for(os.environ) as servers:
        work, prefix = prepared(servers, asked.dossiers, count())
        settled()  # as the worker's command has it
        print(f"{month.heading()}, {servers.used}, {live.load()}")
        print(
            f"{len(work.lines):,} messages of {live.EVENT_BYTES} bytes, {asked.dossiers:,} dossiers, "
            f"{asked.rounds} rounds"
        )
        for name, to, least, aim in (
            ("worker", None, RATIO_MIN, AIM),
            ("worker and relay", prefix, RELAYED_MIN, RELAYED_AIM),
        ):
            floor, ours, wrong = compared(work, asked.rounds, to)
            ratios = [one / other for one, other in zip(floor, ours, strict=True)]
            for what, seconds in (("floor", floor), ("ours", ours)):
                rate = len(work.lines) / statistics.median(seconds)
                print(f"{name}, {what}: {rate:,.0f} events/s (best {len(work.lines) / min(seconds):,.0f})")
            print(
                f"{name}: {month.spread(ratios)} of the floor's speed, bound {least}, aim {aim}; {live.load()}"
            )
            missed += [f"{name}, the floor's {table}" for table in wrong]
            missed += [name] if statistics.median(ratios) < least else []
        cost = bookkeeping(work, BOOKKEEPING_ROUNDS)
        print(
            f"bookkeeping adds {cost.clock:.3f} to a batch's time, {cost.processor:.3f} to the processor time of "
            f"worker and database, bound {BOOKKEEPING_MAX:.2f} of either; {live.load()}"
        )
        missed += ["bookkeeping"] if max(cost) > BOOKKEEPING_MAX else []
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
