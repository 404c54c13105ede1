"""The engine at work: real Kafka and PostgreSQL, worker, ticker and relay, and months of the department in a minute.

Everything listens on loopback and is ended when the time is over, or at Ctrl-C. The three loops are those of
`dunghen run`; only their clock is the department's, which runs as fast as its events are told.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from consumers import relay, ticking, worker
from consumers.contract.outgoing import Record
from consumers.contract.topics import DOSSIERS, TOPICS
from consumers.decoding import decoded
from consumers.health import Health
from consumers.kafka import Publisher, make_topics
from consumers.kafkareader import Reader
from consumers.kafkasettings import KafkaSettings
from consumers.metrics import Metrics
from consumers.relay import Relay
from consumers.ticking import Ticking
from consumers.together import together
from consumers.worker import Worker
from servers.finding import Servers, servers_for
from workflow import log
from workflow.catalogue import load
from workflow.errors import DunghenError
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.store.store import Store

DUNGHEN = (sys.executable, "-c", "from workflow.cli.main import main; main()")
MONTH = ("--month", "2025-03", "--seed", "2025")
ZONE = timedelta(hours=7)
STEP_S = 0.25
SHARE_TOLD = 0.7
"""Of the time, events flow; in the rest only the clock runs on, and what passes in silence is noticed."""
SILENT_STEP = timedelta(hours=8)
AROUND = 51
"""Events by the middle one of which the clock goes: one whose own clock is wrong does not move it."""
SHOWN = 6
"""Rows of a table, so that all of it stands on a screen of 24 lines."""
PARTS = (worker.PART, ticking.PART, relay.PART)
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
ALERTS = "SELECT kind, state, count(*) FROM alerts WHERE n > 0 GROUP BY 1, 2 ORDER BY 3 DESC, 1"
NEWEST = """
SELECT raised_at, kind, subject, state FROM alerts WHERE n > 0 ORDER BY raised_at DESC, id LIMIT 6
"""


class Office:
    """The department: tells its months at a steady pace, and has the clock that goes with what it told."""

    def __init__(self, bootstrap: str, topic: str, messages: Sequence[bytes], seconds: float) -> None:
        self.told = 0
        self.messages = messages
        self._bootstrap, self._topic, self._seconds = bootstrap, topic, seconds
        events = [msgspec.json.decode(one) for one in messages]
        self._records = [
            Record(topic, event["subject"].encode(), one, ())
            for event, one in zip(events, messages, strict=True)
        ]
        told = (event["data"].get("occurred_at") for event in events)
        self._at = [datetime.fromisoformat(at) for at in told if at is not None]
        self._now = self._at[0].astimezone(UTC)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="department")
        self._thread.start()

    def now(self) -> datetime:
        """What its clock shows."""
        return self._now

    def close(self) -> None:
        """Tells no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        with closing(Publisher(self._bootstrap)) as publish:
            while not self._stop.wait(STEP_S):
                if self.told == len(self.messages):
                    self._now += SILENT_STEP
                    continue
                share = min(1.0, (time.monotonic() - began) / self._seconds)
                until = int(share * len(self.messages))
                if until > self.told:
                    # Those that tell no time are few: by their share the clock is behind.
                    end = int(share * len(self._at))
                    around = self._at[max(0, end - AROUND) : end]
                    self._now = max(self._now, median_low(around).astimezone(UTC))
                    publish(self._records[self.told : until])
                    self.told = until


class Engine:
    """Worker, ticker and relay, each in a thread; `fault`: why they ended by themselves."""

    def __init__(self, servers: Servers, store: Store, prefix: str, office: Office) -> None:
        self.fault: DunghenError | None = None
        self._stop = threading.Event()
        self._servers, self._store, self._prefix, self._office = servers, store, prefix, office
        self._thread = threading.Thread(target=self._run, name="engine")
        self._thread.start()

    def close(self) -> None:
        """Has each finish what is at hand and end."""
        self._stop.set()
        self._thread.join()

    def ended(self) -> bool:
        """Whether they ended by themselves."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        health, metrics, now = Health(PARTS), Metrics(), self._office.now
        settings = KafkaSettings(group=self._prefix)
        with (
            resources.as_file(resources.files("processes")) as folder,
            closing(Publisher(self._servers.bootstrap)) as publish,
        ):
            # What a definition remembers while it judges is of one thread.
            ours, another = load(folder), load(folder)
            topic = self._prefix + DOSSIERS.name
            reader = Reader(self._servers.bootstrap, [topic], settings, partial(decoded, zones={}))
            loops = {
                worker.PART: Worker(self._store, ours, reader, health, metrics, clock=now).run,
                ticking.PART: Ticking(self._store, another, health, metrics, clock=now).run,
                relay.PART: Relay(self._store, publish, self._prefix, health, metrics).run,
            }
            try:
                together(loops, self._stop)
            except DunghenError as fault:
                self.fault = fault


def months(folder: Path, dossiers: int) -> list[bytes]:
    """The messages of a made-up month of dossiers, each told to its end, in the order they are told."""
    path = folder / "month.jsonl"
    subprocess.run(  # noqa: S603 - our own command
        [*DUNGHEN, "simulate", "--dossiers", str(dossiers), "--out", str(path), *MONTH],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path.read_bytes().splitlines()


def shown(at: datetime) -> str:
    """An instant as the department's clocks show it."""
    return f"{at.astimezone(UTC) + ZONE:%a %d %b %H:%M}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table whose numbers stand to the right."""
    found = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    numbers = {at for row in rows for at, one in enumerate(row) if isinstance(one, int)}
    for at, name in enumerate(columns):
        found.add_column(name, justify="right" if at in numbers else "left", no_wrap=True)
    for row in rows:
        found.add_row(*map(str, row))
    return found


