"""Hypothesis strategies for time: calendars, rules and cases of the oracle, drawn so that they can shrink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import SearchStrategy


def numbers() -> SearchStrategy[Random]:
    """A source of random numbers that hypothesis records and shrinks; `oracle.cases` draws everything from it."""
    return st.randoms(note_method_calls=False, use_true_random=False)
