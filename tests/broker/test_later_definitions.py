"""Definitions that come later than the events they are about: nothing waits for a person but to put them into force."""

from __future__ import annotations

import json
import random
import shutil
import signal
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from places import ROOT
from working import DOSSIERS, Office, Worker, undisturbed, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)
LATER = "land-transfer"
FEW = 250
HANOI = timedelta(hours=7)


@pytest.fixture
def expected(messages: list[bytes], another: Callable[[], str], tmp_path: Path) -> Office:
    database = another()
    undisturbed(database, messages)
    return Office("", database, "", tmp_path)


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    """A copy of our definitions, to be changed."""
    folder = tmp_path / "processes"
    shutil.copytree(ROOT / "processes", folder)
    return folder


def test_a_procedure_nobody_modelled_is_judged_by_its_own_definition_once_it_comes(
    office: Office, messages: list[bytes], expected: Office, definitions: Path
) -> None:
    """By the generic one till then, which the status says; then with the next event, or when it is put into force."""
    (definitions / "can-tho" / "land" / f"{LATER}.yaml").unlink()
    half = len(messages) // 2
    office.send(messages[:half])
    worker = office.worker(WORKER_PROCEDURES=definitions)
    office.read_to(half)
    judged_by = f"SELECT DISTINCT procedure FROM dossiers WHERE code = '{LATER}'"
    assert office.rows(judged_by) == [("generic",)]
    told = json.loads(office.run("status", "--output", "json").stdout)
    assert LATER in json.dumps(told["unmodelled"])
    assert worker.end() == 0

    office.worker()
    office.send(messages[half:])
    office.read_to(len(messages))
    assert (LATER,) in office.rows(judged_by)
    done = office.run("activate", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert office.rows(judged_by) == [(LATER,)]
    assert office.judged() == expected.judged()


def test_dead_letters_are_taken_once_whatever_ends_a_redrive(
    office: Office,
    messages: list[bytes],
    another: Callable[[], str],
    definitions: Path,
    tmp_path: Path,
) -> None:
    """Times without an offset, until a definition says whose they are; redrives killed, and two at once."""
    few = random.Random(3).sample(messages, FEW)
    expected = Office("", another(), "", tmp_path)
    undisturbed(expected.database, few)
    local = list(map(without_offset, few))
    office.send(local)
    office.worker()
    office.read_to(len(local))
    assert office.count("facts") == 0
    waiting = office.count("dead_letters")
    assert waiting == len(local)
    stays = office.run("deadletters", "redrive", "--output", "json")
    assert {one["outcome"] for one in json.loads(stays.stdout)} == {"stays"}

    source = definitions / "sources" / "one-stop.yaml"
    told = source.read_text(encoding="utf-8")
    source.write_text(told.replace("dunghen.dossiers", office.topic), encoding="utf-8")
    words = ("deadletters", "redrive", "--procedures", str(definitions))

    def taken() -> int:
        ((count,),) = office.rows("SELECT count(*) FROM dead_letters WHERE redriven_at IS NOT NULL")
        return int(count)

    def begun(number: int) -> Worker:
        return Worker(office.environ(), tmp_path / f"redrive-{number}.log", *words)

    for number, share in enumerate((0.1, 0.3, 0.5)):
        redrive = begun(number)
        until(lambda: taken() > share * waiting, "some taken")  # noqa: B023 - asked at once
        assert redrive.end(signal.SIGKILL) == -signal.SIGKILL
    for one in [begun(3), begun(4)]:
        assert one.process.wait(120) == 0, one.log.read_text(encoding="utf-8")
    assert taken() == waiting
    assert office.rows(DOSSIERS) == expected.rows(DOSSIERS)
    identity = "SELECT subject, source, id, revision, digest FROM facts ORDER BY 1, 2, 3, 4"
    assert office.rows(identity) == expected.rows(identity)
    said = office.rows("SELECT sum(messages) FROM outbox")
    again = office.run(*words, "--output", "json")
    assert (json.loads(again.stdout), again.returncode) == ([], 0)
    assert office.rows("SELECT sum(messages) FROM outbox") == said


def without_offset(message: bytes) -> bytes:
    """The same, its times as a clock on a wall in Viet Nam shows them."""

    def local(told: object) -> object:
        if isinstance(told, dict):
            return {name: local(one) for name, one in told.items()}
        if isinstance(told, str) and told.endswith("Z"):
            return (datetime.fromisoformat(told).replace(tzinfo=None) + HANOI).isoformat()
        return told

    return json.dumps(local(json.loads(message))).encode()
