"""What a worker says of itself: its measures agree with the store, and what stands in its way is told."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from working import Office, Worker, until

from servers.kafka import Kafka
from servers.postgres import Postgres
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)


def asked(worker: Worker, path: str) -> tuple[int, str]:
    """What it answers to whoever watches it."""
    port = worker.said("started")["port"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read().decode()
    except HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def measures(worker: Worker) -> dict[str, dict[tuple[str, ...], float]]:
    """Each sample by its name, and in it by the values of its labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(asked(worker, "/metrics")[1]):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_the_measures_of_a_run_are_what_the_store_counts(office: Office, messages: list[bytes]) -> None:
    bad = [(None, b"{"), (None, b""), (None, messages[0].replace(b"one-stop", b"one-step"))]
    office.send([*messages, *messages[:40], *bad])
    worker = office.worker()
    office.read_to(len(messages) + 43)
    until(lambda: sum(measures(worker)["dunghen_lag_events"].values()) == 0, "no lag")
    told = measures(worker)
    events = {outcome: int(count) for (outcome,), count in told["dunghen_events_total"].items()}

    assert events["appended"] == office.count("facts")
    assert events["dead"] == office.count("dead_letters") > 0
    assert sum(events.values()) == len(messages) + 43
    kept = office.rows("SELECT reason, count(*) FROM dead_letters GROUP BY 1")
    assert {reason: count for (reason,), count in told["dunghen_dead_letters"].items()} == dict(kept)
    ((blocked,),) = office.rows("SELECT count(*) FROM dossiers WHERE blocked IS NOT NULL")
    ((unsent,),) = office.rows("SELECT sum(messages) FROM outbox WHERE sent_at IS NULL")
    assert told["dunghen_dossiers_blocked"][()] == blocked
    assert told["dunghen_outbox_messages"][()] == unsent
    newest = office.rows("SELECT source, max(occurred_at) / 1000000.0 FROM facts GROUP BY 1")
    assert {
        source: at for (source,), at in told["dunghen_source_last_event_timestamp_seconds"].items()
    } == pytest.approx({source: float(at) for source, at in newest})
    status = json.loads(office.run("status", "--output", "json").stdout)
    assert {one["source"] for one in status["sources"]} == {source for source, _ in newest}
    assert all(one["cadence"] is not None for one in status["sources"] if one["source"] == "one-stop")


def test_each_refused_event_and_each_dead_letter_is_one_line_that_names_no_dossier(
    office: Office, messages: list[bytes]
) -> None:
    office.send([*messages, (None, b"{")], partition=0)
    worker = office.worker()
    office.read_to(len(messages) + 1)
    until(lambda: len(worker.lines("dead letter")) == 1, "the dead letter is told")
    assert worker.end() == 0
    refused = office.rows(
        "SELECT said->'outcome'->'violations'->0->>'rule', count(*) FROM outbox,"
        " jsonb_array_elements(convert_from(content, 'UTF8')::jsonb) AS said"
        " WHERE said->>'says' = 'decision' AND said->'outcome'->>'status' = 'refused' GROUP BY 1"
    )

    lines = worker.lines("refused")
    assert Counter(one["reason"] for one in lines) == Counter(dict(refused))
    assert lines
    assert {one["place"].rsplit("/", 1)[0] for one in lines} == {f"{office.topic}/0"}
    assert worker.said("dead letter")["place"] == f"{office.topic}/0/{len(messages)}"
    assert "000.00." not in worker.log.read_text(encoding="utf-8")
    assert not [one for one in worker.lines() if one.get("dropped")]


def test_a_position_beyond_the_end_of_the_log_is_told_to_whoever_asks_whether_it_is_ready(
    office: Office, messages: list[bytes]
) -> None:
    office.send(messages[:10], partition=0)
    first = office.worker()
    office.read_to(10)
    assert asked(first, "/readyz") == (200, "ok\n")
    assert first.end() == 0
    assert office.run("position", "set", office.topic, "0", "11").returncode == 0
    second = office.worker()
    assert second.said("stream stopped", partition=0)["reason"] == "log_end_lost"
    status, said = until(lambda: _stopped(second), "not ready for the position")
    assert status == 503
    assert f"{office.topic}/0: expected to read on from 11, found that the log ends at 10" in said
    assert "dunghen position set" in said
    assert asked(second, "/livez")[0] == 200
    assert measures(second)["dunghen_partitions_stopped"][()] == 1


