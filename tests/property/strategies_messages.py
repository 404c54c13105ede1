"""Facts of every message type, drawn from the types of their bodies; and JSON written in every way JSON allows."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, get_args
from unicodedata import normalize

import msgspec.inspect as types
from hypothesis import strategies as st

from workflow import facts
from workflow.facts import Body, Fact

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

BODIES: Final = get_args(Body)
WHOLE: Final = 2**53 - 1
WORDS: Final = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
IDENTITIES: Final = WORDS.map(lambda text: normalize("NFC", text)).filter(str.isprintable)
TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
INSTANTS: Final = st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
DATES: Final = st.dates(date(1990, 1, 1), date(2100, 12, 31))
AWKWARD: Final = ("\U0001f600", "\ufb33", "é", "e\u0301", '"', "\\", "\x1f", "\x7f", "\u2028", "a:b", '":')
"""Texts where writers of JSON differ: astral against U+FB33, composed or not, escapes."""

COLONS: Final = '":":'
"""A text that looks like the ends of two names."""


def facts_of(body: type, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Fact]:
    """Facts with such a body, every field drawn, free texts from `texts`."""
    itself = body in (facts.Heartbeat, facts.Counted)

    @st.composite
    def draw_fact(draw: Callable[..., Any]) -> Fact:
        source = draw(IDENTITIES)
        return Fact(
            subject=source if itself else "d" + draw(IDENTITIES),
            source=source,
            id=draw(IDENTITIES),
            occurred_at=draw(INSTANTS),
            body=draw(_values(types.type_info(body), texts)),
            sequence=draw(st.integers(0, WHOLE)),
            revision=draw(st.integers(0, 2**31 - 1)),
            entered_at=draw(st.none() | INSTANTS),
            recorded_at=draw(st.none() | INSTANTS),
        )

    return draw_fact()


def any_facts(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Fact]:
    """Facts of every message type."""
    return st.one_of([facts_of(body, texts) for body in BODIES])


def composed_texts() -> st.SearchStrategy[str]:
    """Texts as the codec gives them: in normalisation form C."""
    return TEXTS.map(lambda text: normalize("NFC", text))


def awkward_texts() -> st.SearchStrategy[str]:
    """Any texts, often those where writers of JSON differ."""
    return st.sampled_from(AWKWARD) | TEXTS


def written(value: Any, rng: Random, repeat: int = -1) -> str:
    """`value` as JSON with white space and escapes as `rng` has it; the field number `repeat` comes twice."""
    left = [repeat]

    def write(inner: Any) -> str:
        if isinstance(inner, dict):
            return "{" + ",".join(pair for name, item in inner.items() for pair in pairs(name, item)) + "}"
        if isinstance(inner, list):
            return "[" + f",{blank()}".join(map(write, inner)) + "]"
        return text(inner) if isinstance(inner, str) else json.dumps(inner)

    def pairs(name: str, item: Any) -> list[str]:
        left[0] -= 1
        again = left[0] == -1
        pair = f"{blank()}{text(name)}{blank()}:{blank()}{write(item)}"
        return [pair, f"{text(name)}:{text(COLONS)}"] if again else [pair]

    def text(inner: str) -> str:
        if rng.random() < 0.8:
            return json.dumps(inner, ensure_ascii=rng.random() < 0.5)
        units = inner.encode("utf-16-be", "surrogatepass").hex()
        return '"' + "".join("\\u" + units[at : at + 4] for at in range(0, len(units), 4)) + '"'

    def blank() -> str:
        return rng.choice(("", "", "", " ", "\n\t", "\r\n"))

    return write(value)


def fields(value: Any) -> int:
    """How many fields a JSON value has, at all levels."""
    if isinstance(value, dict):
        return len(value) + sum(map(fields, value.values()))
    return sum(map(fields, value)) if isinstance(value, list) else 0


def _values(kind: types.Type, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match kind:
        case types.StrType():
            return texts
        case types.IntType():
            return st.integers(-WHOLE, WHOLE)
        case types.BoolType():
            return st.booleans()
        case types.NoneType():
            return st.none()
        case types.DateTimeType():
            return INSTANTS
        case types.DateType():
            return DATES
        case types.Metadata(type=types.AnyType()):
            return INSTANTS | DATES
        case types.Metadata():  # a code
            return IDENTITIES
        case types.LiteralType(values=values):
            return st.sampled_from(values)
        case types.UnionType(types=members):
            return st.one_of([_values(member, texts) for member in members])
        case types.VarTupleType(item_type=item):
            return st.lists(_values(item, texts), max_size=3).map(tuple)
        case types.DictType(value_type=item):
            return st.dictionaries(texts, _values(item, texts), max_size=4)
        case types.StructType(cls=cls, fields=own):
            drawn = {field.name: _values(field.type, texts) for field in own}
            return _consistent(cls, drawn)
    raise AssertionError(kind)


def _consistent(cls: type, drawn: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Structs whose fields agree, as `consumers.contract.rules` asks."""
    if cls is facts.Linked:
        drawn["other"] = IDENTITIES.map(lambda text: "other " + text)
    if cls is facts.Rated:
        drawn["scores"] = st.dictionaries(IDENTITIES, st.integers(0, 2), max_size=3)
        drawn |= {"keyed_by": IDENTITIES, "rated_on": DATES}
    if cls is facts.Counted:
        drawn |= {name: st.integers(0, WHOLE) for name in ("received", "released", "open")}
        drawn["codes_sha256"] = st.binary(min_size=32, max_size=32).map(bytes.hex)
    if cls is facts.Part:
        return st.integers(1, 99).flatmap(lambda total: st.builds(cls, st.integers(1, total), st.just(total)))
    for start, end in (("started_at", "ended_at"), ("from_on", "until_on")):
        if start in drawn and end in drawn:
            return _spans(cls, drawn, start, end)
    return st.builds(cls, **drawn)


def _spans(
    cls: type, drawn: dict[str, st.SearchStrategy[Any]], start: str, end: str
) -> st.SearchStrategy[Any]:
    latest = {"started_at": datetime(2100, 1, 1, tzinfo=UTC), "from_on": date(2100, 1, 1)}[start]
    lengths = st.none() | st.timedeltas(timedelta(0), timedelta(days=300))

    def build(length: timedelta | None, values: dict[str, Any]) -> Any:
        values[start] = min(values[start], latest)
        values[end] = None if length is None else values[start] + length
        return cls(**values)

    return st.builds(build, lengths, st.fixed_dictionaries(drawn))
