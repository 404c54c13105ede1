"""Makes the small history and has the real command judge it, each command line shown before its answer."""

from __future__ import annotations

import sys
from pathlib import Path

from make_history import STORIES, main

from workflow.cli.main import run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EVENTS = ROOT / "var" / "first_history" / "events.csv"
FINDING = 1
"""Exit status of a command that found something: what this history was made for."""


def show(*arguments: str | Path) -> None:
    """Runs one command line; ends the run where it neither succeeds nor finds something."""
    words = [str(one.relative_to(Path.cwd())) if isinstance(one, Path) else one for one in arguments]
    sys.stdout.write(f"\n$ dunghen {' '.join(words)}\n")
    sys.stdout.flush()
    status = run(words)
    if status not in {0, FINDING}:
        sys.exit(status)


if __name__ == "__main__":
    main(EVENTS)
    PROCEDURE, MAPPING = HERE / "procedure.yaml", HERE / "mapping.yaml"
    given: tuple[str | Path, ...] = ("--procedure", PROCEDURE, "--mapping", MAPPING)
    show("procedure", "check", PROCEDURE)
    show("audit", "conform", EVENTS, *given)
    codes = {story: code for code, story in STORIES.items()}
    for story in ("late", "paused"):
        show("dossier", "explain", EVENTS, codes[story], *given)
    show("dossier", "allowed", EVENTS, codes["left_lying"], *given)
