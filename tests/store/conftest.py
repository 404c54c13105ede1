"""A fresh store for each test, on SQLite and on both PostgreSQL of the package: the same tests hold for all."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from servers.postgres import Postgres
from workflow.store.opening import open_store
from workflow.store.proof import verify_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workflow.store.store import Store

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[int], Postgres]]:
    """Each server, started when it is first asked for, with a database that has our tables to copy from."""
    started: dict[int, Postgres] = {}

    def server(version: int) -> Postgres:
        if version not in started:
            begun = started[version] = Postgres(18 if version == 18 else 16)
            begun.run("CREATE DATABASE model")
            open_store(begun.url("model")).close()
        return started[version]

    yield server
    for one in started.values():
        one.close()


@pytest.fixture(params=["sqlite", "postgresql18", "postgresql16"])
def where(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[int], Postgres]
) -> Iterator[str]:
    """The path or URL of a store with empty tables."""
    if request.param == "sqlite":
        open_store(tmp_path / "store.db").close()
        yield str(tmp_path / "store.db")
        return
    server = servers(int(request.param[-2:]))
    name = f"store{next(NUMBERS)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE model")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(where: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An open store with empty tables. Whatever a test did to it by our own means, every row of it verifies; one that
    goes behind the engine says so by the mark `tampers`."""
    opened = open_store(where)
    yield opened
    if request.node.get_closest_marker("tampers") is None:
        with opened.reading() as reading:
            assert list(verify_rows(reading, datetime.max.replace(tzinfo=UTC))) == []
    opened.close()
