"""`make live`: stopped at any moment by Ctrl-C it ends by itself and leaves no process and no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
MARK = "DUNGHEN_TEST_LIVE"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where everything it starts keeps its files; PostgreSQL runs under an account that may read no folder of tests."""
    with tempfile.TemporaryDirectory(prefix="dunghen-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def marked(mark: str) -> list[str]:
    """The processes, of whatever account, that were started with this mark in their environment."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (one / "environ").read_bytes():
                found.append((one / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200])
        except OSError:
            continue
    return found


@pytest.mark.parametrize("moment", ["are being started", "Ctrl-C ends it sooner"])
def test_an_interrupt_ends_everything_that_was_started(moment: str, folder: Path) -> None:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
    with subprocess.Popen(
        [sys.executable, ROOT / "examples/live/show_live.py", "--seconds", "600", "--dossiers", "40"],
        env=ours | {MARK: folder.name, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as live:
        assert live.stdout is not None
        assert next(line for line in live.stdout if moment in line)
        assert marked(folder.name)
        os.killpg(live.pid, signal.SIGINT)
        said = live.stdout.read()
        assert live.wait() == 0

    assert said.endswith("Everything that was started here is ended, and nothing of it is kept.\n")
    assert marked(folder.name) == []
    assert list(folder.iterdir()) == []


def test_it_runs_to_its_end_and_shows_what_was_said(folder: Path) -> None:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
    done = subprocess.run(
        [sys.executable, ROOT / "examples/live/show_live.py", "--seconds", "15", "--dossiers", "60"],
        env=ours | {"TMPDIR": str(folder), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "step late" in done.stdout
    assert "0 still to be sent" in " ".join(done.stdout.split())
    assert "…" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Everything that was started")
    assert list(folder.iterdir()) == []
