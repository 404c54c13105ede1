"""Stores judged again, against the straight line of the same rows: raw driver, one dict of moves, nothing else.

`python -m tests.bench replay_store [--dossiers=N] [--fines=N] [--rounds=N]`. Two stores: a month of the department, of
real procedures with roles, registers, limits, pauses and slips, and the first N dossiers of the road fines log, which
lies in DUNGHEN_TEST_DATA, by default `../shared/data` beside the repository; without it that half is left out, and the
bench says so. The rounds are interleaved and processor time is counted; the median of each is told with its ratio,
since other work on the machine slows all of them alike. Then: what a dossier takes in the store while it lives, and how
the memory of a replay grows with its dossiers.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gc
import gzip
import io
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
import tracemalloc
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from workflow.audit.replay import Replay
from workflow.cli.main import COLLECT_AFTER, run
from workflow.cli.stores import archive_of
from workflow.judge import judge
from workflow.store.bodies import Bodies
from workflow.store.opening import open_store
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.audit.archive import Archive
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

ROOT: Final = Path(__file__).resolve().parents[2]
LOG: Final = "road_traffic_fines_full.csv.gz"
HISTORY: Final = ROOT / "tests" / "histories" / "fines"
DOSSIERS, FINES, ROUNDS = 6_000, 40_000, 7
MONTH: Final = ("--month", "2025-03", "--until", "2025-04-01", "--seed", "5")
AIMS: Final = {"outcomes": 500, "outcomes and all dates": 150}
"""Thousands of events a second that are asked for. A floor that only reads the rows does not run much faster."""
STATE_MAX_BYTES: Final = 1_024
GROWTH_MAX_BYTES: Final = 150
SOURCE: Final = """\
source: road-traffic-fines
name: {vi: Nhật ký xử phạt, en: Log of fines}
zone: Europe/Rome
authority: sequence
precision: day
reports: steps
cadence: {working_minutes: 600, calendar: vn-can-tho}
delay_minutes: 0
speakers: {topics: [road.fines], principals: [police]}
voids: none
rank: 10
"""


class Bounds(NamedTuple):
    """The least share of the floor's speed: of outcomes, of outcomes with all dates, of the whole command."""

    outcomes: float
    dated: float
    replay: float


MONTH_BOUNDS: Final = Bounds(0.13, 0.09, 0.07)
FINES_BOUNDS: Final = Bounds(0.2, 0.15, 0.08)
"""Guards against getting slower: both logs lie about a third above them."""


def quietly(*words: str | Path) -> None:
    """A command whose report is of no interest here."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert run([*map(str, words)]) == 0, words


def month_store(folder: Path, dossiers: int) -> Path:
    """A simulated month of the department, imported."""
    log, path = folder / "month.jsonl", folder / "month.db"
    quietly("simulate", *MONTH, "--dossiers", str(dossiers), "--out", log)
    quietly("import", log, "--source", "one-stop", "--store", path)
    return path


def fines_store(folder: Path, log: Path, dossiers: int) -> Path:
    """The first dossiers of the fines log, imported by definitions made of those of its frozen history."""
    definitions, mapping = folder / "definitions", folder / "mapping.yaml"
    if not definitions.is_dir():
        (definitions / "sources").mkdir(parents=True)
        shutil.copytree(ROOT / "processes" / "calendars", definitions / "calendars")
        for file in (ROOT / "processes" / "generic.yaml", ROOT / "processes" / "APPROVED"):
            shutil.copy(file, definitions)
        shutil.copy(HISTORY / "procedure.yaml", definitions / "fines.yaml")
        (definitions / "sources" / "fines.yaml").write_text(SOURCE, "utf-8")
        fields = "fields:\n  procedure: {constant: road-traffic-fines}\n"
        text = (HISTORY / "mapping.yaml").read_text("utf-8").replace("fields:\n", fields, 1)
        mapping.write_text(text, "utf-8")
    part, path = folder / f"fines-{dossiers}.csv", folder / f"fines-{dossiers}.db"
    with (
        gzip.open(log, "rt", encoding="utf-8", newline="") as lines,
        part.open("w", encoding="utf-8") as kept,
    ):
        rows, out = csv.reader(lines), csv.writer(kept)
        out.writerow(header := next(rows))
        case = itemgetter(header.index("case"))
        for _, found in islice(groupby(rows, case), dossiers):
            out.writerows(found)
    words = ("--source", "road-traffic-fines", "--mapping", mapping, "--procedures", definitions)
    quietly("import", part, *words, "--store", path)
    return path


def floor(path: Path, moves: dict[tuple[str, str], str]) -> int:
    """Every fact read in the order of the dossiers, its action looked up once for each text, its move in a dict."""
    actions: dict[bytes, str] = {}
    decode = msgspec.json.decode
    subject, state, facts = "", "", 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(
            "SELECT subject, occurred_at, told FROM facts ORDER BY subject, recorded_at"
        )
        while rows := cursor.fetchmany(2_000):
            for code, _, told in rows:
                if code != subject:
                    subject, state = code, "new"
                action = actions.get(told)
                if action is None:
                    action = actions[told] = decode(told).get("action", "")
                state = moves.get((state, action), state)
                facts += 1
    return facts


def moves_of(catalogue: Catalogue) -> dict[tuple[str, str], str]:
    """All moves of all procedures in one dict."""
    return {
        (state, name): move.to or state
        for family in catalogue.families.values()
        for rules in family.values()
        for name, action in rules.revision.actions.items()
        for move in action.moves
        for state in rules.revision.states
    }


def read(store: Store) -> int:
    """Every fact read as the engine reads it, nothing judged."""
    bodies = Bodies()
    with store.reading() as reading:
        return sum(len(bodies.dossier(list(rows))) for _, rows in groupby(reading.histories(), itemgetter(0)))


def outcomes(store: Store, catalogue: Catalogue, *, dates: bool) -> int:
    """Every outcome, nothing compared; with `dates` every deadline too, as of the dossier's last recorded fact."""
    bodies, facts = Bodies(), 0
    with store.reading() as reading:
        for subject, rows in groupby(reading.histories(), itemgetter(0)):
            told = list(rows)
            judgment = judge(catalogue, subject, bodies.dossier(told)).judgment
            facts += len(judgment.outcomes)
            if dates:
                at = from_us(max([row[6] for row in told]))
                judgment.rules.clock.deadlines(judgment.dossier, at=at)
    return facts


