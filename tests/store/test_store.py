"""The store's contract: facts are kept as told, writers do not overtake each other, and faults say what to do."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from judging import SUBJECT, act, revision, void
from msgspec.structs import replace
from oracle.agreement import rules_of
from strategies_facts import SUBJECT as DRAWN
from strategies_facts import Case, cases

from workflow.canonical import digest
from workflow.errors import StoreChanged, StoreDamaged, StoreNewer, StoreNotWritable, StoreUnreachable
from workflow.facts import Acted, Appointment
from workflow.fold import fold
from workflow.rules import compile_rules
from workflow.store.opening import Store, open_store
from workflow.store.stored import Told, instant, micros, pack, row_of, unpack
from workflow.store.tables import DOSSIER_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.facts import Fact

SALT = b"0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dunghen.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = open_store(path)
    yield opened
    opened.close()


def row(fact: Fact, received: bytes = b"{}") -> tuple[Any, ...]:
    return row_of(Told(fact, received), digest(fact), 7, SALT)


def dossier(version: int, **more: Any) -> dict[str, Any]:
    plain = dict.fromkeys(DOSSIER_COLUMNS)
    needed = {"judge_version": 1, "deviated": 0, "facts": 1, "last_recorded_at": 7, "subject": SUBJECT}
    return {**plain, **needed, "version": version, **more}


def test_a_fact_comes_back_as_it_was_told(store: Store) -> None:
    at = datetime(2025, 3, 3, 9, 0, 0, 5, tzinfo=UTC)
    facts = [
        act("receive", 1, data={"area": "12.50"}, appointment=Appointment(at=date(2025, 4, 1))),
        act("approve", 2, appointment=Appointment(at=at, cause="extension"), sequence=9, entered_at=at),
        void(act("approve", 2), 3, revision=2),
    ]
    with store.writing() as writer:
        writer.append_facts([row(fact) for fact in facts])
    with store.reading() as reader:
        assert reader.facts(SUBJECT) == [replace(fact, recorded_at=instant(7)) for fact in facts]
        assert reader.altered() == []


@given(cases())
def test_a_judged_dossier_comes_back_equal(drawn: Case) -> None:
    found = fold(rules_of(drawn.revision, drawn.sources), DRAWN, drawn.facts).dossier
    again = unpack(pack(found))
    assert again == found
    assert pack(again) == pack(found)


def test_registers_keep_their_types() -> None:
    values = [
        "2025-01-01",
        "1.50",
        3,
        True,
        None,
        Decimal("1.50"),
        date(2025, 1, 1),
        datetime(2025, 1, 1, tzinfo=UTC),
    ]
    found = replace(compile_rules(revision()).start(SUBJECT), registers=values)
    assert [(type(one), one) for one in unpack(pack(found)).registers] == [(type(one), one) for one in values]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM facts",
        "UPDATE facts SET told = x'00'",
        "UPDATE facts SET received = x'00'",
        "UPDATE facts SET received = NULL, digest = x'00'",
        "UPDATE facts SET seq = seq + 10, received = NULL",
        "UPDATE facts SET recorded_at = recorded_at + 1",
        "INSERT OR REPLACE INTO facts SELECT * FROM facts",
        # The same identity under another number.
        (
            "INSERT OR REPLACE INTO facts SELECT seq + 10, subject, source, id, revision, type, occurred_at, "
            "entered_at, recorded_at, sequence, told, received, salt, received_hash, digest FROM facts"
        ),
    ],
)
def test_the_database_itself_refuses_to_change_a_fact(store: Store, path: Path, statement: str) -> None:
    with store.writing() as writer:
        writer.append_facts([row(act("receive", 1))])
    raw = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="facts are never"):
        raw.execute(statement)
    raw.close()


def test_erased_bytes_are_gone_and_the_proof_still_holds(store: Store, path: Path) -> None:
    kept, erased = act("receive", 1), act("approve", 2)
    with store.writing() as writer:
        writer.append_facts([row(kept, b"kept"), row(erased, b"erased")])
        writer.erase(SUBJECT, erased.source, erased.id, None)
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT received FROM facts ORDER BY seq").fetchall() == [(b"kept",), (None,)]
    raw.close()
    with store.reading() as reader:
        assert reader.altered() == []


def test_a_fact_changed_behind_the_triggers_is_found(store: Store, path: Path) -> None:
    fact = act("receive", 1)
    with store.writing() as writer:
        writer.append_facts([row(fact), row(act("approve", 2), b"x")])
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER facts_stay_as_told")
    raw.execute("UPDATE facts SET occurred_at = occurred_at + 1 WHERE seq = 1")
    raw.commit()
    raw.close()
    with store.reading() as reader:
        assert reader.altered() == [(SUBJECT, fact.source, fact.id, 0)]


def test_nothing_of_a_failed_transaction_stays(store: Store) -> None:
    with pytest.raises(StoreChanged), store.writing() as writer:  # noqa: PT012 - the last one fails
        writer.append_facts([row(act("receive", 1))])
        writer.append_outbox(b"[]", messages=0, recorded_at=7)
        writer.write_dossiers([dossier(2)])
    with store.reading() as reader:
        assert (reader.facts(SUBJECT), reader.outbox()) == ([], [])


def test_a_dossier_is_written_only_over_the_version_that_was_read(store: Store) -> None:
    with store.writing() as writer:
        writer.write_dossiers([dossier(1, state="new")])
    with store.writing() as writer:
        writer.write_dossiers([dossier(2, state="checking")])
    for stale in (1, 2, 4):
        with pytest.raises(StoreChanged), store.writing() as writer:
            writer.write_dossiers([dossier(stale, state="lost")])
    with store.reading() as reader:
        found = reader.dossiers([SUBJECT, "another"])
    assert [(one.columns["version"], one.columns["state"]) for one in found.values()] == [(2, "checking")]


def test_of_two_claims_only_the_later_moves_the_position(store: Store) -> None:
    with store.writing() as writer:
        first = writer.claim("dossiers", 0, "log")
        first = writer.advance(first, 10)
        second = writer.claim("dossiers", 0, "log")
    assert (second.position, second.epoch) == (10, 2)
    with pytest.raises(StoreChanged), store.writing() as writer:
        writer.advance(first, 20)
    with store.writing() as writer:
        writer.advance(second, 20)
    with pytest.raises(StoreChanged), store.writing() as writer:
        writer.advance(second, 30)


def test_known_facts_are_found_by_identity(store: Store) -> None:
    facts = [act("note", hour) for hour in range(5)]
    with store.writing() as writer:
        writer.append_facts([row(fact) for fact in facts[:3]])
    asked = {(f.subject, f.source, f.id, f.revision): digest(f) for f in facts}
    with store.reading() as reader:
        assert reader.digests(asked) == dict(list(asked.items())[:3])


def test_a_reader_sees_one_moment_beside_a_writer(store: Store) -> None:
    with store.reading() as reader:
        assert reader.facts(SUBJECT) == []
        with store.writing() as writer:
            writer.append_facts([row(act("receive", 1))])
        assert reader.facts(SUBJECT) == []
    with store.reading() as later:
        assert len(later.facts(SUBJECT)) == 1


def test_a_database_that_another_process_holds_is_unreachable_for_now(store: Store, path: Path) -> None:
    with store.reading() as impatient:
        impatient._connection.exec_driver_sql("PRAGMA busy_timeout = 1")  # noqa: SLF001 - or it waits for seconds
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnreachable) as caught, store.writing():
        pass
    raw.close()
    assert caught.value.retriable


def test_opening_again_keeps_what_is_there(store: Store, path: Path) -> None:
    with store.writing() as writer:
        writer.append_facts([row(act("receive", 1))])
    again = open_store(path)
    with again.reading() as reader:
        assert len(reader.facts(SUBJECT)) == 1
    again.close()


def test_a_database_of_a_later_version_is_left_alone(store: Store, path: Path) -> None:
    store.close()
    raw = sqlite3.connect(path)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(StoreNewer, match="9999"):
        open_store(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"a text, and no database at all" * 100)
    with pytest.raises(StoreDamaged):
        open_store(path)


def test_a_folder_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="missing"):
        open_store(path.parent / "missing" / "dunghen.db")


def test_a_store_opened_for_reading_refuses_to_write(store: Store, path: Path) -> None:
    store.close()
    only = open_store(path, read_only=True)
    with pytest.raises(StoreNotWritable), only.writing() as writer:
        writer.append_facts([row(act("receive", 1))])
    only.close()


def test_a_full_disk_loses_nothing_that_was_there(store: Store) -> None:
    with store.writing() as writer:
        writer.append_facts([row(act("receive", 1))])
    with store.reading() as limited:
        limited._connection.exec_driver_sql("PRAGMA max_page_count = 1")  # noqa: SLF001 - a small disk
    with pytest.raises(StoreNotWritable) as caught, store.writing() as writer:
        writer.append_facts([row(act("approve", 2), b"x" * 1_000_000)])
    assert caught.value.code == "store_full"
    with store.reading() as reader:
        assert [fact.body for fact in reader.facts(SUBJECT)] == [Acted(action="receive")]


def test_times_lose_nothing() -> None:
    at = datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert instant(micros(at)) == at
