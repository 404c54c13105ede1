"""The servers themselves: found in the order that is told, killed, begun again, begun anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from consumers.kafkaclient import answers
from servers.finding import KAFKA_KEY, POSTGRES_KEY, Servers, servers_for
from servers.kafka import VERSION, Kafka, jars
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def _refusal(act: Callable[[], object]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        act()
    return caught.value


def test_every_jar_of_kafka_is_of_the_one_version() -> None:
    named = [jar.name for jar in jars() if jar.name.startswith("kafka")]
    assert len(named) > 10
    assert {name.rpartition("-")[2] for name in named} == {f"{VERSION}.jar"}


def test_a_broker_answers_after_a_kill_and_a_restart() -> None:
    with Kafka() as kafka:
        assert answers(kafka.bootstrap, timeout_ms=5_000)
        kafka.kill()
        assert not answers(kafka.bootstrap, timeout_ms=300)
        kafka.restart()
        assert answers(kafka.bootstrap, timeout_ms=5_000)


def test_servers_named_by_the_environment_come_first(servers: Servers) -> None:
    named = {KAFKA_KEY: servers.bootstrap, POSTGRES_KEY: servers.url("postgres")}
    with servers_for(named) as found:
        assert found.bootstrap == servers.bootstrap
        assert "as the environment says" in found.used
    assert answers(servers.bootstrap, timeout_ms=5_000)


def test_a_named_server_that_does_not_answer_is_a_failure(servers: Servers) -> None:
    wrong = {KAFKA_KEY: "127.0.0.1:1", POSTGRES_KEY: servers.url("postgres")}
    assert _refusal(lambda: servers_for(wrong)).code == "no_kafka"
    wrong = {KAFKA_KEY: servers.bootstrap, POSTGRES_KEY: "postgresql://nobody@127.0.0.1:1/none"}
    assert _refusal(lambda: servers_for(wrong)).code == "no_postgresql"


def test_one_named_server_without_the_other_is_a_failure() -> None:
    refusal = _refusal(lambda: servers_for({KAFKA_KEY: "127.0.0.1:1"}))
    assert str(refusal).startswith(f"{POSTGRES_KEY} is not set")


def test_each_test_has_a_database_with_our_tables(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM positions").fetchone() == (0,)
