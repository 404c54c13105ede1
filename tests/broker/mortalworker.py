"""A process whose children are workers that meet a fault at their n-th call of the database.

Forked from here, where everything is loaded already. They have one name in the group, so that each takes the place of
the last at once; each ends when so many records were read.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from importlib import resources
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

import psycopg
from psycopg import OperationalError

from consumers.decoding import decoded
from consumers.health import Health
from consumers.kafkareader import Reader
from consumers.kafkasettings import KafkaSettings
from consumers.metrics import Metrics
from consumers.worker import PART, Worker
from workflow import log
from workflow.catalogue import load
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from types import TracebackType

    from working import Office

    from workflow.catalogue import Catalogue

Fault: TypeAlias = Literal["none", "kill", "stop", "error", "lost", "reply"]
BATCH: Final = 400
AGAIN: Final = 2
"""So often a statement of one kind of transaction is a place for a fault: a third claim is as the second."""
MOVE: Final = "UPDATE positions"


class Watch:
    """Counts calls, and lets the fault happen at its place, once. Sets `stop` once all records were read."""

    def __init__(self, database: str, records: int, stop: Event, fault: Fault, at: int) -> None:
        self.happened = False
        self._database, self._records, self._stop = database, records, stop
        self._fault, self._at = fault, at
        self._calls: Counter[tuple[str, str]] = Counter()
        self._first = ""

    def __call__(self, statement: str) -> None:
        self._first = self._first or statement
        at, place = self._calls.total(), (self._first, statement)
        if self._counts(statement) and self._calls[place] < AGAIN:
            self._calls[place] += 1
        if statement == "COMMITTED":
            self._first = ""
            self._look()
        if self.happened or self._calls.total() == at or self._calls.total() != self._at:
            return
        self.happened = True
        match self._fault:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "lost":
                self._end_connections()
            case "error" | "reply":
                raise OperationalError("said by a test")

    def _counts(self, statement: str) -> bool:
        if self._fault == "stop":
            # The call after the position has moved: its row is locked then.
            self._moved, moved = statement.startswith(MOVE), getattr(self, "_moved", False)
            return moved
        return (statement == "COMMITTED") == (self._fault == "reply")

    def _look(self) -> None:
        with psycopg.connect(self._database) as other:
            row = other.execute("SELECT coalesce(sum(position), 0) FROM positions").fetchone()
        if row is not None and row[0] >= self._records:
            self._stop.set()

    def _end_connections(self) -> None:
        with psycopg.connect(self._database, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


class Mortals:
    """The parent of such workers, in a process of its own."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=self._office.environ() | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        return self

    def begin(self, records: int, fault: Fault, at: int) -> int:
        """Starts a worker that ends when so many records were read; its process id."""
        office = self._office
        assert self._process.stdin is not None
        self._process.stdin.write(
            json.dumps([office.bootstrap, office.topic, office.database, records, fault, at]) + "\n"
        )
        self._process.stdin.flush()
        self._pid = self._number()
        return self._pid

    def ended(self) -> int:
        """How it ended: 0 without having met the fault, 1 with it, or minus the number of its signal."""
        return self._number()

    def run(self, records: int, fault: Fault, at: int) -> int:
        """A worker from its start to its end."""
        self.begin(records, fault, at)
        return self.ended()

    def stopped(self) -> bool:
        """Whether the worker stands still."""
        with open(f"/proc/{self._pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - no file of a disk
            return file.read().rpartition(")")[2].split()[0] == "T"

    def go_on(self) -> None:
        """Lets it go on."""
        os.kill(self._pid, signal.SIGCONT)

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if fault is not None:
            self._process.kill()
        self._process.communicate()


def _child(catalogue: Catalogue, asked: list[Any]) -> int:
    bootstrap, topic, database, records, fault, at = asked
    log.start(form="json")
    stop = Event()
    watch = Watch(database, records, stop, fault, at)
    store = open_store(database, watch=watch)
    settings = KafkaSettings(
        group=topic,
        member="mortal",
        session_timeout_ms=3_000,
        batch_records_max=BATCH,
        log_check_ms=500,
        poll_timeout_ms=50,
    )
    reader = Reader(bootstrap, [topic], settings, partial(decoded, zones={}))
    Worker(store, catalogue, reader, Health((PART,)), Metrics()).run(stop)
    store.close()
    return int(watch.happened)


def _main() -> None:
    with resources.as_file(resources.files("processes")) as folder:
        catalogue = load(folder)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_child(catalogue, json.loads(line)))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _main()
