"""Linked dossiers on every database: a story goes on under another code; what says so may come, go, or come late."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from keeping import LIFE, NINE, NOW, act, catalogue, message, messages, source, tell, void

from consumers.apply import apply, redrive
from consumers.ticker import tick
from workflow.audit.archive import Archive
from workflow.audit.replay import Replay
from workflow.cli.stores import Seen
from workflow.facts import Linked
from workflow.fold import fold
from workflow.store.judgments import codes_of, pack, unpack
from workflow.store.opening import open_store
from workflow.store.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.facts import Fact
    from workflow.store.rows import DossierRow
    from workflow.store.store import Store

RULES = catalogue()
(SPARE,) = [one for one in RULES.used(RULES.families["generic"].values()) if one.name == "generic"]
OLD, NEW = "A-OLD", "B-NEW"


def old(action: str, hour: float, **more: Any) -> Fact:
    return act(action, hour, subject=OLD, **more)


def new(action: str, hour: float, **more: Any) -> Fact:
    return act(action, hour, subject=NEW, **more)


def link(
    hour: float = 1.5, kind: Any = "new_code", subject: str = OLD, other: str = NEW, **more: Any
) -> Fact:
    return tell(
        Linked(kind=kind, other=other), hour, **{"subject": subject, "id": f"{subject}-{other}", **more}
    )


def take(store: Store, *batches: Iterable[Fact]) -> None:
    for batch in batches:
        apply(store, RULES, messages(*batch), now=NOW)


def rows(store: Store) -> dict[str, DossierRow]:
    with store.reading() as reading:
        return {row.subject: row for row in reading.dossiers()}


def decided(store: Store) -> dict[tuple[str, str], str]:
    with store.reading() as reading:
        said = [one for _, content in reading.outbox() for one in msgspec.json.decode(content)]
    decisions = [one for one in said if one["says"] == "decision"]
    return {(one["subject"], one["id"]): one["outcome"]["status"] for one in decisions}


def differences(store: Store) -> list[Any]:
    with store.reading() as reading:
        archive = Archive(reading.definitions_between(EPOCH, NOW.replace(year=2030)), SPARE)
        return list(Replay(reading, archive).differences())


MOVED = (old("receive", 0), link(), new("approve", 2), new("return_result", 3))


def test_a_dossier_goes_on_under_its_new_code(store: Store) -> None:
    take(store, MOVED)

    found = rows(store)
    assert codes_of(found[OLD]) == codes_of(found[NEW]) == [NEW, OLD]
    assert (found[NEW].state, found[OLD].state) == ("returned", "returned")
    assert found[NEW].committed_due_at == found[OLD].committed_due_at
    assert (found[OLD].facts, found[NEW].facts) == (2, 2)
    judgment = unpack(found[NEW].judgment)
    assert pack(judgment) == pack(fold(RULES.rules_for(MOVED), NEW, MOVED).dossier)
    assert set(decided(store).values()) == {"applied"}
    assert differences(store) == []


def test_however_its_facts_arrive_a_story_comes_to_the_same_and_is_folded_once_a_batch(store: Store) -> None:
    first, second, third, fourth = MOVED
    take(store, [fourth, third], [first])
    assert rows(store)[NEW].linked is None
    done = apply(store, RULES, messages(second), now=NOW)

    found = rows(store)
    assert done.refolded == 2
    assert unpack(found[NEW].judgment).state == "returned"
    assert (
        found[NEW].judgment == found[OLD].judgment == pack(fold(RULES.rules_for(MOVED), NEW, MOVED).dossier)
    )
    assert decided(store)[NEW, third.id] == "applied"
    assert differences(store) == []


def test_a_link_that_is_voided_parts_the_stories_again(store: Store) -> None:
    take(store, MOVED, [void(MOVED[1], 4)])

    found = rows(store)
    assert (found[OLD].linked, found[NEW].linked) == (None, None)
    assert (found[OLD].state, found[NEW].state) == ("checking", "returned")
    assert decided(store)[NEW, MOVED[2].id] == "refused"
    assert differences(store) == []


def test_a_code_known_by_its_link_alone_waits_for_its_facts(store: Store) -> None:
    apply(store, RULES, messages(*MOVED[:2]), now=NINE)
    found = rows(store)
    assert (found[NEW].facts, found[NEW].state, found[OLD].next_due_at) == (0, "checking", None)
    assert found[NEW].next_due_at is not None

    take(store, MOVED[2:])

    assert rows(store)[OLD].state == "returned"
    take(
        store,
        [void(MOVED[1], 5)],
        [link(1.6, subject="C", other="D")],
        [void(link(1.6, subject="C", other="D"), 6)],
    )
    assert rows(store)["D"].facts == 0
    assert differences(store) == []


def test_a_chain_of_codes_is_one_story_under_the_last(store: Store) -> None:
    take(store, [*MOVED[:2], link(1.7, subject=NEW, other="C-LAST")], [act("approve", 2, subject="C-LAST")])

    found = rows(store)
    assert list(found) == [OLD, NEW, "C-LAST"]
    assert all(codes_of(row) == ["C-LAST", OLD, NEW] for row in found.values())
    assert found["C-LAST"].state == "approved"
    assert differences(store) == []


def test_the_same_id_under_two_codes_stays_two_facts(store: Store) -> None:
    take(store, [old("receive", 0), link(), old("note", 1, id="n"), new("note", 2, id="n")])
    assert rows(store)[NEW].facts == 1

    take(store, [void(new("note", 2, id="n"), 4)])

    assert decided(store)[NEW, "n"] == "voided"
    assert decided(store)[OLD, "n"] == "applied"


def test_a_reopened_dossier_begins_again_and_its_clock_runs_on(store: Store) -> None:
    life = [one for one in LIFE if one.subject]
    ended = [
        act(one.body.action, hour, subject=OLD)
        for hour, one in enumerate(life)
        if hasattr(one.body, "action")
    ]
    take(store, [*ended, link(10, "reopened_as")], [new("receive", 11), new("approve", 12)])

    found = rows(store)[NEW]
    assert (found.state, found.ended_at) == ("approved", None)
    assert found.received_at == rows(store)[OLD].received_at
    assert set(decided(store).values()) == {"applied"}
    assert unpack(found.judgment).received_at == ended[0].occurred_at
    assert differences(store) == []


def test_links_that_only_relate_join_nothing(store: Store) -> None:
    for number, kind in enumerate(("split", "merged", "duplicate_of", "phase_of")):
        one = f"S{number}"
        take(store, [act("receive", 0, subject=one), link(1, kind, subject=one, other="S-OTHER")])

    assert {row.linked for row in rows(store).values()} == {None}


def test_a_blocked_story_keeps_its_facts_and_a_redrive_folds_it(store: Store) -> None:
    far = old("receive", 0)
    far = msgspec.structs.replace(
        far, occurred_at=far.occurred_at.replace(year=9999, month=12, day=31, hour=23)
    )
    take(store, [far, link(), new("approve", 2)])
    assert {bool(row.blocked) for row in rows(store).values()} == {True}

    take(store, [void(far, 4)])

    assert redrive(store, RULES, [OLD], now=NOW).refolded == 2
    assert {row.blocked for row in rows(store).values()} == {None}


def test_two_writers_of_one_story_in_turn_lose_nothing(store: Store, where: str) -> None:
    take(store, MOVED[:2])

    def write(code: str) -> None:
        own = open_store(where)
        for turn in range(5):
            apply(own, RULES, [message(act("note", 2 + turn, subject=code, source=code))], now=NOW)
        own.close()

    threads = [threading.Thread(target=write, args=(code,)) for code in (OLD, NEW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = rows(store)
    assert (found[OLD].facts, found[NEW].facts) == (7, 5)
    assert found[OLD].judgment == found[NEW].judgment
    assert differences(store) == []


def test_a_batch_of_repetitions_of_a_story_touches_nothing(store: Store) -> None:
    take(store, MOVED)
    before = rows(store)

    done = apply(store, RULES, messages(*MOVED), now=NOW + timedelta(hours=1))

    assert (done.duplicates, done.dossiers, rows(store)) == (4, 0, before)


def test_one_who_looks_sees_one_dossier_from_when_the_link_was_known(store: Store) -> None:
    later = NOW + timedelta(days=1)
    apply(store, RULES, messages(MOVED[0], MOVED[2]), now=NOW)
    apply(store, RULES, messages(MOVED[1]), now=later)

    def seen(at: str | None, known_at: str | None) -> list[tuple[str, str]]:
        looked = Seen(store, at, known_at, later)
        return [(one.dossier.subject, one.dossier.state) for one in looked.judged()]

    assert seen(None, None) == [(NEW, "approved")]
    assert seen(None, later.isoformat()) == [(NEW, "approved")]
    assert seen(None, (later - timedelta(hours=1)).isoformat()) == [(OLD, "checking"), (NEW, "new")]
    assert seen((NINE + timedelta(hours=1)).isoformat(), None) == [(OLD, "checking")]
    assert {fact.subject for fact in Seen(store, None, None, later).facts(OLD)} == {OLD, NEW}
    assert Seen(store, None, None, later).one(OLD).dossier.subject == NEW


def test_a_refusal_stays_with_its_own_code_wherever_the_story_goes_on(store: Store) -> None:
    rules = catalogue(sources={"gate": source("gate")})
    moved, last = link(), link(2.2, subject=NEW, other="C-LAST")
    batches = [
        [old("receive", 0), moved, old("return_result", 1.7)],
        [old("approve", 2)],
        [new("approve", 2.1), last],
        [act("approve", 2.5, subject="C-LAST")],
        [void(last, 4)],
        [void(moved, 4)],
        [old("approve", 5)],
        [new("approve", 6)],
    ]
    for day, batch in enumerate(batches):
        apply(store, rules, messages(*batch), now=NOW + timedelta(days=day))
        tick(store, rules, now=NOW + timedelta(days=day, hours=20))

    with store.reading() as reading:
        kept = {row.id: row for row in reading.alerts()}
        counts = {row.subject: row.alerts for row in reading.dossiers()}
    refused = [fact for batch in batches for fact in batch if fact.id.startswith("approve")]
    assert set(kept) == {f"refused_event/{one.subject}/{one.source}/{one.id}/0" for one in refused}
    assert {row.state for row in kept.values()} == {"raised"}
    assert counts == {OLD: 2, NEW: 2, "C-LAST": 1}


def test_codes_that_cannot_be_read_block_their_dossier_alone_where_time_looks_at_it(store: Store) -> None:
    take(store, [old("receive", 0)], [act("receive", 0, subject="Z")])
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE dossiers SET linked = '[', next_due_at = 1 WHERE subject = '{OLD}'"
        )
        connection.exec_driver_sql("UPDATE dossiers SET next_due_at = 1 WHERE subject = 'Z'")

    done = tick(store, RULES, now=NOW)

    found = rows(store)
    assert done.dossiers == 2
    assert "store_corrupt" in str(found[OLD].blocked)
    assert found["Z"].blocked is None
