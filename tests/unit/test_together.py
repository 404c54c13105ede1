"""Loops of one process: they end together, and the error of one is the error of all."""

from __future__ import annotations

import threading

import pytest

from consumers.together import together
from workflow.errors import StoreFull

WITHIN_S = 10.0


def test_a_loop_that_fails_ends_the_others_and_its_error_is_raised() -> None:
    stop = threading.Event()
    ended: list[str] = []

    def failing(_stop: threading.Event) -> None:
        raise StoreFull("{store}: full", store="here")

    def lasting(until: threading.Event) -> None:
        assert until.wait(WITHIN_S)
        ended.append("lasting")

    with pytest.raises(StoreFull, match="here: full"):
        together({"lasting": lasting, "failing": failing}, stop)
    assert (ended, stop.is_set()) == (["lasting"], True)


def test_a_loop_that_returns_leaves_the_others_running() -> None:
    stop = threading.Event()
    done = threading.Event()

    def short(_stop: threading.Event) -> bool:
        done.set()
        return True

    def lasting(until: threading.Event) -> str:
        assert done.wait(WITHIN_S)
        assert not until.is_set()
        return "lasted"

    assert together({"short": short, "lasting": lasting}, stop) == {"short": True, "lasting": "lasted"}


def test_a_fault_of_ours_is_not_swallowed() -> None:
    def failing(_stop: threading.Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        together({"failing": failing}, threading.Event())
