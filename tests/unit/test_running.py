"""A process is told to end while its main thread holds the very locks that ending takes."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from workflow.cli.running import running

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.timeout(20)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_within_the_wait_for_the_end_does_not_wait_for_itself(
    told: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once in some thousand ends the signal came while `stop.wait` had its lock, and the process never ended."""
    before = signal.getsignal(told)
    with running(("relay",), port=0, host="127.0.0.1") as process:
        held: Any = process.stop
        with held._cond:  # noqa: SLF001 - the lock that Event.wait and Event.is_set take
            signal.raise_signal(told)
        assert process.stop.wait(10)

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["started", "stopping", "stopped"]
    assert lines[1]["cause"] == told.name
    assert signal.getsignal(told) == before
