"""The canonical form of a fact, held against another writer of RFC 8785."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from unicodedata import normalize

import pytest
import rfc8785
from hypothesis import assume, given, settings
from msgspec.structs import asdict, force_setattr, replace
from searching import examples
from strategies_messages import any_facts, awkward_texts

from workflow.canonical import canonical, digest, same_content
from workflow.errors import InputError
from workflow.facts import Acted, Appointment, Counted, Fact, Opened, PauseUsed

AT = datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)
LOCAL = timezone(timedelta(hours=7))
FACT = Fact("d1", "s", "e1", AT, Acted(action="receive", data={"fee": "12.00", "plots": 2}))


def _naive(value: Any) -> Any:
    """What the form of a value should be, by the page of RFC 8785 and the module's own docstring."""
    match value:
        case str():
            return normalize("NFC", value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        case date():
            return f"{value:%Y-%m-%d}"
        case dict():
            return {normalize("NFC", name): _naive(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_naive(inner) for inner in value]
        case bool() | int() | None:
            return value
    body = {name: _naive(inner) for name, inner in asdict(value).items() if inner != _default(value, name)}
    tag = value.__struct_config__.tag
    return body | ({"type": tag} if tag else {})


def _default(value: Any, name: str) -> Any:
    names = list(value.__struct_fields__)
    defaults = dict(zip(reversed(names), reversed(value.__struct_defaults__), strict=False))
    default = defaults.get(name, ...)
    return {} if type(default).__name__ == "Factory" else default


def _form(fact: Fact) -> dict[str, Any]:
    columns = asdict(replace(fact, recorded_at=None))
    kept = {name: _naive(inner) for name, inner in columns.items() if inner not in (0, None)}
    return kept | {"body": _naive(fact.body)}


@settings(max_examples=examples(50))
@given(any_facts(awkward_texts()))
def test_canonical_form_is_rfc_8785_of_the_columns(fact: Fact) -> None:
    maps = [value for value in asdict(fact.body).values() if isinstance(value, dict)]
    assume(all(len({normalize("NFC", name) for name in names}) == len(names) for names in maps))

    assert canonical(fact) == rfc8785.dumps(_form(fact))
    assert digest(fact) == sha256(rfc8785.dumps(_form(fact))).digest()


def test_names_are_sorted_by_utf16_units_not_by_code_points() -> None:
    fact = replace(FACT, body=Acted(action="a", data={"\U0001f600": 1, "\ufb33": 2, "b": 3}))

    assert '{"b":3,"\U0001f600":1,"\u05d3\u05bc":2}'.encode() not in canonical(fact)
    assert rfc8785.dumps({"b": 3, "\U0001f600": 1, normalize("NFC", "\ufb33"): 2}) in canonical(fact)


def test_texts_within_lists_are_composed_too() -> None:
    fact = replace(FACT, body=Acted(action="a", documents=("do\u0302n",)))

    assert '"documents":["d\u00f4n"]'.encode() in canonical(fact)


@pytest.mark.parametrize("later", ["\ufb00", "\ue000", "\uffe5"])
def test_astral_names_come_before_those_of_the_upper_basic_plane(later: str) -> None:
    fact = replace(FACT, body=Acted(action="a", data={later: 2, "\U00010000": 1}))

    assert f'{{"\U00010000":1,"{later}":2}}'.encode() in canonical(fact)


def test_the_form_is_the_one_it_always_was() -> None:
    fact = replace(FACT, entered_at=AT.replace(microsecond=5).astimezone(LOCAL), sequence=3, revision=1)

    assert canonical(fact) == (
        b'{"body":{"action":"receive","data":{"fee":"12.00","plots":2},"type":"dossier.acted.v1"},'
        b'"entered_at":"2026-11-23T01:15:30.000005Z","id":"e1","occurred_at":"2026-11-23T01:15:30.000000Z",'
        b'"revision":1,"sequence":3,"source":"s","subject":"d1"}'
    )


def test_times_inside_the_body_have_six_decimals_and_are_in_utc() -> None:
    slips = (Appointment(at=AT.astimezone(LOCAL)), Appointment(at=date(2026, 12, 7)))
    pauses = (PauseUsed(pause="p", started_at=AT.astimezone(LOCAL)),)
    form = canonical(replace(FACT, body=Opened(appointments=slips, pauses=pauses)))

    assert b'[{"at":"2026-11-23T01:15:30.000000Z"},{"at":"2026-12-07"}]' in form
    assert b'[{"pause":"p","started_at":"2026-11-23T01:15:30.000000Z"}]' in form


@pytest.mark.parametrize(
    "other",
    [
        replace(FACT, recorded_at=AT),
        replace(FACT, occurred_at=AT.astimezone(LOCAL)),
        replace(FACT, body=Acted(action="receive", data={"plots": 2, "fee": "12.00"})),
    ],
    ids=["recorded later", "told in another offset", "fields in another order"],
)
def test_the_same_content_told_otherwise_has_the_same_digest(other: Fact) -> None:
    assert same_content(FACT, other)
    assert digest(other) == digest(FACT)


def test_composed_and_decomposed_text_are_the_same_content() -> None:
    composed = replace(FACT, body=Acted(action="nhận", data={"ghi chú": "Hồ sơ"}))
    decomposed = Acted(
        action=normalize("NFD", "nhận"), data={normalize("NFD", "ghi chú"): normalize("NFD", "Hồ sơ")}
    )

    assert same_content(composed, replace(FACT, body=decomposed))


@pytest.mark.parametrize(
    "other",
    [
        replace(FACT, subject="d2"),
        replace(FACT, source="t"),
        replace(FACT, id="e2"),
        replace(FACT, occurred_at=AT + timedelta(microseconds=1)),
        replace(FACT, entered_at=AT),
        replace(FACT, sequence=1),
        replace(FACT, revision=1),
        replace(FACT, body=Acted(action="return", data={"fee": "12.00", "plots": 2})),
        replace(FACT, body=Acted(action="receive", data={"fee": "12.0", "plots": 2})),
        replace(FACT, body=Opened(data={"fee": "12.00", "plots": 2})),
    ],
    ids=lambda fact: canonical(fact)[-40:].decode(),
)
def test_a_change_of_any_column_changes_the_digest(other: Fact) -> None:
    assert not same_content(FACT, other)
    assert digest(other) != digest(FACT)


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**400])
def test_a_number_beyond_the_exact_ones_has_no_canonical_form(number: int) -> None:
    with pytest.raises(InputError) as refused:
        canonical(replace(FACT, body=Acted(action="a", data={"n": number})))

    assert refused.value.code == "number_too_large"
    assert str(number)[:20] in str(refused.value)


