"""The engine at work: real Kafka and PostgreSQL, a worker and a relay, and a month of the department in a minute.

Everything listens on loopback, and all of it is ended when the time is over or at Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from consumers.contract.outgoing import Record
from consumers.contract.topics import DOSSIERS, PREFIX, TOPICS
from consumers.kafka import Publisher, make_topics
from servers.finding import Servers, servers_for
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DUNGHEN = (sys.executable, "-c", "from workflow.cli.main import main; main()")
MONTH = ("--month", "2025-03", "--seed", "2025")
STEP_S = 0.25
END_S = 20
UNITS_SHOWN = 12
COUNTS = """
SELECT (SELECT count(*) FROM facts), (SELECT count(*) FROM dossiers),
  (SELECT count(*) FROM dossiers WHERE released_at IS NULL AND ended_at IS NULL),
  (SELECT coalesce(sum(position), 0) FROM positions),
  (SELECT coalesce(sum(messages), 0) FROM outbox),
  (SELECT coalesce(sum(messages), 0) FROM outbox WHERE sent_at IS NULL),
  (SELECT count(*) FROM dead_letters), (SELECT count(*) FROM dossiers WHERE blocked IS NOT NULL)
"""
UNITS = """
SELECT coalesce(unit, '-'), count(*), count(*) FILTER (WHERE appointment_late OR committed_late)
FROM dossiers GROUP BY 1 ORDER BY 3 DESC, 1
"""
ALERTS = "SELECT kind, state, count(*) FROM alerts GROUP BY 1, 2 ORDER BY 1, 2"


class Feed:
    """The department: tells its month at a steady pace."""

    def __init__(self, bootstrap: str, messages: Sequence[bytes], seconds: float) -> None:
        self.told = 0
        self.messages = messages
        self._bootstrap = bootstrap
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="department")
        self._thread.start()

    def close(self) -> None:
        """Tells no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        topic = PREFIX + DOSSIERS.name
        with closing(Publisher(self._bootstrap)) as publish:
            while self.told < len(self.messages) and not self._stop.wait(STEP_S):
                share = min(1.0, (time.monotonic() - began) / self._seconds)
                due = self.messages[self.told : int(share * len(self.messages))]
                publish([Record(topic, json.loads(one)["subject"].encode(), one, ()) for one in due])
                self.told += len(due)


def month(folder: Path, dossiers: int) -> list[bytes]:
    """The messages of a made-up month, in the order they are told."""
    path = folder / "month.jsonl"
    subprocess.run(  # noqa: S603 - our own command
        [*DUNGHEN, "simulate", "--dossiers", str(dossiers), "--out", str(path), *MONTH],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path.read_bytes().splitlines()


def started(environ: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The processes of the engine."""
    for word in ("worker", "relay"):
        with (folder / f"{word}.log").open("wb") as log:
            yield subprocess.Popen(  # noqa: S603 - our own command
                [*DUNGHEN, word], env=environ, stderr=log, stdin=subprocess.DEVNULL
            )


def ended(process: subprocess.Popen[bytes]) -> None:
    """Has a process finish what is at hand and end."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def picture(connection: psycopg.Connection[Any], feed: Feed, rate: float, used: str) -> Group:
    """What is so now."""
    (counts,) = connection.execute(COUNTS).fetchall()
    facts, dossiers, running, position, said, unsent, dead, blocked = (int(one) for one in counts)
    flow = Table(title=used, title_justify="left")
    for name in ("told", "of", "lag", "facts", "a second", "dossiers", "open", "blocked", "dead letters"):
        flow.add_column(name, justify="right")
    flow.add_row(
        *map(str, (feed.told, len(feed.messages), feed.told - position, facts, round(rate), dossiers)),
        *map(str, (running, blocked, dead)),
    )
    out = Table(title=f"said {said}, of which not yet sent {unsent}", title_justify="left")
    for name in ("alert", "state", "count"):
        out.add_column(name, justify="right" if name == "count" else "left")
    for kind, state, count in connection.execute(ALERTS).fetchall():
        out.add_row(kind, state, str(count))
    units = Table(title="late by unit", title_justify="left")
    for name in ("unit", "dossiers", "late"):
        units.add_column(name, justify="left" if name == "unit" else "right")
    for unit, count, late in connection.execute(UNITS).fetchall()[:UNITS_SHOWN]:
        units.add_row(unit, str(count), str(late))
    return Group(flow, out, units)


def watch(
    database: str, feed: Feed, processes: Sequence[subprocess.Popen[bytes]], seconds: float, used: str
) -> int:
    """Shows what happens until the time is over; 1 where a process ended by itself."""
    until = time.monotonic() + seconds
    before, at, rate = 0, time.monotonic(), 0.0
    with psycopg.connect(database, autocommit=True) as connection, Live(console=Console()) as live:
        while time.monotonic() < until:
            live.update(picture(connection, feed, rate, used), refresh=True)
            if any(one.poll() is not None for one in processes):
                return 1
            time.sleep(0.5)
            row = connection.execute("SELECT count(*) FROM facts").fetchone()
            now, facts = time.monotonic(), 0 if row is None else int(row[0])
            rate, before, at = (facts - before) / (now - at), facts, now
    return 0


def live(servers: Servers, seconds: float, dossiers: int, folder: Path) -> int:
    """One run on these servers."""
    sys.stdout.write(f"servers: {servers.used}\n")
    make_topics(servers.bootstrap, PREFIX, TOPICS, replicas=1, make=True)
    name = f"dunghen_live_{os.getpid()}"
    with ExitStack() as undone:
        undone.callback(servers.drop, name)
        database = servers.database(name)
        open_store(database).close()
        environ = {
            **os.environ,
            "DUNGHEN_BROKERS": servers.bootstrap,
            "DUNGHEN_STORE": database,
            "DUNGHEN_HEALTH_PORT": "0",
            "DUNGHEN_KAFKA_GROUP": name,
        }
        messages = month(folder, dossiers)
        processes = []
        for process in started(environ, folder):
            undone.callback(ended, process)
            processes.append(process)
        feed = undone.enter_context(closing(Feed(servers.bootstrap, messages, max(1.0, seconds * 0.75))))
        status = watch(database, feed, processes, seconds, servers.used)
    if status:
        for log in sorted(folder.glob("*.log")):
            sys.stderr.write(f"{log.name}:\n{log.read_text(encoding='utf-8')[-2000:]}\n")
    return status


def main() -> int:
    """Starts everything, shows it, ends everything."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60, help="how long to show it")
    asked.add_argument("--dossiers", type=int, default=1_500, help="how many dossiers arrive")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="dunghen-live-") as folder, servers_for(os.environ) as servers:
        try:
            return live(servers, given.seconds, given.dossiers, Path(folder))
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
