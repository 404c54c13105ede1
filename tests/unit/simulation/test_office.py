"""The reference year: the same arrivals and work, and what following the alerts makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

COMMAND: Final = Path(sys.executable).with_name("dunghen")
pytestmark = pytest.mark.slow  # two years of made-up dossiers, each judged


def reference(*words: str | Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [COMMAND, "reference", "--output", "json", *words], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout[: done.stdout.rindex("]") + 1]
    said: list[dict[str, Any]] = json.loads(text)
    return said


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", ["1", "2024"])
def test_following_the_alerts_keeps_the_promise_that_ignoring_them_breaks(seed: str) -> None:
    ignoring, following = reference("--seed", seed)

    assert ignoring["released"] == following["released"] > 6_000
    assert float(ignoring["rate"]) > 1 > float(following["rate"])


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_year_and_picture(tmp_path: Path) -> None:
    pictures = [tmp_path / "one.svg", tmp_path / "two.svg"]
    rows = [reference("--monthly", "120", "--plot", picture) for picture in pictures]

    assert rows[0] == rows[1]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert pictures[0].read_text(encoding="utf-8").count("<polyline") == 2
