"""Dead letters taken again: each ends once, under its own ids, whatever interrupts it; on every database."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from keeping import LIFE, NOW, SUBJECT, catalogue, messages
from mortal import Mortals
from msgspec.structs import replace

from consumers.apply import ApplyLimits, Beside, apply, letter
from consumers.codec import encode
from consumers.decoding import BY_REFERENCE
from consumers.redriving import redriven
from consumers.streams import Unreadable
from workflow.store.bodies import Told
from workflow.store.letters import letter as letter_of
from workflow.store.letters import letters
from workflow.store.looking import dead_letters
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from mortal import Fault

    from consumers.redriving import Redriven
    from workflow.store.letters import Kept
    from workflow.store.store import Store

RULES = catalogue()
LATER = NOW + timedelta(hours=1)


def waiting(store: Store) -> list[Kept]:
    with store.reading() as reading:
        return letters(reading, 0)


def everything(store: Store) -> list[list[str]]:
    """All that a redrive could change."""
    tables = ("facts", "dossiers", "outbox", "alerts", "dead_letters")
    with store.reading() as reading:
        return [sorted(repr(row) for row in reading.ask(f"SELECT * FROM {table}")) for table in tables]


def again(store: Store, *, keep: bool = True) -> list[Redriven]:
    return [redriven(store, RULES, one, {}, now=LATER, keep=keep) for one in waiting(store)]


def bury_unread(store: Store, *unread: Unreadable) -> None:
    apply(store, RULES, [], now=NOW, beside=Beside(letters=[letter(one, NOW) for one in unread]))


def unread(value: bytes, place: str = "t/0/7") -> Unreadable:
    return Unreadable(value, place, SUBJECT.encode(), (("h", b"\xff"),), "unknown_type", "was not known then")


def test_a_letter_that_can_be_read_today_is_taken_with_its_place_and_ids(store: Store) -> None:
    bury_unread(store, *(unread(encode(fact), f"t/0/{n}") for n, fact in enumerate(LIFE)))
    done = again(store)

    assert [(one.outcome, one.place) for one in done] == [("taken", f"t/0/{n}") for n in range(len(LIFE))]
    with store.reading() as reading:
        assert [(one.id, one.occurred_at) for one in reading.facts()] == [
            (one.id, one.occurred_at) for one in LIFE
        ]
        (row,) = reading.dossiers([SUBJECT])
        assert (row.state, row.facts) == ("returned", 4)
        kept = letter_of(reading, done[0].number)
    assert kept is not None
    assert kept.redriven_at is not None
    assert (kept.letter.value, kept.letter.headers) == (encode(LIFE[0]), b'[["h","/w=="]]')
    assert (waiting(store), dead_letters(store)) == ([], ())


def test_letters_in_any_order_come_to_what_the_facts_in_their_order_come_to(store: Store) -> None:
    bury_unread(store, *(unread(encode(fact)) for fact in reversed(LIFE)))
    again(store)
    with store.reading() as reading:
        (row,) = reading.dossiers([SUBJECT])
    assert (row.state, row.facts, row.deviated) == ("returned", 4, False)


def test_a_second_redrive_has_no_effect(store: Store) -> None:
    bury_unread(store, *(unread(encode(fact)) for fact in LIFE))
    listed = waiting(store)
    again(store)
    before = everything(store)

    assert again(store) == []
    # As one that had read the list before the other had finished.
    assert {redriven(store, RULES, one, {}, now=LATER).outcome for one in listed} == {"nothing"}
    assert everything(store) == before


def test_a_letter_whose_fact_came_otherwise_since_is_known_and_adds_nothing(store: Store) -> None:
    bury_unread(store, unread(encode(LIFE[0])))
    apply(store, RULES, messages(LIFE[0]), now=NOW)

    assert [one.outcome for one in again(store)] == ["known"]
    with store.reading() as reading:
        assert len(list(reading.facts())) == 1
    assert waiting(store) == []


def test_what_still_cannot_be_read_stays_with_the_reason_of_today(store: Store) -> None:
    bury_unread(store, unread(b"{"))
    (done,) = again(store)

    assert (done.before, done.outcome, done.reason) == ("unknown_type", "stays", "not_json")
    (kept,) = waiting(store)
    assert (kept.letter.reason, kept.letter.value, kept.letter.place) == ("not_json", b"{", "t/0/7")


def test_of_a_message_kept_by_reference_nothing_changes(store: Store) -> None:
    bury_unread(
        store, Unreadable(b'{"bytes":9}', "t/0/1", None, ((BY_REFERENCE, b"true"),), "message_too_large", "9")
    )
    before = everything(store)
    assert [(one.outcome, one.reason) for one in again(store)] == [("stays", "message_too_large")]
    assert everything(store) == before


def test_what_was_beyond_a_limit_is_taken_when_the_limit_is_higher(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW, limits=ApplyLimits(facts_per_dossier_max=2))
    assert {one.letter.reason for one in waiting(store)} == {"too_many_facts"}
    assert [one.outcome for one in again(store)] == ["taken", "taken"]
    with store.reading() as reading:
        (row,) = reading.dossiers([SUBJECT])
    assert (row.state, row.facts) == ("returned", 4)


def test_a_conflict_stays_a_conflict_and_is_not_said_again(store: Store) -> None:
    other = replace(LIFE[0], occurred_at=LIFE[0].occurred_at + timedelta(minutes=1))
    apply(store, RULES, messages(LIFE[0]), now=NOW)
    apply(store, RULES, [Told(other, encode(other), place="t/0/2")], now=NOW)
    with store.reading() as reading:
        said = reading.outbox()
    assert [(one.outcome, one.reason) for one in again(store)] == [("stays", "id_conflict")]
    assert len(waiting(store)) == 1
    with store.reading() as reading:
        assert reading.outbox() == said


def test_a_dry_run_says_the_same_and_keeps_nothing(store: Store) -> None:
    bury_unread(store, unread(encode(LIFE[0])), unread(b"{"))
    before = everything(store)
    told = again(store, keep=False)
    assert everything(store) == before
    assert again(store) == told


@pytest.mark.parametrize("fault", ["kill", "error", "reply"])
def test_interrupted_at_any_call_it_goes_on_and_each_letter_ends_once(where: str, fault: Fault) -> None:
    """In processes of their own: killed, the call fails, or a commit is made and its answer lost."""
    interrupted = 0
    with Mortals() as mortals, closing(open_store(where)) as store:
        bury_unread(store, *(unread(encode(fact)) for fact in LIFE))
        for nth in range(1, 200):
            if mortals.run(where, "redrive", fault, nth) == 0:
                break
            interrupted += 1
            with store.reading() as reading:
                assert len(list(reading.facts())) + len(waiting(store)) == len(LIFE)
        with store.reading() as reading:
            (row,) = reading.dossiers([SUBJECT])
        assert (row.state, row.facts) == ("returned", 4)
        assert waiting(store) == []
    assert interrupted >= (2 if fault == "reply" else len(LIFE))


def test_numbers_that_are_not_there_are_none(store: Store) -> None:
    with store.reading() as reading:
        assert letter_of(reading, 99) is None


@pytest.mark.parametrize("reason", ["not_json", "unknown_type"])
def test_letters_are_found_by_their_reason(store: Store, reason: str) -> None:
    bury_unread(store, unread(b"{"), replace_reason(unread(b"["), "not_json"))
    with store.reading() as reading:
        found = letters(reading, 0, reason=reason)
    assert [one.letter.reason for one in found] == [reason]


def replace_reason(one: Unreadable, reason: str) -> Unreadable:
    return one._replace(reason=reason)
