"""The outbox as a relay takes it: each batch until it is marked, in an order that holds for each dossier, one relay."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from keeping import LIFE, NINE, NOW, act, catalogue, messages

from consumers.apply import apply
from workflow.errors import StoreUnreachable
from workflow.store.looking import backlog
from workflow.store.opening import open_store
from workflow.store.rows import from_us, to_us

if TYPE_CHECKING:
    from workflow.store.store import Store


def say(store: Store, *contents: bytes) -> None:
    for content in contents:
        with store.writing() as writing:
            writing.say(to_us(NOW), 1, content)


def contents_left(store: Store) -> list[bytes]:
    with store.relaying() as outbox:
        assert outbox is not None
        return [batch.content for batch in outbox.unsent(100)]


def test_batches_stay_until_they_are_marked_and_are_kept_after(store: Store) -> None:
    say(store, b"1", b"2", b"3")
    with store.relaying() as outbox:
        assert outbox is not None
        first = outbox.unsent(2)
        assert outbox.unsent(2) == first
        outbox.sent(first, NOW)

    assert [batch.content for batch in first] == [b"1", b"2"]
    assert contents_left(store) == [b"3"]
    with store.reading() as reading:
        assert [content for _, content in reading.outbox()] == [b"1", b"2", b"3"]


def test_a_batch_that_commits_after_a_higher_one_was_sent_is_sent_too(where: str) -> None:
    if "://" not in where:
        pytest.skip("SQLite has one writer: no lower number commits later")
    slow, quick = open_store(where), open_store(where)
    with slow.writing() as writing:
        writing.say(to_us(NOW), 1, b"lower")
        say(quick, b"higher")
        with quick.relaying() as outbox:
            assert outbox is not None
            sent = outbox.unsent(10)
            outbox.sent(sent, NOW)

    assert [batch.content for batch in sent] == [b"higher"]
    assert contents_left(quick) == [b"lower"]
    slow.close()
    quick.close()


def test_of_two_batches_of_one_dossier_the_later_is_never_seen_alone(where: str) -> None:
    """Two writers race for one dossier many times; whoever is seen in the outbox, those before it are seen too."""
    if "://" not in where:
        pytest.skip("SQLite has one writer")
    stores = [open_store(where) for _ in range(3)]
    apply(stores[0], catalogue(), messages(*LIFE[:1]), now=NOW)

    def write(store: Store, name: str) -> None:
        for number in range(20):
            with store.writing() as writing:
                writing.lock([LIFE[0].subject])
                writing.say(to_us(NOW) + number, 1, name.encode())

    seen: list[list[int]] = []
    writers = [Thread(target=write, args=(one, name)) for one, name in zip(stores, "ab", strict=False)]
    for writer in writers:
        writer.start()
    with stores[2].relaying() as outbox:
        assert outbox is not None
        while any(writer.is_alive() for writer in writers):
            seen.append([batch.seq for batch in outbox.unsent(100)])
        whole = [batch.seq for batch in outbox.unsent(100)]

    assert len(whole) == 41
    assert all(one == whole[: len(one)] for one in seen)
    for store in stores:
        store.close()


def test_one_relay_at_a_time_and_the_next_when_it_ends(store: Store, where: str) -> None:
    other = open_store(where)
    with store.relaying() as first, other.relaying() as second:
        assert first is not None
        assert second is None
    with other.relaying() as third:
        assert third is not None
    other.close()


def test_a_relay_that_hangs_is_ousted_and_finds_out(where: str) -> None:
    if "://" not in where:
        pytest.skip("SQLite: the lock ends with its process, and there is one")
    hung, other = open_store(where), open_store(where)
    say(other, b"1")

    def hang() -> None:
        with hung.relaying() as first, other.relaying(oust=True) as second:
            assert first is not None
            assert second is not None
            second.sent(second.unsent(1), NOW)
            first.unsent(1)

    with pytest.raises(StoreUnreachable):
        hang()
    with hung.relaying() as again:
        assert again is not None
    hung.close()
    other.close()


def test_what_is_said_in_shadow_is_kept_and_never_sent(where: str) -> None:
    shadow = open_store(where, shadow=True)
    apply(shadow, catalogue(), messages(*LIFE), now=NOW)

    assert contents_left(shadow) == []
    with shadow.reading() as reading:
        assert len(reading.outbox()) == 1
    shadow.close()
    live = open_store(where)
    assert contents_left(live) == []
    apply(live, catalogue(), messages(act("note", 4)), now=NOW)
    assert len(contents_left(live)) == 1
    live.close()


def test_what_waits_is_counted(store: Store) -> None:
    now = NOW + timedelta(seconds=30)
    assert backlog(store, now) == backlog(store, NOW)
    assert backlog(store, now).oldest_s == backlog(store, now).due_s == 0
    apply(store, catalogue(), messages(act("receive", 0)), now=NINE)
    with store.reading() as reading:
        (row,) = reading.dossiers()
    assert row.next_due_at is not None
    assert backlog(store, from_us(row.next_due_at) + timedelta(seconds=70)).due_s == 70
    with store.relaying() as outbox:
        assert outbox is not None
        outbox.sent(outbox.unsent(10), NOW)
    say(store, b"1", b"2")
    with store.relaying() as outbox:
        assert outbox is not None
        outbox.sent(outbox.unsent(1), NOW)

    found = backlog(store, now)
    assert (found.blocked, found.dead_letters, found.batches, found.messages, found.oldest_s) == (
        0,
        (),
        1,
        1,
        30,
    )


def test_a_mark_tells_when(store: Store) -> None:
    say(store, b"1")
    with store.relaying() as outbox:
        assert outbox is not None
        outbox.sent(outbox.unsent(1), NOW)
    with store.engine.connect() as plain:
        ((sent_at,),) = plain.exec_driver_sql("SELECT sent_at FROM outbox")

    assert from_us(sent_at) == NOW
