"""Refusals that come and go: a receipt that comes late takes them back, and where it is voided they come again."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from keeping import NINE, SUBJECT, act, catalogue, messages, source, void

from consumers.apply import apply
from consumers.ticker import tick
from workflow.fold import fold
from workflow.messages import read

if TYPE_CHECKING:
    from workflow.store.store import Store

HOUR = timedelta(hours=1)


def receipts(rng: Random) -> list[Any]:
    """Receipts and their voids, each told at another time than it speaks of."""
    told = [act("receive", hour, id=f"receipt-{hour}") for hour in (0, 1)]
    return [*told, *(void(one, 5, id=f"void-{one.id}") for one in told[: rng.randrange(3)])]


@pytest.mark.parametrize("seed", range(12))
def test_each_refusal_is_told_in_turn_however_its_receipt_comes_and_goes(store: Store, seed: int) -> None:
    rng, rules = Random(seed), catalogue(sources={"gate": source("gate")})
    notes = [act("note", hour) for hour in (2, 2.5, 3)]
    facts = [*notes, *receipts(rng)]
    waiting, now = rng.sample(facts, len(facts)), NINE + 6 * HOUR
    while waiting:
        taken = rng.randrange(1, 3)
        apply(store, rules, messages(*waiting[:taken]), now=now)
        waiting, now = waiting[taken:], now + 2 * HOUR
        tick(store, rules, now=now)

    told = defaultdict(list)
    with store.reading() as reading:
        for _, content in reading.outbox():
            for one in read(content):
                said = msgspec.json.decode(one.data)
                if said["says"] == "alert" and said["alert"]["kind"] == "refused_event":
                    told[said["alert"]["id"]].append((said["n"], said["change"]))
        kept = {row.id: row for row in reading.alerts([SUBJECT])}
        (dossier,) = reading.dossiers()
        judged = fold(rules.rules_for(facts), SUBJECT, list(reading.facts()))
    refused = {
        f"refused_event/{SUBJECT}/{fact.source}/{fact.id}/{fact.revision}"
        for fact, outcome in zip(judged.facts, judged.outcomes, strict=True)
        if outcome.status == "refused"
    }
    standing = {row.id for row in kept.values() if row.kind == "refused_event" and row.state == "raised"}
    assert standing == refused
    assert dossier.alerts == len(kept)
    for name, changes in told.items():
        turns = [(n, "raised" if n % 2 else "retracted") for n in range(1, len(changes) + 1)]
        assert changes == turns
        assert kept[name].n == len(turns)
