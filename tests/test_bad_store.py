"""Every way a store or what comes into it can be bad, at the command line: what is said, and the exit status."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from commands import dunghen, said
from places import ROOT

from servers.postgres import Postgres
from workflow.errors import StoreReadOnly
from workflow.model import Dossier
from workflow.store.faults import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND: Final = Path(sys.executable).with_name("dunghen")
ROOM_BYTES: Final = 300_000


def message(identifier: str, kind: str = "dossier.acted.v1", **data: Any) -> str:
    told = {"procedure": "land-transfer", "action": "receive", "occurred_at": "2025-03-03T09:00:00+07:00"}
    return json.dumps(
        {
            "specversion": "1.0",
            "type": kind,
            "source": "one-stop",
            "id": identifier,
            "subject": "H13-1",
            "sequence": 1,
            "data": {**told, **data} if kind == "dossier.acted.v1" else data,
        }
    )


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def importing(file: Path, store: Path | str, *more: str | Path) -> tuple[str | Path, ...]:
    return ("import", file, "--source", "one-stop", "--store", store, *more)


def facts(store: Path) -> int:
    with closing(sqlite3.connect(store)) as connection:
        return int(connection.execute("SELECT count(*) FROM facts").fetchone()[0])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one fact."""
    path = tmp_path / "store.db"
    dunghen(*importing(written(tmp_path / "first.jsonl", message("1")), path))
    return path


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """Our definitions, of which one revision was edited."""
    folder = tmp_path / "processes"
    shutil.copytree(ROOT / "processes", folder)
    (path,) = [
        one for one in folder.rglob("*.yaml") if "procedure: land-transfer\n" in one.read_text("utf-8")
    ]
    text = path.read_text("utf-8")
    changed = text.replace("figures: sample", "figures: statutory", 1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    return folder


def test_the_same_id_with_other_content_is_named_and_kept_aside(store: Path, tmp_path: Path) -> None:
    file = written(
        tmp_path / "other.jsonl", message("1", occurred_at="2025-03-03T10:00:00+07:00"), message("2")
    )

    found = dunghen(*importing(file, store), status=1)

    assert f"{file}:1: id_conflict: H13-1/one-stop/1 revision 0 has other content" in found.stderr
    assert "1 messages were kept as dead letters" in found.stderr
    assert facts(store) == 2
    (letter,) = said("status", "--store", store)["dead_letters"]
    assert (letter["reason"], letter["count"]) == ("id_conflict", 1)


def test_a_void_of_a_source_that_may_not_is_kept_refused_and_explained(store: Path, tmp_path: Path) -> None:
    void = message(
        *("v", "event.voided.v1"),
        target_id="x",
        target_source="polled-status",
        reason="mistyped",
        occurred_at="2025-03-03T10:00:00+07:00",
    )

    dunghen(*importing(written(tmp_path / "void.jsonl", void), store))

    story = said("dossier", "explain", "H13-1", "--store", store)
    (told,) = [one for one in story["happenings"] if one["id"] == "v"]
    assert told["outcome"]["status"] == "refused"
    assert [one["rule"] for one in told["outcome"]["violations"]] == ["void/source"]
    assert facts(store) == 2


def test_a_definition_edited_after_its_first_use_stops_the_import_and_nothing_of_it_is_kept(
    store: Path, edited: Path, tmp_path: Path
) -> None:
    file = written(tmp_path / "second.jsonl", message("2"), message("3"))

    found = dunghen(*importing(file, store, "--procedures", edited), status=1)

    assert "procedure land-transfer revision" in found.stderr
    assert "undo the edit, or give the new text a new revision" in found.stderr
    assert facts(store) == 1
    assert said(*importing(file, store))["files"][0]["appended"] == 2


def test_a_dossier_that_cannot_be_judged_is_named_and_takes_facts_until_a_new_revision_judges_it(
    tmp_path: Path,
) -> None:
    folder, path = tmp_path / "processes", tmp_path / "store.db"
    shutil.copytree(ROOT / "processes", folder)
    (procedure,) = [
        one for one in folder.rglob("*.yaml") if "procedure: land-transfer\n" in one.read_text("utf-8")
    ]
    text = procedure.read_text("utf-8")
    procedure.write_text(text.replace("within: 10", "within: 100000"), encoding="utf-8")
    assert procedure.read_text("utf-8") != text
    first = written(tmp_path / "1.jsonl", message("1"), message("9").replace("H13-1", "H13-2"))
    second = written(tmp_path / "2.jsonl", message("2"))

    for file in (first, second):
        found = dunghen(*importing(file, path, "--procedures", folder), status=1)
        assert "H13-1: could not be judged; see why with: dunghen dossier show H13-1" in found.stderr
    assert facts(path) == 3
    shown = said("dossier", "show", "H13-1", "--store", path)
    assert shown["blocked"].startswith("calendar_range: calendar vn-can-tho counts from")
    assert [one["subject"] for one in said("dossier", "list", "--blocked", "--store", path)] == [
        "H13-1",
        "H13-2",
    ]
    assert said("status", "--store", path)["whole"]["blocked"] == 2
    assert said("status", "--store", path, "--at", "2025-04-01")["whole"]["blocked"] == 2
    assert said("rates", "--store", path, "--by", "all")
    assert said("audit", "replay", "--store", path)["blocked"] == 2


REGISTERS: Final = Dossier.__struct_fields__.index("registers")
DAMAGED: Final[dict[str, Callable[[list[Any]], bytes]]] = {
    "other bytes": lambda _: b"\x00\xff",
    "too short": lambda values: msgspec.msgpack.encode(values[:-1]),
    "too long": lambda values: msgspec.msgpack.encode([*values, 1]),
    "of other kinds": lambda values: msgspec.msgpack.encode([[], *values[1:]]),
    "no decimal": lambda values: msgspec.msgpack.encode(
        [[msgspec.msgpack.Ext(1, b"ten")] if at == REGISTERS else value for at, value in enumerate(values)]
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_kept_judgment_that_is_damaged_is_named_with_the_way_out_and_made_anew(
    store: Path, tmp_path: Path, damage: str
) -> None:
    with closing(sqlite3.connect(store)) as file, file:
        (kept,) = file.execute("SELECT judgment FROM dossiers").fetchone()
        file.execute("UPDATE dossiers SET judgment = ?", (DAMAGED[damage](msgspec.msgpack.decode(kept)),))

    told = dunghen("dossier", "list", "--store", store, status=3).stderr
    assert told.startswith("dossier H13-1: the judgment kept of it is not what was written")
    assert "dunghen activate --all" in told
    more = written(tmp_path / "more.jsonl", message("2", action="assign"))
    assert "H13-1: could not be judged" in dunghen(*importing(more, store), status=1).stderr

    dunghen("activate", "--all", "--store", store)
    assert said("status", "--store", store)["whole"]["blocked"] == 0
    assert "0 differences" in dunghen("audit", "replay", "--store", store).stdout


def test_a_store_of_a_newer_version_is_left_alone(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = store.read_bytes()

    found = dunghen("status", "--store", store, status=3)

    assert "version 9999" in found.stderr
    assert "install the newer Dunghen" in found.stderr
    assert store.read_bytes() == before


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    notes = written(tmp_path / "notes.txt", *["words of a person"] * 100)

    found = dunghen("status", "--store", notes, status=3)

    assert "is no database, or a broken one" in found.stderr


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    found = dunghen("status", "--store", f"postgresql://me@/x?host={tmp_path}", status=3)

    assert "does not answer" in found.stderr
    assert "check that the path or the server" in found.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as started:
        yield started


def test_a_server_that_takes_no_writes_is_said_so_and_can_still_be_read(
    server: Postgres, tmp_path: Path
) -> None:
    server.run("CREATE DATABASE replica")
    url = server.url("replica")
    dunghen(*importing(written(tmp_path / "1.jsonl", message("1")), url))
    server.run("ALTER DATABASE replica SET default_transaction_read_only = on")

    found = dunghen(*importing(written(tmp_path / "2.jsonl", message("2")), url), status=3)

    assert "takes no writes" in found.stderr
    assert said("status", "--store", url)["facts"] == 1
    assert said("audit", "replay", "--store", url)["differences"] == 0


def test_a_file_that_takes_no_writes_is_said_so(store: Path) -> None:
    """As another account sees it; whoever runs the tests may be allowed to write everything."""
    with (
        closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection,
        pytest.raises(StoreReadOnly, match=r"takes no writes .*readonly database"),
        translated(str(store)),
    ):
        connection.execute("DELETE FROM dead_letters")


@contextmanager
def nothing_may_be_made_in(folder: Path) -> Iterator[None]:
    """As an account sees it that may read a folder and write nothing there, root included."""
    ours = os.geteuid()
    folder.chmod(0o555)
    if ours == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(ours)
        folder.chmod(0o755)


def test_a_store_in_a_folder_that_takes_no_writes_is_read_and_takes_no_import(
    store: Path, tmp_path: Path
) -> None:
    file = written(tmp_path / "2.jsonl", message("2"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(store, folder))
        shutil.copy(file, folder)
        with nothing_may_be_made_in(Path(folder)):
            status, (one,) = said("status", "--store", path), said("dossier", "list", "--store", path)
            replayed = said("audit", "replay", "--store", path)
            refused = dunghen(*importing(path.parent / file.name, path), status=3)
        there = sorted(one.name for one in path.parent.iterdir())

    assert (status["facts"], one["subject"], replayed["differences"]) == (1, "H13-1", 0)
    assert "takes no writes" in refused.stderr
    assert there == sorted([file.name, path.name])


def test_batches_beside_a_store_that_cannot_be_read_without_writing_are_not_left_out(store: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with closing(sqlite3.connect(store)) as writer:
            writer.execute("UPDATE dossiers SET version = version + 1")
            writer.commit()
            for end in ("", "-wal"):
                shutil.copy(f"{store}{end}", folder)
        path = Path(folder) / store.name
        with nothing_may_be_made_in(Path(folder)):
            refused = dunghen("status", "--store", path, status=3)
        found = said("status", "--store", path)

    assert f"lie in {store.name}-wal" in refused.stderr
    assert found["facts"] == 1


def test_a_disk_without_room_keeps_whole_batches_and_the_import_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    month = ("--month", "2025-03", "--until", "2025-04-01", "--seed", "5", "--dossiers", "300")
    dunghen("simulate", *month, "--out", tmp_path / "m.jsonl")
    words = importing(tmp_path / "m.jsonl", tmp_path / "store.db")

    ended = subprocess.run(
        [COMMAND, "--lang", "en", *words],
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, ROOM_BYTES)),
    )

    assert ended.returncode == 3
    assert "nothing was half-written" in ended.stderr
    dunghen(*words)
    whole = said("audit", "replay", "--store", tmp_path / "store.db")
    assert (whole["differences"], whole["facts"]) == (0, facts(tmp_path / "store.db"))
    assert said("audit", "verify", "--store", tmp_path / "store.db")["broken"] == 0
