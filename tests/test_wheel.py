"""The wheel works by itself: built, installed with its locked dependencies into an empty environment, and run there."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by plain pip with the build tools it fetches itself."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an empty environment with nothing but the wheel and what the lock names."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    return folder / "bin"


def _files(folder: str, *endings: str) -> list[str]:
    found = (path for path in (ROOT / folder).rglob("*") if path.suffix in endings)
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def test_says_its_version(installed: Path, tmp_path: Path) -> None:
    said = subprocess.run([installed / "dunghen", "--version"], cwd=tmp_path, capture_output=True, check=True)
    assert said.stdout == b"dunghen, version 0.1.0\n"


def test_checks_a_procedure(installed: Path, tmp_path: Path) -> None:
    example = ROOT / "examples" / "first_history" / "procedure.yaml"
    checked = subprocess.run(
        [installed / "dunghen", "procedure", "check", example],
        cwd=tmp_path,
        env={"PATH": "", "LANG": "vi_VN.UTF-8"},
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, b"")
    assert "0 lỗi" in checked.stderr.decode()


def test_judges_a_history_by_the_calendars_inside(installed: Path, tmp_path: Path) -> None:
    example, events = ROOT / "examples" / "first_history", tmp_path / "events.csv"
    subprocess.run([sys.executable, example / "make_history.py", events], check=True)
    given = ["--procedure", str(example / "procedure.yaml"), "--mapping", str(example / "mapping.yaml")]
    judged = subprocess.run(
        [installed / "dunghen", "audit", "conform", events, *given, "--output", "json"],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        check=False,
    )
    assert judged.returncode == 1
    # All it says aside: nobody approved the example.
    assert b"example-land-transfer" in judged.stderr
    assert judged.stderr.count(b"\n") == 1
    assert json.loads(judged.stdout)["conforming"] == 37


def test_needs_nothing_but_what_it_declares(installed: Path) -> None:
    subprocess.run([installed / "python", "-m", "pip", "check"], check=True, capture_output=True)


def test_holds_calendars_schemas_and_languages(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        *_files("processes", ".yaml", ".json"),
        *_files("consumers/contract", ".json"),
        *_files("workflow/locale", ".mo"),
        "workflow/py.typed",
    ]
    assert len(wanted) > 3
    assert [name for name in wanted if name not in inside] == []


def test_holds_no_tests(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in inside} == {
        "workflow",
        "consumers",
        "processes",
        "dunghen-0.1.0.dist-info",
    }
