"""Whether memory stays flat: worker and relay under twice the rate of a busy office, for minutes.

`python -m tests.bench soak [--minutes=N]` (the full case: `--minutes=10`). 1,000 events a second, in processes of their
own; their memory is read every second. It ends with 1 where the median of the last quarter is above that of the second
quarter by more than the bound, or where the events were not judged.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import kafka_latency
import live
import month

from servers.finding import servers_for

RATE = 2 * kafka_latency.RATE
GROWTH_MAX = 0.05
FLOOR_MB = 8
"""Growth below this is the allocator's own; a leak of a hundred bytes an event is more than that in two minutes."""


def memory_mb(pid: int) -> float:
    """What a process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = (one for one in status.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Watched:
    """The memory of processes, read every second by a thread of its own."""

    def __init__(self, **pids: int) -> None:
        self.found: dict[str, list[float]] = {name: [] for name in pids}
        self._pids = pids
        self._stop = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Reads no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            for name, pid in self._pids.items():
                self.found[name].append(memory_mb(pid))


def grown(name: str, found: list[float]) -> list[str]:
    """Prints the memory of one process; what missed its bound."""
    quarter = max(1, len(found) // 4)
    before, after = statistics.median(found[quarter : 2 * quarter]), statistics.median(found[-quarter:])
    print(
        f"{name}: {before:.0f} MB in the second quarter, {after:.0f} MB in the last, most {max(found):.0f} MB"
    )
    most = max(FLOOR_MB, GROWTH_MAX * before)
    return [f"{name} grew by {after - before:.0f} MB"] if after - before > most else []


def main() -> int:
    """Measures, prints, and says whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    asked = parser.parse_args()
    prefix = f"soak{os.getpid()}."
    with live.quiet(), servers_for(os.environ) as servers:
        print(
            f"{month.heading()}, {servers.used}, {asked.minutes:g} minutes of {RATE:,} events/s, {live.load()}"
        )
        topic = live.topics(servers, prefix, partitions=12)
        live.model(servers)
        url = live.database(servers, f"dunghen_soak_{os.getpid()}")
        with (
            live.command("worker", servers, url, prefix) as worker,
            live.command("relay", servers, url, prefix) as relay,
            closing(live.Flow(servers, topic, url)) as flow,
        ):
            flow.settle(kafka_latency.many(5_000_000, kafka_latency.WARM))
            watched = Watched(worker=worker.pid, relay=relay.pid)
            began, judged, first = time.monotonic(), 0, 6_000_000
            while time.monotonic() - began < 60 * asked.minutes:
                seen = flow.run(kafka_latency.many(first, 5 * RATE), RATE)
                judged, first = judged + len(seen.latencies), first + RATE
            took = time.monotonic() - began
            watched.close()
    print(f"{judged:,} events judged, {judged / took:,.0f} a second; {live.load()}")
    missed = [line for name, found in watched.found.items() for line in grown(name, found)]
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
