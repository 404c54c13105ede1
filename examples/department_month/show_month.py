"""A month of the department: made up, imported into SQLite and judged, each command line shown before its answer."""

from __future__ import annotations

import sys
from pathlib import Path

from workflow.audit.views import Filter, view
from workflow.cli.main import run
from workflow.cli.stores import Looking, Place

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var" / "department_month"
MESSAGES, TRUTH, STORE = VAR / "messages.jsonl", VAR / "truth.jsonl", VAR / "dunghen.db"
END = "2025-03-31"
"""The last day told. March 2025: the nine branches of the land registration office still stood."""
FINDING = 1
"""Exit status of a command that found something: the month is damaged on purpose."""


def show(*words: str) -> None:
    """Runs one command line; ends the run where it neither succeeds nor finds something."""
    sys.stdout.write(f"\n$ dunghen {' '.join(words)}\n")
    sys.stdout.flush()
    status = run(words)
    if status not in {0, FINDING}:
        sys.exit(status)


def relative(path: Path) -> str:
    """The path as it is typed here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def worth_a_look(looking: Looking) -> tuple[str, str]:
    """The codes of two dossiers to look further at, each any where there is none such: one that was released late,
    and one that is open and overdue, of which something may still be asked."""
    with looking.opened() as store:
        views = [view(one.rules, one.dossier, store.at) for one in store.judged()]
    asked = (Filter(late=True), Filter(open=True, overdue=True))
    late, overdue = (next((one for one in views if each.takes(one)), views[0]).subject for each in asked)
    return late, overdue


def further(late: str, overdue: str, store: str) -> str:
    """The commands to look further with."""
    lines = (
        f"alerts list --store {store} --kind dossier_late --kind dossier_at_risk",
        f"alerts list --store {store} --by unit",
        f"dossier list --store {store} --overdue --at {END}",
        f"dossier explain {late} --store {store}",
        f"dossier allowed {overdue} --store {store}",
        f"rates --store {store} --from 2025-03-01 --to {END} --at {END} --by procedure",
        f"status --store {store} --at {END} --output json",
    )
    return "\nLook further:\n" + "".join(f"  .venv/bin/dunghen {line}\n" for line in lines)


def main() -> None:
    """Makes the month anew, so that every run tells the same."""
    VAR.mkdir(parents=True, exist_ok=True)
    for old in (STORE, *STORE.parent.glob(f"{STORE.name}-*")):
        old.unlink(missing_ok=True)
    store, messages = relative(STORE), relative(MESSAGES)
    month = ("--month", "2025-03", "--until", "2025-04-01", "--dossiers", "1500", "--seed", "2025")
    show("simulate", *month, "--out", messages, "--truth", relative(TRUTH))
    show("import", messages, "--source", "one-stop", "--store", store, "--as-of", END)
    show("status", "--store", store, "--at", END)
    show("rates", "--store", store, "--from", "2025-03-01", "--to", END, "--at", END)
    show("rates", "--store", store, "--budget", "--at", END)
    said = [word for state in ("raised", "resolved", "retracted") for word in ("--state", state)]
    show("alerts", "list", "--store", store, *said, "--by", "kind")
    show("alerts", "list", "--store", store, "--kind", "refused_event", "--by", "cause")
    looking = Looking(Place(store, None), None, None)
    sys.stdout.write(further(*worth_a_look(looking), store))


if __name__ == "__main__":
    main()
