"""The network between worker, broker and database fails, the database is begun again, a topic is made anew: nothing
lost, nothing twice, and it goes on when the fault is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient
from proxy import Proxy
from working import Office, undisturbed, until

from servers.kafka import Kafka, free_ports
from servers.postgres import Postgres
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from proxy import Network

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def expected(messages: list[bytes], another: Callable[[], str], tmp_path: Path) -> Office:
    database = another()
    undisturbed(database, messages)
    return Office("", database, "", tmp_path)


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[Kafka, Proxy]]:
    """A broker of this module that is reached near by, and through a network that fails when told to."""
    far = free_ports().broker
    with Proxy() as proxy:
        proxy.target = ("127.0.0.1", far)
        near = "PLAINTEXT://127.0.0.1:{broker},"
        extra = {
            "listeners": f"{near}CONTROLLER://127.0.0.1:{{controller}},FAR://127.0.0.1:{far}",
            "advertised.listeners": f"{near}FAR://127.0.0.1:{proxy.port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FAR:PLAINTEXT",
        }
        with Kafka(extra) as kafka:
            yield kafka, proxy


@pytest.fixture
def far_office(broker: tuple[Kafka, Proxy], database: str, name: str, tmp_path: Path) -> Iterator[Office]:
    """An office on that broker, which the test itself reaches near by."""
    kafka, proxy = broker
    office = Office(kafka.bootstrap, database, f"{name}.", tmp_path)
    office.make_topic()
    yield office
    office.close()
    proxy.network = "whole"


@pytest.mark.parametrize("network", ["cut", "silent", "one way", "slow"])
def test_a_worker_outlives_any_fault_of_the_network_to_its_broker(
    broker: tuple[Kafka, Proxy],
    far_office: Office,
    messages: list[bytes],
    expected: Office,
    network: Network,
) -> None:
    _, proxy = broker
    office = far_office
    half = len(messages) // 2
    worker = office.worker(BROKERS=f"127.0.0.1:{proxy.port}")
    office.send(messages[:half])
    worker.said("batch")
    proxy.network = network
    office.send(messages[half:])
    if network != "slow":
        worker.said("retry", reason="broker_unreachable")
        proxy.network = "whole"
    office.read_to(len(messages))
    proxy.network = "whole"
    assert office.judged() == expected.judged()
    assert len(worker.lines("retry")) < 50, "a busy loop"
    assert worker.end() == 0


@pytest.fixture
def own_database(name: str) -> Iterator[tuple[Postgres, str]]:
    """A server of this test alone, to be killed, and its database."""
    with Postgres() as postgres:
        postgres.run(f"CREATE DATABASE {name} TEMPLATE template0")
        open_store(postgres.url(name)).close()
        yield postgres, name


def test_a_database_killed_under_load_and_begun_again_holds_what_an_undisturbed_one_holds(
    office: Office,
    own_database: tuple[Postgres, str],
    messages: list[bytes],
    expected: Office,
) -> None:
    """The worker stays a member: it claims each partition once."""
    postgres, name = own_database
    office.database = postgres.url(name)
    half = len(messages) // 2
    worker = office.worker(KAFKA_BATCH_RECORDS_MAX=20)
    office.send(messages[:half])
    worker.said("batch")
    postgres.kill()
    office.send(messages[half:])
    worker.said("retry", reason="store_unreachable")
    postgres.restart()
    office.read_to(len(messages))
    assert office.judged() == expected.judged()
    assert len(worker.lines("claimed")) == 3
    assert worker.end() == 0


def test_a_slow_database_costs_no_partition(
    office: Office,
    own_database: tuple[Postgres, str],
    messages: list[bytes],
    expected: Office,
) -> None:
    """Every answer takes 200 ms: a batch takes longer than the session, heartbeats go on, then it catches up."""
    postgres, name = own_database
    with Proxy() as proxy:
        proxy.target = f"{postgres.folder}/.s.PGSQL.5432"
        office.database = postgres.url(name)
        through = f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}"
        worker = office.worker(STORE=through, KAFKA_SESSION_TIMEOUT_MS=2_000)
        until(lambda: len(worker.lines("claimed")) == 3, "all claimed")
        proxy.network = "slow"
        office.send(messages[: len(messages) // 2])
        slow = worker.said("batch")
        office.send(messages[len(messages) // 2 :])
        proxy.network = "whole"
        office.read_to(len(messages))
        assert slow["batch_ms"] > 2_000
        assert office.judged() == expected.judged()
        assert len(worker.lines("claimed")) == 3
        assert worker.end() == 0


def test_a_topic_that_was_made_anew_stops_the_worker_and_nothing_is_reset(
    office: Office, messages: list[bytes]
) -> None:
    first = office.worker()
    office.send(messages[:50], partition=0)
    office.read_to(50)
    assert first.end() == 0
    admin = KafkaAdminClient(bootstrap_servers=office.bootstrap)
    admin.delete_topics([office.topic])
    until(lambda: office.topic not in admin.list_topics(), "the topic gone")
    admin.close()
    office.make_topic()
    office.send(messages[50:150], partition=0)
    second = office.worker()
    said = second.said("stream stopped", partition=0)
    assert said["reason"] == "log_changed"
    assert office.rows("SELECT position FROM positions WHERE partition = 0") == [(50,)]
    assert office.count("facts") <= 50
    assert second.end() == 1
