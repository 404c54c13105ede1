"""`source check` tells of a file what an import of it would do."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from commands import said
from places import ROOT
from test_import_says import message, written

if TYPE_CHECKING:
    from pathlib import Path

OTHER = message(2) | {"source": "portal-step"}
NAIVE = message(3, occurred_at="2025-03-03T01:40:00")


def checked(path: Path, *more: str | Path, status: int) -> dict[str, Any]:
    return dict(said("source", "check", path, "--source", "one-stop", *more, status=status))


@pytest.mark.parametrize(
    ("messages", "facts", "refusals"),
    [
        ([NAIVE], 1, {}),
        ([message(1), OTHER], 1, {"other_source": 1}),
        ([message(1), message(1), message(1, minute=30)], 1, {"id_conflict": 1}),
        ([json.dumps(message(1))[:90]], 0, {"not_json": 1}),
    ],
)
def test_a_check_takes_and_refuses_what_an_import_does(
    tmp_path: Path, messages: list[Any], facts: int, refusals: dict[str, int]
) -> None:
    path = written(tmp_path / "a.jsonl", *messages)
    status = int(bool(refusals))

    found = checked(path, status=status)
    (brought,) = said("import", path, "--source", "one-stop", "--store", tmp_path / "a.db", status=status)[
        "files"
    ]

    assert (found["facts"], found["refusals"]) == (facts, refusals)
    assert brought["appended"] == facts
    assert sum(brought["refused"].values()) + brought["dead"] == sum(refusals.values())


def test_a_conflict_is_told_at_its_own_line_with_a_reason(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", message(1), message(1, minute=30))

    first, second = checked(path, status=1)["messages"]

    assert (first["place"], first["id"]) == (f"{path}:1", "X1/1")
    assert (second["place"], second["reason"]) == (f"{path}:2", "id_conflict")
    assert "other content" in second["found"]


def test_a_check_reads_the_definitions_an_import_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "processes"
    shutil.copytree(ROOT / "processes", folder)
    ours = (folder / "sources" / "one-stop.yaml").read_text(encoding="utf-8")
    (folder / "sources" / "desk.yaml").write_text(
        ours.replace("source: one-stop", "source: desk").replace("dunghen.dossiers", "desk.events"),
        encoding="utf-8",
    )
    path = written(tmp_path / "a.jsonl", message(1) | {"source": "desk"})

    found = said("source", "check", path, "--source", "desk", "--procedures", folder)

    assert found["facts"] == 1
