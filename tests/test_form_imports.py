"""Messages of other systems brought into a store in several files, with the real program."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from commands import dunghen, said

if TYPE_CHECKING:
    from pathlib import Path

DAYS: Final[list[dict[str, str]]] = [
    {"TrangThaiHoSo": "4", "DonViXuLy": "H13.01"},
    {"TrangThaiHoSo": "9", "DonViXuLy": "H13.02", "NgayKetThucXuLy": "20250307080000"},
    {
        "TrangThaiHoSo": "10",
        "DonViXuLy": "H13.02",
        "NgayKetThucXuLy": "20250312080000",
        "NgayTra": "20250313080000",
    },
]
"""What three daily messages say of one dossier: given to another unit, issued in time, and then late after all."""


def lines(*days: dict[str, str], **beside: str) -> str:
    known = {
        "MaHoSo": "R1",
        "MaTTHC": "9.000001",
        "NgayTiepNhan": "20250303080000",
        "NgayHenTra": "20250310170000",
    }
    return "".join(json.dumps({"data": [known | day], **beside}) + "\n" for day in days)


def brought(store: Path, path: Path, status: int = 0) -> list[dict[str, Any]]:
    found = said("import", path, "--source", "portal-whole", "--store", store, status=status)["files"]
    return list(found)


def facts(store: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("SELECT id, revision, digest FROM facts ORDER BY id, revision").fetchall()


def shown(store: Path) -> dict[str, Any]:
    return dict(said("dossier", "show", "R1", "--store", store))


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    """The three messages, each in a file of its own."""
    folder = tmp_path / "days"
    folder.mkdir()
    found = [folder / f"{number}.jsonl" for number in range(3)]
    for path, day in zip(found, DAYS, strict=True):
        path.write_text(lines(day), encoding="utf-8")
    return found


def test_a_changed_record_in_a_later_file_is_a_further_revision(days: list[Path], tmp_path: Path) -> None:
    together = tmp_path / "together.jsonl"
    together.write_text(lines(*DAYS), encoding="utf-8")

    cut = brought(tmp_path / "cut.db", days[0].parent)
    brought(tmp_path / "whole.db", together)

    assert [(one["appended"], one["dead"]) for one in cut] == [(1, 0), (2, 0), (2, 0)]
    assert facts(tmp_path / "cut.db") == facts(tmp_path / "whole.db")
    assert shown(tmp_path / "cut.db")["late"] is True
    assert brought(tmp_path / "cut.db", together)[0]["appended"] == 0


def test_messages_that_say_when_they_were_sent_are_imported_in_any_order(tmp_path: Path) -> None:
    for number, day in enumerate(DAYS):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(lines(day, sent_at=f"2025-03-1{number} 18:00:00"), encoding="utf-8")
    for store, order in (("forth.db", (0, 1, 2)), ("back.db", (2, 1, 0)), ("mixed.db", (1, 2, 0, 1))):
        for number in order:
            brought(tmp_path / store, tmp_path / f"{number}.jsonl")

    assert facts(tmp_path / "forth.db") == facts(tmp_path / "back.db") == facts(tmp_path / "mixed.db")
    assert shown(tmp_path / "back.db")["unit"] == "H13.02"


def test_a_conflict_of_a_form_is_taken_by_a_redrive(days: list[Path], tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    brought(store, days[0])
    # As an import left it that did not ask the store: the same revision with other content.
    message = _stored(store)
    message["data"]["unit"] = "H13.02"
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            "INSERT INTO dead_letters (place, reason, detail, value, headers, recorded_at, expires_at, withheld)"
            " VALUES ('2.jsonl:1', 'id_conflict', 'other content', ?, x'5b5d', 0, 9000000000000000, 0)",
            (json.dumps(message).encode(),),
        )

    (done,) = json.loads(dunghen("deadletters", "redrive", "--store", store, "--output", "json").stdout)

    assert done["outcome"] == "taken"
    assert [revision for _, revision, _ in facts(store)] == [0, 1]
    assert shown(store)["unit"] == "H13.02"


def _stored(store: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(store)) as connection:
        ((received,),) = connection.execute("SELECT received FROM facts").fetchall()
    return dict(json.loads(received))
