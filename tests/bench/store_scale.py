"""Speed of a large store beside a small one: facts arriving by date, and facts of dossiers taken at random.

`python -m tests.bench store_scale [--dossiers=N] [--database=NAME]`: both stores are filled in bulk with judged
dossiers of two facts each, then batches of 1,000 go to either in turn. By date a large store must keep two thirds of
the small one's speed; at random a quarter on SQLite, half on PostgreSQL.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import date, timedelta
from itertools import starmap
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import month
from msgspec.structs import replace

from consumers.apply import apply
from servers.postgres import Postgres
from workflow.store.judgments import pack, unpack
from workflow.store.opening import open_store
from workflow.store.rows import DossierRow, FactRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.store.store import Store

SMALL, LARGE, BATCHES = 10_000, 1_000_000, 8
BY_DATE_MIN, AT_RANDOM_MIN = 0.67, {"sqlite": 0.25, "postgresql": 0.5}
CHUNK = 20_000
FIRST = date(2016, 1, 4)
TYPES = ["text", "text", "text", "int8", "text", *["int8"] * 4, *["bytea"] * 5]


class Mould(NamedTuple):
    """What every dossier of the bulk is made from: two facts, their rows and judgment, and the act that follows."""

    rows: list[FactRow]
    dossier: DossierRow
    following: Fact


class Sent(NamedTuple):
    """Messages that are taken together, and when."""

    lines: Sequence[bytes]
    now: datetime


def mould(known: Catalogue, folder: Path) -> Mould:
    """A dossier of the most frequent procedure after its first two acts, judged for real."""
    told = month.facts(known, 60)
    subject = next(
        fact.subject for fact in told if getattr(fact.body, "procedure", None) == "mortgage-registration"
    )
    acts = sorted((fact for fact in told if fact.subject == subject), key=lambda fact: fact.sequence)
    store = open_store(folder / "mould.db")
    apply(store, known, month.decoded(month.messages(acts[:2])), now=acts[1].occurred_at)
    with store.reading() as reading:
        (row,) = reading.dossiers()
    columns = ", ".join(FactRow._fields)
    with store.engine.connect() as connection:
        rows = [
            FactRow(*one) for one in connection.exec_driver_sql(f"SELECT {columns} FROM facts ORDER BY seq")
        ]
    store.close()
    return Mould(rows, row, acts[2])


def code(number: int, of: int) -> str:
    """The code of a dossier of the bulk: by date, as they are given."""
    day = FIRST + timedelta(days=number * 3_000 // of)
    return f"000.00.01.H13-{day:%y%m%d}-{number:07}"


def fill(store: Store, one: Mould, number: int) -> None:
    """Puts so many dossiers into an empty store by its own driver, in the order of their codes."""
    blank = unpack(one.dossier.judgment)
    key = blank.last_key
    assert key is not None
    pooled: Any = store.engine.raw_connection()
    cursor = pooled.cursor()
    for start in range(0, number, CHUNK):
        codes = [code(n, number) for n in range(start, min(start + CHUNK, number))]
        facts = [
            row._replace(subject=subject, id=f"{subject}/{place}")
            for subject in codes
            for place, row in enumerate(one.rows, 1)
        ]
        dossiers = []
        for subject in codes:
            blank.subject, blank.last_key = subject, (*key[:4], f"{subject}/2", 0)
            dossiers.append(one.dossier._replace(subject=subject, judgment=pack(blank)))
        write(cursor, "facts", FactRow._fields, facts, sqlite=store.engine.dialect.name == "sqlite")
        write(cursor, "dossiers", DossierRow._fields, dossiers, sqlite=store.engine.dialect.name == "sqlite")
        pooled.commit()
    if store.engine.dialect.name != "sqlite":
        cursor.execute("ANALYZE")
        pooled.commit()
    pooled.close()


def write(cursor: Any, table: str, names: tuple[str, ...], rows: list[Any], *, sqlite: bool) -> None:
    """Rows into a table."""
    columns = ", ".join(names)
    if sqlite:
        cursor.execute("BEGIN IMMEDIATE") if not cursor.connection.in_transaction else None
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})", rows)
        return
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def by_date(known: Catalogue) -> list[Sent]:
    """The first batches of a month, as they were sent."""
    facts = month.facts(known, 800, seed=2)[: BATCHES * month.BATCH]
    return list(starmap(Sent, zip(month.batches(month.messages(facts)), month.sent(facts), strict=True)))


def at_random(one: Mould, number: int, seed: int) -> Iterator[Sent]:
    """Batches of the next act of dossiers anywhere in the bulk, each dossier once."""
    chosen = Random(seed).sample(range(number), BATCHES * month.BATCH)
    for start in range(0, len(chosen), month.BATCH):
        subjects = [code(n, number) for n in chosen[start : start + month.BATCH]]
        facts = (replace(one.following, subject=one_code, id=f"{one_code}/3") for one_code in subjects)
        yield Sent(month.messages(facts), one.following.occurred_at)


def ratio(known: Catalogue, stores: tuple[Store, Store], work: Iterable[tuple[Sent, Sent]]) -> float:
    """The large store's speed in that of the small one, batches in turn; the first pair only warms both up."""
    took = [0.0, 0.0]
    for turn, pair in enumerate(work):
        for index, (store, (lines, now)) in enumerate(zip(stores, pair, strict=True)):
            began = time.perf_counter()
            done = apply(store, known, month.decoded(lines), now=now)
            took[index] += (time.perf_counter() - began) * (turn > 0)
            assert not done.dead
            assert not done.blocked
    return took[0] / took[1]


def measured(known: Catalogue, one: Mould, wheres: tuple[str, str], number: int) -> tuple[float, float]:
    """Both ratios on one kind of database."""
    stores = open_store(wheres[0]), open_store(wheres[1])
    for store, size in zip(stores, (SMALL, number), strict=True):
        began = time.perf_counter()
        fill(store, one, size)
        print(f"  {size:,} dossiers filled in {time.perf_counter() - began:.0f} s")
    dated = ratio(known, stores, ((one, one) for one in by_date(known)))
    random = ratio(known, stores, zip(at_random(one, SMALL, 3), at_random(one, number, 4), strict=True))
    for store in stores:
        store.close()
    return dated, random


def main() -> int:
    """Measures, prints, and says whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dossiers", type=int, default=LARGE)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    asked = parser.parse_args()
    known, missed = month.catalogue(), []
    print(f"{month.heading()}, {SMALL:,} dossiers beside {asked.dossiers:,}")
    with tempfile.TemporaryDirectory() as folder, Postgres(18) as server:
        one = mould(known, Path(folder))
        for name in asked.database or ("sqlite", "postgresql"):
            wheres = f"{folder}/small.db", f"{folder}/large.db"
            if name == "postgresql":
                server.run("CREATE DATABASE small")
                server.run("CREATE DATABASE large")
                wheres = server.url("small"), server.url("large")
            print(f"{name}:")
            dated, random = measured(known, one, wheres, asked.dossiers)
            print(f"  by date the large store runs at {dated:.2f} of the small one, bound {BY_DATE_MIN}")
            print(f"  at random at {random:.2f}, bound {AT_RANDOM_MIN[name]}")
            missed += [f"{name} by date"] if dated < BY_DATE_MIN else []
            missed += [f"{name} at random"] if random < AT_RANDOM_MIN[name] else []
    print(f"missed: {', '.join(missed) or 'none'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
