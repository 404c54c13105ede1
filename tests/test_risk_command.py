"""`dunghen risk` on a store, as it is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from workflow.catalogue import of_risk
from workflow.cli.stores import Place
from workflow.risk.table import RiskTable

COMMAND: Final = Path(sys.executable).with_name("dunghen")
AT: Final = ("--at", "2025-08-01")


def run(*words: str | Path, status: int = 0) -> str:
    done = subprocess.run([COMMAND, *words], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of 250 dossiers, told to their end."""
    folder = tmp_path_factory.mktemp("risk")
    messages, path = folder / "month.jsonl", folder / "store.db"
    run(
        "simulate", "--seed", "3", "--dossiers", "250", "--month", "2025-03", "--undamaged", "--out", messages
    )
    run("import", messages, "--source", "one-stop", "--store", path)
    return path


def test_the_table_is_archived_as_it_was_shown(store: Path, tmp_path: Path) -> None:
    written = tmp_path / "table.json"
    asked = ("risk", "fit", "--store", store, *AT, "--split", "2025-03-15", "--output", "json")
    said: dict[str, Any] = json.loads(run(*asked, "--out", written))
    with Place(str(store), None).opened() as opened, opened.reading() as reading:
        (kept,) = [one for one in reading.definitions() if one.kind == "risk"]
    table = msgspec.json.decode(written.read_bytes(), type=RiskTable)

    assert said["revision"] == kept.revision == "2025-03-15"
    assert kept == of_risk(table)
    assert said["test"]["moments"] == sum(band["moments"] for band in said["test"]["bands"]) > 0
    assert json.loads(run("risk", "show", "--store", store, "--output", "json")) == {**said, "left_out": 0}


def test_another_table_under_the_same_revision_is_refused(store: Path) -> None:
    asked = ("risk", "fit", "--store", store, *AT, "--split", "2025-03-15")
    run(*asked, "--revision", "first")

    assert "risk appointment revision first" in run(
        *asked, "--revision", "first", "--threshold", "30", status=1
    )


def test_without_a_table_the_command_that_makes_one_is_named(store: Path) -> None:
    said = run("risk", "show", "--store", store, "--known-at", "2025-01-01", status=2)

    assert f"dunghen risk fit --store {store}" in said


def test_open_dossiers_are_listed_by_their_risk(store: Path) -> None:
    day = ("--at", "2025-03-20")
    run(
        "risk",
        "fit",
        "--store",
        store,
        *AT,
        "--split",
        "2025-03-15",
        "--revision",
        "listed",
        "--threshold",
        "5",
    )
    found = json.loads(run("risk", "list", "--store", store, *day, "--limit", "999", "--output", "json"))
    risks = [one["risk"] for one in found]
    (whole,) = [
        row
        for row in json.loads(run("rates", "--budget", "--store", store, *day, "--output", "json"))
        if row["unit"] is None
    ]
    assert risks == sorted(risks, reverse=True)
    assert all(0 <= one < 1 for one in risks)
    assert whole["expected"] - whole["overdue"] <= len(found)
    pressing = json.loads(
        run("risk", "list", "--store", store, *day, "--at-risk", "--limit", "999", "--output", "json")
    )
    assert 0 < len(pressing) < len(found)
    assert {one["subject"] for one in pressing} == {one["subject"] for one in found if one["risk"] >= 0.05}
    assert "at risk is one with 5 % or more, by risk table listed" in run(
        "risk", "list", "--store", store, *day
    )


def test_a_table_by_which_nobody_is_ever_at_risk_says_so(store: Path) -> None:
    asked = ("risk", "fit", "--store", store, *AT, "--split", "2025-03-15", "--revision", "never")
    assert "no dossier will be said to be at risk before its date" in run(*asked, "--threshold", "99")


def test_a_straggler_does_not_move_where_the_dossiers_are_split(store: Path, tmp_path: Path) -> None:
    """One more dossier, received in December: two thirds of the others had come in March all the same."""
    late, path = tmp_path / "late.jsonl", tmp_path / "store.db"
    path.write_bytes(store.read_bytes())
    act = {"action": "receive", "procedure": "land-transfer", "unit": "branch-o-mon"}
    head = {
        "specversion": "1.0",
        "type": "dossier.acted.v1",
        "source": "one-stop",
        "id": "s-1",
        "subject": "S",
    }
    told = {**head, "data": {"occurred_at": "2025-12-01T08:00:00+07:00", **act}}
    late.write_text(f"{json.dumps(told)}\n", encoding="utf-8")
    run("import", late, "--source", "one-stop", "--store", path)
    found = json.loads(run("risk", "fit", "--store", path, "--at", "2025-12-31", "--output", "json"))
    assert found["revision"].startswith("2025-03-")


def test_without_a_table_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    path, messages = tmp_path / "store.db", tmp_path / "month.jsonl"
    run("simulate", "--seed", "3", "--dossiers", "5", "--month", "2025-03", "--out", messages)
    run("import", messages, "--source", "one-stop", "--store", path)
    assert "make one with: dunghen risk fit" in run("risk", "list", "--store", path, status=2)


@pytest.mark.parametrize("split", [(), ("--split", "2025-03-15")])
def test_a_store_without_dossiers_is_refused_in_the_same_words_with_a_split_and_without(
    tmp_path: Path, split: tuple[str, ...]
) -> None:
    path, messages = tmp_path / "store.db", tmp_path / "month.jsonl"
    run("simulate", "--seed", "3", "--dossiers", "5", "--month", "2026-03", "--out", messages)
    run("import", messages, "--source", "one-stop", "--store", path)
    said = run("risk", "fit", "--store", path, "--at", "2025-12-31", *split, status=2)
    assert "received later and decided, found 0 and 0; split at another date, or import more first" in said
