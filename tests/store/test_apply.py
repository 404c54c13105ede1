"""A batch in one transaction: appended once, judged as a fold would, said once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from judging import NINE, SUBJECT, act, revision, tell, void, with_action
from msgspec.structs import replace

from consumers.apply import Applied, apply
from workflow.catalogue import Catalogue
from workflow.errors import LedgerError, StoreChanged
from workflow.facts import Acted, Actor, BodyErased, Heartbeat
from workflow.fold import fold
from workflow.procedure.language import Anchor, Binds, Limit
from workflow.rules import compile_rules
from workflow.store.opening import Store, open_store
from workflow.store.stored import Told, pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.facts import Fact
    from workflow.store.stored import DossierRow

NOW = NINE + timedelta(days=3)
GENERIC = revision(procedure="generic", generic=True)
CATALOGUE = Catalogue([revision(), GENERIC], {}, {})
STORY = [
    act("receive", 0),
    act("note", 1),
    act("note", 2),
    act("approve", 3),
    act("return_result", 4),
    act("approve", 5),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "dunghen.db")
    yield opened
    opened.close()


def take(store: Store, *facts: Fact, catalogue: Catalogue = CATALOGUE, **more: Any) -> Applied:
    batch = [Told(fact, fact.id.encode()) for fact in facts]
    return apply(store, catalogue, batch, now=NOW, salt=lambda: b"s" * 16, **more)


def row(store: Store) -> DossierRow:
    with store.reading() as reader:
        return reader.dossiers([SUBJECT])[SUBJECT]


def said(store: Store) -> list[tuple[int, str, int]]:
    with store.reading() as reader:
        bodies = [msgspec.json.decode(body) for _, body in reader.outbox()]
    return [
        (one["version"], one["id"], len(one["outcome"].get("violations", ())))
        for body in bodies
        for one in body
    ]


@pytest.mark.parametrize("seed", range(12))
def test_batches_and_order_of_arrival_do_not_change_the_judgment(store: Store, seed: int) -> None:
    rng = Random(seed)
    facts = [*STORY, void(STORY[2], 6)] if seed % 2 else list(STORY)
    arriving = rng.sample(facts, len(facts)) if seed else facts
    while arriving:
        size = rng.randint(1, 3)
        take(store, *arriving[:size], rng.choice(arriving[:size]))
        arriving = arriving[size:]
    expected = fold(compile_rules(GENERIC), SUBJECT, facts).dossier
    assert row(store).columns["judgment"] == pack(expected)
    assert row(store).columns["facts"] == len(facts)


def test_recorded_times_grow_within_a_dossier(store: Store) -> None:
    take(store, *STORY[:3])
    take(store, *STORY[3:])
    with store.reading() as reader:
        times = [fact.recorded_at for fact in reader.facts(SUBJECT)]
    assert times == [NOW + timedelta(microseconds=number) for number in range(len(STORY))]


def test_the_same_fact_is_kept_once_and_another_content_is_a_dead_letter(store: Store) -> None:
    first = take(store, STORY[0], STORY[0])
    again = take(store, STORY[0], replace(STORY[0], occurred_at=NINE + timedelta(hours=9)))
    assert (first.appended, first.duplicates, first.dead) == (1, 1, 0)
    assert (again.appended, again.duplicates, again.dead) == (0, 1, 1)
    with store.reading() as reader:
        assert [(one["reason"], one["value"]) for one in reader.dead_letters()] == [
            ("id_conflict", b"receive-0")
        ]
    assert row(store).columns["version"] == 1


def test_a_late_fact_says_only_what_became_different(store: Store) -> None:
    take(store, STORY[0], STORY[4])
    take(store, STORY[3])
    assert said(store) == [
        (1, "receive-0", 0),
        (1, "return_result-4", 1),
        (2, "approve-3", 0),
        (2, "return_result-4", 0),
    ]


def test_a_code_named_later_moves_the_dossier_to_its_procedure(store: Store) -> None:
    take(store, STORY[0])
    assert row(store).columns["procedure"] == "generic"
    take(store, tell(Acted(action="approve", procedure="1.000003"), 3, id="named"))
    assert row(store).columns["procedure"] == "1.000003"
    take(store, STORY[4])
    assert (row(store).columns["state"], row(store).columns["version"]) == ("returned", 3)


def test_a_dossier_that_cannot_be_judged_is_blocked_alone_and_keeps_its_facts(store: Store) -> None:
    limit = Limit(
        counts="hours", within=1, binds=Binds(action="approve"), starts=Anchor(milestone="received")
    )
    hourly = Catalogue([revision(procedure="generic", generic=True, limits={"hour": limit})], {}, {})
    last_moment = replace(STORY[0], occurred_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    other = replace(STORY[0], subject="another")
    done = take(store, last_moment, other, catalogue=hourly)
    assert (done.blocked, done.appended) == ((SUBJECT,), 2)
    assert row(store).columns["blocked"] is not None
    healed = take(store, void(last_moment, 1), act("receive", 2), catalogue=hourly)
    assert healed.blocked == ()
    assert (row(store).columns["blocked"], row(store).columns["state"]) == (None, "checking")


def test_an_erasure_is_a_fact_and_empties_the_bytes(store: Store) -> None:
    take(store, *STORY[:2])
    body = BodyErased(target_id=STORY[0].id, rule="expired", by=Actor(id="keeper"))
    take(store, tell(body, 9))
    with store.reading() as reader:
        received = reader._connection.exec_driver_sql("SELECT received FROM facts ORDER BY seq").all()  # noqa: SLF001 - to see
        assert reader.altered() == []
    assert [one[0] for one in received] == [None, b"note-1", b"BodyErased-9"]


def test_what_is_no_dossier_has_no_state(store: Store) -> None:
    take(store, tell(Heartbeat(), 1))
    assert (row(store).columns["facts"], row(store).dossier) == (1, None)


def test_a_definition_edited_after_its_first_use_is_refused_and_nothing_is_written(store: Store) -> None:
    take(store, STORY[0])
    edited = revision(procedure="generic", generic=True, actions=with_action("note", milestone="ready"))
    with pytest.raises(LedgerError) as caught:
        take(store, STORY[1], catalogue=Catalogue([edited], {}, {}))
    assert caught.value.code == "edited_definition"
    assert row(store).columns["facts"] == 1


def test_a_batch_of_a_lost_claim_writes_nothing(store: Store) -> None:
    with store.writing() as writer:
        mine = writer.claim("dossiers", 0, "log")
    moved = take(store, STORY[0], position=(mine, 5)).position
    with store.writing() as writer:
        writer.claim("dossiers", 0, "log")
    assert moved is not None
    with pytest.raises(StoreChanged):
        take(store, STORY[1], position=(moved, 6))
    assert row(store).columns["facts"] == 1
