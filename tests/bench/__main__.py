"""Runs every bench of this folder in its own process, one after the other:
`python -m tests.bench [NAME [--OPTION=N]...]`.

A bench is a module that ends with `sys.exit(...)`: it prints its figures and ends with 1 where a bound is missed or
a counter-example was found. What they say is printed as it comes and kept in `RESULTS.md`, in the section of each with
its options, its machine and its day; sections of benches that were not run stay as they are. Options belong to the
bench named before them.
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
HEAD: Final = (
    "# Results\n\nWritten by `make bench` and `python -m tests.bench NAME`. A bound is a ratio of one run.\n"
)
ENTRY: Final = 'if __name__ == "__main__":\n    sys.exit('


def benches() -> list[str]:
    """The names of all benches, sorted."""
    found = (path for path in HERE.glob("*.py") if not path.name.startswith("__"))
    return sorted(path.stem for path in found if ENTRY in path.read_text(encoding="utf-8"))


def run(name: str, options: list[str]) -> tuple[int, str]:
    """A bench's exit status and what it said, which is also shown as it comes."""
    paths = os.pathsep.join(str(one) for one in (ROOT, ROOT / "tests", HERE, ROOT / "tests" / "property"))
    begun = subprocess.Popen(
        [sys.executable, "-c", _CHILD, HERE / f"{name}.py", *options],
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


def section(name: str, options: list[str], status: int, text: str) -> str:
    """What the page keeps of one bench: how it was run, where and when, how it ended, and its words."""
    verdict = {0: "held", 1: "missed"}.get(status, f"failed with {status}")
    how = f"{machine()}; `{' '.join([name, *options])}`"
    return f"## {name} ({verdict})\n\n{how}\n\n```\n{_PATH.sub('', text).strip()}\n```\n"


def renewed(page: str, sections: dict[str, str]) -> str:
    """The page with these sections in place of those of the same benches, all in the order of their names."""
    kept = {
        name: "## " + text.rstrip() + "\n" for text in page.split("\n## ")[1:] if (name := text.split()[0])
    }
    found = {**kept, **sections}
    return "\n".join([HEAD, *(found[name] for name in sorted(found))])


def asked_for(words: list[str]) -> dict[str, list[str]]:
    """The benches that are named, each with its options; all where none is."""
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--") and found:
            found[next(reversed(found))].append(word)
        else:
            found[word] = []
    return found or {name: [] for name in benches()}


def main(words: list[str]) -> int:
    """Runs the named benches, or all; 1 where one missed a bound, 70 where one failed, 2 where there is no such."""
    known, asked = benches(), asked_for(words)
    if unknown := [name for name in asked if name not in known]:
        sys.stderr.write(f"no bench {', '.join(unknown)}; there are {', '.join(known)}\n")
        return 2
    page = HERE / "RESULTS.md"
    ended: dict[str, int] = {}
    for name, options in asked.items():
        sys.stdout.write(f"== {name} ({machine()})\n")
        ended[name], text = run(name, options)
        before = page.read_text(encoding="utf-8") if page.exists() else HEAD
        page.write_text(renewed(before, {name: section(name, options, ended[name], text)}), encoding="utf-8")
    missed = [name for name, status in ended.items() if status == 1]
    failed = [name for name, status in ended.items() if status not in (0, 1)]
    told = f"missed a bound: {', '.join(missed) or 'none'}; failed: {', '.join(failed) or 'none'}"
    sys.stdout.write(f"{len(ended)} benches, {told}\n")
    return FAULT if failed else int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
