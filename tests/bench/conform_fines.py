"""The fines log, file to verdicts, against a hand-written fold of just this procedure, and beside the peers.

`python -m tests.bench conform_fines [--rounds=N]`: the log lies in DUNGHEN_TEST_DATA, by default `../shared/data`
beside the repository; without it the bench says so and measures nothing. Rounds are interleaved and medians told, each
run in a process of its own. It ends with 1 where a known figure does not come out, or memory, the rate or its ratio
against the floor misses its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from machine import machine

ROOT = Path(__file__).resolve().parents[2]
LOG, NET = "road_traffic_fines_full.csv.gz", "road_fines_normative_dpn.pnml"
HISTORY = ROOT / "tests" / "histories" / "fines"
EVENTS, KNOWN = 561_470, (146_773, 97_741, 85_406)
RATIO_MIN, MEMORY_MAX_MB, RATE_MIN = 0.5, 200, 400_000
ROUNDS = 5


def conform(log: Path) -> tuple[float, tuple[int, ...]]:
    """Seconds from file to verdicts as the product's own command tells them, and what it found."""
    options = (
        "--procedure",
        HISTORY / "procedure.yaml",
        "--mapping",
        HISTORY / "mapping.yaml",
        "--output",
        "json",
    )
    dunghen = Path(sys.executable).with_name("dunghen")
    done = subprocess.run([dunghen, "audit", "conform", log, *options], capture_output=True, check=False)
    said = json.loads(done.stdout)
    return said["seconds"], (said["order_conforming"], said["time_conforming"], said["conforming"])


def other(work: str, log: Path) -> tuple[float, tuple[int, ...]]:
    """Seconds of a function of the floors in a process of its own, and what it found."""
    code = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import floors\n"
        "began = time.perf_counter(); found = getattr(floors, sys.argv[2])(Path(sys.argv[3]))\n"
        "print(time.perf_counter() - began, *found[:3])"
    )
    folder = Path(__file__).resolve().parent
    done = subprocess.run([sys.executable, "-c", code, folder, work, log], capture_output=True, check=True)
    seconds, *found = done.stdout.split()
    return float(seconds), tuple(int(one) for one in found)


def peer(name: str, folder: Path, ours: float) -> str:
    """One peer in a process of its own beside our seconds, or why not."""
    if find_spec(name) is None:
        return "not installed (requirements-bench.lock has it)"
    script = Path(__file__).with_name("peers.py")
    done = subprocess.run(
        [sys.executable, script, name, folder / LOG, folder / NET], capture_output=True, check=False
    )
    if done.returncode:
        return f"failed: {done.stderr.decode().strip().splitlines()[-1]}"
    said = json.loads(done.stdout.splitlines()[-1])
    rate, fitting = EVENTS / said["seconds"], said["fitting"]
    verdict = "as ours" if fitting == KNOWN[0] else f"ours {KNOWN[0]:,}"
    return (
        f"{rate:,.0f} events/s from file to order alone, {said['seconds'] / ours:.1f} times our time; "
        f"{fitting:,} dossiers fit, {verdict}"
    )


def main() -> int:
    """Measures, prints, and says whether figures and bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    folder = Path(os.environ.get("DUNGHEN_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / LOG).is_file():
        print(f"NOT MEASURED: no {LOG} in the folder of the public logs")
        return 0
    print(f"{machine()}, {rounds} rounds")
    seconds: dict[str, list[float]] = {"rows alone": [], "floor": [], "conform": []}
    wrong = []
    for _ in range(rounds):
        log = folder / LOG
        for name, (took, found) in {
            "rows alone": other("rows_alone", log),
            "floor": other("fines_floor", log),
            "conform": conform(log),
        }.items():
            seconds[name].append(took)
            wrong += [f"{name} {found}"] if found not in {(EVENTS,), KNOWN} else []
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    for name, took_each in seconds.items():
        middle, best = statistics.median(took_each), min(took_each)
        print(f"{name}: {EVENTS / middle:,.0f} events/s (best {EVENTS / best:,.0f})")
    ratio = statistics.median(
        one / other for one, other in zip(seconds["floor"], seconds["conform"], strict=True)
    )
    print(f"conform runs at {ratio:.2f} of the floor's speed, bound {RATIO_MIN}")
    rate = EVENTS / statistics.median(seconds["conform"])
    print(f"conform's rate {rate:,.0f} events/s, bound {RATE_MIN:,} (a figure of the machine too)")
    print(f"peak memory {memory:.0f} MB, bound {MEMORY_MAX_MB}")
    for name in ("pm4py", "r4pm"):
        print(f"{name}: {peer(name, folder, statistics.median(seconds['conform']))}")
    print(f"known figures: {'missed by ' + ', '.join(wrong) if wrong else 'all exact'}")
    return int(bool(wrong) or ratio < RATIO_MIN or rate < RATE_MIN or memory > MEMORY_MAX_MB)


if __name__ == "__main__":
    sys.exit(main())
