"""Many deadlines due in one second: every alert out in time, each once, while events go on being judged.

`python -m tests.bench ticker_storm [--armed=N] [--due=N]` (the full case: `--armed=1000000 --due=100000`). One dossier
is judged by the product and copied under other codes; the due ones of the copies fall into one second. The product's
worker and relay run in processes of their own, the ticks in a third. It ends with 1 where the last alert comes too
late, one comes twice or not at all, or no event was judged for longer than a second though some were sent.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from threading import Thread
from typing import TYPE_CHECKING, Any

import kafka_latency
import live
import month
import msgspec
from kafka import KafkaConsumer

from consumers.apply import apply
from consumers.contract.topics import ALERTS
from consumers.ticker import tick
from servers.finding import servers_for
from workflow.store.opening import open_store
from workflow.store.rows import DossierRow, from_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from servers.finding import Servers
    from workflow.store.store import Store

ARMED, DUE = 100_000, 10_000
OUT_MAX_S, STALL_MAX_S = 60, 1.0
RATE, SECONDS, CALM_SECONDS = 100, 10, 5
SECOND_US = 1_000_000
COLUMNS = ", ".join(DossierRow._fields)
MODEL = "000.00.01.H13-250303-0000000"


def model(store: Store) -> DossierRow:
    """A dossier that was submitted and received, and waits for its first deadline."""
    at = datetime(2025, 3, 3, 1, tzinfo=UTC)
    lines = [kafka_latency.submitted(0, 1, at), _received(at + timedelta(minutes=5))]
    apply(store, month.catalogue(), month.decoded(lines), now=at + timedelta(minutes=10))
    with store.reading() as reading:
        (row,) = reading.dossiers([MODEL])
    return row


def _received(at: datetime) -> bytes:
    told = msgspec.json.decode(kafka_latency.submitted(0, 2, at))
    told["data"]["action"] = "receive"
    told["data"]["actor"] = {"id": "branch-vinh-thanh/desk-1", "role": "desk"}
    return msgspec.json.encode(told)


def copies(row: DossierRow, armed: int, due: int) -> Iterator[tuple[Any, ...]]:
    """The dossier under other codes, one less than are armed: with it, so many are due in one second, the others a
    year later."""
    assert row.next_due_at is not None
    old = row.subject.encode()
    for number in range(1, armed):
        subject = f"{MODEL[:-7]}{number:07}"
        moment = row.next_due_at + (number * SECOND_US // due if number < due else 365 * 86_400 * SECOND_US)
        judgment = row.judgment.replace(old, subject.encode())
        yield row._replace(subject=subject, next_due_at=moment, judgment=judgment)


def arm(store: Store, row: DossierRow, armed: int, due: int) -> None:
    """Writes the copies."""
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            with cursor.copy(f"COPY dossiers ({COLUMNS}) FROM STDIN") as copy:
                for one in copies(row, armed, due):
                    copy.write_row(one)
            cursor.execute("DELETE FROM outbox")
        driver.commit()
        driver.autocommit = True
        driver.execute("ANALYZE dossiers")


def ticks(url: str, at: datetime, done: Any) -> None:
    """Ticks until nothing is due; the number of dossiers looked at is put into `done`."""
    store, known, looked = open_store(url), month.catalogue(), 0
    while found := tick(store, known, now=at).dossiers:
        looked += found
    store.close()
    done.put(looked)


class Heard:
    """What consumers of the alerts hear: each id with how often, and when the last new one came."""

    def __init__(self, servers: Servers, prefix: str) -> None:
        self._consumer = KafkaConsumer(
            *(prefix + one.name for one in ALERTS),
            bootstrap_servers=servers.bootstrap,
            group_id=None,
            auto_offset_reset="earliest",
        )
        self.times: dict[str, int] = {}
        self.last = 0.0

    def wait(self, wanted: int, until: float) -> None:
        """Listens until so many are known, and a moment longer for repetitions."""
        while time.perf_counter() < until:
            polled = self._consumer.poll(timeout_ms=500)
            for record in (record for records in polled.values() for record in records):
                name = msgspec.json.decode(record.value)["id"]
                if name not in self.times:
                    self.last = time.perf_counter()
                self.times[name] = self.times.get(name, 0) + 1
            if len(self.times) >= wanted and not polled:
                break
        self._consumer.close()


def storm(servers: Servers, url: str, prefix: str, at: datetime, due: int) -> tuple[Heard, live.Seen, float]:
    """Lets it break loose while events flow: what was heard, what became of the events, and when it began."""
    topic = prefix + live.TOPIC
    context = get_context("spawn")
    done = context.Queue()
    ticking = context.Process(target=ticks, args=(url, at, done))
    with (
        live.command("worker", servers, url, prefix),
        live.command("relay", servers, url, prefix),
        closing(live.Flow(servers, topic, url)) as flow,
    ):
        flow.settle(kafka_latency.many(5_000_000, kafka_latency.WARM))
        calm = flow.run(kafka_latency.many(7_000_000, RATE * CALM_SECONDS), RATE)
        print(f"before: {RATE} events/s, longest time without one judged {calm.longest_gap:.2f} s")
        heard = Heard(servers, prefix)
        began = time.perf_counter()
        ticking.start()
        listening = Thread(target=heard.wait, args=(due, began + 2 * OUT_MAX_S), daemon=True)
        listening.start()
        seen = flow.run(kafka_latency.many(6_000_000, RATE * SECONDS), RATE)
        looked = done.get()
        ticking.join()
        listening.join()
    assert looked == due
    return heard, seen, began


def told(heard: Heard, seen: live.Seen, began: float, due: int) -> list[str]:
    """Prints what came of it; what missed its bound."""
    out_s = heard.last - began
    twice = sum(count > 1 for count in heard.times.values())
    print(
        f"{len(heard.times):,} alerts heard of {due:,}, {twice} twice, the last after {out_s:.1f} s; {live.load()}"
    )
    p99_ms = 1_000 * live.percentile(seen.latencies, 0.99)
    print(
        f"meanwhile {RATE} events/s: longest time without one judged {seen.longest_gap:.2f} s, bound {STALL_MAX_S}; "
        f"p99 {p99_ms:.0f} ms"
    )
    found = {
        f"{len(heard.times)} alerts of {due}": len(heard.times) != due,
        f"{twice} alerts twice": twice > 0,
        f"the last alert after {out_s:.0f} s": out_s > OUT_MAX_S,
        f"events stalled for {seen.longest_gap:.1f} s": seen.longest_gap > STALL_MAX_S,
    }
    return [name for name, missed in found.items() if missed]


def main(words: Sequence[str] | None = None) -> int:
    """Measures, prints, and says whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--armed", type=int, default=ARMED)
    parser.add_argument("--due", type=int, default=DUE)
    asked = parser.parse_args(words)
    prefix = f"storm{os.getpid()}."
    with live.quiet(), servers_for(os.environ) as servers:
        print(f"{month.heading()}, {servers.used}, {asked.armed:,} armed, {asked.due:,} due, {live.load()}")
        live.topics(servers, prefix, partitions=12)
        live.model(servers)
        url = live.database(servers, f"dunghen_storm_{os.getpid()}")
        store = open_store(url)
        row = model(store)
        assert row.next_due_at is not None
        arm(store, row, asked.armed, asked.due)
        store.close()
        at = from_us(row.next_due_at) + timedelta(seconds=1)
        missed = told(*storm(servers, url, prefix, at, asked.due), asked.due)
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
