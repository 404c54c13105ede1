"""A process is told to end while its main thread holds the very locks that ending takes."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

import pytest

from workflow.cli.running import stopped_by_signals

pytestmark = pytest.mark.timeout(20)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_within_the_wait_for_the_end_does_not_wait_for_itself(told: signal.Signals) -> None:
    """Once in some thousand ends the signal came while `stop.wait` had its lock, and the process never ended."""
    before = signal.getsignal(told)
    stop: Any = Event()
    with stopped_by_signals(stop):
        with stop._cond:  # noqa: SLF001 - the lock that Event.wait and Event.set take
            signal.raise_signal(told)
        assert stop.wait(10)

    assert signal.getsignal(told) == before
