"""A broker that is wrong from the start: whoever waits for it says so long before it gives up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from socket import create_server
from typing import Final

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from consumers.kafkaclient import connected

COMMAND: Final = Path(sys.executable).with_name("dunghen")


def test_what_the_last_attempt_met_is_told_once() -> None:
    told: list[str] = []
    with pytest.raises(KafkaError):
        connected(
            KafkaAdminClient, told.append, 0.3, bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=1_500
        )
    (seen,) = told
    assert "ECONNREFUSED" in seen


def test_one_that_takes_the_connection_and_says_nothing_is_told_as_well() -> None:
    told: list[str] = []
    with create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(KafkaError):
            connected(
                KafkaAdminClient, told.append, 0.3, bootstrap_servers=address, bootstrap_timeout_ms=1_500
            )
    assert len(told) == 1


def test_a_worker_says_which_broker_it_waits_for_before_it_ends(tmp_path: Path) -> None:
    words = ("worker", "--store", str(tmp_path / "a.db"), "--brokers", "127.0.0.1:1", "--health-port", "0")
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False, timeout=100)
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    (told,) = [one for one in lines if one["event"] == "no broker"]

    assert done.returncode == 3
    assert told["broker"] == "127.0.0.1:1"
    assert "ECONNREFUSED" in told["said"]
    assert done.stderr.splitlines()[-1].startswith("127.0.0.1:1: no answer in time")
