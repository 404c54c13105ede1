"""An object of JSON is taken whole or refused by what it holds, whichever way it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from searching import examples
from strategies_messages import WHOLE, written

from consumers.contract.limits import DEFAULT_LIMITS
from consumers.contract.strict import read_object
from workflow.errors import InputError

if TYPE_CHECKING:
    from random import Random

NAMES: Final = st.text("abc:", min_size=1, max_size=3)
EDGES: Final = st.sampled_from([0, WHOLE, WHOLE, WHOLE + 1, 2**64])
NUMBERS: Final = st.builds(lambda number, sign: sign * number, EDGES, st.sampled_from([1, -1]))
VALUES: Final = st.recursive(
    NUMBERS | st.sampled_from(["", "[", '"{', "9" * 20, ":9"]) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=3,
)
DEEP: Final = st.tuples(st.integers(1, 6), NUMBERS).map(lambda drawn: _nested(*drawn))


def _nested(levels: int, value: object) -> object:
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)


def _largest(value: Any) -> int:
    if isinstance(value, dict | list):
        return max(map(_largest, value.values() if isinstance(value, dict) else value), default=0)
    return abs(value) if isinstance(value, int) else 0


@settings(max_examples=examples(400))
@given(
    st.dictionaries(NAMES, VALUES | DEEP, max_size=2), st.integers(2, 7), st.randoms(use_true_random=False)
)
def test_an_object_is_taken_unless_it_is_too_deep_or_a_number_in_it_too_large(
    told: dict[str, Any], depth_max: int, rng: Random
) -> None:
    limits = replace(DEFAULT_LIMITS, depth_max=depth_max)
    expected: object = told
    if _depth(told) > depth_max:
        expected = "too_deep"
    elif _largest(told) > WHOLE:
        expected = "number_too_large"

    try:
        found: object = read_object(written(told, rng).encode(), "$", limits)
    except InputError as refused:
        found = refused.code

    assert found == expected