def replayed(store: Store, archive: Archive, *, dates: bool) -> int:
    """The command: everything judged and compared."""
    with store.reading() as reading:
        again = Replay(reading, archive, dates=dates)
        assert list(again.differences()) == []
        return again.counts.facts


def measured(ways: dict[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of processor time for each event, round by round."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            begun = time.process_time()
            facts = way()
            found[name].append((time.process_time() - begun) * 1e6 / facts)
    return found


def replays(name: str, path: Path, rounds: int, bounds: Bounds) -> bool:
    """Measures and prints one store; whether its bounds hold."""
    store = open_store(path)
    with store.reading() as reading:
        archive = archive_of(reading)
    catalogue = archive.newest
    moves = moves_of(catalogue)
    ways: dict[str, Callable[[], int]] = {
        "floor: raw rows and a dict": lambda: floor(path, moves),
        "facts read": lambda: read(store),
        "outcomes": lambda: outcomes(store, catalogue, dates=False),
        "outcomes and all dates": lambda: outcomes(store, catalogue, dates=True),
        "replay without dates": lambda: replayed(store, archive, dates=False),
        "replay": lambda: replayed(store, archive, dates=True),
    }
    facts = floor(path, moves)
    found = measured(ways, rounds)
    store.close()
    base = found["floor: raw rows and a dict"]
    shares: dict[str, float] = {}
    print(f"{name}: {facts:,} events, SQLite, one core, median of {rounds}")
    for way, values in found.items():
        middle = statistics.median(values)
        shares[way] = statistics.median(one / other for one, other in zip(base, values, strict=True))
        spread = f"[{min(values):.2f}-{max(values):.2f}]"
        aim = f", aim {AIMS[way]} k/s" if way in AIMS else ""
        print(
            f"  {way:28} {middle:6.2f} us {spread:15} {1e3 / middle:5.0f} k/s  {shares[way]:.2f} of the floor{aim}"
        )
    held = Bounds(shares["outcomes"], shares["outcomes and all dates"], shares["replay"])
    print(f"  least shares of the floor: {', '.join(f'{k} {v}' for k, v in bounds._asdict().items())}")
    return all(one >= least for one, least in zip(held, bounds, strict=True))


def state_held(path: Path) -> bool:
    """Prints what a dossier's row takes in the store; whether it is little enough."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        ((dossiers, judgment),) = connection.execute("SELECT count(*), avg(length(judgment)) FROM dossiers")
        ((content, pages),) = connection.execute(
            "SELECT sum(payload), sum(pgsize) FROM dbstat WHERE name = 'dossiers'"
        )
    print(
        f"live state: {content / dossiers:,.0f} bytes a dossier ({judgment:,.0f} of them its judgment), "
        f"{pages / dossiers:,.0f} with the free room of its pages; bound {STATE_MAX_BYTES:,}"
    )
    return bool(content / dossiers <= STATE_MAX_BYTES)


def peak(path: Path) -> int:
    """Bytes the engine holds at most while it judges a store again, beside the pages that SQLite keeps of the file: at
    most `CACHE_KIB` of the store, however large it is."""
    store = open_store(path)
    with store.reading() as reading:
        archive = archive_of(reading)
    replayed(store, archive, dates=True)
    gc.collect()
    tracemalloc.start()
    replayed(store, archive, dates=True)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    store.close()
    return held


def flat(small: tuple[int, Path], large: tuple[int, Path]) -> bool:
    """Prints how much more memory a replay takes for more dossiers; whether it is next to nothing."""
    (few, little), (many, much) = ((dossiers, peak(path)) for dossiers, path in (small, large))
    growth = (much - little) / (many - few)
    print(
        f"memory of a replay: {little / 1e6:.1f} MB of {few:,} dossiers, {much / 1e6:.1f} MB of {many:,}: "
        f"{growth:.0f} bytes for each more, bound {GROWTH_MAX_BYTES}"
    )
    return growth <= GROWTH_MAX_BYTES


def main() -> int:
    """Exit status 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=DOSSIERS)
    parser.add_argument("--fines", type=int, default=FINES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    gc.set_threshold(COLLECT_AFTER)
    log = Path(os.environ.get("DUNGHEN_TEST_DATA") or ROOT.parent / "shared" / "data") / LOG
    held = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        month = month_store(folder, asked.dossiers)
        told = f"the department's month, {asked.dossiers:,} dossiers"
        held += [replays(told, month, asked.rounds, MONTH_BOUNDS), state_held(month)]
        if log.is_file():
            few = asked.fines // 4
            small, large = ((number, fines_store(folder, log, number)) for number in (few, asked.fines))
            told = f"road fines, {asked.fines:,} dossiers"
            held += [replays(told, large[1], asked.rounds, FINES_BOUNDS), flat(small, large)]
        else:
            print(f"road fines: NOT MEASURED, no {LOG} in the folder of the public logs")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
