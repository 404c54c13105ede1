"""Faults, for real: killed at every call of the database, stopped while holding a row, a broker that dies or comes
back empty, a group that never rests. Afterwards nothing is lost and nothing is there twice."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, TopicPartition
from mortalworker import Mortals
from working import Office, undisturbed, until

from consumers.patience import LEAST_S, MOST_S
from servers.kafka import Kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mortalworker import Fault

pytestmark = pytest.mark.timeout(180)
FEW = 20
"""Events a life is given."""


@pytest.fixture
def expected(messages: list[bytes], another: Callable[[], str], tmp_path: Path) -> Office:
    database = another()
    undisturbed(database, messages)
    return Office("", database, "", tmp_path)


@pytest.fixture
def own_broker(database: str, name: str, tmp_path: Path) -> Iterator[tuple[Kafka, Office]]:
    """A broker of this test alone, to be killed."""
    with Kafka() as kafka:
        office = Office(kafka.bootstrap, database, f"{name}.", tmp_path)
        office.make_topic()
        yield kafka, office
        office.close()


@pytest.mark.parametrize("fault", ["kill", "error", "lost", "reply"])
def test_a_worker_that_meets_a_fault_at_any_call_of_the_database_loses_nothing(
    office: Office, messages: list[bytes], expected: Office, fault: Fault
) -> None:
    """A life for each call, with events of its own: killed there, or the call fails, the connection is ended, or a
    commit's answer is lost."""
    with Mortals(office) as mortals:
        for at, end in enumerate(range(FEW, len(messages), FEW), 1):
            office.send(messages[end - FEW : end])
            if mortals.run(end, fault, at) == 0:
                break
        else:
            pytest.fail("never came through")
        assert at > (4 if fault == "reply" else 20)
        office.send(messages[end:])
        assert mortals.run(len(messages), "none", 0) == 0
    assert office.judged() == expected.judged()


def test_a_worker_stopped_while_it_holds_its_position_row_does_not_hold_up_its_successor(
    office: Office, messages: list[bytes], expected: Office
) -> None:
    """The server would keep the row locked for ever: the successor has it ended, and the first is fenced."""
    office.send(messages)
    with Mortals(office) as mortals:
        mortals.begin(len(messages), "stop", 1)
        until(mortals.stopped, "stopped in the middle of a batch")
        successor = office.worker(KAFKA_SESSION_TIMEOUT_MS=1_000)
        until(lambda: len({one["partition"] for one in successor.lines("claimed")}) == 3, "claimed", 20)
        office.read_to(len(messages))
        mortals.go_on()
        assert mortals.ended() >= 0
    assert office.judged() == expected.judged()


def test_a_zombie_is_fenced_when_it_wakes(office: Office, messages: list[bytes], expected: Office) -> None:
    half = len(messages) // 2
    zombie = office.worker(KAFKA_SESSION_TIMEOUT_MS=1_500)
    office.send(messages[:half])
    office.read_to(half)
    zombie.process.send_signal(signal.SIGSTOP)
    office.send(messages[half:])
    heir = office.worker(KAFKA_SESSION_TIMEOUT_MS=1_500)
    office.read_to(len(messages))
    zombie.process.send_signal(signal.SIGCONT)
    office.send(messages)
    office.read_to(2 * len(messages))
    assert office.judged() == expected.judged()
    assert heir.end() == 0
    assert zombie.end() == 0


def test_a_group_that_never_rests_goes_on(office: Office, messages: list[bytes], expected: Office) -> None:
    """Members come and go, politely or not, while events flow."""
    choose = random.Random(7)
    step = len(messages) // 8
    for start in range(0, len(messages), step):
        office.worker(KAFKA_SESSION_TIMEOUT_MS=1_500).said("started")
        office.send(messages[start : start + step])
        alive = [one for one in office.workers if one.process.poll() is None]
        if len(alive) > 2:
            choose.choice(alive).end(choose.choice([signal.SIGTERM, signal.SIGKILL]))
    office.read_to(len(messages))
    assert office.judged() == expected.judged()


def test_a_broker_killed_under_load_and_begun_again_loses_nothing(
    own_broker: tuple[Kafka, Office], messages: list[bytes], expected: Office
) -> None:
    """Away for so long, the worker is not ready, and waits ever longer, each time at random."""
    kafka, office = own_broker
    half = len(messages) // 2
    worker = office.worker(KAFKA_BATCH_RECORDS_MAX=20, KAFKA_LOG_CHECK_MS=5_000)
    office.send(messages[:half])
    worker.said("batch")
    until(worker.ready, "ready")
    kafka.kill()
    worker.said("retry", reason="broker_unreachable")
    answers = []

    def waited() -> bool:
        answers.append(worker.ready())
        return len(worker.lines("retry")) >= 5

    until(waited, "five retries")
    kafka.restart()
    office.send(messages[half:])
    office.read_to(len(messages))
    assert office.judged() == expected.judged()
    until(worker.ready, "ready again")
    assert not any(answers)
    retries = worker.lines("retry")
    assert [one["attempt"] for one in retries] == list(range(1, len(retries) + 1))
    for one in retries:
        most = min(LEAST_S * 2 ** (one["attempt"] - 1), MOST_S)
        assert most / 2 - 0.01 <= one["wait_s"] <= most + 0.01
    assert worker.end() == 0


def test_a_broker_that_comes_back_empty_stops_the_worker(
    own_broker: tuple[Kafka, Office], messages: list[bytes]
) -> None:
    kafka, office = own_broker
    worker = office.worker()
    office.send(messages[:100], partition=0)
    office.read_to(100)
    kafka.kill()
    kafka.restart(empty=True)
    office.make_topic()
    office.send(messages[100:300], partition=0)
    said = worker.said("stream stopped", partition=0)
    assert said["reason"] == "log_changed"
    assert "dunghen position set" in said["said"]
    assert office.count("facts") <= 100
    assert worker.end() == 1


def test_a_topic_whose_start_has_moved_past_our_position_stops_its_partition(
    office: Office, messages: list[bytes]
) -> None:
    office.send(messages[:50], partition=0)
    first = office.worker()
    office.read_to(50)
    assert first.end() == 0
    office.send(messages[50:100], partition=0)
    admin = KafkaAdminClient(bootstrap_servers=office.bootstrap)
    admin.delete_records({TopicPartition(office.topic, 0): 70})
    admin.close()
    second = office.worker()
    assert second.said("stream stopped", partition=0)["reason"] == "log_start_moved"
    office.send(messages[100:110], partition=1)
    office.read_to(60)
    assert office.run("position", "set", office.topic, "0", "70").returncode == 0
    assert second.end() == 1
    third = office.worker()
    office.read_to(110)
    assert third.end() == 0
