"""Real Kafka and real PostgreSQL, started once; names and a database of its own for each test."""

from __future__ import annotations

import itertools
import os
import shutil
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from working import Office, month

from servers.finding import Servers, servers_for
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NUMBERS = itertools.count(1)
MODEL = "dunghen_model"


@pytest.fixture(scope="session")
def started() -> Iterator[Servers]:
    """The servers of this run. None at all is a failure, never a skip."""
    with servers_for(os.environ) as found:
        found.drop(MODEL)
        open_store(found.database(MODEL)).close()
        yield found


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own without an organisation, so without quiet hours: a ticker says the same whatever the hour of the test."""
    folder = tmp_path_factory.mktemp("definitions") / "processes"
    with resources.as_file(resources.files("processes")) as ours:
        shutil.copytree(ours, folder, ignore=shutil.ignore_patterns("organisation", "rotation"))
    return folder


@pytest.fixture
def servers(started: Servers, request: pytest.FixtureRequest) -> Servers:
    """The servers; the summary of the run says which they were."""
    request.node.user_properties.append(("servers", started.used))
    return started


@pytest.fixture
def name() -> str:
    """A name no other test has, for topics, groups and databases."""
    return f"test_{os.getpid()}_{next(NUMBERS)}"


@pytest.fixture
def database(servers: Servers, name: str) -> Iterator[str]:
    """The URL of a store with empty tables."""
    yield servers.database(name, MODEL)
    servers.drop(name)


@pytest.fixture
def another(servers: Servers, name: str) -> Iterator[Callable[[], str]]:
    """Makes one more database with empty tables; its URL."""
    yield lambda: servers.database(f"{name}_more", MODEL)
    servers.drop(f"{name}_more")


@pytest.fixture
def office(servers: Servers, database: str, name: str, tmp_path: Path) -> Iterator[Office]:
    """A topic of three partitions, a group and a database."""
    found = Office(servers.bootstrap, database, f"{name}.", tmp_path)
    found.make_topic()
    yield found
    found.close()


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A simulated month, damaged as it comes."""
    return month(tmp_path_factory.mktemp("month"))
