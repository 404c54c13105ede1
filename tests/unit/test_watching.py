"""What a running process tells those who watch it: its measures, whether it lives, whether it is ready."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from consumers.health import LOOPBACK, STALLED_S, Health, served
from consumers.metrics import BACKLOG_AGE_S, Metrics
from workflow.errors import StoreUnreachable, UsageError
from workflow.store.looking import Backlog, Letters
from workflow.store.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKLOG = Backlog(2, (Letters("not_json", 3, EPOCH),), 4, 500, 1.5)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def values(metrics: Metrics) -> Mapping[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def fetch(port: int, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}") as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers["Content-Type"], refused.read().decode()


def test_what_the_loops_tell_is_measured() -> None:
    metrics = Metrics()
    metrics.assigned(3, stopped=2)
    metrics.lag("dunghen.dossiers", 0, 12, 3.5)
    metrics.lag("dunghen.dossiers", 1, 0, 99.0)
    metrics.batch(0.2, {"applied": 5, "duplicate": 1})
    metrics.batch(0.2, {"applied": 5})
    metrics.retried("store_unreachable")
    metrics.relayed(0.1, {"dunghen.decisions": 7})
    metrics.ticked([0.05, 40.0])
    metrics.seen("gate", 1.7e9)
    found = values(metrics)

    assert found["dunghen_partitions_assigned"] == 3
    assert found["dunghen_partitions_stopped"] == 2
    assert found['dunghen_lag_events{partition="0",stream="dunghen.dossiers"}'] == 12
    assert found['dunghen_lag_seconds{partition="0",stream="dunghen.dossiers"}'] == 3.5
    assert found['dunghen_lag_seconds{partition="1",stream="dunghen.dossiers"}'] == 0
    assert found['dunghen_events_total{outcome="applied"}'] == 10
    assert found["dunghen_batch_seconds_count"] == 2
    assert found['dunghen_retries_total{reason="store_unreachable"}'] == 1
    assert found['dunghen_relayed_messages_total{topic="dunghen.decisions"}'] == 7
    assert found['dunghen_ticker_lateness_seconds_bucket{le="1.0"}'] == 1
    assert found['dunghen_source_last_event_timestamp_seconds{source="gate"}'] == 1.7e9


def test_a_partition_that_another_reads_is_told_no_longer() -> None:
    metrics = Metrics()
    metrics.lag("t", 0, 12, 3.5)
    metrics.revoked("t", 0)
    metrics.revoked("t", 7)

    assert not [name for name in values(metrics) if "partition=" in name]


def test_what_waits_in_the_store_is_asked_when_someone_looks_and_not_too_often() -> None:
    asked: list[float] = []
    clock = Clock()

    def ask() -> Backlog:
        asked.append(clock.now)
        return BACKLOG

    metrics = Metrics()
    metrics.watch(ask, clock)
    assert not asked
    found = values(metrics)
    values(metrics)
    clock.now += BACKLOG_AGE_S
    values(metrics)

    assert asked == [1000.0, 1000.0 + BACKLOG_AGE_S]
    assert found["dunghen_store_up"] == 1
    assert found["dunghen_dossiers_blocked"] == 2
    assert found['dunghen_dead_letters{reason="not_json"}'] == 3
    assert found["dunghen_outbox_batches"] == 4
    assert found["dunghen_outbox_messages"] == 500
    assert found["dunghen_outbox_age_seconds"] == 1.5


def test_a_store_that_does_not_answer_is_measured_as_down() -> None:
    def ask() -> Backlog:
        raise StoreUnreachable("{store}: does not answer", store="db")

    metrics = Metrics()
    metrics.watch(ask)
    found = values(metrics)

    assert found["dunghen_store_up"] == 0
    assert "dunghen_dossiers_blocked" not in found


def test_a_process_is_ready_once_every_part_says_that_nothing_stands_in_its_way() -> None:
    health = Health(("worker", "relay"))
    with served(health, Metrics(), 0) as port:
        assert fetch(port, "/readyz")[0::2] == (503, "worker: starting\nrelay: starting\n")
        health.beat("worker")
        health.beat("relay", "broker does not answer")
        assert fetch(port, "/readyz")[0::2] == (503, "relay: broker does not answer\n")
        health.beat("relay")
        assert fetch(port, "/readyz")[0::2] == (200, "ok\n")


def test_a_process_lives_as_long_as_its_loops_come_round() -> None:
    clock = Clock()
    health = Health(("worker", "relay"), clock)
    with served(health, Metrics(), 0) as port:
        clock.now += STALLED_S
        health.beat("relay", "broker does not answer")
        assert fetch(port, "/livez")[0] == 200
        clock.now += 1
        status, _, said = fetch(port, "/livez")
        assert (status, said) == (503, "worker: no round for 121 s\n")
        assert "worker: no round" in fetch(port, "/readyz")[2]


def test_measures_are_served_and_nothing_else() -> None:
    with served(Health(()), Metrics(), 0) as port:
        status, kind, said = fetch(port, "/metrics?x=1")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert "dunghen_batch_seconds_count 0.0" in said
        assert fetch(port, "/")[0] == 404
        assert fetch(port, "/metrics/../etc")[0] == 404


def test_a_port_that_is_taken_is_named() -> None:
    with (
        served(Health(()), Metrics(), 0) as port,
        pytest.raises(UsageError, match=rf"{port}: cannot listen there .*--health-port"),
        served(Health(()), Metrics(), port),
    ):
        pass


def test_of_a_loop_that_has_finished_nothing_more_is_expected() -> None:
    clock = Clock()
    health = Health(["worker", "ticker"], clock)
    health.beat("ticker")
    health.finished("worker")
    clock.now += STALLED_S - 1
    health.beat("ticker")
    clock.now += 2

    assert (health.stalled(), health.problems()) == ([], [])
