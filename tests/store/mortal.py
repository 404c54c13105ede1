"""A process whose children work on a store and end, or meet a fault, at their n-th call of the database.

One line of JSON for each child comes in, one goes out. The children are forked from here, where everything is loaded
already, so that a whole loop takes seconds; each opens the store itself and is ended by SIGKILL for real.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

import psycopg
from keeping import NINE, NOW, catalogue, generic, revision, source
from msgspec.structs import replace
from places import ROOT

from consumers.files.limits import DEFAULT_LIMITS
from consumers.files.sourcefile import open_source_file
from consumers.redriving import redriven
from consumers.several import judge_several
from consumers.sweep import Sweep
from workflow.catalogue import load
from workflow.cli.imports import import_file
from workflow.errors import StoreError
from workflow.procedure.language import Effective
from workflow.store.letters import letters
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from types import TracebackType

    from workflow.catalogue import Catalogue

Fault: TypeAlias = Literal["none", "kill", "error", "lost", "reply"]
"""What happens at the n-th call: nothing; SIGKILL; the call fails; the connection is ended by the server; the n-th
commit is made and its answer is an error."""

Job: TypeAlias = Path | Literal["make", "activate", "move", "judge", "redrive"]
"""What a child does: it imports a file, makes the tables, puts definitions into force, those too that running dossiers
are moved to, judges several subjects, or takes dead letters again."""

BATCH: Final = 7
LATER: Final = NOW.replace(month=7)
FIRST: Final = revision(effective=Effective(date(2024, 1, 1)))
"""Eight hours for all of it."""
SLOWER: Final = revision(
    revision="2",
    effective=Effective(date(2024, 5, 1)),
    limits={"all": replace(revision().limits["all"], within=24)},
)
"""Twenty-four, for dossiers received later and for those that are moved to it."""
BOTH: Final = catalogue(FIRST, SLOWER, generic())
MOVED_AT: Final = NINE + timedelta(hours=12)
JUDGED_AT: Final = datetime(2021, 6, 16, 2, tzinfo=UTC)
REFUSED: Final = 3
"""Exit status of a child whose import ended with a StoreError."""
UNHURT: Final = 4
"""And of one that got through though the fault took place."""
_FAILED: Final = sqlite3.OperationalError("disk I/O error, said by a test")


def bring(where: str, file: Path, watch: Watch) -> None:
    """The import of one file, as the command does it."""
    store = open_store(where, watch=watch)
    opened = open_source_file(file, source("gate"), file.parent, DEFAULT_LIMITS)
    import_file(store, catalogue(), opened, file, lambda: NOW, batch=BATCH)
    store.close()


def make(where: str, watch: Watch) -> None:
    """The store is only opened, and made if need be."""
    open_store(where, watch=watch).close()


def activate(where: str, watch: Watch) -> None:
    """Definitions put into force, in small batches."""
    _sweep(where, catalogue(), LATER, watch)


def move(where: str, watch: Watch) -> None:
    """The revision that running dossiers were moved to put into force, in small batches."""
    _sweep(where, BOTH, MOVED_AT, watch)


def _sweep(where: str, known: Catalogue, now: datetime, watch: Watch) -> None:
    store = open_store(where, watch=watch)
    for _ in Sweep(store, known, now, batch=2).batches():
        pass
    store.close()


@cache
def department() -> Catalogue:
    """The department's own definitions; read before the first child is forked."""
    return load(ROOT / "processes")


def judge(where: str, watch: Watch) -> None:
    """What a ticker judges over several subjects."""
    store = open_store(where, watch=watch)
    judge_several(store, department(), now=JUDGED_AT)
    store.close()


def redrive(where: str, watch: Watch) -> None:
    """All dead letters taken again, as the command does it."""
    store = open_store(where, watch=watch)
    with store.reading() as reading:
        waiting = letters(reading, 0)
    for one in waiting:
        redriven(store, catalogue(), one, {}, now=LATER)
    store.close()


class Watch:
    """Counts calls, and lets the fault happen at its place, once."""

    def __init__(self, where: str, fault: Fault, at: int) -> None:
        self.happened = False
        self._where, self._fault, self._at, self._calls = where, fault, at, 0

    def __call__(self, statement: str) -> None:
        self._calls += (statement == "COMMITTED") == (self._fault == "reply")
        if self.happened or self._calls != self._at:
            return
        self.happened = True
        match self._fault:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "lost":
                self._end_connections()
            case "error" | "reply":
                raise _FAILED

    def _end_connections(self) -> None:
        with psycopg.connect(self._where, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


class Mortals:
    """The parent of such children, in a process of its own."""

    def __enter__(self) -> Self:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        return self

    def begin(self, where: str, job: Job, fault: Fault = "none", at: int = 0) -> None:
        """Starts a child."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([where, str(job), fault, at]) + "\n")
        self._process.stdin.flush()

    def ended(self) -> int:
        """How the child ended: 0 through, UNHURT though the fault took place, REFUSED by an error of the store, or
        minus the number of its signal."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def run(self, where: str, job: Job, fault: Fault = "none", at: int = 0) -> int:
        """A child from its start to its end."""
        self.begin(where, job, fault, at)
        return self.ended()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def _child(where: str, job: str, fault: Any, at: int) -> int:
    watch = Watch(where, fault, at)
    try:
        if job == "make":
            make(where, watch)
        elif job == "activate":
            activate(where, watch)
        elif job == "move":
            move(where, watch)
        elif job == "judge":
            judge(where, watch)
        elif job == "redrive":
            redrive(where, watch)
        else:
            bring(where, Path(job), watch)
    except StoreError:
        return REFUSED
    return UNHURT if watch.happened else 0


def _main() -> None:
    for line in sys.stdin:
        if json.loads(line)[1] == "judge":
            department()
        pid = os.fork()
        if pid == 0:
            os._exit(_child(*json.loads(line)))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _main()
