"""The same work by DBOS, the durable-execution peer: events out of Kafka, each a workflow of one transaction.

`python -m tests.bench durable_peer [--events=N] [--rounds=N]`: DBOS reads the topic by its own consumer, keeps each
message as a workflow in PostgreSQL and runs it: one transaction decodes the event, steps the dossier by a table, keeps
the fact and the dossier. It need not keep the order of a dossier, nor judge, nor say anything; ours does all of it.
Each round begins on empty databases, and DBOS and ours take turns. It ends with 1 where DBOS fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import live
import month
import psycopg
from apply_floor import table_of

from consumers.kafka import Publisher
from servers.finding import servers_for
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from servers.finding import Servers

EVENTS, ROUNDS = 600, 3
PEER_MAX_S = 60.0
TABLES = (
    "CREATE TABLE kept (id text PRIMARY KEY, subject text, told bytea)",
    "CREATE TABLE held (subject text PRIMARY KEY, state text)",
)
KEEP = "INSERT INTO kept VALUES (:id, :subject, :told) ON CONFLICT DO NOTHING"
HELD = "SELECT state FROM held WHERE subject = :subject FOR UPDATE"
HOLD = "INSERT INTO held VALUES (:subject, :state) ON CONFLICT (subject) DO UPDATE SET state = excluded.state"


def peer(bootstrap: str, topic: str, url: str, group: str) -> None:
    """Runs DBOS until this process is ended."""
    import msgspec  # noqa: PLC0415 - of the peer's own process, as the next
    import sqlalchemy  # noqa: PLC0415
    from dbos import DBOS, SQLAlchemyDatasource  # noqa: PLC0415

    table = table_of(month.catalogue())
    place = url.replace("postgresql:", "postgresql+psycopg:")
    DBOS(config={"name": "bench", "system_database_url": place})
    data = SQLAlchemyDatasource.create(place)
    consumer = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"}

    @data.transaction
    def keep(value: bytes) -> None:
        told = msgspec.json.decode(value)
        subject, run = told["subject"], data.sql_session().execute
        run(sqlalchemy.text(KEEP), {"id": told["id"], "subject": subject, "told": value})
        row = run(sqlalchemy.text(HELD), {"subject": subject}).first()
        state, act = "new" if row is None else row[0], told["data"]
        state = table.get((act.get("procedure"), state, act.get("action")), state)
        run(sqlalchemy.text(HOLD), {"subject": subject, "state": state})

    @DBOS.kafka_consumer(consumer, [topic])
    @DBOS.workflow()
    def one(message: Any) -> None:
        keep(message.value)

    DBOS.launch()
    while True:
        time.sleep(1)


def peer_rate(servers: Servers, topic: str, name: str, wanted: int) -> float | str:
    """Events a second from its first to its last, or its word where it failed."""
    servers.drop(name)
    url = servers.database(name)
    with psycopg.connect(url, autocommit=True) as database:
        for statement in TABLES:
            database.execute(statement)
        running = subprocess.Popen(
            [sys.executable, Path(__file__), "--peer", servers.bootstrap, topic, url, name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        first, found, until = 0.0, 0, time.perf_counter() + PEER_MAX_S
        began_with = 0
        while found < wanted and time.perf_counter() < until and running.poll() is None:
            ((found,),) = database.execute("SELECT count(*) FROM kept").fetchall()
            if found and not first:
                first, began_with = time.perf_counter(), found
            time.sleep(0.01)
        took = time.perf_counter() - first
        running.kill()
        said = running.communicate()[1].decode(errors="replace").strip().splitlines()
    if found - began_with < wanted // 10:
        return f"{found} of {wanted} events; it said: {said[-1] if said else 'nothing'}"
    return (found - began_with) / took


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peer", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peer:
        peer(*asked.peer)
    if find_spec("dbos") is None:
        print("NOT MEASURED: DBOS is not installed (requirements-bench.lock has it)")
        return 0
    number, own = count(), os.getpid()
    rates: tuple[list[float], list[float]] = ([], [])
    with live.quiet(), servers_for(os.environ) as servers:
        known = month.catalogue()
        lines = [live.padded(line) for line in month.messages(month.facts(known, asked.events // 8))]
        lines = list({live.id_of(line): line for line in lines}.values())[: asked.events]
        print(
            f"{month.heading()}, {servers.used}, {len(lines):,} events, {asked.rounds} rounds, {live.load()}"
        )
        topic = live.topics(servers, f"peer{own}.")
        live.model(servers)
        with closing(Publisher(servers.bootstrap)) as publisher:
            live.publish(publisher, topic, lines)
        for _ in range(asked.rounds):
            name = f"dunghen_peer_{own}_{next(number)}"
            theirs = peer_rate(servers, topic, name, len(lines))
            if isinstance(theirs, str):
                print(f"DBOS failed: {theirs}")
                return 1
            store = open_store(live.database(servers, f"{name}_ours"))
            took = live.work(
                store, known, live.Measured(servers.bootstrap, topic, f"{name}_ours", len(lines))
            )
            store.close()
            rates[0].append(theirs)
            rates[1].append(len(lines) / took)
    for name, found in (("DBOS", rates[0]), ("ours", rates[1])):
        print(f"{name}: {statistics.median(found):,.0f} events/s (best {max(found):,.0f})")
    ratios = [ours / theirs for theirs, ours in zip(*rates, strict=True)]
    print(f"ours is {month.spread(ratios)} times as fast; {live.load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
