"""Batches in one transaction each: the same tests on every database."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from keeping import CODE, LIFE, NINE, NOW, SUBJECT, act, catalogue, generic, messages, revision, tell, void
from msgspec.structs import replace
from sqlalchemy import event
from working import until

from consumers.apply import ApplyLimits, apply, redrive
from consumers.codec import encode
from consumers.health import Health
from consumers.metrics import Metrics
from consumers.ticking import PART, Ticking
from workflow.errors import LedgerError, PositionLost, VersionConflict
from workflow.facts import Actor, BodyErased, Heartbeat
from workflow.procedure.language import Names
from workflow.store.bodies import Told
from workflow.store.letters import expire
from workflow.store.opening import open_store
from workflow.store.rows import Position, to_us

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.facts import Fact
    from workflow.store.rows import DossierRow
    from workflow.store.store import Store

RULES = catalogue()


def facts_in(store: Store) -> list[Fact]:
    with store.reading() as reading:
        return list(reading.facts())


def one_row(store: Store) -> DossierRow:
    with store.reading() as reading:
        (row,) = reading.dossiers([SUBJECT])
    return row


def decisions(store: Store) -> list[dict[str, Any]]:
    with store.reading() as reading:
        said = [one for _, content in reading.outbox() for one in msgspec.json.decode(content)]
    return [one for one in said if one["says"] == "decision"]


def test_a_batch_keeps_its_facts_and_judges_its_dossier(store: Store) -> None:
    done = apply(store, RULES, messages(*LIFE), now=NOW)

    assert (done.appended, done.duplicates, done.dossiers, done.dead) == (4, 0, 1, 0)
    row = one_row(store)
    assert (row.state, row.procedure, row.version, row.facts) == ("returned", CODE, 1, 4)
    assert row.ended_at == to_us(LIFE[-1].occurred_at)
    assert row.committed_due_at == to_us(NINE) + 8 * 3_600_000_000
    assert (row.committed_late, row.deviated, row.next_due_at, row.blocked) == (False, False, None, None)
    assert [replace(fact, recorded_at=None) for fact in facts_in(store)] == list(LIFE)


def test_recorded_times_grow_in_each_dossier_though_the_clock_stands(store: Store) -> None:
    for fact in LIFE:
        apply(store, RULES, messages(fact), now=NOW)

    recorded = [to_us(fact.recorded_at) - to_us(NOW) for fact in facts_in(store) if fact.recorded_at]
    assert recorded == [0, 1, 2, 3]


def test_a_dossier_is_looked_at_again_when_its_limit_is_at_risk(store: Store) -> None:
    apply(store, RULES, messages(LIFE[0]), now=NINE)

    at_risk_at = NINE + 0.8 * timedelta(hours=8)
    assert one_row(store).next_due_at == to_us(at_risk_at)
    with store.reading() as reading:
        assert reading.due(at_risk_at, 10) == [SUBJECT]
        assert reading.due(NINE, 10) == []


def test_a_repetition_is_counted_and_not_stored(store: Store) -> None:
    first = apply(store, RULES, messages(LIFE[0], LIFE[0]), now=NOW)
    second = apply(store, RULES, messages(LIFE[0], LIFE[1]), now=NOW)

    assert (first.appended, first.duplicates) == (1, 1)
    assert (second.appended, second.duplicates) == (1, 1)
    assert len(facts_in(store)) == 2


def test_a_batch_of_repetitions_touches_nothing(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)
    before = one_row(store), decisions(store)

    done = apply(store, RULES, messages(*LIFE), now=NOW)

    assert (done.duplicates, done.dossiers) == (4, 0)
    assert (one_row(store), decisions(store)) == before


@pytest.mark.parametrize("batches", [1, 2])
def test_the_same_id_with_other_content_is_a_dead_letter(store: Store, batches: int) -> None:
    other = act("receive", 5, id=LIFE[0].id)
    for batch in [[LIFE[0], other]] if batches == 1 else [[LIFE[0]], [other]]:
        apply(store, RULES, messages(*batch), now=NOW)

    with store.reading() as reading:
        (letter,) = reading.dead_letters()
    assert (letter.reason, letter.place) == ("id_conflict", f"test/0/{other.id}")
    assert (bytes(letter.value), bytes(letter.key or b"")) == (encode(other), SUBJECT.encode())
    assert msgspec.json.decode(letter.headers) == [["h", "MQ=="]]
    assert letter.expires_at - letter.recorded_at == 90 * 86_400_000_000
    assert len(facts_in(store)) == 1


def test_a_stream_that_is_read_again_buries_nothing_twice(store: Store) -> None:
    other = act("receive", 5, id=LIFE[0].id)
    batch = messages(LIFE[0], other)
    first, again = (apply(store, RULES, batch, now=NOW) for _ in range(2))
    elsewhere = apply(store, RULES, [replace(batch[1], place="test/0/99")], now=NOW)

    assert (first.appended, first.dead, first.duplicates) == (1, 1, 0)
    assert (again.appended, again.dead, again.duplicates) == (0, 0, 2)
    # A conflict tells its own source and id: from another place it is the same letter.
    assert (elsewhere.dead, elsewhere.duplicates) == (0, 1)
    with store.reading() as reading:
        assert len(reading.dead_letters()) == 1


def test_conflicts_are_looked_for_by_an_index_however_many_letters_lie_there(tmp_path: Path) -> None:
    """Asked of SQLite, which tells how it would look for them."""
    store, statements = open_store(tmp_path / "letters.db"), list[str]()
    event.listen(store.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    done = apply(store, RULES, messages(LIFE[0], act("receive", 5, id=LIFE[0].id)), now=NOW)
    assert done.dead == 1
    asked = [one for one in statements if " FROM dead_letters WHERE " in one]
    assert len(asked) == 2  # for conflicts, and for what lay at the same place
    with store.engine.connect() as plain:
        for statement in asked:
            values = (json.dumps(["x"]),) * statement.count("?")
            rows = plain.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plan = " ".join(str(row[3]) for row in rows)
            assert "SEARCH dead_letters USING INDEX" in plan
    store.close()


def test_facts_beyond_the_limit_of_a_dossier_are_dead_letters(store: Store) -> None:
    done = apply(store, RULES, messages(*LIFE), now=NOW, limits=ApplyLimits(facts_per_dossier_max=3))

    assert (done.appended, done.dead) == (3, 1)
    with store.reading() as reading:
        assert [letter.reason for letter in reading.dead_letters()] == ["too_many_facts"]


def test_dead_letters_expire(store: Store) -> None:
    apply(
        store,
        RULES,
        messages(*LIFE),
        now=NOW,
        limits=ApplyLimits(facts_per_dossier_max=3, dead_letter_days=1),
    )

    with store.writing() as writing:
        assert expire(writing, NOW) == 0
        assert expire(writing, NOW.replace(day=2)) == 1


def test_the_ticker_removes_what_expired(store: Store) -> None:
    limits = ApplyLimits(facts_per_dossier_max=3, dead_letter_days=1)
    apply(store, RULES, messages(*LIFE), now=NOW, limits=limits)
    stop = threading.Event()
    loop = threading.Thread(target=Ticking(store, RULES, Health((PART,)), Metrics()).run, args=(stop,))
    loop.start()

    def left() -> int:
        with store.reading() as reading:
            return len(reading.dead_letters())

    until(lambda: not left(), "the letter is gone")
    stop.set()
    loop.join()


def test_a_late_fact_folds_its_dossier_once_and_tells_what_changed(store: Store) -> None:
    apply(store, RULES, messages(LIFE[0], LIFE[2]), now=NOW)
    apply(store, RULES, messages(act("approve", 4)), now=NOW)
    assert [one["outcome"]["status"] for one in decisions(store)] == ["applied", "applied", "refused"]

    done = apply(store, RULES, messages(void(LIFE[2], 5)), now=NOW)

    assert (done.refolded, one_row(store).version, one_row(store).state) == (1, 3, "approved")
    changed = {one["id"]: one for one in decisions(store) if one["version"] == 3}
    assert changed["approve-4"]["outcome"]["status"] == "applied"
    assert changed["approve-4"]["supersedes"]["status"] == "refused"
    assert changed["approve-2"]["outcome"]["status"] == "voided"
    assert "receive-0" not in changed


def test_a_void_may_come_before_its_target(store: Store) -> None:
    apply(store, RULES, messages(void(LIFE[1], 5)), now=NOW)
    apply(store, RULES, messages(LIFE[0], LIFE[1]), now=NOW)

    statuses = {one["id"]: one["outcome"]["status"] for one in decisions(store)}
    assert statuses["note-1"] == "voided"
    assert one_row(store).procedure == CODE


def test_a_source_that_may_not_void_is_refused_and_its_fact_kept(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)

    apply(store, RULES, messages(void(LIFE[1], 5, source="other")), now=NOW)

    assert decisions(store)[-1]["outcome"]["violations"][0]["rule"] == "void/source"
    assert len(facts_in(store)) == 5


def test_an_error_in_judging_blocks_the_one_dossier_and_keeps_its_facts(store: Store) -> None:
    beyond = replace(
        act("receive", 0, subject="B"), occurred_at=NINE.replace(year=9999, month=12, day=31, hour=23)
    )

    done = apply(store, RULES, messages(beyond, *LIFE), now=NOW)
    later = apply(store, RULES, messages(act("note", 1, subject="B")), now=NOW)

    assert (done.appended, done.blocked, later.blocked) == (5, ("B",), ("B",))
    with store.reading() as reading:
        rows = {row.subject: row for row in reading.dossiers()}
    assert (rows["B"].blocked or "").startswith("calendar_range")
    assert (rows["B"].facts, rows["B"].version, rows[SUBJECT].blocked) == (2, 2, None)
    assert [one.get("blocked") is None for one in decisions(store)].count(False) == 2


def test_a_redrive_folds_a_blocked_dossier_again(store: Store) -> None:
    far = replace(act("receive", 0), occurred_at=NINE.replace(year=9999, month=12, day=31, hour=23))
    apply(store, RULES, messages(far), now=NOW)
    mended = catalogue(revision(limits={}), generic())

    with pytest.raises(LedgerError, match="undo the edit"):
        redrive(store, mended, [SUBJECT], now=NOW)
    newer = catalogue(revision(limits={}, revision="2"), generic())
    done = redrive(store, newer, [SUBJECT], now=NOW)

    assert (done.refolded, done.blocked, one_row(store).blocked, one_row(store).version) == (1, (), None, 2)
    assert decisions(store)[-1]["outcome"]["status"] == "applied"


def test_an_unknown_code_is_judged_by_the_generic_procedure_until_its_own_comes(store: Store) -> None:
    unknown = catalogue(generic())
    apply(store, unknown, messages(LIFE[0]), now=NOW)
    assert (one_row(store).procedure, one_row(store).code) == ("generic", CODE)

    apply(store, RULES, messages(LIFE[1]), now=NOW)

    assert one_row(store).procedure == CODE


def test_facts_on_sources_and_officers_begin_no_dossier(store: Store) -> None:
    beat = tell(Heartbeat(), 0, subject="gate")
    first = apply(store, RULES, messages(beat), now=NOW)
    second = apply(store, RULES, messages(beat), now=NOW)

    assert (first.appended, first.dossiers, second.duplicates) == (1, 0, 1)
    assert len(facts_in(store)) == 1


def test_an_erasure_removes_the_received_bytes_and_nothing_else(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)
    erased = tell(BodyErased(target_id=LIFE[0].id, rule="R1", by=Actor(id="o1")), 9)

    done = apply(store, RULES, messages(erased), now=NOW)

    assert done.erased == 1
    with store.reading() as reading:
        received = {row[2]: row[11] for row in reading.proofs()}
    assert received[LIFE[0].id] is None
    assert received[LIFE[1].id] is not None
    assert facts_in(store)[0].body == LIFE[0].body


def test_a_source_erases_only_its_own(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)
    body = BodyErased(target_id=LIFE[0].id, target_source="gate", rule="R1", by=Actor(id="o1"))

    assert apply(store, RULES, messages(tell(body, 9, source="other")), now=NOW).erased == 0


def test_the_position_moves_with_its_batch(store: Store) -> None:
    with store.writing() as writing:
        assert writing.claim("t", 0, log="L") == (0, 1)
    apply(store, RULES, messages(LIFE[0]), now=NOW, position=Position("t", 0, 0, 1, 1))

    with pytest.raises(PositionLost, match="claim the partition again"):
        apply(store, RULES, messages(LIFE[1]), now=NOW, position=Position("t", 0, 0, 1, 1))
    with store.reading() as reading:
        assert reading.position("t", 0) == (1, 1, "L")
    assert len(facts_in(store)) == 1


def test_a_claim_ends_the_one_before_and_refuses_another_log(store: Store) -> None:
    with store.writing() as writing:
        writing.claim("t", 0, log="L", start=7)
    with store.writing() as writing:
        assert writing.claim("t", 0, log="L") == (7, 2)

    with pytest.raises(PositionLost, match="claim"):
        apply(store, RULES, messages(LIFE[1]), now=NOW, position=Position("t", 0, 7, 8, 1))
    with pytest.raises(PositionLost, match="made anew"), store.writing() as writing:
        writing.claim("t", 0, log="M")


def test_a_definition_edited_after_its_first_use_is_refused(store: Store) -> None:
    apply(store, RULES, messages(LIFE[0]), now=NOW)
    edited = catalogue(revision(name=Names(vi="Khác", en="Other")), generic())

    with pytest.raises(LedgerError, match=r"1\.000003 revision 1"):
        apply(store, edited, messages(LIFE[1]), now=NOW)
    assert len(facts_in(store)) == 1


def test_a_changed_definition_of_the_same_content_judges_on(store: Store) -> None:
    apply(store, RULES, messages(LIFE[0]), now=NOW)

    assert apply(store, catalogue(), messages(LIFE[1]), now=NOW).appended == 1


def test_a_value_without_a_canonical_form_becomes_a_dead_letter(store: Store) -> None:
    done = apply(store, RULES, [Told(act("receive", 0, sequence=2**60), b"raw")], now=NOW)

    assert (done.appended, done.dead) == (0, 1)
    with store.reading() as reading:
        assert [letter.reason for letter in reading.dead_letters()] == ["number_too_large"]


def test_a_value_the_database_refuses_becomes_a_dead_letter_and_the_rest_is_taken(store: Store) -> None:
    bad = act("receive", 0, subject="S9", id="bad\0")
    if store.engine.dialect.name == "sqlite":
        with store.engine.begin() as plain:
            plain.exec_driver_sql("CREATE TABLE refused (id TEXT CHECK (id NOT LIKE 'bad%'))")
            plain.exec_driver_sql(
                "CREATE TRIGGER refusing AFTER INSERT ON facts BEGIN INSERT INTO refused VALUES (NEW.id); END"
            )
    with store.writing() as writing:
        writing.claim("t", 0, log="L")
    good = messages(*(act("receive", 0, subject=f"S{number}") for number in range(6)))

    done = apply(
        store,
        RULES,
        [*good[:4], Told(bad, b"raw", place="t/0/4"), *good[4:]],
        now=NOW,
        position=Position("t", 0, 0, 7, 1),
    )

    assert (done.appended, done.dead, len(facts_in(store))) == (6, 1, 6)
    with store.reading() as reading:
        (letter,) = reading.dead_letters()
        assert (letter.reason, bytes(letter.value)) == ("unstorable", b"raw")
        assert reading.position("t", 0) == (7, 1, "L")


def test_two_writers_of_one_new_dossier_one_wins(store: Store, where: str) -> None:
    apply(store, RULES, messages(LIFE[0]), now=NOW)
    fresh = one_row(store)._replace(subject="NEW")
    other = open_store(where)
    begun, failed = threading.Event(), []

    def second() -> None:
        begun.wait(10)
        try:
            with other.writing() as writing:
                writing.put([fresh])
        except VersionConflict as fault:
            failed.append(fault)

    thread = threading.Thread(target=second)
    thread.start()
    with store.writing() as writing:
        writing.put([fresh])
        begun.set()
    thread.join()
    other.close()

    assert len(failed) == 1
    assert failed[0].retriable


def test_two_writers_of_the_same_dossiers_in_turn_lose_nothing(store: Store, where: str) -> None:
    subjects = [f"S{number}" for number in range(8)]
    apply(store, RULES, messages(*(act("receive", 0, subject=one) for one in subjects)), now=NOW)

    def write(name: str, order: list[str]) -> None:
        own = open_store(where)
        for turn in range(5):
            facts = [act("note", turn + 1, subject=one, source=name) for one in order]
            apply(own, RULES, messages(*facts), now=NOW)
        own.close()

    threads = [
        threading.Thread(target=write, args=("a", subjects)),
        threading.Thread(target=write, args=("b", subjects[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.reading() as reading:
        assert [(row.facts, row.version) for row in reading.dossiers()] == [(11, 11)] * 8


def test_a_dossier_changed_in_between_is_not_overwritten(store: Store) -> None:
    apply(store, RULES, messages(LIFE[0]), now=NOW)
    stale = one_row(store)._replace(version=2)
    apply(store, RULES, messages(LIFE[1]), now=NOW)

    with pytest.raises(VersionConflict, match="taken again"), store.writing() as writing:
        writing.put([stale])
    assert (one_row(store).version, one_row(store).facts) == (2, 2)