def beside(*tables: Table) -> Table:
    """Tables side by side."""
    found = Table.grid(padding=(0, 4, 0, 0))
    found.add_row(*tables)
    return found


def picture(connection: psycopg.Connection[Any], office: Office, rate: float) -> Group:
    """What is so now."""
    (counts,) = connection.execute(COUNTS).fetchall()
    facts, dossiers, running, position, said, unsent, dead, blocked = (int(one) for one in counts)
    flow = (office.told, len(office.messages), office.told - position, round(rate), facts)
    judged = (dossiers, running, blocked, dead)
    alerts = [(kind.replace("_", " "), state, count) for kind, state, count in connection.execute(ALERTS)]
    newest = [
        (shown(datetime.fromtimestamp(at / 1e6, UTC)), kind.replace("_", " "), subject, state)
        for at, kind, subject, state in connection.execute(NEWEST)
    ]
    late = connection.execute(UNITS).fetchall()[:SHOWN]
    return Group(
        beside(
            table("Events", ("told", "of", "not yet read", "a second", "kept"), [flow]),
            table("Dossiers", ("all", "open", "blocked", "dead letters"), [judged]),
        ),
        "",
        beside(
            table("Alerts raised so far", ("alert", "state", "count"), alerts[:SHOWN]),
            table("Late by unit", ("unit", "dossiers", "late"), late),
        ),
        "",
        table("Newest alerts", ("raised", "alert", "about", "state"), newest),
        f"The department's clock: {shown(office.now())}. "
        f"Said so far {said} decisions and alerts, {unsent} still to be sent to Kafka.",
    )


def watch(database: str, office: Office, engine: Engine, seconds: float) -> None:
    """Shows what happens until the time is over, or the engine has ended."""
    until = time.monotonic() + seconds
    before, at, rate = 0, time.monotonic(), 0.0
    console = Console()
    with ExitStack() as shown_last:
        if not console.is_terminal:
            # What is shown to no terminal ends without its line's end.
            shown_last.callback(say, "")
        connection = shown_last.enter_context(psycopg.connect(database, autocommit=True))
        live = shown_last.enter_context(Live(console=console))
        while time.monotonic() < until and not engine.ended():
            live.update(picture(connection, office, rate), refresh=True)
            time.sleep(0.5)
            row = connection.execute("SELECT count(*) FROM facts").fetchone()
            now, facts = time.monotonic(), 0 if row is None else int(row[0])
            rate, before, at = (facts - before) / (now - at), facts, now
        live.update(picture(connection, office, 0.0), refresh=True)


def live(servers: Servers, seconds: float, dossiers: int, folder: Path) -> int:
    """One run on these servers; 1 where the engine ended by itself."""
    say(f"Servers: {servers.used}.")
    name = f"dunghen_live_{os.getpid()}"
    prefix = f"{name}."
    made = make_topics(servers.bootstrap, prefix, TOPICS, replicas=1, make=True)
    say(f"Topics: {', '.join(one.topic for one in made)}.")
    say(f"A month of {dossiers:,} dossiers is being made up: each told to its end, damaged as it comes ...")
    messages = months(folder, dossiers)
    say(f"{len(messages):,} events are told in {seconds * SHARE_TOLD:.0f} seconds. Ctrl-C ends it sooner.")
    with ExitStack() as undone:
        undone.callback(servers.drop, name)
        database = servers.database(name)
        store = undone.enter_context(closing(open_store(database)))
        topic = prefix + DOSSIERS.name
        office = undone.enter_context(
            closing(Office(servers.bootstrap, topic, messages, max(1.0, seconds * SHARE_TOLD)))
        )
        engine = undone.enter_context(closing(Engine(servers, store, prefix, office)))
        watch(database, office, engine, seconds)
        failed = engine.ended()
    if failed:
        sys.stderr.write(f"{engine.fault}\n{(folder / 'log').read_text(encoding='utf-8')[-2000:]}\n")
    return int(failed)


def say(line: str) -> None:
    """One line of what is being done."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def interrupted(_number: int, _frame: object) -> None:
    """The first signal ends the run; while it is being ended no other disturbs that."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Starts everything, shows it, ends everything."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60, help="how long to show it")
    asked.add_argument("--dossiers", type=int, default=1_500, help="how many dossiers arrive")
    given = asked.parse_args()
    status = 0
    try:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, interrupted)
        say("Kafka and PostgreSQL are being started; the first time Kafka is fetched, 44 MB ...")
        with (
            tempfile.TemporaryDirectory(prefix="dunghen-live-") as folder,
            (Path(folder) / "log").open("w", encoding="utf-8") as lines,
            servers_for(os.environ, apart=True) as servers,
        ):
            log.start(lines, "json")
            status = live(servers, given.seconds, given.dossiers, Path(folder))
    except KeyboardInterrupt:
        say("Interrupted.")
    except DunghenError as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.exit_status
    say("Everything that was started here is ended, and nothing of it is kept.")
    return status


if __name__ == "__main__":
    sys.exit(main())
