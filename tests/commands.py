"""The command, run in this process as its entry point runs it."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What a reader sees, line by line, without colours."""
        return re.sub("\x1b\\[[0-9;]*m", "", self.getvalue()).splitlines()


class Said(NamedTuple):
    """What a command wrote."""

    stdout: str
    stderr: str


def dunghen(*words: str | Path, status: int = 0) -> Said:
    """What the command writes; it must end with `status`."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = run(["--lang", "en", *map(str, words)])
    assert ended == status, err.getvalue()
    return Said(out.getvalue(), err.getvalue())


def shown(monkeypatch: pytest.MonkeyPatch, width: int, *words: str | Path) -> list[str]:
    """The lines the command writes to a terminal of so many columns."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        assert run(["--lang", "en", *map(str, words)]) == 0
    return out.lines()


def said(*words: str | Path, status: int = 0) -> Any:
    """The same, read as JSON."""
    return json.loads(dunghen(*words, "--output", "json", status=status).stdout)