def test_numbers_in_columns_and_bodies_are_held_to_the_same_bound() -> None:
    counted = Counted(day=date(2026, 11, 23), received=2**53, released=0, open=0, codes_sha256="")
    bare = replace(FACT, body=Acted(action="receive"))
    columns = [replace(bare, sequence=2**53), replace(bare, sequence=-(2**53)), replace(bare, revision=2**53)]
    for fact in (*columns, replace(bare, body=counted)):
        with pytest.raises(InputError, match="9007199254740992"):
            canonical(fact)


def test_the_largest_exact_number_has_a_canonical_form() -> None:
    assert b"9007199254740991" in canonical(replace(FACT, sequence=2**53 - 1))


def test_names_equal_but_for_their_unicode_form_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        canonical(replace(FACT, body=Acted(action="a", data={"é": 1, "e\u0301": 2})))

    assert refused.value.code == "repeated_key"


def test_a_naive_time_is_refused() -> None:
    fact = replace(FACT)
    force_setattr(fact, "occurred_at", datetime(2026, 11, 23))  # noqa: DTZ001 - the fault

    with pytest.raises(InputError) as refused:
        digest(fact)

    assert refused.value.code == "time_without_zone"
    assert str(refused.value).startswith("d1 s e1: expected times with an offset, found 2026-11-23T00:00:00;")
