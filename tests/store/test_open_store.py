"""Opening a store: its tables, their versions, and what is said where it cannot be."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from keeping import LIFE, NOW, catalogue, messages
from msgspec.structs import replace
from sqlalchemy import inspect

from consumers.apply import apply
from workflow.errors import (
    StoreBusy,
    StoreCorrupt,
    StoreForeign,
    StoreFull,
    StoreNewer,
    StoreUnreachable,
    UsageError,
)
from workflow.store import opening
from workflow.store.opening import open_store, schema_versions
from workflow.store.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.store.store import Store


def test_the_migrated_tables_are_those_the_store_knows(store: Store) -> None:
    there = inspect(store.engine)
    assert set(there.get_table_names()) == {*METADATA.tables, "alembic_version"}
    for table in METADATA.tables.values():
        columns = [(column["name"], bool(column["nullable"])) for column in there.get_columns(table.name)]
        assert columns == [(column.name, bool(column.nullable)) for column in table.columns], table.name


def test_a_second_opening_finds_what_the_first_kept(store: Store, where: str) -> None:
    apply(store, catalogue(), messages(*LIFE), now=NOW)
    again = open_store(where)
    with again.reading() as reading:
        assert len(list(reading.facts())) == len(LIFE)
    again.close()


@pytest.mark.parametrize("version", [None, *schema_versions()])
def test_a_store_of_every_version_is_brought_up_to_date_with_its_data(
    tmp_path: Path, version: str | None
) -> None:
    path = tmp_path / "old.db"
    engine = opening._engine(opening._url(path), "old")  # noqa: SLF001 - a store as an older Dunghen left it
    if version is not None:
        opening.migrate(engine, version)
        with engine.begin() as plain:
            plain.exec_driver_sql(
                "INSERT INTO dead_letters (place, reason, detail, value, headers, recorded_at, expires_at)"
                " VALUES ('p', 'r', 'd', x'00', x'5b5d', 1, 2)"
            )
    engine.dispose()

    store = open_store(path)
    with store.reading() as reading:
        assert len(reading.dead_letters()) == (version is not None)
    store.close()


def test_the_migrations_are_one_chain() -> None:
    assert schema_versions() == sorted(schema_versions())
    assert len(schema_versions()) == len(set(schema_versions())) >= 1


def test_a_database_of_a_newer_version_is_left_alone(store: Store, where: str) -> None:
    with store.engine.begin() as plain:
        plain.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreNewer, match="version 9999, this Dunghen knows up to 0005; install the newer"):
        open_store(where)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, only some words of a person" * 30)

    with pytest.raises(StoreCorrupt, match=r"notes.txt: is no database"):
        open_store(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("not a database")


def test_a_database_of_something_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE foo (a)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreForeign, match="not a store of Dunghen"):
        open_store(path)

    assert [one.name for one in tmp_path.iterdir()] == ["other.db"]
    assert path.read_bytes() == before


@pytest.mark.tampers
def test_tables_of_something_else_get_none_of_ours_beside_them(store: Store, where: str) -> None:
    with store.engine.begin() as plain:
        for statement in ("CREATE TABLE foo (a integer)", *_drops(store)):
            plain.exec_driver_sql(statement)

    with pytest.raises(StoreForeign):
        open_store(where)

    assert inspect(store.engine).get_table_names() == ["foo"]


def _drops(store: Store) -> list[str]:
    cascade = " CASCADE" if store.engine.dialect.name == "postgresql" else ""
    return [f"DROP TABLE {name}{cascade}" for name in (*METADATA.tables, "alembic_version")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="there is no folder"):
        open_store(tmp_path / "no" / "store.db")


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="does not answer") as fault:
        open_store(f"postgresql://postgres:secret@/x?host={tmp_path}")
    assert "secret" not in str(fault.value)
    assert fault.value.exit_status == 3


@pytest.mark.parametrize("where", ["mysql://root@host/name", "sqlite://", "sqlite:///:memory:"])
def test_a_url_of_no_database_we_know_is_wrong_use(where: str) -> None:
    with pytest.raises(UsageError, match="expected the path of a SQLite file"):
        open_store(where)


def test_a_file_another_writer_holds_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_MS", 1)
    store = open_store(tmp_path / "s.db")
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreBusy, match="another writer holds it"):
        apply(store, catalogue(), messages(*LIFE), now=NOW)
    other.execute("ROLLBACK")
    other.close()
    assert apply(store, catalogue(), messages(*LIFE), now=NOW).appended == len(LIFE)
    store.close()


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.db")
    apply(store, catalogue(), messages(LIFE[0]), now=NOW)
    with store.engine.connect() as plain:
        pages = plain.exec_driver_sql("PRAGMA page_count").scalar()
        plain.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    many = messages(*(replace(LIFE[0], subject=f"S{number}") for number in range(300)))

    with pytest.raises(StoreFull, match="no room left on the disk"):
        apply(store, catalogue(), many, now=NOW)
    with store.reading() as reading:
        assert len(list(reading.facts())) == 1
    with store.engine.connect() as plain:
        plain.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert apply(store, catalogue(), many, now=NOW).appended == 300
    store.close()
