"""A process that gives birth to workers, relays and tickers: forked where everything is loaded already, so that a
thousand of them can be killed. Each is what its command runs, without the command line around it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from functools import partial
from importlib import resources
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct
from msgspec import json as msgspec_json

from consumers import relay, ticking, worker
from consumers.contract.topics import DOSSIERS
from consumers.decoding import decoded
from consumers.health import Health
from consumers.kafka import Publisher
from consumers.kafkareader import Reader
from consumers.kafkasettings import KafkaSettings
from consumers.metrics import Metrics
from workflow import log
from workflow.catalogue import load
from workflow.cli.running import stopped_by_signals
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from types import TracebackType

    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

SESSION_MS: Final = 3_000
PATIENCE_S: Final = 5.0
ENDED: Final = "ended"
"""The line of one that ends by an error, with its process id."""


class Place(Struct, frozen=True):
    """Where they work: brokers, database, the prefix of topics, and the file they log to."""

    bootstrap: str
    database: str
    prefix: str
    log: str


class Birth(Struct, frozen=True):
    """What is to be born: `kind` is worker, relay or ticker; `member` the worker's name in its group, or none;
    `batch` how many records it takes at once."""

    kind: str
    member: str = ""
    batch: int = 20


class Nursery:
    """The parent, in a process and a session of its own; with it end all its children."""

    def __init__(self, place: Place) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [
                sys.executable,
                __file__,
                json.dumps([getattr(place, name) for name in place.__struct_fields__]),
            ],
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def bear(self, birth: Birth) -> int:
        """Starts one; its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec_json.encode(birth).decode() + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def _live(place: Place, catalogue: Catalogue, birth: Birth) -> None:
    file = Path(place.log).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - as long as the process
    os.dup2(file.fileno(), 2)
    log.start(file, form="json")
    stop = Event()
    with stopped_by_signals(stop), closing(open_store(place.database)) as store:
        _run(place, catalogue, birth, store, stop)


def _run(place: Place, catalogue: Catalogue, birth: Birth, store: Store, stop: Event) -> None:
    metrics = Metrics()
    match birth.kind:
        case "worker":
            settings = KafkaSettings(
                group=place.prefix,
                member=birth.member,
                session_timeout_ms=SESSION_MS,
                batch_records_max=birth.batch,
                log_check_ms=500,
                poll_timeout_ms=50,
            )
            reader = Reader(
                place.bootstrap, [place.prefix + DOSSIERS.name], settings, partial(decoded, zones={})
            )
            worker.Worker(store, catalogue, reader, Health((worker.PART,)), metrics).run(stop)
        case "relay":
            with closing(Publisher(place.bootstrap, patience_s=PATIENCE_S)) as publish:
                relay.Relay(store, publish, place.prefix, Health((relay.PART,)), metrics).run(stop)
        case "ticker":
            ticking.Ticking(store, catalogue, Health((ticking.PART,)), metrics).run(stop)


def _main() -> None:
    place = Place(*json.loads(sys.argv[1]))
    with resources.as_file(resources.files("processes")) as folder:
        catalogue = load(folder)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                _live(place, catalogue, msgspec_json.decode(line, type=Birth))
            except BaseException as fault:  # noqa: BLE001 - a child must not go on as its parent
                log.error(ENDED, pid=os.getpid(), reason=type(fault).__name__, said=str(fault))
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)
    os.killpg(0, signal.SIGKILL)  # whoever asked for them is gone


if __name__ == "__main__":
    _main()
