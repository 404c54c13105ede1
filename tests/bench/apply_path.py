"""From message bytes to the commit, batches of 1,000, against a floor that leaves the same rows by the raw driver.

`python -m tests.bench apply_path [--dossiers=N] [--rounds=N]`: a damaged month of the department in the order it is
sent, each batch taken when it is sent, on SQLite and on PostgreSQL 18. Each round begins on tables that hold the
definitions alone, and floor and product take turns batch by batch. It ends with 1 where the floor's rows are not ours,
or where the ratio misses its bound on either database.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from functools import partial
from itertools import count, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import month
from apply_floor import Floor, table_of
from given import Giving

from consumers.apply import apply
from servers.postgres import Postgres
from workflow.cli.main import COLLECT_AFTER
from workflow.store.opening import open_store
from workflow.store.rows import Position, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from apply_floor import Given

    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

DOSSIERS, ROUNDS = 1_000, 5
RATIO_MIN, AIM = 0.40, 0.60
TABLES = {
    "facts": "seq, subject, source, id, revision, type, occurred_at, entered_at, recorded_at, sequence, told, "
    "received, digest",
    "dossiers": "*",
    "outbox": "seq, recorded_at, messages, content, withheld, sent_at, routed_at",
    "positions": "*",
    "alerts": "*",
    "feeds": "*",
    "dead_letters": "*",
    "definitions": "*",
}
"""What must be the same in both stores: everything but the salts and what hangs on them."""


class Work(NamedTuple):
    """What there is to do, and what each batch comes to."""

    known: Catalogue
    batches: list[Batch]
    given: list[Given]


class Batch(NamedTuple):
    """Messages taken together, where they stand in their stream, and when they are taken."""

    lines: Sequence[bytes]
    at: int
    now: datetime


def step(store: Store, known: Catalogue, batch: Batch) -> None:
    """One batch of ours, from the bytes on."""
    lines, at, now = batch
    apply(store, known, month.decoded(lines), now=now, position=Position("b", 0, at, at + len(lines), 1))


def given(store: Store, known: Catalogue, batches: Sequence[Batch]) -> list[Given]:
    """Applies all batches and reads back what each came to."""
    giving = Giving(store)
    return [
        giving.batch(
            {one.fact.subject for one in month.decoded(batch.lines)}, partial(step, store, known, batch)
        )
        for batch in batches
    ]


def claimed(where: str, known: Catalogue) -> Store:
    """An open store with its stream claimed and all definitions kept, as after its first days."""
    store = open_store(where)
    with store.writing() as writing:
        writing.claim("b", 0, log="L")
        writing.archive(
            known.used(rules for family in known.families.values() for rules in family.values()), 0
        )
    return store


def differing(one: Store, other: Store) -> list[str]:
    """The tables that are not the same."""

    def rows(store: Store, name: str, columns: str) -> list[Any]:
        with store.engine.connect() as connection:
            return list(connection.exec_driver_sql(f"SELECT {columns} FROM {name} ORDER BY 1, 2, 3"))

    return [
        name for name, columns in TABLES.items() if rows(one, name, columns) != rows(other, name, columns)
    ]


def measured(fresh: Callable[[], str], work: Work, rounds: int) -> tuple[list[float], list[float], list[str]]:
    """Seconds of the floor and of ours, round by round, and the tables that differed at the end."""
    table = table_of(work.known)
    seconds: tuple[list[float], list[float]] = ([], [])
    wrong: list[str] = []
    for _ in range(rounds):
        one, other = claimed(fresh(), work.known), claimed(fresh(), work.known)
        floor = Floor(one, table)
        took = [0.0, 0.0]
        for batch, came_to in zip(work.batches, work.given, strict=True):
            began = time.perf_counter()
            floor.batch(batch.lines, batch.at, to_us(batch.now), came_to)
            between = time.perf_counter()
            step(other, work.known, batch)
            took[1] += time.perf_counter() - between
            took[0] += between - began
        floor.close()
        for kept, one_took in zip(seconds, took, strict=True):
            kept.append(one_took)
        wrong = differing(one, other)
        one.close()
        other.close()
    return *seconds, wrong


def main() -> int:
    """Measures, prints, and says whether the ratios hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=DOSSIERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    gc.set_threshold(COLLECT_AFTER)
    known = month.catalogue()
    facts = month.facts(known, asked.dossiers)
    lines = month.messages(facts)
    numbers = count()
    print(f"{month.heading()}, {len(lines):,} messages of {asked.dossiers:,} dossiers, {asked.rounds} rounds")
    missed = []
    with tempfile.TemporaryDirectory() as folder, Postgres(18) as server:

        def file() -> str:
            return str(Path(folder) / f"{next(numbers)}.db")

        def database() -> str:
            name = f"d{next(numbers)}"
            server.run(f"CREATE DATABASE {name}")
            return server.url(name)

        taken = zip(month.batches(lines), count(0, month.BATCH), month.sent(facts), strict=False)
        model, batches = claimed(file(), known), list(starmap(Batch, taken))
        work = Work(known, batches, given(model, known, batches))
        model.close()
        gc.freeze()  # what is known beforehand is the bench's own: neither side is to pay for looking through it
        for name, fresh in {"SQLite": file, "PostgreSQL 18": database}.items():
            floor, product, wrong = measured(fresh, work, asked.rounds)
            ratios = [one / other for one, other in zip(floor, product, strict=True)]
            for what, seconds in (("floor", floor), ("apply", product)):
                rate = len(lines) / statistics.median(seconds)
                print(f"{name}, {what}: {rate:,.0f} events/s (best {len(lines) / min(seconds):,.0f})")
            print(f"{name}: {month.spread(ratios)} of the floor's speed, bound {RATIO_MIN}, aim {AIM}")
            missed += [f"{name}, the floor's {table}" for table in wrong]
            missed += [name] if statistics.median(ratios) < RATIO_MIN else []
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
