"""The worker on real Kafka and PostgreSQL: nothing lost, nothing twice, whatever comes and however often."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Final

import pytest
from working import Office, shuffled, undisturbed, until

from consumers.contract.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from servers.finding import Servers

pytestmark = pytest.mark.timeout(120)

SAID: Final = "SELECT seq, content FROM outbox WHERE messages > 0 ORDER BY seq"


@pytest.fixture
def expected(messages: list[bytes], another: Callable[[], str], tmp_path: Path) -> Office:
    """What a run makes of the month that nothing disturbs."""
    database = another()
    undisturbed(database, messages)
    return Office("", database, "", tmp_path)


def test_a_worker_makes_of_a_month_what_one_undisturbed_batch_makes_of_it(
    office: Office, messages: list[bytes], expected: Office
) -> None:
    office.send(messages)
    worker = office.worker()
    office.read_to(len(messages))
    assert office.judged() == expected.judged()
    assert worker.end() == 0
    assert worker.lines()[-1]["event"] == "stopped"


def test_events_sent_twice_and_to_another_partition_too_are_taken_once(
    office: Office, messages: list[bytes], expected: Office
) -> None:
    office.worker()
    office.send(messages)
    office.send(messages)
    office.send(messages, partition=1)
    office.read_to(3 * len(messages))
    assert office.judged() == expected.judged()
    ((decided,),) = office.rows("SELECT sum(messages) FROM outbox")
    office.send(messages)
    office.read_to(4 * len(messages))
    assert office.rows("SELECT sum(messages) FROM outbox") == [(decided,)]


def test_events_in_any_order_come_to_the_same(
    office: Office, messages: list[bytes], expected: Office
) -> None:
    office.worker(KAFKA_BATCH_RECORDS_MAX=97)
    office.send(shuffled(messages, seed=3))
    office.read_to(len(messages))
    assert office.judged() == expected.judged()


def test_a_replay_from_the_start_into_a_live_database_adds_nothing(
    office: Office, messages: list[bytes]
) -> None:
    office.worker()
    office.send([*messages, (None, b"{")])
    office.read_to(len(messages) + 1)
    assert office.count("dead_letters") == 1
    before, said = office.judged(), office.rows(SAID)
    for partition in range(3):
        assert office.run("position", "set", office.topic, str(partition), "0").returncode == 0
    office.workers[0].said("claim lost")
    office.read_to(len(messages) + 1)
    assert office.judged() == before
    assert office.count("dead_letters") == 1
    assert office.rows(SAID) == said


def test_another_batch_size_and_two_workers_come_to_the_same(
    office: Office, messages: list[bytes], expected: Office
) -> None:
    office.send(messages)
    office.worker(KAFKA_BATCH_RECORDS_MAX=31)
    office.worker(KAFKA_BATCH_RECORDS_MAX=500)
    office.read_to(len(messages))
    assert office.judged() == expected.judged()


def test_what_cannot_be_read_becomes_a_dead_letter_whole_and_the_partition_goes_on(
    office: Office, messages: list[bytes]
) -> None:
    good = json.loads(messages[0])
    limit = DEFAULT_LIMITS.message_bytes_max
    bad = {
        b"": "empty_message",
        b"{": "not_json",
        messages[0][:-9]: "not_json",
        b'{"specversion":"1.0","x":NaN}': "not_finite",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000: "too_deep",
        b'{"specversion":"1.0","type":"x","a":"\\ud800"}': "lone_surrogate",
        _changed(good, type="dossier.dreamt.v1"): "unknown_type",
        _changed(good, type="dossier.acted.v9"): "unknown_version",
        _changed(good, data={}): "missing_field",
    }
    whole = _changed(good, note="x" * (limit - len(_changed(good, note=""))))
    assert len(whole) == limit
    office.send([(b"k", value) for value in bad], partition=0)
    office.send([(None, whole), (None, whole + b" ")], partition=0)
    office.send([(None, _changed(good, id="other", extra_field=[1, 2]))], partition=0)
    office.worker()
    office.read_to(len(bad) + 3)
    letters = office.rows("SELECT value, reason, key, place FROM dead_letters ORDER BY seq")
    assert [(bytes(value), reason) for value, reason, _, _ in letters[: len(bad)]] == list(bad.items())
    assert {bytes(key) for _, _, key, _ in letters[: len(bad)]} == {b"k"}
    assert [place for _, _, _, place in letters[: len(bad)]] == [
        f"{office.topic}/0/{offset}" for offset in range(len(bad))
    ]
    assert [reason for _, reason, _, _ in letters[len(bad) :]] == ["text_too_long", "message_too_large"]
    assert json.loads(bytes(letters[-1][0]))["bytes"] == limit + 1
    assert office.count("facts") == 1


def test_a_tombstone_says_nothing_and_the_position_moves_past_it(
    office: Office, messages: list[bytes]
) -> None:
    worker = office.worker()
    office.send([(b"k", None), (b"k", None)], partition=0)
    office.read_to(2)
    office.send([(None, messages[0]), (b"k", None)], partition=0)
    office.read_to(4)
    assert (office.count("facts"), office.count("dead_letters")) == (1, 0)
    assert not worker.lines("retry")


def test_a_topic_that_is_not_there_yet_is_named_once_and_read_when_it_is_made(
    servers: Servers, database: str, name: str, messages: list[bytes], tmp_path: Path
) -> None:
    office = Office(servers.bootstrap, database, f"{name}.later.", tmp_path)
    worker = office.worker()
    assert "dunghen topics create" in worker.said("no topic", topic=office.topic)["said"]
    worker.said("library")
    office.make_topic()
    office.send(messages[:20])
    office.read_to(20)
    said = [one["said"] for one in worker.lines("library")]
    assert len(said) == len(set(said))
    assert len(worker.lines("no topic")) == 1
    assert worker.end() == 0


def test_a_huge_message_is_kept_by_reference_and_the_worker_lives(
    office: Office, messages: list[bytes]
) -> None:
    worker = office.worker()
    office.send([(None, b"x" * (64 << 20))], partition=0)
    office.send([(None, messages[0])], partition=0)
    office.read_to(2)
    ((value, reason),) = office.rows("SELECT value, reason FROM dead_letters")
    assert (json.loads(bytes(value))["bytes"], reason) == (64 << 20, "message_too_large")
    assert office.count("facts") == 1
    assert worker.end() == 0


def test_shadow_judges_and_never_sends(office: Office, messages: list[bytes]) -> None:
    office.send(messages[:50])
    log = office.shadow()
    office.read_to(50)
    assert office.rows("SELECT DISTINCT withheld FROM outbox") == [(True,)]
    assert log.end() == 0


def test_a_worker_that_is_told_to_end_leaves_its_partitions_at_once(
    office: Office, messages: list[bytes]
) -> None:
    first = office.worker(KAFKA_SESSION_TIMEOUT_MS=30_000)
    first.said("claimed", partition=2)
    office.send(messages[:100])
    office.read_to(100)
    second = office.worker(KAFKA_SESSION_TIMEOUT_MS=30_000)
    assert first.end() == 0
    until(lambda: len({one["partition"] for one in second.lines("claimed")}) == 3, "all claimed", 15)
    office.send(messages[100:200])
    office.read_to(200)
    assert second.end(signal.SIGINT) == 0


def test_a_worker_whose_name_another_takes_says_so_and_ends(office: Office, messages: list[bytes]) -> None:
    first = office.worker(KAFKA_MEMBER="twin")
    first.said("claimed", partition=2)
    second = office.worker(KAFKA_MEMBER="twin")
    assert first.process.wait(60) == 3
    assert "another worker joined under the name of this one" in first.log.read_text(encoding="utf-8")
    office.workers.remove(first)
    office.send(messages[:100])
    office.read_to(100)
    assert not second.lines("claim lost")
    assert second.end() == 0


def test_files_are_read_by_the_same_loop(
    office: Office, messages: list[bytes], expected: Office, tmp_path: Path
) -> None:
    half = len(messages) // 2
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "1.jsonl").write_bytes(b"\n".join(messages[:half]) + b"\n")
    (folder / "2.jsonl").write_bytes(b"\n".join(messages[half:]) + b"\n")
    for _ in range(2):
        done = office.run("worker", "--source", str(folder))
        assert done.returncode == 0, done.stderr
        assert office.judged() == expected.judged()


def _changed(message: dict[str, object], **fields: object) -> bytes:
    return json.dumps(message | fields).encode()
