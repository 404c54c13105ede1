"""A store changed behind the engine, cell by cell and row by row: each change is found by `audit verify` or
`audit replay`, or stands in a list with the reason why it cannot be. The same tests on every database."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from keeping import LIFE, NINE, act, catalogue, generic, messages, revision, source, tell, void
from msgspec.structs import replace
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, Text, select
from test_linked import link
from test_replay import SPARE

from consumers.apply import apply
from consumers.sweep import Sweep
from consumers.ticker import tick, tick_feeds
from workflow.audit.archive import Archive
from workflow.audit.replay import Replay
from workflow.errors import DunghenError, Unstorable, VersionConflict
from workflow.facts import Actor, AlertActed, BodyErased, Heartbeat
from workflow.store.opening import open_store
from workflow.store.proof import NO_WITNESS, Verification, verify_rows
from workflow.store.rows import EPOCH, Position
from workflow.store.tables import METADATA
from workflow.store.trying import tried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.facts import Fact
    from workflow.store.bodies import Told
    from workflow.store.store import Store, Writing
    from workflow.store.witness import Witness

HOUR: Final = timedelta(hours=1)
DUE: Final = NINE + 8 * HOUR
GATE: Final = source("gate", delay_minutes=15, voids="any")
RULES: Final = catalogue(sources={"gate": GATE, "young": source("young", live_from=DUE + 900 * HOUR)})
LAST: Final = NINE + 1_000 * HOUR


def filled(store: Store, first: Fact = LIFE[0]) -> None:
    """A story of each kind of row: late and on time, acknowledged, waiting and history, linked, corrected, erased, a
    dead letter, a stream read on, definitions put into force twice, ticks."""
    with store.writing() as writing:
        writing.claim("t", 0, log="L")
    steps = iter(range(100))

    def take(*facts: Any, hour: float, more: tuple[Told, ...] = ()) -> None:
        at = next(steps)
        position = Position("t", 0, at, at + 1, 1)
        apply(store, RULES, [*messages(*facts), *more], now=NINE + hour * HOUR, position=position)

    take(first, tell(Heartbeat(), 0, subject="gate"), hour=0)
    take(tell(Heartbeat(), 1, subject="gate"), hour=1)
    take(*(act("receive", number, subject=f"L{number}") for number in range(3)), hour=3)
    take(act("note", 3.5, subject="W"), hour=4)
    take(act("receive", 0, subject="Y", source="young"), hour=4)
    tick(store, RULES, now=DUE + HOUR)
    seen = AlertActed(alert_id="dossier_late/L0/all", act="acknowledged", by=Actor(id="o7"))
    take(tell(seen, 10, subject="L0"), hour=10)
    take(act("approve", 9), act("return_result", 9.5), hour=11)
    take(void(act("approve", 9), 11), hour=12)
    take(act("receive", 0, subject="OLD"), hour=12)
    take(link(2, subject="OLD", other="NEW"), act("approve", 3, subject="NEW"), hour=13)
    take(act("note", 1, subject="L1"), hour=14)
    take(tell(BodyErased(target_id="note-1", rule="R1", by=Actor(id="o1")), 15, subject="L1"), hour=15)
    clash = replace(LIFE[0], occurred_at=NINE + HOUR)
    take(hour=16, more=tuple(messages(clash)))
    stricter = {"all": replace(revision().limits["all"], within=7)}
    newer = catalogue(revision(limits=stricter, revision="2"), revision(), generic(), sources=RULES.sources)
    list(Sweep(store, newer, NINE + 20 * HOUR).batches())
    apply(store, newer, messages(act("receive", 990, subject="X")), now=NINE + 990 * HOUR)
    tick_feeds(store, newer, now=LAST)
    apply(store, newer, messages(act("note", 999.9, subject="W2")), now=NINE + 999.9 * HOUR)
    while tick(store, newer, now=LAST).dossiers:
        pass


def found(store: Store) -> list[str]:
    """What both commands find; an error of ours that names what is damaged counts as found."""
    said: list[str] = []
    try:
        with store.reading() as reading:
            said += [f"{one.table} {one.row} {one.breach}" for one in verify_rows(reading, LAST)]
            archive = Archive(reading.definitions_between(EPOCH, NINE.replace(year=9000)), SPARE)
            run = Replay(reading, archive, now=LAST)
            said += [f"{one.subject} {one.where} {one.what}" for one in run.differences()]
    except DunghenError as fault:
        said.append(str(fault))
    return said


def unguarded(writing: Writing) -> None:
    """Takes the triggers away, as an administrator of the database can."""
    on = "" if writing.dialect == "sqlite" else " ON facts"
    for name in ("facts_no_update", "facts_no_delete"):
        writing.run(f"DROP TRIGGER {name}{on}", ())


def after(store: Store, statement: str, values: tuple[Any, ...] = ()) -> list[str]:
    """What is found after a statement, which is undone."""
    with tried(store) as one:
        with one.writing() as writing:
            unguarded(writing)
            assert writing.run(statement, values) > 0
        return found(one)


@pytest.fixture
def full(store: Store) -> Store:
    filled(store)
    return store


def test_what_nobody_tampered_with_has_no_finding(full: Store) -> None:
    assert found(full) == []
    with full.engine.connect() as plain:
        counts = {
            name: plain.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in METADATA.tables
        }
        states = {row[0] for row in plain.exec_driver_sql("SELECT state FROM alerts")}
    assert {name for name, count in counts.items() if not count} == {"channels", "notices", "deliveries"}
    assert {"waiting", "history", "raised", "acknowledged", "resolved"} <= states


ROWS: Final = {
    "a fact": "DELETE FROM facts WHERE id = 'receive-2'",
    "a fact that is no dossier's": "DELETE FROM facts WHERE subject = 'gate' AND id = 'Heartbeat-1'",
    "the last fact": "DELETE FROM facts WHERE seq = (SELECT max(seq) FROM facts)",
    "a row of the outbox": "DELETE FROM outbox WHERE seq = (SELECT min(seq) FROM outbox WHERE messages > 0)",
    "the last row of the outbox": "DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)",
    "a row of no messages": "DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox WHERE messages = 0)",
    "an alert": "DELETE FROM alerts WHERE state = 'raised'",
    "an alert that waits": "DELETE FROM alerts WHERE state = 'waiting'",
    "an alert of history": "DELETE FROM alerts WHERE state = 'history'",
    "a position": "DELETE FROM positions",
    "a definition": "DELETE FROM definitions WHERE kind = 'source' AND name = 'young'",
    "a dossier": "DELETE FROM dossiers WHERE subject = 'L2'",
    "a dead letter": "DELETE FROM dead_letters",
}


@pytest.mark.parametrize("statement", ROWS.values(), ids=ROWS)
def test_a_row_that_was_removed_is_found(full: Store, statement: str) -> None:
    assert after(full, statement)


def test_any_row_of_the_outbox_that_was_removed_is_found(full: Store) -> None:
    with full.engine.connect() as plain:
        numbers = [seq for (seq,) in plain.exec_driver_sql("SELECT seq FROM outbox ORDER BY seq")]
    assert [seq for seq in numbers if not after(full, "DELETE FROM outbox WHERE seq = %s", (seq,))] == []


def test_a_dossier_that_was_removed_with_all_its_facts_and_alerts_is_named(full: Store) -> None:
    with tried(full) as one:
        with one.writing() as writing:
            unguarded(writing)
            for table in ("facts", "dossiers", "alerts"):
                writing.run(f"DELETE FROM {table} WHERE subject = 'L2'", ())
        said = found(one)

    assert "facts L2/gate/receive-2 gone" in said
    assert "alerts dossier_late/L2/all gone" in said


def test_a_recorded_instant_is_named_with_what_was_written(full: Store) -> None:
    with tried(full) as one:
        with one.writing() as writing:
            unguarded(writing)
            writing.run("UPDATE facts SET recorded_at = recorded_at - 1 WHERE id = 'receive-2'", ())
        with one.reading() as reading:
            (broken,) = verify_rows(reading, LAST)

    assert (broken.breach, broken.row) == ("recorded_at", "L2/gate/receive-2")
    assert (broken.expected, broken.found) == ("2024-01-02T05:00:00Z", "2024-01-02T04:59:59.999999Z")


def test_a_fact_that_was_put_in_behind_the_engine_is_named(full: Store) -> None:
    names = "source, revision, type, occurred_at, recorded_at, sequence, told, received_hash"
    statement = (
        f"INSERT INTO facts (subject, id, {names}, digest) SELECT 'Z', id, {names}, received_hash FROM facts"
        " WHERE id = 'receive-2'"
    )
    assert "facts Z/gate/receive-2 unsaid" in after(full, statement)


HOUR_US: Final = 3_600_000_000
NONE: Final = {LargeBinary: b"x", Text: "x", Boolean: True, Integer: 1, BigInteger: 1}
"""What stands in a cell that was empty."""
REFUSED: Final = VersionConflict, Unstorable
"""What the database itself says of a value that another row has as its key, or that its column does not take."""
AUDITOR: Final = Path(__file__).parents[2] / "docs" / "auditor.md"


def other(value: Any, chance: random.Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 1_000) if value < HOUR_US else (-1, 1, -HOUR_US, 24 * HOUR_US))
    if isinstance(value, bytes | memoryview):
        content = bytearray(value) or bytearray(b"x")
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(7)
        return bytes(content)
    place = chance.randrange(len(value) + 1)
    return value[:place] + chance.choice("ax7") + value[place:]


class Change(NamedTuple):
    """One cell changed, and the statement that does it."""

    cell: str
    statement: str
    values: tuple[Any, ...]


def changes(store: Store, chance: random.Random) -> Iterator[Change]:
    """For each column of each table that has rows a change of one cell of it."""
    for name, table in METADATA.tables.items():
        keys = [column.name for column in table.primary_key] or ["seq"]
        with store.engine.connect() as plain:
            rows = [
                row._asdict()
                for row in plain.execute(select(table).order_by(*(table.c[key] for key in keys)))
            ]
        for column in table.columns if rows else ():
            row = chance.choice(rows)
            value = row[column.name]
            new = NONE[type(column.type)] if value is None else other(value, chance)
            where = " AND ".join(f"{key} = %s" for key in keys)
            statement = f"UPDATE {name} SET {column.name} = %s WHERE {where}"
            yield Change(f"{name}.{column.name}", statement, (new, *(row[key] for key in keys)))


def found_or_refused(store: Store, one: Change) -> bool:
    """Whether a change is found, or the database does not take it."""
    try:
        return bool(after(store, one.statement, one.values))
    except REFUSED:
        return True


def excused() -> set[str]:
    """The cells of which the auditor's page says that a change of them is not found."""
    return set(re.findall(r"^\| `(\w+\.\w+)` \|", AUDITOR.read_text(), re.MULTILINE))


