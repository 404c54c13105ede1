"""Joins: a state with tasks may be left once the agencies asked have answered, or their silence says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.guards import Check

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from workflow.clocks.clock import Clock
    from workflow.facts import Acted
    from workflow.model import Dossier, TaskRun
    from workflow.procedure.language import Revision, Task


def join_checks(revision: Revision, state: str, clock: Clock) -> list[Check]:
    """The joins that guard leaving a state, one rule `join/<state>/<task>` each."""
    return [_join(state, name, task, clock) for name, task in revision.states[state].tasks.items()]


def _join(state: str, name: str, task: Task, clock: Clock) -> Check:
    def silent(dossier: Dossier, at: datetime) -> list[str]:
        runs = [r for r in dossier.tasks if (r.state, r.task) == (state, name) and r.left_at is None]
        asked = [run for run in runs if run.recalled_at is None]
        never = [agency for agency in task.agencies if agency not in {run.agency for run in runs}]
        open_runs = [run.agency for run in asked if not _settled(run, task, state, name, dossier, at, clock)]
        return _missing(task, [run.agency for run in asked], open_runs, never)

    def holds(dossier: Dossier, _act: Acted, at: datetime) -> bool:
        return not silent(dossier, at)

    def found(dossier: Dossier, _act: Acted, at: datetime) -> str:
        return "|".join(agency or "not asked" for agency in silent(dossier, at))

    return Check(
        f"join/{state}/{name}",
        "guard",
        refuses=True,
        expected=f"{task.join} answered",
        holds=holds,
        found=found,
    )


def _missing(task: Task, asked: Sequence[str], waiting: list[str], never: list[str]) -> list[str]:
    """The agencies still missing; of a join of `any` none once one has settled."""
    if task.join == "any" and len(waiting) < len(asked):
        return []
    return waiting + never


def _settled(
    run: TaskRun, task: Task, state: str, name: str, dossier: Dossier, at: datetime, clock: Clock
) -> bool:
    if run.answered_at is not None:
        return True
    if task.on_silence != "proceed":
        return False
    return any(
        (due := limit.due(dossier, run.asked_at, at)) is not None and limit.late(at, due)
        for limit in clock.for_task(state, name)
    )
