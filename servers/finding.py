"""Which servers tests and `make live` use: those the environment names, else packages, else Docker; never none."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from consumers.kafkaclient import answers
from servers.docker import KAFKA as KAFKA_IMAGE
from servers.docker import POSTGRES, Containers, docker_runs
from servers.kafka import VERSION, Kafka
from servers.postgres import Postgres
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

KAFKA_KEY: Final = "DUNGHEN_TEST_KAFKA"
POSTGRES_KEY: Final = "DUNGHEN_TEST_POSTGRES"
ANSWER_MS: Final = 5_000


class Servers:
    """A broker and a database server that answer. `used` says which they are. `close` ends those that were started."""

    def __init__(self, bootstrap: str, maintenance_url: str, used: str, started: ExitStack) -> None:
        """`maintenance_url`: of a database of the server, from which others are made."""
        self.bootstrap = bootstrap
        self.used = used
        self._url = maintenance_url
        self._started = started

    def database(self, name: str, template: str = "template0") -> str:
        """The URL of a new database, a copy of the template."""
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url(name)

    def drop(self, name: str) -> None:
        """Removes a database, whoever is using it."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def url(self, name: str) -> str:
        """The URL of a database of the server."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def close(self) -> None:
        """Ends what was started for this."""
        self._started.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def servers_for(environ: Mapping[str, str], *, apart: bool = False) -> Servers:
    """Servers that answer, in this order: addresses in the environment, the packages of development, Docker.

    `apart`: Ctrl-C at the terminal does not reach them, so that whoever uses them can end first.
    Raises UsageError that says what was tried and what to do where there are none.
    """
    named = environ.get(KAFKA_KEY), environ.get(POSTGRES_KEY)
    if named[0] and named[1]:
        return _named(named[0], named[1])
    if any(named):
        raise UsageError(
            "{missing} is not set: expected both {kafka} (host:port) and {postgres} (a URL), found one of them; set "
            "both or neither",
            missing=POSTGRES_KEY if named[0] else KAFKA_KEY,
            kafka=KAFKA_KEY,
            postgres=POSTGRES_KEY,
            reason="half_named",
        )
    try:
        return _of_packages(apart=apart)
    except UsageError as fault:
        if not docker_runs():
            raise UsageError(
                "no Kafka and no PostgreSQL to work with. Packages: {packages}. Docker: no engine answers. Or name "
                "running servers in {kafka} (host:port) and {postgres} (a URL)",
                packages=str(fault),
                kafka=KAFKA_KEY,
                postgres=POSTGRES_KEY,
                reason="no_servers",
            ) from fault
    return _of_docker()


def _named(bootstrap: str, url: str) -> Servers:
    if not answers(bootstrap, timeout_ms=ANSWER_MS):
        raise UsageError(
            "{key}={value}: expected a broker that answers, found none; correct or unset it",
            key=KAFKA_KEY,
            value=bootstrap,
            reason="no_kafka",
        )
    try:
        psycopg.connect(url, connect_timeout=ANSWER_MS // 1_000).close()
    except psycopg.OperationalError as fault:
        raise UsageError(
            "{key}: expected a PostgreSQL that answers, found none ({found}); correct or unset it",
            key=POSTGRES_KEY,
            found=str(fault).strip(),
            reason="no_postgresql",
        ) from fault
    return Servers(
        bootstrap, url, f"Kafka at {bootstrap} and PostgreSQL, as the environment says", ExitStack()
    )


def _of_packages(*, apart: bool) -> Servers:
    with ExitStack() as started:
        kafka = started.enter_context(Kafka(apart=apart))
        postgres = started.enter_context(Postgres(apart=apart))
        return Servers(
            kafka.bootstrap,
            postgres.url(),
            f"Kafka {VERSION} at {kafka.bootstrap} and PostgreSQL {postgres.version}, from packages",
            started.pop_all(),
        )


def _of_docker() -> Servers:
    containers = Containers()
    started = ExitStack()
    started.callback(containers.close)
    return Servers(
        containers.bootstrap,
        f"{containers.database}/postgres",
        f"{KAFKA_IMAGE} and {POSTGRES}, from Docker",
        started,
    )
