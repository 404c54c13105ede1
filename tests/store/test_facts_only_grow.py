"""The database itself refuses to change a fact; what was erased is said and everything still verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from keeping import LIFE, NOW, SUBJECT, catalogue, messages, tell
from sqlalchemy.exc import DBAPIError

from consumers.apply import apply
from workflow.facts import Actor, BodyErased
from workflow.store.proof import verify_rows

if TYPE_CHECKING:
    from workflow.store.store import Store

CHANGES = [
    "DELETE FROM facts",
    "UPDATE facts SET occurred_at = occurred_at + 1",
    "UPDATE facts SET entered_at = 1",
    "UPDATE facts SET told = received",
    "UPDATE facts SET received = told",
    "UPDATE facts SET salt = digest",
    "UPDATE facts SET received = NULL, recorded_at = 1",
    "UPDATE facts SET received = NULL, digest = received_hash",
    "UPDATE facts SET received = NULL, seq = seq + 100",
]


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with the facts of one dossier."""
    apply(store, catalogue(), messages(*LIFE), now=NOW)
    return store


def broken(store: Store) -> list[tuple[str, str]]:
    with store.reading() as reading:
        return [(one.id, one.breach) for one in verify_rows(reading, NOW)]


@pytest.mark.parametrize("statement", CHANGES)
def test_no_statement_changes_a_fact(kept: Store, statement: str) -> None:
    with pytest.raises(DBAPIError, match="only appended"), kept.engine.begin() as plain:
        plain.exec_driver_sql(statement)
    assert broken(kept) == []


def test_no_replacement_and_no_truncation_removes_a_fact(kept: Store) -> None:
    columns = (
        "subject, source, id, revision, type, occurred_at, recorded_at, sequence, told, received_hash, digest"
    )
    other = columns.replace("id", "id || 1", 1)
    attempts = ["TRUNCATE facts"]
    if kept.engine.dialect.name == "sqlite":
        attempts = [
            f"INSERT OR REPLACE INTO facts ({columns}) SELECT {columns} FROM facts",
            f"INSERT OR REPLACE INTO facts (seq, {columns}) SELECT seq, {other} FROM facts",
        ]
    for statement in attempts:
        with pytest.raises(DBAPIError, match="only appended"), kept.engine.begin() as plain:
            plain.exec_driver_sql(statement)
    assert broken(kept) == []


def test_a_recorded_erasure_leaves_everything_verified(kept: Store) -> None:
    body = BodyErased(target_id=LIFE[0].id, rule="R1", by=Actor(id="o1"))
    apply(kept, catalogue(), messages(tell(body, 9)), now=NOW)

    assert broken(kept) == []


@pytest.mark.tampers
def test_an_erasure_nobody_recorded_is_found(kept: Store) -> None:
    with kept.engine.begin() as plain:
        plain.exec_driver_sql("UPDATE facts SET received = NULL WHERE id = 'note-1'")

    assert broken(kept) == [("note-1", "erased_unsaid")]


@pytest.mark.tampers
@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ("told = (SELECT told FROM facts WHERE id = 'approve-2')", "content"),
        ("occurred_at = occurred_at + 1", "content"),
        ("type = 'dossier.rated.v1'", "content"),
        ("received = told", "received"),
        ("received_hash = digest", "received"),
    ],
)
def test_a_change_behind_the_triggers_is_found(kept: Store, change: str, breach: str) -> None:
    with kept.engine.begin() as plain:
        if kept.engine.dialect.name == "sqlite":
            plain.exec_driver_sql("DROP TRIGGER facts_no_update")
        else:
            plain.exec_driver_sql("DROP TRIGGER facts_no_update ON facts")
        plain.exec_driver_sql(f"UPDATE facts SET {change} WHERE id = 'note-1'")

    assert broken(kept) == [("note-1", breach)]
    assert LIFE[1].subject == SUBJECT
