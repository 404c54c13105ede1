"""`make scenario DOSSIERS=n SEED=s`: a year of the department through a store, held against what was planted."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from scenario.driving import YEAR, Outcome, Scenario, drive
from scenario.throughkafka import ThroughKafka
from workflow import log
from workflow.catalogue import load
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from datetime import datetime

ROOT = Path(__file__).resolve().parents[2]
SHOWN_MAX = 20
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
IN_MEMORY_MAX = 20_000
"""Of so many dossiers the store lies in memory where there is such a folder, since it is not the disk that is shown to
be right here; of more it would take gigabytes, and lies on the disk."""


def _watch(at: datetime) -> None:
    """Shows at a terminal how far the year has come."""
    if sys.stderr.isatty():
        done = at.timetuple().tm_yday * 50 // 366 if at.year == YEAR else 0
        sys.stderr.write(f"\r{at:%Y-%m-%d} [{'#' * done:<50}]")
        sys.stderr.flush()


def _report(found: Outcome, took_s: float) -> int:
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    rate = found.events / took_s
    print(f"{found.events} events in {took_s:.0f} s, {rate:.0f} events/s; judged as {found.judged[:16]}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{used.ru_utime + used.ru_stime:.0f} s of them computing, at most {used.ru_maxrss // 1024} MiB of memory"
    )
    kinds = sorted({kind for kind, _ in (*found.planted, *found.raised)})
    print(f"{'alert':<36}{'planted':>9}{'raised':>9}{'missed':>9}{'extra':>9}")
    columns = [_by_kind(one) for one in (found.planted, found.raised, found.missed, found.extra)]
    for kind in kinds:
        print(f"{kind:<36}" + "".join(f"{column[kind]:>9}" for column in columns))
    for word, these in (("missed", found.missed), ("extra", found.extra)):
        for (kind, about), number in sorted(these.items())[:SHOWN_MAX]:
            print(f"{word}: {kind} of {about}" + (f", {number} times" if number > 1 else ""))
    planted, raised, missed, extra = (
        one.total() for one in (found.planted, found.raised, found.missed, found.extra)
    )
    print(f"planted {planted}, raised {raised}, missed {missed}, extra {extra}")
    return int(missed + extra > 0)


def _by_kind(counts: Counter[tuple[str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (kind, _), number in counts.items():
        found[kind] += number
    return found


def main() -> int:
    """Runs the scenario in a store of its own; 1 where something was missed or raised beyond the plan."""
    asked = argparse.ArgumentParser(prog="make scenario")
    asked.add_argument("--dossiers", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--shuffle", type=int, help="change places and moments within each source's delay")
    asked.add_argument(
        "--kafka", action="store_true", help="send all through a broker, from which a worker reads"
    )
    given = asked.parse_args()
    catalogue = load(ROOT / "processes")
    memory = MEMORY if MEMORY.is_dir() and given.dossiers <= IN_MEMORY_MAX else None
    with TemporaryDirectory(prefix="dunghen-scenario-", dir=memory) as folder:
        store = open_store(Path(folder) / "year.db")
        log.start((Path(folder) / "worker.log").open("w", encoding="utf-8"))
        with ThroughKafka(store, catalogue) if given.kafka else nullcontext() as deliver:
            began = time.monotonic()
            found = drive(
                store, catalogue, Scenario(given.dossiers, given.seed, given.shuffle), _watch, deliver
            )
            took_s = time.monotonic() - began
        store.close()
    return _report(found, took_s)


if __name__ == "__main__":
    sys.exit(main())
