"""The product's clocks against a reading of docs/clocks.md that walks minute by minute and date by date."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from oracle.questions import Difference, benchmark_differences, differences, worktime_differences
from searching import examples
from strategies_time import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

CASES_A_CALENDAR = examples(500)
HYPOTHESIS = settings(
    max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def first(found: Iterable[Difference | None]) -> Difference | None:
    return next((difference for difference in found if difference is not None), None)


@HYPOTHESIS
@given(numbers())
def test_due_dates_are_those_of_the_walk_and_their_inverse_gives_the_number_back(rnd: Random) -> None:
    assert first(differences(rnd, 3)) is None


@HYPOTHESIS
@given(numbers())
def test_working_time_of_a_calendar_is_that_of_the_walk(rnd: Random) -> None:
    assert first(worktime_differences(rnd, 3)) is None


def test_due_dates_are_those_of_the_walk_in_seeded_cases() -> None:
    for turn in range(4):
        assert first(differences(Random(f"few/{turn}"), CASES_A_CALENDAR)) is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_due_dates_are_those_of_the_walk_in_twenty_thousand_seeded_cases(seed: int) -> None:
    for turn in range(10):
        assert first(differences(Random(f"{seed}/{turn}"), CASES_A_CALENDAR)) is None


def test_working_time_is_that_of_the_walk_in_seeded_cases() -> None:
    for turn in range(examples(8, least=2)):
        assert first(worktime_differences(Random(f"few/{turn}"), 50)) is None


@HYPOTHESIS
@given(numbers())
def test_the_benchmark_of_printed_dates_is_that_of_the_walk(rnd: Random) -> None:
    assert first(benchmark_differences(rnd, 1)) is None


def test_the_benchmark_of_printed_dates_is_that_of_the_walk_in_seeded_cases() -> None:
    for turn in range(examples(8, least=2)):
        assert first(benchmark_differences(Random(f"few/{turn}"), 10)) is None
