"""What an import says: where a file broke off, what a trial into a store would do, and why a message is not taken."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from commands import dunghen, said

from workflow.kept import english

if TYPE_CHECKING:
    from pathlib import Path

MANY: Final = 300
"""Messages that fill more than one block of a file."""


def message(number: int, minute: int = 0, **data: Any) -> dict[str, Any]:
    told = {
        "occurred_at": f"2025-03-03T01:{minute:02}:00Z",
        "action": "submit",
        "procedure": "land-transfer",
        "actor": {"id": "c1", "role": "citizen"},
        "unit": "branch-ninh-kieu",
    }
    return {
        "specversion": "1.0",
        "type": "dossier.acted.v1",
        "source": "one-stop",
        "id": f"X{number}/1",
        "subject": f"X{number}",
        "sequence": "10",
        "data": told | data,
    }


def written(path: Path, *messages: dict[str, Any] | str) -> Path:
    lines = (one if isinstance(one, str) else json.dumps(one) for one in messages)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def kept(store: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(store)) as connection:
        found = connection.execute("SELECT subject, id, revision FROM facts ORDER BY 1, 2, 3").fetchall()
        letters = connection.execute("SELECT place, reason FROM dead_letters").fetchall()
        return [*found, *letters, *connection.execute("SELECT stream, position FROM positions").fetchall()]


def brought(store: Path, path: Path, *more: str, status: int = 0) -> dict[str, Any]:
    (one,) = said("import", path, "--source", "one-stop", "--store", store, *more, status=status)["files"]
    return {name: value for name, value in one.items() if name not in ("letters", "went_on_after")}


def test_a_file_that_breaks_off_says_what_was_taken_and_where_it_stopped(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", *map(message, range(MANY)))
    path.write_bytes(path.read_bytes() + b'{"subject":"\xe9"}\n')
    arguments = ("import", path, "--source", "one-stop", "--store", tmp_path / "a.db")

    done = dunghen(*arguments, "--output", "json", status=1)
    (one,) = json.loads(done.stdout)["files"]

    assert 0 < one["appended"] < MANY
    assert one["appended"] == len([row for row in kept(tmp_path / "a.db") if len(row) == 3])
    assert f"a.jsonl:{MANY + 1}: expected UTF-8, found the byte 0xE9" in one["stopped"]
    assert f"stays ({one['appended']} added, 0 there already)" in done.stderr
    path.write_bytes(path.read_bytes().replace(b"\xe9", b"e"))
    mended = brought(tmp_path / "a.db", path, status=1)
    assert (mended["known"], mended["appended"]) == (one["appended"], MANY - one["appended"])


def test_a_file_of_which_nothing_was_taken_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xff\n")

    done = dunghen("import", path, "--source", "one-stop", "--store", tmp_path / "a.db", status=2)

    assert "a.jsonl:1: expected UTF-8" in done.stderr


def test_one_broken_file_of_a_folder_leaves_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "1.jsonl").write_bytes(b"\xff\n")
    written(folder / "2.jsonl", message(1))

    found = said("import", folder, "--source", "one-stop", "--store", tmp_path / "a.db", status=1)["files"]

    assert [(bool(one["stopped"]), one["appended"]) for one in found] == [(True, 0), (False, 1)]


def test_a_dry_run_says_what_an_import_into_this_store_would_do(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    brought(store, written(tmp_path / "a.jsonl", message(1), message(2)))
    before = kept(store)
    path = written(tmp_path / "b.jsonl", message(1), message(2, minute=30), message(3), message(3, minute=5))

    tried = brought(store, path, "--dry-run", status=1)

    assert kept(store) == before
    assert (tried["appended"], tried["known"], tried["dead"]) == (1, 1, 2)
    assert brought(store, path, status=1) == tried
    assert brought(store, path, "--dry-run")["appended"] == 0


def test_a_dry_run_without_a_store_makes_none(tmp_path: Path) -> None:
    tried = brought(tmp_path / "a.db", written(tmp_path / "a.jsonl", message(1)), "--dry-run")

    assert tried["appended"] == 1
    assert not (tmp_path / "a.db").exists()


def test_a_conflict_read_from_another_file_is_the_same_dead_letter(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    brought(store, written(tmp_path / "a.jsonl", message(1), message(1, minute=30)), status=1)

    again = brought(store, written(tmp_path / "b.jsonl", message(1, minute=30)))
    other = brought(store, written(tmp_path / "c.jsonl", message(1, minute=31)), status=1)

    assert (again["dead"], again["known"]) == (0, 1)
    assert other["dead"] == 1


def test_a_conflict_that_an_older_store_holds_in_english_is_not_kept_twice(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    brought(store, written(tmp_path / "a.jsonl", message(1), message(1, minute=30)), status=1)
    with closing(sqlite3.connect(store)) as connection, connection:
        ((detail,),) = connection.execute("SELECT detail FROM dead_letters")
        connection.execute("UPDATE dead_letters SET detail = ?", (english(detail),))
    assert "has other content" in english(detail) != detail

    again = brought(store, written(tmp_path / "b.jsonl", message(1, minute=30)))

    assert (again["dead"], again["known"]) == (0, 1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (json.dumps(message(1))[:100], "expected one JSON object, found a text that breaks off after 100"),
        ("not json", "found a text that is none from character 1 on"),
        (json.dumps(message(1, appointment="2025-03-20")), 'expected an object such as {"at": "2025-03-20"}'),
        (json.dumps(message(1) | {"source": "portal-step"}), "expected a message of the source one-stop"),
    ],
)
def test_a_refusal_names_its_place_once_and_what_to_do(tmp_path: Path, line: str, told: str) -> None:
    path = written(tmp_path / "a.jsonl", line)

    done = dunghen("import", path, "--source", "one-stop", "--store", tmp_path / "a.db", status=1)

    assert told in done.stderr
    assert done.stderr.count(f"{path}:1") == 1


def test_a_log_in_xes_without_a_mapping_is_told_to_need_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xes", "<log/>")

    done = dunghen("import", path, "--source", "one-stop", "--store", tmp_path / "a.db", status=2)

    assert "--mapping" in done.stderr


def test_every_row_of_a_mapped_file_is_accounted_for_whether_told_twice_or_imported_twice(
    tmp_path: Path,
) -> None:
    path, mapping = tmp_path / "a.csv", tmp_path / "a.yaml"
    path.write_text(
        "code,no,step,at,done\n"
        "H1,1,submit,2025-03-03T08:00:00+07:00,yes\n"
        "H1,1,submit,2025-03-03T08:00:00+07:00,yes\n"
        "H2,1,submit,2025-03-03T08:10:00+07:00,no\n"
        "H3,1,submit,yesterday,yes\n",
        encoding="utf-8",
    )
    mapping.write_text(
        "format: csv\nsource: one-stop\nonly: {done: [yes]}\n"
        "fields: {subject: code, id: no, action: step, occurred_at: at}\n",
        encoding="utf-8",
    )
    shown = ("rows", "appended", "known", "filtered")

    first, again, tried = (
        brought(tmp_path / "a.db", path, "--mapping", str(mapping), *more, status=1)
        for more in ((), (), ("--dry-run",))
    )

    assert [first[name] for name in shown] == [4, 1, 1, 1]
    assert first["refused"] == {"time": 1}
    assert [again[name] for name in shown] == [4, 0, 2, 1]
    assert tried == again
