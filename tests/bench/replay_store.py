"""A store judged again, against the straight line of the same rows: raw driver, one dict of moves, nothing else.

`python -m tests.bench replay_store [--dossiers=N] [--rounds=N]`. The rounds are interleaved and processor time is
counted; the median of each is told with its ratio, since other work on the machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import sqlite3
import statistics
import sys
import tempfile
import time
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workflow.audit.replay import Replay
from workflow.cli.main import COLLECT_AFTER, run
from workflow.cli.stores import archive_of
from workflow.judge import judge
from workflow.store.bodies import Bodies
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.audit.archive import Archive
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

DOSSIERS = 6_000
ROUNDS = 7
LEAST_OF_FLOOR = 0.12
"""Outcomes of the department's real procedures (registers, roles, limits, pauses) against a dict that asks nothing: a
guard against getting slower. The aim, 500 k events a second, is not reached with them."""
MONTH = ("--month", "2025-03", "--until", "2025-04-01", "--seed", "5")


def quietly(*words: str | Path) -> None:
    """A command whose report is of no interest here."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert run([*map(str, words)]) == 0, words


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


def outcomes(store: Store, catalogue: Catalogue) -> int:
    """Every outcome."""
    bodies, facts = Bodies(), 0
    with store.reading() as reading:
        for subject, rows in groupby(reading.histories(), itemgetter(0)):
            found = bodies.dossier(list(rows))
            facts += len(judge(catalogue, subject, found).judgment.outcomes)
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


def main() -> int:
    """Exit status 1 where the outcomes take more than their share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=DOSSIERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    gc.set_threshold(COLLECT_AFTER)
    with tempfile.TemporaryDirectory() as folder:
        log, path = Path(folder) / "month.jsonl", Path(folder) / "month.db"
        quietly("simulate", *MONTH, "--dossiers", str(asked.dossiers), "--out", log)
        quietly("import", log, "--source", "one-stop", "--store", path)
        store = open_store(path)
        with store.reading() as reading:
            archive = archive_of(reading)
        catalogue = archive.newest
        moves = moves_of(catalogue)
        ways: dict[str, Callable[[], Any]] = {
            "floor: raw rows and a dict": lambda: floor(path, moves),
            "facts read": lambda: read(store),
            "outcomes": lambda: outcomes(store, catalogue),
            "replay without dates": lambda: replayed(store, archive, dates=False),
            "replay": lambda: replayed(store, archive, dates=True),
        }
        facts = floor(path, moves)
        found = measured(ways, asked.rounds)
        store.close()
    base = statistics.median(found["floor: raw rows and a dict"])
    print(
        f"replay of {facts:,} events of {asked.dossiers:,} dossiers, SQLite, one core, median of {asked.rounds}"
    )
    for name, values in found.items():
        middle = statistics.median(values)
        spread = f"[{min(values):.2f}-{max(values):.2f}]"
        print(
            f"{name:28} {middle:6.2f} us {spread:15} {1e3 / middle:6.0f} k/s  {base / middle:.2f} of the floor"
        )
    return int(base / statistics.median(found["outcomes"]) < LEAST_OF_FLOOR)


if __name__ == "__main__":
    sys.exit(main())
