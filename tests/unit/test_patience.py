"""Waits before further attempts: they grow, they are bounded, they differ, and they begin anew after a success."""

from __future__ import annotations

from consumers.patience import LEAST_S, MOST_S, Patience


def test_waits_double_up_to_the_limit_each_in_the_upper_half_at_random() -> None:
    patience = Patience()
    waits = [patience.wait_s() for _ in range(12)]
    limits = [min(LEAST_S * 2**attempt, MOST_S) for attempt in range(12)]

    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits, limits, strict=True))
    assert limits[-1] == MOST_S
    assert len(set(waits)) == 12


def test_a_success_makes_the_next_wait_short_again() -> None:
    patience = Patience()
    for _ in range(8):
        patience.wait_s()
    patience.rewarded()

    assert patience.wait_s() <= LEAST_S
