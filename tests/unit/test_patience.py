"""Waits before further attempts: they grow, they are bounded, they differ, and they begin anew after a success."""

from __future__ import annotations

import pytest

from consumers.patience import LEAST_S, MOST_S, PREFIX, Patience, RetrySettings
from workflow.errors import UsageError
from workflow.settings import settings_from


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


def test_both_bounds_are_settings() -> None:
    settings = settings_from(
        {f"{PREFIX}WAIT_LEAST_MS": "50", f"{PREFIX}WAIT_MOST_MS": "300"}, RetrySettings(), PREFIX
    )
    patience = settings.patience()
    waits = [patience.wait_s() for _ in range(6)]

    assert waits[0] <= 0.05
    assert 0.15 <= waits[-1] <= 0.3
    assert patience.attempts == 6
    with pytest.raises(UsageError):
        settings_from({f"{PREFIX}WAIT_MOST_MS": "0"}, RetrySettings(), PREFIX)
