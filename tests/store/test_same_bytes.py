"""How facts arrive must not show in what they come to: batches, order within them, the machine's zone and hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import pytest
import samebytes
from places import ROOT

DOSSIERS = 12


@cache
def plainly() -> str:
    return samebytes.applied(DOSSIERS)


@pytest.mark.parametrize("how", [{}, {"batch": 37}, {"batch": 60, "shuffled": 6}])
def test_a_month_comes_to_the_same_bytes_however_it_is_applied(how: dict[str, int]) -> None:
    assert samebytes.applied(DOSSIERS, **how) == plainly()


@pytest.mark.parametrize(("zone", "seed"), [("America/New_York", "1")])
def test_a_month_comes_to_the_same_bytes_under_another_zone_and_hash_seed(zone: str, seed: str) -> None:
    environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "samebytes.py", str(DOSSIERS)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == plainly()
