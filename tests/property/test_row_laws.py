"""What the rows of a dossier are read as, in whatever order they lie: held against each fact read by itself. And a
judgment as bytes and back, held against the plain list of its fields."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple, replace
from oracle.agreement import rules_of
from searching import examples
from strategies_clocks import clocked_cases
from strategies_facts import START, SUBJECT, Case, cases

from workflow.factrows import FactRows, identities
from workflow.facts import Acted, Fact
from workflow.fold import fold, judgment_bytes
from workflow.model import Dossier
from workflow.store import bodies as reading
from workflow.store.bodies import FACT_COLUMNS, Bodies, prepare, row
from workflow.store.judgments import pack, unpack
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from random import Random

    Row = tuple[Any, ...]


VALUES = (
    st.decimals(allow_nan=False) | st.dates() | st.datetimes(timezones=st.just(UTC)) | st.text() | st.none()
)


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
        assert list(identities(again)) == [(fact.source, fact.id, fact.revision) for fact in again]


@settings(max_examples=examples(250))
@given(cases() | clocked_cases(), st.lists(VALUES, max_size=2))
def test_a_judgment_is_kept_as_the_list_of_its_fields(one: Case, told: list[Any]) -> None:
    dossier = fold(rules_of(one.revision, one.sources), SUBJECT, one.facts).dossier
    dossier.registers += told
    values = dict(zip(dossier.__struct_fields__, astuple(dossier), strict=True))
    values["registers"] = list(map(extended, dossier.registers))
    values["appointments"] = [(extended(slip.at), slip.cause, slip.told_at) for slip in dossier.appointments]

    kept = pack(dossier)

    assert kept == msgspec.msgpack.encode(list(values.values()))
    assert unpack(kept) == dossier
    assert list(map(type, unpack(kept).registers)) == list(map(type, dossier.registers))


def extended(value: object) -> object:
    """Exact decimals and days of the calendar by codes of their own, as MessagePack has neither."""
    code = {Decimal: 1, date: 2}.get(type(value))
    return value if code is None else msgspec.msgpack.Ext(code, str(value).encode())


def test_a_judgment_with_more_or_fewer_fields_than_ours_is_not_read() -> None:
    dossier = Dossier(subject="d", revision="1", state="new", registers=[], firsts=[], lasts=[], counts=[])
    fields = msgspec.msgpack.decode(pack(dossier))

    for other in ([*fields, 1], fields[:-1]):
        with pytest.raises(msgspec.DecodeError):
            unpack(msgspec.msgpack.encode(other))


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