@pytest.mark.parametrize("seed", range(3))
def test_any_cell_that_was_changed_is_found_or_the_page_says_why_it_is_not(full: Store, seed: int) -> None:
    unfound = {one.cell for one in changes(full, random.Random(seed)) if not found_or_refused(full, one)}
    assert unfound - excused() == set()


def test_the_page_excuses_no_cell_that_is_always_found(full: Store) -> None:
    listed, held = excused(), set()
    unfound: set[str] = set()
    for seed in range(4):
        for one in changes(full, random.Random(seed)):
            held.add(one.cell)
            if one.cell in listed - unfound and not found_or_refused(full, one):
                unfound.add(one.cell)
    assert listed & held == unfound
    assert listed <= {str(column) for table in METADATA.tables.values() for column in table.c}


def test_a_store_of_an_earlier_version_is_told_as_it_stands_and_then_held_to_it(
    full: Store, where: str
) -> None:
    with full.engine.begin() as plain:
        for statement in (
            "DELETE FROM outbox WHERE messages = 0",
            "ALTER TABLE outbox DROP COLUMN wrote",
            "ALTER TABLE outbox DROP COLUMN checksum",
            "UPDATE alembic_version SET version_num = '0004'",
        ):
            plain.exec_driver_sql(statement)
    again = open_store(where)
    try:
        assert found(again) == []
        for statement in ROWS.values():
            assert after(again, statement), statement
        unfound = [one.cell for one in changes(again, random.Random(7)) if not found_or_refused(again, one)]
        assert set(unfound) <= excused()
        apply(again, RULES, messages(act("receive", 991, subject="X2")), now=LAST)
        assert found(again) == []
    finally:
        again.close()


