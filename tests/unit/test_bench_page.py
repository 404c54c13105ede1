"""The page of the benches' figures."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

BENCH = runpy.run_path(str(Path(__file__).resolve().parents[1] / "bench" / "__main__.py"))


def page(status: int, text: str) -> str:
    found: str = BENCH["renewed"](BENCH["HEAD"], {"one": BENCH["section"]("one", [], status, text)})
    return found


def test_what_a_failing_bench_says_keeps_no_folder_of_this_machine() -> None:
    said = page(70, f'  File "{__file__}", line 9\n  File "/opt/x/lib/python3.11/json.py", line 3\n')
    assert 'File "test_bench_page.py", line 9' in said
    assert 'File "json.py", line 3' in said
    assert "/opt" not in said


def test_figures_stay_as_they_were_told() -> None:
    text = "0.62 of the floor, 400,000 events/s at https://example.org/a/b, 3 / 4 held, tests/bench/x.py"
    assert text in page(0, text)


def test_a_bench_that_fails_is_told_from_one_that_misses_its_bound() -> None:
    assert [
        next(line for line in page(status, "").splitlines() if line.startswith("##")) for status in (0, 1, 70)
    ] == ["## one (held)", "## one (missed)", "## one (failed with 70)"]


def test_a_bench_that_runs_again_renews_its_own_section_alone() -> None:
    both = BENCH["renewed"](page(0, "first"), {"two": BENCH["section"]("two", ["--rounds=3"], 0, "second")})
    again = BENCH["renewed"](both, {"one": BENCH["section"]("one", [], 1, "later")})
    assert "first" in both
    assert "`two --rounds=3`" in both
    assert [line for line in again.splitlines() if line.startswith("## ")] == [
        "## one (missed)",
        "## two (held)",
    ]
    assert "first" not in again
    assert BENCH["renewed"](again, {}) == again


def test_options_belong_to_the_bench_named_before_them() -> None:
    assert BENCH["asked_for"](["one", "--rounds=3", "two"]) == {"one": ["--rounds=3"], "two": []}


def test_how_a_bench_says_it_is_run_is_understood() -> None:
    """Words as they stand in a bench's first lines: its name, and options with their values in one word."""
    folder = Path(__file__).resolve().parents[1] / "bench"
    for name in BENCH["benches"]():
        head = (folder / f"{name}.py").read_text(encoding="utf-8").split('"""')[1]
        for told in re.findall(r"`python ([^`]+)`", head):
            assert told.startswith(f"-m tests.bench {name}"), name
            assert not re.search(r"--\w+ \w", told), name
