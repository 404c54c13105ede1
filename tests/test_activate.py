"""Definitions put into force in a store of the department, on the command line."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING

import msgspec
import pytest
from commands import dunghen, said
from places import ROOT

from consumers.sweep import COMPARED
from workflow.catalogue import JUDGE_VERSION
from workflow.cli.activate import SWEPT_WORDS
from workflow.model import Dossier

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def before_the_swap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our definitions as they were before 25 December 2025, when the swap of 2 January 2026 was announced."""
    folder = tmp_path_factory.mktemp("older") / "processes"
    shutil.copytree(ROOT / "processes", folder)
    path = folder / "calendars" / "vn-can-tho.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    swapped = [number for number, line in enumerate(lines) if "12729/VPCP-KGVX" in line]
    dropped = {*swapped, *(number - 1 for number in swapped)}
    assert len(dropped) == 4
    path.write_text(
        "".join(line for number, line in enumerate(lines) if number not in dropped), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def december(before_the_swap: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dossiers of December 2025 as judged before the swap."""
    folder = tmp_path_factory.mktemp("december")
    month = ("--month", "2025-12", "--until", "2025-12-25", "--seed", "5", "--dossiers", "120")
    dunghen("simulate", *month, "--out", folder / "m.jsonl")
    dunghen(
        *("import", folder / "m.jsonl", "--source", "one-stop", "--store", folder / "m.db"),
        *("--procedures", before_the_swap),
    )
    return folder / "m.db"


def test_a_swap_announced_later_moves_dates_and_says_which_and_why(december: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    shutil.copy(december, path)
    before = said("dossier", "list", "--store", path, "--limit", "1000")

    dry = said("activate", "--store", path, "--dry-run")
    assert said("dossier", "list", "--store", path, "--limit", "1000") == before
    found = said("activate", "--store", path)

    assert found["found"] == dry["found"]
    assert found["judged"] == len(before)
    assert 0 < found["moved"] == len(found["found"]) < len(before)
    assert {tuple(one["because"]) for one in found["found"]} == {("calendar",)}
    changes = [change for one in found["found"] for change in one["changes"]]
    assert {change["what"] for change in changes} <= {"committed_due_at", "appointment_due_at"}
    after_new_year = {(change["before"], change["after"]) for change in changes}
    assert ("2026-01-02T10:00:00Z", "2026-01-05T10:00:00Z") in after_new_year
    assert said("audit", "replay", "--store", path)["differences"] == 0
    assert said("activate", "--store", path)["judged"] == 0


def test_what_moved_is_shown_as_a_table_and_line_by_line(december: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    shutil.copy(december, path)

    table = dunghen("activate", "--store", path, "--dry-run").stdout
    spoken = dunghen("activate", "--store", path, "--dry-run", "--lang", "vi").stdout
    lines = dunghen("activate", "--store", path, "--output", "jsonl")

    assert "2026-01-02 17:00" in table
    assert {*COMPARED, "outcomes", "procedure", "calendar", "engine", "blocked", "source", "asked"} == set(
        SWEPT_WORDS
    )
    assert "hạn cam kết" in spoken
    assert "_due_at" not in spoken
    assert "dossiers would be judged anew" in table
    assert len(lines.stdout.splitlines()) == len(
        {json.loads(line)["subject"] for line in lines.stdout.splitlines()}
    )
    assert "judged anew" in lines.stderr


def test_an_edited_revision_is_refused(december: Path, before_the_swap: Path, tmp_path: Path) -> None:
    path, folder = tmp_path / "a.db", tmp_path / "edited"
    shutil.copy(december, path)
    shutil.copytree(before_the_swap, folder)
    calendar = folder / "calendars" / "vn-can-tho.yaml"
    text = calendar.read_text(encoding="utf-8")
    edited = text.replace("tue: [07:00-11:00,", "tue: [07:30-11:00,", 1)
    calendar.write_text(edited, encoding="utf-8")

    found = dunghen("activate", "--store", path, "--procedures", folder, status=1)
    calendar.write_text(f'revision: "2"\n{edited}', encoding="utf-8")
    corrected = said("activate", "--store", path, "--procedures", folder)

    assert "calendar vn-can-tho" in found.stderr
    assert "undo the edit" in found.stderr
    assert corrected["judged"] == len(said("dossier", "list", "--store", path, "--limit", "1000"))
    assert said("audit", "replay", "--store", path)["differences"] == 0


def as_version_1_kept_them(path: Path) -> None:
    """The judgments as the first version of the engine kept them: it did not know who tells of steps."""
    place = Dossier.__struct_fields__.index("steps_told")
    with sqlite3.connect(path) as plain:
        rows = plain.execute("SELECT judgment, subject FROM dossiers").fetchall()
        for content, subject in rows:
            values = msgspec.msgpack.decode(content)
            del values[place]
            plain.execute(
                "UPDATE dossiers SET judgment = ?, judge_version = 1 WHERE subject = ?",
                (msgspec.msgpack.encode(values), subject),
            )
    plain.close()


def test_a_store_of_an_older_version_of_the_judging_is_refused_in_words_until_it_is_judged_anew(
    december: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    shutil.copy(december, path)
    said("activate", "--store", path)
    before = said("dossier", "list", "--store", path, "--limit", "1000")
    as_version_1_kept_them(path)

    for words in (("status",), ("dossier", "list"), ("rates",)):
        refused = dunghen(*words, "--store", path, status=3).stderr
        assert (
            f"expected a judgment by version {JUDGE_VERSION} of the judging, found one by version 1"
            in refused
        )
        assert "dunghen activate" in refused
    found = said("activate", "--store", path)

    assert (found["judged"], found["moved"]) == (len(before), 0)
    assert said("status", "--store", path)["whole"]["dossiers"] == len(before)
    assert said("dossier", "list", "--store", path, "--limit", "1000") == before
    assert said("audit", "replay", "--store", path)["differences"] == 0


@pytest.mark.parametrize(
    ("file", "who"),
    [
        ("organisation/can-tho.yaml", "organisation can-tho"),
        ("rotation/can-tho.yaml", "rotation can-tho"),
        ("sources/one-stop.yaml", "source one-stop"),
    ],
)
def test_a_calendar_that_is_not_there_is_told_of_whoever_names_it(
    tmp_path: Path, file: str, who: str
) -> None:
    folder = tmp_path / "processes"
    shutil.copytree(ROOT / "processes", folder)
    text = (folder / file).read_text("utf-8")
    (folder / file).write_text(text.replace("calendar: vn-can-tho", "calendar: vn-can-thoo", 1), "utf-8")
    message = tmp_path / "a.jsonl"
    message.write_text("{}\n", "utf-8")

    done = dunghen(
        "import",
        message,
        "--source",
        "one-stop",
        "--procedures",
        folder,
        "--store",
        tmp_path / "a.db",
        status=2,
    )

    assert f"{who}: unknown calendar vn-can-thoo, expected one of vn-can-tho: correct the name" in done.stderr


def test_a_new_revision_follows_the_one_in_force_which_nobody_edits(tmp_path: Path) -> None:
    folder, store, message = tmp_path / "processes", tmp_path / "a.db", tmp_path / "a.jsonl"
    shutil.copytree(ROOT / "processes", folder)
    told = {
        "occurred_at": "2025-12-10T01:00:00Z",
        "action": "receive",
        "procedure": "land-transfer",
        "actor": {"id": "c1", "role": "desk"},
    }
    head = {
        "specversion": "1.0",
        "type": "dossier.acted.v1",
        "source": "one-stop",
        "id": "1",
        "subject": "H1",
    }
    message.write_text(json.dumps(head | {"sequence": "1", "data": told}) + "\n", "utf-8")
    given = ("--procedures", folder, "--store", store)
    dunghen("import", message, "--source", "one-stop", *given)
    path = folder / "can-tho" / "land" / "land-transfer.yaml"
    before, newest = path.read_text("utf-8"), path.read_text("utf-8").split("\n---\n")[-1]
    assert "effective: {from: 2025-07-01}" in newest

    path.write_text(
        f"{before}\n---\n" + newest.replace("2025-07-01}", "2025-12-01}").replace('"2025"', '"2026"'), "utf-8"
    )

    assert said("procedure", "check", path) == []
    (moved,) = said("activate", *given)["found"]
    assert moved["because"] == ["procedure"]
    assert [(one["before"], one["after"]) for one in moved["changes"]] == [("2025", "2026")]


def test_a_new_year_of_the_calendar_needs_a_day_that_says_when_it_was_announced_or_a_revision(
    december: Path, before_the_swap: Path, tmp_path: Path
) -> None:
    folder, store = tmp_path / "processes", tmp_path / "a.db"
    shutil.copytree(before_the_swap, folder)
    shutil.copy(december, store)
    path = folder / "calendars" / "vn-can-tho.yaml"
    text = path.read_text("utf-8").replace("to: 2026-12-31", "to: 2027-12-31")
    new = "  - {date: 2027-01-01, kind: off, name: {vi: T, en: N}, instrument: Notice, %s}\n"
    given = ("activate", "--procedures", folder, "--store", store, "--dry-run")

    path.write_text(text + new % "unverified: true", "utf-8")
    refused = dunghen(*given, status=1).stderr
    path.write_text(text + new % "announced: 2026-11-20", "utf-8")
    dunghen(*given)
    path.write_text(f'revision: "2"\n{text}' + new % "unverified: true", "utf-8")
    dunghen(*given)

    assert "calendar vn-can-tho, last announced " in refused
    assert "say of a day that is new when it was announced, later than that" in refused
