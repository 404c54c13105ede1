"""The command, run in this process as its entry point runs it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


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


def said(*words: str | Path, status: int = 0) -> Any:
    """The same, read as JSON."""
    return json.loads(dunghen(*words, "--output", "json", status=status).stdout)
