"""The public logs: three histories of real offices, which no repository may republish."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOGS = {
    "fines": "road_traffic_fines_full.csv.gz",
    "receipt": "receipt_wabo.xes.gz",
    "closed_problems": "bpic2013_closed_problems.xes.gz",
}
_ABSENT = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def public_logs(request: pytest.FixtureRequest) -> Path:
    """The folder of the public logs: DUNGHEN_TEST_DATA, by default ../shared/data beside the repository."""
    folder = Path(os.environ.get("DUNGHEN_TEST_DATA") or ROOT.parent / "shared" / "data")
    missing = [name for name in LOGS.values() if not (folder / name).is_file()]
    if missing:
        request.config.stash[_ABSENT] = folder
        pytest.skip(f"the public logs are absent from {folder}: {', '.join(missing)}")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says once that the public logs were not judged; a quiet skip would pass for a success."""
    folder = config.stash.get(_ABSENT, None)
    if folder is None:
        return
    terminalreporter.section("PUBLIC LOGS ABSENT", sep="!", red=True, bold=True)
    terminalreporter.line(f"No public log was found in {folder}: their known results were NOT checked.")
    terminalreporter.line("Put the files there, or name their folder in DUNGHEN_TEST_DATA.")
