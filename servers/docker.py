"""Kafka and PostgreSQL as containers, where packages cannot be had but Docker can."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import psycopg

from consumers.kafkaclient import answers
from servers.kafka import VERSION, free_ports
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

KAFKA: Final = f"apache/kafka:{VERSION}"
POSTGRES: Final = "postgres:18"
START_S: Final = 120.0
"""Images may have to be fetched first."""


def docker_runs() -> bool:
    """Whether there is a Docker engine that answers."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0  # noqa: S603 - no input


class Containers:
    """One broker and one database server on loopback, gone with `close`."""

    def __init__(self) -> None:
        """Starts both and waits until they answer. Raises UsageError."""
        ports = free_ports()
        self.bootstrap = f"127.0.0.1:{ports.broker}"
        self.database = f"postgresql://postgres@127.0.0.1:{ports.controller}"
        self._running = ExitStack()
        with ExitStack() as undone:
            undone.push(self._running)
            self._run(KAFKA, ports.broker, _kafka_settings(ports.broker))
            self._run(POSTGRES, ports.controller, {"POSTGRES_HOST_AUTH_METHOD": "trust"}, inside=5432)
            self._wait()
            undone.pop_all()

    def close(self) -> None:
        """Removes both containers."""
        self._running.close()

    def _run(self, image: str, port: int, settings: Mapping[str, str], *, inside: int | None = None) -> None:
        named = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        published = f"127.0.0.1:{port}:{inside or port}"
        container = _docker("run", "--detach", "--rm", "--publish", published, *named, image)
        self._running.callback(_docker, "rm", "--force", container)

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while not (answers(self.bootstrap, timeout_ms=1_000) and _connects(self.database)):
            if time.monotonic() > until:
                raise _failed("the containers did not answer in time")
            time.sleep(0.2)


def _kafka_settings(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our words
    if done.returncode:
        raise _failed(done.stderr.strip())
    return done.stdout.strip()


def _failed(found: str) -> UsageError:
    return UsageError(
        "Docker cannot run {kafka} and {postgres}: {found}; see that the engine runs and can fetch both images",
        kafka=KAFKA,
        postgres=POSTGRES,
        found=found,
        reason="docker",
    )
