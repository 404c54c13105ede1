"""A damaged month in a store, and what the auditor's commands say of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from commands import dunghen, said

from workflow.catalogue import JUDGE_VERSION

if TYPE_CHECKING:
    from pathlib import Path

MONTH: Final = ("--month", "2025-03", "--until", "2025-04-01", "--seed", "5")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred dossiers, in a store."""
    folder = tmp_path_factory.mktemp("month")
    dunghen("simulate", *MONTH, "--dossiers", "300", "--out", folder / "m.jsonl")
    dunghen("import", folder / "m.jsonl", "--source", "one-stop", "--store", folder / "m.db")
    return folder / "m.db"


@pytest.fixture
def store(month: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copy(month, tmp_path / "m.db")
    return tmp_path / "m.db"


def change(store: Path, statement: str) -> None:
    """What no command of ours does."""
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(statement)


def test_a_month_judged_again_differs_in_nothing(month: Path) -> None:
    found = said("audit", "replay", "--store", month)
    held = said("status", "--store", month)

    assert (found["differences"], found["found"]) == (0, [])
    assert (found["dossiers"], found["facts"]) == (held["whole"]["dossiers"], held["facts"])
    assert found["said"] >= found["facts"]
    assert said("audit", "replay", "--store", month, "--without-dates")["differences"] == 0


def test_a_late_verdict_that_was_made_timely_is_found(store: Path) -> None:
    change(store, "UPDATE dossiers SET committed_late = 0 WHERE committed_late")

    found = said("audit", "replay", "--store", store, status=1)

    assert {(one["what"], one["kept"], one["derived"]) for one in found["found"]} == {
        ("committed_late", "False", "True")
    }
    assert len(found["found"]) == found["differences"] > 1
    assert said("audit", "replay", "--store", store, "--without-dates")["differences"] == 0


def by_another_engine(store: Path) -> int:
    """Makes ten dossiers judged by the version before; which that is."""
    before = JUDGE_VERSION - 1
    change(
        store,
        f"UPDATE dossiers SET judge_version = {before} WHERE subject IN (SELECT subject FROM dossiers LIMIT 10)",
    )
    return before


def test_dossiers_of_another_engine_that_judged_the_same_are_counted_and_differ_in_nothing(
    store: Path,
) -> None:
    by_another_engine(store)
    told = dunghen("audit", "replay", "--store", store)
    counts = said("audit", "replay", "--store", store)

    assert "10 dossiers were last judged by another version of the engine" in told.stderr
    assert "dunghen activate --dry-run" in told.stderr
    assert (counts["engine"], counts["older"], counts["differences"]) == (10, 0, 0)


def test_a_judgment_another_engine_wrote_is_not_read_and_activate_mends_it(store: Path) -> None:
    """What it came to is told beside the two versions; its bytes may mean something else."""
    before = by_another_engine(store)
    change(store, f"UPDATE dossiers SET judgment = x'C0', state = 'odd' WHERE judge_version = {before}")

    found = said("audit", "replay", "--store", store, status=1)["found"]

    assert len(found) == 20
    assert {one["kept"] for one in found} == {"odd", f"by version {before} of the judging"}
    dunghen("activate", "--store", store)
    mended = said("audit", "replay", "--store", store)
    assert (mended["engine"], mended["differences"]) == (0, 0)
    assert said("audit", "verify", "--store", store)["broken"] == 0


def test_differences_come_one_by_one_and_a_table_says_how_many_it_leaves_out(store: Path) -> None:
    change(store, "UPDATE dossiers SET unit = 'elsewhere'")

    lines = dunghen("audit", "replay", "--store", store, "--output", "jsonl", status=1)
    table = dunghen("audit", "replay", "--store", store, status=1)

    assert {json.loads(line)["what"] for line in lines.stdout.splitlines()} == {"unit"}
    assert f"{len(lines.stdout.splitlines())} differences" in lines.stderr
    assert f"and {len(lines.stdout.splitlines()) - 50} more" in table.stderr


def test_what_differs_is_named_with_the_command_that_mends_it_and_said_anew(store: Path) -> None:
    change(
        store,
        "UPDATE dossiers SET state = 'returned', unit = 'elsewhere', committed_late = 0, committed_due_at = 1",
    )

    told = dunghen("audit", "replay", "--store", store, status=1).stderr
    assert said("activate", "--store", store)["judged"] == 0
    mended = said("activate", "--all", "--store", store)

    assert "dunghen activate --all" in told
    assert mended["judged"] == said("status", "--store", store)["whole"]["dossiers"]
    assert {tuple(one["because"]) for one in mended["found"]} == {("asked",)}
    assert said("audit", "replay", "--store", store)["differences"] == 0
    again = said("activate", "--all", "--store", store)
    assert (again["judged"], again["moved"]) == (mended["judged"], 0)


def test_every_fact_of_a_month_is_what_was_appended(month: Path) -> None:
    assert said("audit", "verify", "--store", month)["broken"] == 0


def test_what_a_run_printed_is_a_witness_of_any_later_store(store: Path, tmp_path: Path) -> None:
    printed = dunghen("audit", "verify", "--store", store, "--output", "json").stdout
    (tmp_path / "then.json").write_text(printed)
    verify = ("audit", "verify", "--store", store, "--witness", tmp_path / "then.json")
    assert said(*verify)["broken"] == 0
    cut = "CAST(substr(wrote, 1, 40) || x'00' || substr(wrote, 42) AS BLOB)"
    change(store, f"UPDATE outbox SET wrote = {cut} WHERE seq = 2")

    told = dunghen(*verify, status=1)

    assert "checksum" in told.stdout
    assert "witness: the store is no continuation of what was kept" in told.stderr
    (tmp_path / "then.json").write_text("{}")
    assert "then.json: expected what dunghen audit verify printed" in dunghen(*verify, status=2).stderr


def test_a_row_is_told_with_what_was_expected_and_what_to_do(store: Path) -> None:
    change(store, "UPDATE positions SET position = position + 1")
    change(store, "DELETE FROM alerts WHERE id = (SELECT min(id) FROM alerts)")

    told = dunghen("audit", "verify", "--store", store, status=1)
    found = said("audit", "verify", "--store", store, status=1)["found"]

    assert [(one["breach"], one["table"]) for one in found] == [("gone", "alerts"), ("content", "positions")]
    assert found[1]["expected"].startswith("position ")
    assert found[1]["expected"] != found[1]["found"]
    assert "content: the row was changed" in told.stderr
    assert "gone: the row was removed" in told.stderr


def test_a_fact_that_was_changed_behind_the_engine_is_named(store: Path) -> None:
    change(store, "DROP TRIGGER facts_no_update")
    change(store, "UPDATE facts SET occurred_at = occurred_at - 1 WHERE seq = 7")
    change(store, "UPDATE facts SET received = NULL, salt = NULL WHERE seq = 9")

    found = said("audit", "verify", "--store", store, status=1)

    assert [one["breach"] for one in found["found"]] == ["content", "erased_unsaid"]
    assert found["broken"] == 2
    shown = dunghen("audit", "verify", "--store", store, status=1).stdout
    assert found["found"][0]["subject"] in shown
    assert "2 breaches" in shown


def test_between_two_imports_is_what_the_second_brought(tmp_path: Path) -> None:
    dunghen("simulate", *MONTH, "--dossiers", "30", "--out", tmp_path / "m.jsonl")
    lines = (tmp_path / "m.jsonl").read_bytes().splitlines(keepends=True)
    words = ("--source", "one-stop", "--store", tmp_path / "m.db")
    moments = []
    for name, part in (("a.jsonl", lines[:100]), ("b.jsonl", lines[100:])):
        (tmp_path / name).write_bytes(b"".join(part))
        dunghen("import", tmp_path / name, *words)
        with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
            ((us,),) = connection.execute("SELECT max(recorded_at) FROM facts")
        moments.append(datetime.fromtimestamp(us / 1_000_000, UTC))
    first, last = moments
    known = (first + (last - first) / 2).isoformat(), (last + timedelta(hours=1)).isoformat()

    found = said("audit", "diff", "--store", tmp_path / "m.db", "--known", *known)
    table = dunghen("audit", "diff", "--store", tmp_path / "m.db", "--known", *known).stdout

    subjects = {json.loads(line)["subject"] for line in lines[100:]}
    assert {one["subject"] for one in found["dossiers"]} <= subjects
    assert all(one["facts"] for one in found["dossiers"])
    assert f"{len(found['dossiers'])} dossiers are known otherwise." in table
    assert len(found["dossiers"]) > 20


def test_the_moments_must_come_in_their_order(month: Path) -> None:
    words = ("audit", "diff", "--store", month, "--known", "2026-02-01", "2026-01-01")

    assert "the earlier moment first" in dunghen(*words, status=2).stderr


def test_a_fact_that_cannot_be_read_any_more_is_named_by_whoever_reads_it_and_by_verify(store: Path) -> None:
    change(store, "DROP TRIGGER facts_no_update")
    change(store, "UPDATE facts SET told = x'00' WHERE seq = 7")
    broken = said("audit", "verify", "--store", store, status=1)["found"]

    for command in (("audit", "replay"), ("activate", "--all"), ("dossier", "explain", broken[0]["subject"])):
        told = dunghen(*command, "--store", store, status=3).stderr
        assert broken[0]["id"] in told
        assert "dunghen audit verify" in told
    assert [one["breach"] for one in broken] == ["content"]


def test_what_was_said_and_cannot_be_read_any_more_is_named_by_its_row(store: Path) -> None:
    change(store, "UPDATE outbox SET content = x'00' WHERE seq = 1")

    for command in (("audit", "replay"), ("activate", "--all")):
        assert "row 1 of the outbox" in dunghen(*command, "--store", store, status=3).stderr


@pytest.mark.parametrize(
    ("table", "column", "command"),
    [
        ("dossiers", "judgment", ("dossier", "list")),
        ("facts", "told", ("audit", "replay")),
        ("outbox", "content", ("audit", "replay")),
    ],
)
def test_text_that_is_none_is_told_with_its_row(
    store: Path, table: str, column: str, command: tuple[str, ...]
) -> None:
    change(store, "DROP TRIGGER IF EXISTS facts_no_update")
    key = "subject" if table == "dossiers" else "seq"
    change(
        store,
        f"UPDATE {table} SET {column} = CAST(x'fffe41' AS TEXT) WHERE {key} = (SELECT max({key}) FROM {table})",
    )
    with closing(sqlite3.connect(store)) as file:
        (row,) = file.execute(f"SELECT max({key}) FROM {table}").fetchone()

    told = dunghen(*command, "--store", store, status=3).stderr

    assert f"in the table {table} the row {row} holds in its column {column} what is no text in UTF-8" in told
    assert "does not answer" not in told


def test_a_judgment_that_became_text_is_a_difference_of_a_replay(store: Path) -> None:
    change(store, "UPDATE dossiers SET judgment = 'text' WHERE subject = (SELECT max(subject) FROM dossiers)")

    assert dunghen("audit", "replay", "--store", store, status=1).stdout


def test_a_dossier_whose_row_is_gone_is_said_to_have_none(store: Path) -> None:
    subject = said("dossier", "list", "--limit", "1", "--store", store)[0]["subject"]
    change(store, f"DELETE FROM dossiers WHERE subject = '{subject}'")

    differing = said("audit", "replay", "--store", store, status=1)["found"]
    told = dunghen("dossier", "show", subject, "--store", store, status=3).stderr

    assert {one["derived"] for one in differing if one["where"] == "said"} == {"no dossier row"}
    assert f"dossier {subject} has" in told


@pytest.mark.parametrize(
    "change_made",
    ["DELETE FROM definitions WHERE kind = 'calendar'", "UPDATE definitions SET content = x'00'"],
)
def test_an_archive_of_which_something_was_taken_says_so(store: Path, change_made: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        guards = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'definitions'"
        )
        for (name,) in guards.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    change(store, change_made)

    for command in (("audit", "replay"), ("status",), ("dossier", "list")):
        assert (
            "the archived definitions are not what was kept"
            in dunghen(*command, "--store", store, status=3).stderr
        )
