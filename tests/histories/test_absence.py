"""Where the public logs are absent, that is said once and loudly."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from places import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("spread", [(), ("--numprocesses", "2")])
def test_absent_public_logs_are_named_once_however_many_processes_test(
    spread: tuple[str, ...], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "tests/histories/test_reading.py",
            "-p",
            "no:cacheprovider",
            *spread,
        ],
        cwd=ROOT,
        env={**os.environ, "DUNGHEN_TEST_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count("PUBLIC LOGS ABSENT") == 1
    assert str(tmp_path) in ended.stdout
    assert " skipped in " in ended.stdout.splitlines()[-1]
