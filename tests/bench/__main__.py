"""Runs every bench of this folder in its own process, one after the other: `python -m tests.bench [NAME...]`.

A bench is a module that ends with `sys.exit(...)`: it prints its figures and ends with 1 where a bound is missed or
a counter-example was found. What they say is printed as it comes and kept in `RESULTS.md` when all were run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent))

from machine import machine

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
FAULT: Final = 70
"""What a bench ends with that neither held nor missed a bound, but failed."""
_CHILD: Final = f"""
import runpy, sys, traceback
try:
    runpy.run_path(sys.argv.pop(1), run_name="__main__")
except Exception:
    traceback.print_exc()
    sys.exit({FAULT})
"""
_PATH: Final = re.compile(r"(?<![\w.~$:/-])(?:/[\w.+-]+)+/(?=[\w.+-])")
"""The folders of a file of this machine, which a failing bench may name: the page keeps the file's own name."""
ENTRY: Final = 'if __name__ == "__main__":\n    sys.exit('


def benches() -> list[str]:
    """The names of all benches, sorted."""
    found = (path for path in HERE.glob("*.py") if not path.name.startswith("__"))
    return sorted(path.stem for path in found if ENTRY in path.read_text(encoding="utf-8"))


def run(name: str) -> tuple[int, str]:
    """A bench's exit status and what it said, which is also shown as it comes."""
    paths = os.pathsep.join(str(one) for one in (ROOT, ROOT / "tests", HERE, ROOT / "tests" / "property"))
    begun = subprocess.Popen(
        [sys.executable, "-c", _CHILD, HERE / f"{name}.py"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    said = []
    with begun:
        for line in begun.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            said.append(line)
    return begun.returncode, "".join(said)


def results(said: dict[str, tuple[int, str]]) -> str:
    """The page of figures: the day and the kind of machine, then each bench's words."""
    parts = [f"# Results\n\nWritten by `make bench`: {machine()}.\n"]
    for name, (status, text) in said.items():
        verdict = {0: "held", 1: "missed"}.get(status, f"failed with {status}")
        parts.append(f"## {name} ({verdict})\n\n```\n{_PATH.sub('', text).strip()}\n```\n")
    return "\n".join(parts)


def main(asked: list[str]) -> int:
    """Runs the named benches, or all; 1 where one missed a bound, 70 where one failed, 2 where there is no such."""
    known = benches()
    if unknown := [name for name in asked if name not in known]:
        sys.stderr.write(f"no bench {', '.join(unknown)}; there are {', '.join(known)}\n")
        return 2
    said = {}
    for name in asked or known:
        sys.stdout.write(f"== {name} ({machine()})\n")
        said[name] = run(name)
    if not asked:
        (HERE / "RESULTS.md").write_text(results(said), encoding="utf-8")
    missed = [name for name, (status, _) in said.items() if status == 1]
    failed = [name for name, (status, _) in said.items() if status not in (0, 1)]
    told = f"missed a bound: {', '.join(missed) or 'none'}; failed: {', '.join(failed) or 'none'}"
    sys.stdout.write(f"{len(said)} benches, {told}\n")
    return FAULT if failed else int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