def test_what_lies_unread_is_told_before_a_batch_of_it_succeeds(
    office: Office, messages: list[bytes]
) -> None:
    """Of a store in which facts can be read and none appended: every batch is aborted."""
    shut = "BEGIN RAISE EXCEPTION 'shut' USING ERRCODE = '40001'; END"
    office.send(messages[:10], partition=0)
    with psycopg.connect(office.database, autocommit=True) as connection:
        connection.execute(f"CREATE FUNCTION shut() RETURNS trigger LANGUAGE plpgsql AS $${shut}$$")
        connection.execute("CREATE TRIGGER shut BEFORE INSERT ON facts EXECUTE FUNCTION shut()")
        worker = office.worker(RETRY_WAIT_LEAST_MS=50, RETRY_WAIT_MOST_MS=100)
        until(lambda: _lag(worker, office.topic) == 10, "what lies unread is told")
        connection.execute("DROP TRIGGER shut ON facts")
    office.read_to(10)
    until(lambda: _lag(worker, office.topic) == 0, "nothing lies unread")
    assert worker.end() == 0


def test_what_gathers_while_the_database_is_away_is_told_meanwhile(
    office: Office, messages: list[bytes], name: str
) -> None:
    with Postgres() as postgres:
        postgres.run(f"CREATE DATABASE {name} TEMPLATE template0")
        office.database = postgres.url(name)
        open_store(office.database).close()
        worker = office.worker(RETRY_WAIT_LEAST_MS=50, RETRY_WAIT_MOST_MS=500)
        office.send(messages[:10], partition=0)
        office.read_to(10)
        until(lambda: _lag(worker, office.topic) == 0, "nothing lies unread")
        postgres.kill()
        office.send(messages[10:40], partition=0)
        until(lambda: _lag(worker, office.topic) == 30, "what gathers is told")
        office.send(messages[40:50], partition=0)
        until(lambda: _lag(worker, office.topic) == 40, "and grows")
        assert measures(worker)["dunghen_lag_seconds"]["0", office.topic] > 0
        assert worker.lines("retry")[-1]["reason"] == "store_unreachable"
        postgres.restart()
        office.read_to(50)
        until(lambda: _lag(worker, office.topic) == 0, "nothing lies unread any more")
        assert measures(worker)["dunghen_lag_seconds"]["0", office.topic] == 0
        assert worker.end() == 0


def _lag(worker: Worker, topic: str) -> float | None:
    return measures(worker).get("dunghen_lag_events", {}).get(("0", topic))


def _stopped(worker: Worker) -> tuple[int, str] | None:
    found = asked(worker, "/readyz")
    return found if "stopped" in found[1] else None


def test_waits_grow_while_a_broker_is_away_and_begin_anew_when_it_is_back(
    database: str, name: str, tmp_path: Path, messages: list[bytes]
) -> None:
    with Kafka() as kafka:
        office = Office(kafka.bootstrap, database, f"{name}.", tmp_path)
        office.make_topic()
        worker = office.worker(RETRY_WAIT_LEAST_MS=100, RETRY_WAIT_MOST_MS=800)
        office.send(messages[:20])
        office.read_to(20)
        kafka.kill()
        worker.said("retry", attempt=5)
        waits = [one["wait_s"] for one in worker.lines("retry")]
        assert asked(worker, "/readyz") == (503, "worker: broker_unreachable\n")
        kafka.restart()
        office.send(messages[20:40])
        office.read_to(40)
        until(lambda: asked(worker, "/readyz")[0] == 200, "ready again")
        assert worker.end() == 0
        office.close()

    limits = [min(0.1 * 2**number, 0.8) for number in range(5)]
    assert all(most / 2 - 0.01 <= wait <= most + 0.01 for wait, most in zip(waits, limits, strict=False))
