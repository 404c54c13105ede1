"""The public logs: three histories of real offices, which no repository may republish."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from places import LOGS_ABSENT, ROOT

LOGS = {
    "fines": "road_traffic_fines_full.csv.gz",
    "receipt": "receipt_wabo.xes.gz",
    "closed_problems": "bpic2013_closed_problems.xes.gz",
}


@pytest.fixture(scope="session")
def public_logs() -> Path:
    """The folder of the public logs: DUNGHEN_TEST_DATA, by default ../shared/data beside the repository."""
    folder = Path(os.environ.get("DUNGHEN_TEST_DATA") or ROOT.parent / "shared" / "data")
    missing = [name for name in LOGS.values() if not (folder / name).is_file()]
    if missing:
        pytest.skip(f"{LOGS_ABSENT} {folder}: {', '.join(missing)}")
    return folder