def test_a_reading_sees_one_state_of_the_store_to_its_end(full: Store) -> None:
    with full.reading() as reading:
        before = len(list(reading.facts()))
        apply(full, RULES, messages(act("receive", 991, subject="X2")), now=LAST)
        assert len(list(reading.facts())) == before
        assert list(verify_rows(reading, LAST)) == []


def seen(store: Store, earlier: Witness = NO_WITNESS) -> tuple[list[str], Witness]:
    """What verify finds beside an earlier witness, and the witness of today."""
    with store.reading() as reading:
        run = Verification(reading, LAST, earlier)
        return [f"{one.breach} {one.table} {one.row}" for one in run.broken()], run.witness


def test_a_store_that_grew_is_what_its_witness_saw(full: Store) -> None:
    _, earlier = seen(full)
    assert {(one.stream, one.facts > 0) for one in earlier.trees} == {("", True), ("t", True)}
    newer = catalogue(sources={"gate": replace(GATE, delay_minutes=20), "young": RULES.sources["young"]})
    list(Sweep(full, newer, LAST).batches())
    apply(full, newer, messages(act("receive", 995, subject="X3")), now=LAST)

    said, today = seen(full, earlier)

    assert said == []
    assert len(today.definitions) > len(earlier.definitions)
    assert sum(one.facts for one in today.trees) == sum(one.facts for one in earlier.trees) + 1


def test_a_store_made_anew_by_the_engine_itself_verifies_and_its_witness_tells(
    full: Store, tmp_path: Path
) -> None:
    _, earlier = seen(full)
    anew = open_store(tmp_path / "anew.db")
    filled(anew, first=replace(LIFE[0], occurred_at=NINE - HOUR / 60))

    assert found(anew) == []
    assert seen(anew, earlier)[0] == [
        f"witness facts {one.stream}/0, the first {one.facts}" for one in earlier.trees
    ]
    anew.close()


def test_what_was_cut_off_at_the_end_with_all_that_tells_of_it_is_told_by_a_witness(full: Store) -> None:
    _, earlier = seen(full)
    with tried(full) as one:
        with one.writing() as writing:
            unguarded(writing)
            writing.run("DELETE FROM facts", ())
            for table in ("outbox", "alerts", "positions", "definitions", "dead_letters", "dossiers"):
                writing.run(f"DELETE FROM {table}", ())
        assert found(one) == []
        said, _ = seen(one, earlier)

    assert len(said) == len(earlier.trees) + len(earlier.definitions)
