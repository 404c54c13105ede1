"""What the rows of a dossier are read as, in whatever order they lie: held against each fact read by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from oracle.agreement import rules_of
from searching import examples
from strategies_clocks import clocked_cases
from strategies_facts import START, SUBJECT, Case, cases

from workflow.factrows import FactRows
from workflow.facts import Acted, Fact
from workflow.fold import fold, judgment_bytes
from workflow.store import bodies as reading
from workflow.store.bodies import FACT_COLUMNS, Bodies, prepare, row
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from random import Random

    import pytest

    Row = tuple[Any, ...]


def rows_of(facts: list[Fact]) -> list[Row]:
    """The columns of a fact for each identity among these, in the order a replay reads them."""
    bodies, found = Bodies(), {}
    for number, fact in enumerate(facts):
        recorded = number if fact.recorded_at is None else to_us(fact.recorded_at)
        whole = row(prepare(replace(fact, recorded_at=None), bodies), b"", recorded, b"")
        found[fact.source, fact.id, fact.revision] = [
            getattr(whole, name) for name in FACT_COLUMNS.split(", ")
        ]
    return sorted(map(tuple, found.values()), key=lambda one: (one[4], one[7]))


@settings(max_examples=examples(250))
@given(cases() | clocked_cases(), st.randoms(use_true_random=False))
def test_rows_in_any_order_are_judged_as_their_facts_are(one: Case, rng: Random) -> None:
    rules, rows = rules_of(one.revision, one.sources), rows_of(one.facts)
    bodies = Bodies()
    plain = judgment_bytes(fold(rules, SUBJECT, [bodies.fact(one) for one in rows]))

    for told in (rows, rng.sample(rows, len(rows))):
        again = bodies.dossier(told)
        assert judgment_bytes(fold(rules, SUBJECT, again)) == plain
        assert {(fact.source, fact.id, fact.revision) for fact in again} == {one[1:4] for one in rows}


def test_acts_of_one_source_lie_as_rows_in_their_order_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the law above would hold for want of cases; what is remembered of their bodies changes nothing."""
    submitted = START - timedelta(days=1)
    acts = [
        Fact(SUBJECT, "desk", f"e{n}", START + n * timedelta(hours=1), body, sequence=n)
        for n, body in enumerate(
            (
                Acted(action="send", submitted_at=submitted),
                Acted(action="a"),
                Acted(action="b"),
                Acted(action="a"),
            )
        )
    ]
    rows = rows_of(acts)
    monkeypatch.setattr(reading, "MEMO_MAX", 1)

    told, turned = Bodies().dossier(rows), Bodies().dossier(rows[::-1])

    assert isinstance(told, FactRows)
    assert not isinstance(turned, FactRows)
    assert list(told) == [replace(fact, recorded_at=None) for fact in acts]
    assert sorted(fact.id for fact in turned) == sorted(fact.id for fact in told)
