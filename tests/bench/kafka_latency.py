"""From an event's sending until its judgment can be read in the database, on a real broker and a real database.

`python -m tests.bench kafka_latency [--seconds=N]`: 500 events a second of many dossiers into the topic as it is made
by the product, one worker in a process of its own; then 1,000 a second of one dossier, in order and shuffled. It ends
with 1 where p99 at 500 a second exceeds its bound, or where the worker falls behind the one dossier.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import live
import month
import msgspec

from servers.finding import servers_for

if TYPE_CHECKING:
    from live import Flow, Seen

RATE, HOT_RATE = 500, 1_000
SECONDS = 8
P99_MAX_MS = 100
KEPT_UP = 0.9
"""A worker that keeps up has judged the last event soon after it was sent: at this share of the rate or better."""
WARM = 500
ACTS, TOGETHER = 5, 100


def hot(name: int, count: int) -> list[bytes]:
    """So many acts of one dossier, each allowed, that took place just now."""
    at = datetime.now(UTC) - timedelta(milliseconds=count)
    return [submitted(name, number, at + timedelta(milliseconds=number)) for number in range(1, count + 1)]


def many(first: int, count: int) -> list[bytes]:
    """So many acts, five of each dossier, those of a hundred dossiers mixed."""
    found: list[bytes] = []
    for name in range(first, first + count // ACTS, TOGETHER):
        acts = [hot(one, ACTS) for one in range(name, name + TOGETHER)]
        found += [line for lines in zip(*acts, strict=True) for line in lines]
    return found[:count]


def submitted(name: int, number: int, at: datetime) -> bytes:
    """An act of a dossier that may be repeated for ever."""
    subject, moment = f"000.00.01.H13-250303-{name:07}", at.isoformat().replace("+00:00", "Z")
    told = {
        "specversion": "1.0",
        "type": "dossier.acted.v1",
        "source": "one-stop",
        "id": f"{subject}/{number}",
        "subject": subject,
        "datacontenttype": "application/json",
        "sequence": f"{number:016}",
        "data": {
            "occurred_at": moment,
            "action": "submit",
            "procedure": "land-transfer",
            "actor": {"id": "branch-vinh-thanh/citizen-1", "role": "citizen"},
            "unit": "branch-vinh-thanh",
            "submitted_at": moment,
        },
    }
    return live.padded(msgspec.json.encode(told))


def told(name: str, seen: Seen) -> str:
    """One line."""
    p50, p99 = (1_000 * live.percentile(seen.latencies, share) for share in (0.5, 0.99))
    most = 1_000 * max(seen.latencies)
    return (
        f"{name}: p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {most:.0f} ms; {seen.rate:,.0f} events/s judged; "
        f"{live.load()}"
    )


def measured(flow: Flow, seconds: int) -> list[str]:
    """Measures and prints; what missed its bound."""
    flow.settle(many(WARM, WARM))
    seen = flow.run(many(10 * WARM, RATE * seconds), RATE)
    print(told(f"{RATE} events/s of many dossiers", seen))
    p99_ms = 1_000 * live.percentile(seen.latencies, 0.99)
    missed = [f"p99 {p99_ms:.0f} ms, bound {P99_MAX_MS}"] if p99_ms > P99_MAX_MS else []
    count = HOT_RATE * min(seconds, 8)
    in_order, mixed = hot(900_001, count), hot(900_002, count)
    Random(1).shuffle(mixed)
    for name, acts in (("in order", in_order), ("shuffled", mixed)):
        seen = flow.run(acts, HOT_RATE)
        print(told(f"{HOT_RATE:,} events/s of one dossier, {name}", seen))
        missed += [f"one dossier {name}"] if seen.rate < KEPT_UP * HOT_RATE else []
    return missed


def main() -> int:
    """Measures, prints, and says whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    asked = parser.parse_args()
    prefix = f"latency{os.getpid()}."
    with live.quiet(), servers_for(os.environ) as servers:
        print(f"{month.heading()}, {servers.used}, {asked.seconds} s each, {live.load()}")
        topic = live.topics(servers, prefix, partitions=12)
        live.model(servers)
        url = live.database(servers, f"dunghen_latency_{os.getpid()}")
        with live.command("worker", servers, url, prefix), closing(live.Flow(servers, topic, url)) as flow:
            missed = measured(flow, asked.seconds)
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
