"""What `make run` shows: the small history, made twice alike, and judged as it was made to be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from workflow.procedure.checks import check
from workflow.procedure.reader import read_procedures

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLE: Final = ROOT / "examples" / "first_history"
DUNGHEN: Final = Path(sys.executable).with_name("dunghen")
GIVEN: Final = ("--procedure", EXAMPLE / "procedure.yaml", "--mapping", EXAMPLE / "mapping.yaml")
FINDING: Final = 1


class Judged(NamedTuple):
    """The history's file, what the command reported, and every violation it wrote."""

    events: Path
    report: dict[str, Any]
    violations: list[dict[str, Any]]


def made(target: Path, hash_seed: str = "0") -> Path:
    """The history, made by the real script in a process of its own."""
    script = EXAMPLE / "make_history.py"
    subprocess.run([sys.executable, script, target], check=True, env={"PYTHONHASHSEED": hash_seed})
    return target


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """The history, judged by the real command."""
    folder = tmp_path_factory.mktemp("history")
    events, violations = made(folder / "events.csv"), folder / "violations.jsonl"
    found = subprocess.run(
        [DUNGHEN, "audit", "conform", events, *GIVEN, "--violations", violations, "--output", "json"],
        capture_output=True,
        check=False,
    )
    assert found.returncode == FINDING
    # All it says aside: nobody approved the example.
    assert b"example-land-transfer" in found.stderr
    assert found.stderr.count(b"\n") == 1
    lines = violations.read_text(encoding="utf-8").splitlines()
    return Judged(events, json.loads(found.stdout), [json.loads(line) for line in lines])


def test_the_example_procedure_is_sound() -> None:
    (revision,) = read_procedures(EXAMPLE / "procedure.yaml")
    assert [str(one) for one in check(revision) if one.level == "error"] == []


def test_the_same_seed_makes_the_same_history(tmp_path: Path) -> None:
    assert made(tmp_path / "a.csv", "1").read_bytes() == made(tmp_path / "b.csv", "2").read_bytes()


def test_the_history_is_judged_as_it_was_made_to_be(judged: Judged) -> None:
    report = judged.report
    assert [report[key] for key in ("dossiers", "ended", "open", "open_overdue", "late")] == [40, 39, 1, 1, 1]
    assert [report[key] for key in ("conforming", "order_conforming", "time_conforming")] == [37, 39, 38]


def test_each_story_breaks_its_own_rule(judged: Judged) -> None:
    assert [(one["dossier"][-4:], one["position"], one["rule"]) for one in judged.violations] == [
        ("0007", 4, "step/appraisal"),
        ("0007", 0, "committed"),
        ("0021", 4, "order/sign/appraisal"),
        ("0034", 5, "appraised-and-approved-by-two"),
    ]


def test_the_paused_dossier_passed_its_printed_date_and_is_not_late(judged: Judged) -> None:
    rows = [line.split(",") for line in judged.events.read_text(encoding="utf-8").splitlines()]
    mine = [row for row in rows if row[0].endswith("-0013")]
    assert (mine[0][9], mine[-1][2], mine[-1][3][:10]) == ("16/03/2026", "return", "20/03/2026")
    assert [one for one in judged.violations if one["dossier"].endswith("-0013")] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_late_dossier_tells_its_story(judged: Judged, language: str) -> None:
    said = subprocess.run(
        [DUNGHEN, "dossier", "explain", judged.events, "H13.09-260302-0007", *GIVEN, "--lang", language],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert said.returncode in {0, FINDING}
    assert "H13.09-260302-0007" in said.stdout
    assert {"vi": "ngày làm việc", "en": "working days"}[language] in said.stdout
