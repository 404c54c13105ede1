"""Faults, for real: killed at every call of the database, stopped while holding a row, a group that never rests.
Afterwards nothing is lost and nothing is there twice."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest
from mortalworker import Mortals
from working import Office, undisturbed, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mortalworker import Fault

pytestmark = pytest.mark.timeout(180)
CALLS_MAX = 200


@pytest.fixture
def expected(messages: list[bytes], another: Callable[[], str], tmp_path: Path) -> Office:
    database = another()
    undisturbed(database, messages)
    return Office("", database, "", tmp_path)


@pytest.mark.parametrize("fault", ["kill", "error", "lost", "reply"])
def test_a_worker_that_meets_a_fault_at_any_call_of_the_database_loses_nothing(
    office: Office, messages: list[bytes], expected: Office, fault: Fault
) -> None:
    """Killed and begun again, or in one life: the call fails, the connection is ended, or a commit's answer is lost."""
    office.send(messages)
    with Mortals(office) as mortals:
        for at in range(1, CALLS_MAX):
            if mortals.run(len(messages), fault, at) == 0:
                break
        else:
            pytest.fail("never came through")
    assert at > 3
    office.read_to(len(messages))
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
