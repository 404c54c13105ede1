"""What a long apply leaves behind: bytes of live state, memory that stays flat, and judgments that are the same bytes.

`python -m tests.bench steady [--dossiers=N]`: a damaged month on SQLite. It ends with 1 where the judgments of dossiers
take more than 1 KB on the mean, where the process grows by more than its bound after the first third, or where the
same month applied another way (twice, in other batches, in another order, under another zone and hash seed) comes to
other bytes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import month

ROOT = month.ROOT
sys.path.insert(0, str(ROOT / "tests"))

import samebytes

from consumers.apply import apply
from workflow.store.opening import open_store

DOSSIERS, SAME = 3_000, 200
STATE_BYTES_MAX, GROWTH_MAX_MB = 1_024, 8.0
PAGES_KIB = 4 * 1024
"""SQLite's page cache is bounded by a setting of its own and fills as its file grows: kept small here, so that what is
seen to grow is the engine."""


def resident_mb() -> float:
    """What the process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def state_and_memory(dossiers: int) -> bool:
    """Prints both figures; whether one misses its bound."""
    known = month.catalogue()
    facts = month.facts(known, dossiers)
    lines, sent = month.messages(facts), month.sent(facts)
    del facts
    held, began = [], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store.db")
        with store.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA cache_size = -{PAGES_KIB}")
        for batch, now in zip(month.batches(lines), sent, strict=True):
            apply(store, known, month.decoded(batch), now=now)
            held.append(resident_mb())
        took = time.perf_counter() - began
        with store.reading() as reading:
            sizes = sorted(len(row.judgment) for row in reading.dossiers())
        store.close()
    growth = max(held[len(held) // 3 :]) - held[len(held) // 3]
    mean = sum(sizes) / len(sizes)
    print(f"{len(lines):,} messages applied in {took:.1f} s")
    print(
        f"live state {mean:.0f} bytes a dossier on the mean (99 of 100 up to {sizes[len(sizes) * 99 // 100]}, at most "
        f"{sizes[-1]}), bound {STATE_BYTES_MAX}"
    )
    print(
        f"memory grew by {growth:.1f} MB after the first third of {max(held):.0f} MB, bound {GROWTH_MAX_MB}"
    )
    return mean > STATE_BYTES_MAX or growth > GROWTH_MAX_MB


def other_ways(dossiers: int) -> list[str]:
    """The ways of applying that came to other bytes."""
    plainly = samebytes.applied(dossiers)
    found = {
        "twice": samebytes.applied(dossiers),
        "in batches of 137": samebytes.applied(dossiers, batch=137),
        "in another order": samebytes.applied(dossiers, shuffled=7),
    }
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "samebytes.py", str(dossiers)],
        env={**os.environ, "TZ": "America/New_York", "PYTHONHASHSEED": "9", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found["under another zone and hash seed"] = done.stdout
    return [way for way, digest in found.items() if digest != plainly]


def main() -> int:
    """Measures, prints, and says whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=DOSSIERS)
    asked = parser.parse_args()
    print(month.heading())
    missed = state_and_memory(asked.dossiers)
    other = other_ways(min(asked.dossiers, SAME))
    print(f"the same bytes however applied: {'not ' + ', not '.join(other) if other else 'yes'}")
    return int(missed or bool(other))


if __name__ == "__main__":
    sys.exit(main())
