"""What an applied action does beside moving the state: milestones, pauses, tasks, phases, extensions, slips.

Each effect changes the private dossier it is given and returns the violation it met, if any. Together with
`fold` and `machine` these are the only places that change a dossier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from workflow.clocks.counting import lateness
from workflow.model import (
    AppointmentTold,
    ExtensionTaken,
    PauseTaken,
    PhaseRun,
    TaskRun,
    Violation,
)
from workflow.procedure.language import ENDING_MILESTONES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from workflow.clocks.clock import Clock
    from workflow.facts import Acted, Appointment
    from workflow.layout import Layout
    from workflow.model import Dossier
    from workflow.procedure.language import Pause, Revision

    Effect: TypeAlias = Callable[[Dossier, Acted, datetime], Violation | None]


def effects(revision: Revision, action: str, layout: Layout, clock: Clock) -> tuple[Effect, ...]:
    """The effects of an action, in the order they take place."""
    declared = revision.actions[action]
    found: list[Effect] = []
    if action in layout.actors:
        found.append(_remember_actor)
    found += _milestone_effects(revision, action, clock)
    found += _task_effects(revision, action)
    found += [_phase_ends(name) for name, phase in revision.phases.items() if action in phase.ends]
    found += [_phase_starts(name) for name, phase in revision.phases.items() if action in phase.starts]
    found += [_extension(limit, by, clock) for limit, by in declared.extends.items()]
    return tuple(found)


def told(dossier: Dossier, act: Acted, at: datetime) -> None:
    """Takes over what any act may say: unit, hand-over, submission and slip."""
    if act.unit is not None:
        dossier.unit = act.unit
    if act.to is not None:
        dossier.unit = act.to.unit or dossier.unit
        dossier.hours_of = dossier.hours_of or dossier.unit
        dossier.officer = act.to.officer
    if act.submitted_at is not None and dossier.submitted_at is None:
        dossier.submitted_at = act.submitted_at
    slip(dossier, act, at)


def slip(dossier: Dossier, act: Acted, at: datetime) -> None:
    """Takes over the printed date, which counts even where the event itself is refused."""
    if act.appointment is not None:
        tell_slip(dossier, act.appointment, at)


def tell_slip(dossier: Dossier, slip: Appointment, at: datetime) -> None:
    """Adds a slip to those the dossier was told of."""
    dossier.appointments = (*dossier.appointments, AppointmentTold(slip.at, slip.cause, at))


def end(dossier: Dossier, at: datetime, by: str) -> None:
    """Ends the dossier, once: what is still open in it ends with it."""
    if dossier.ended_at is not None:
        return
    dossier.ended_at, dossier.ended_by = at, by
    close_pauses(dossier, at)
    dossier.phases = tuple(p if p.ended_at else replace(p, ended_at=at) for p in dossier.phases)


def close_pauses(dossier: Dossier, at: datetime, names: Collection[str] | None = None) -> bool:
    """Ends the open pauses of these names, or all of them; whether there was one."""
    is_over = [p.ended_at is None and (names is None or p.pause in names) for p in dossier.pauses]
    if any(is_over):
        pauses = zip(dossier.pauses, is_over, strict=True)
        dossier.pauses = tuple(replace(p, ended_at=at) if over else p for p, over in pauses)
    return any(is_over)


def leave(dossier: Dossier, at: datetime) -> None:
    """Closes the tasks of the stay that is left."""
    if any(run.left_at is None for run in dossier.tasks):
        dossier.tasks = tuple(run if run.left_at else replace(run, left_at=at) for run in dossier.tasks)


def _remember_actor(dossier: Dossier, act: Acted, _at: datetime) -> None:
    known = dossier.actors.get(act.action, ())
    if act.actor is not None and act.actor.id not in known:
        dossier.actors = {**dossier.actors, act.action: tuple(sorted((*known, act.actor.id)))}


def _milestone_effects(revision: Revision, action: str, clock: Clock) -> list[Effect]:
    declared = revision.actions[action]
    milestone, pause = declared.milestone, declared.pause
    if milestone is None:
        return []
    if milestone == "paused" and pause is not None:
        return [_pause_begins(pause, revision.pauses[pause])]
    if milestone == "resumed" and pause is not None:
        return [_pause_ends(pause, revision, clock)]
    if milestone in ENDING_MILESTONES:
        return [_all_parts(lambda d, _act, at: end(d, at, milestone))]
    if milestone == "received":
        return [_all_parts(_receive)]
    if milestone in ("issued", "ready"):
        return [_all_parts(_first_time(f"{milestone}_at"))]
    return []


def waits_end(
    revision: Revision, layout: Layout, action: str, source: str, target: str | None
) -> tuple[Effect, ...]:
    """Ends the pauses whose wait a move leaves: nobody waits any more, though the source never told of the resuming.

    No cap is held against such an end, since nobody told when the wait was over. A pause that starts the next phase
    starts it then, unless the move is itself the end of the work.
    """
    declared = revision.actions[action]
    resumed = declared.pause if declared.milestone == "resumed" else None
    going_on = {resumed, *layout.waiting.get(target or source, ())}
    left = tuple(p for p in layout.waiting.get(source, ()) if p not in going_on)
    if not left:
        return ()
    is_done = declared.milestone in {*ENDING_MILESTONES, "issued", "ready"} or (
        target is not None and revision.states[target].final
    )
    phased = () if is_done else tuple(p for p in left if revision.pauses[p].on_resume == "next_phase")
    following = _next_phase(revision)

    def close(dossier: Dossier, act: Acted, at: datetime) -> None:
        if close_pauses(dossier, at, phased):
            following(dossier, act, at)
        close_pauses(dossier, at, left)

    return (close,)


def _receive(dossier: Dossier, act: Acted, at: datetime) -> None:
    """The receipt begins the clocks, and the unit that receives is the one whose hours they count by."""
    if dossier.received_at is None:
        dossier.received_at = at
        dossier.hours_of = act.unit or dossier.hours_of


def _first_time(name: str) -> Effect:
    def note(dossier: Dossier, _act: Acted, at: datetime) -> None:
        close_pauses(dossier, at)
        if getattr(dossier, name) is None:
            setattr(dossier, name, at)

    return note


def _all_parts(effect: Effect) -> Effect:
    """A dossier handled in parts reaches the milestone with the last missing part."""

    def when_complete(dossier: Dossier, act: Acted, at: datetime) -> Violation | None:
        if act.part is not None:
            dossier.parts = tuple(sorted({*dossier.parts, act.part.number}))
            if len(dossier.parts) < act.part.total:
                return None
            dossier.parts = ()
        return effect(dossier, act, at)

    return when_complete


def _pause_begins(name: str, pause: Pause) -> Effect:
    def begin(dossier: Dossier, act: Acted, at: datetime) -> Violation | None:
        taken = [p for p in dossier.pauses if p.pause == name]
        if any(p.ended_at is None for p in taken):
            return None
        allowed = pause.at_most is None or len(taken) < pause.at_most
        dossier.pauses = (*dossier.pauses, PauseTaken(name, at, counts=allowed))
        if not allowed:
            return Violation(f"pause/{name}/times", "guard", f"at most {pause.at_most}", str(len(taken) + 1))
        missing = [paper for paper in pause.documents if paper not in act.documents]
        if missing:
            found = "|".join(act.documents) or "no document"
            return Violation(f"pause/{name}/document", "guard", "|".join(pause.documents), found)
        return None

    return begin


def _pause_ends(name: str, revision: Revision, clock: Clock) -> Effect:
    pause = revision.pauses[name]
    following = _next_phase(revision) if pause.on_resume == "next_phase" else None
    late = None if pause.cap is None else lateness(clock.counting(pause.cap.counts))

    def resume(dossier: Dossier, act: Acted, at: datetime) -> Violation | None:
        ended = next((p for p in dossier.pauses if p.pause == name and p.ended_at is None), None)
        if ended is None:
            return None
        dossier.pauses = tuple(replace(p, ended_at=at) if p is ended else p for p in dossier.pauses)
        if following is not None:
            following(dossier, act, at)
        if pause.cap is None or late is None:
            return None
        due = clock.due_within(
            clock.counting(pause.cap.counts), pause.cap.within, ended.started_at, at, dossier.hours_of
        )
        return Violation(f"pause/{name}/cap", "deadline", due, at) if late(at, due) else None

    return resume


def _next_phase(revision: Revision) -> Effect:
    order = tuple(revision.phases)

    def follow(dossier: Dossier, act: Acted, at: datetime) -> None:
        done = dossier.phases[-1].phase if dossier.phases else None
        index = 0 if done is None else order.index(done) + 1
        if index < len(order):
            _phase_starts(order[index])(dossier, act, at)

    return follow


def _phase_starts(name: str) -> Effect:
    def start(dossier: Dossier, _act: Acted, at: datetime) -> None:
        if dossier.phases and dossier.phases[-1].phase == name and dossier.phases[-1].ended_at is None:
            return
        closed = tuple(p if p.ended_at else replace(p, ended_at=at) for p in dossier.phases)
        dossier.phases = (*closed, PhaseRun(name, at))

    return start


def _phase_ends(name: str) -> Effect:
    def finish(dossier: Dossier, _act: Acted, at: datetime) -> None:
        dossier.phases = tuple(
            replace(p, ended_at=at) if p.phase == name and p.ended_at is None else p for p in dossier.phases
        )

    return finish


def _extension(limit_id: str, by: int, clock: Clock) -> Effect:
    def extend(dossier: Dossier, _act: Acted, at: datetime) -> Violation | None:
        limit = clock.limits[limit_id]
        anchor = limit.anchor(dossier)
        due = None if anchor is None else limit.due(dossier, anchor, at)
        if due is not None and at >= due:
            return Violation(f"extension/{limit_id}", "deadline", due, at)
        dossier.extensions = (*dossier.extensions, ExtensionTaken(limit_id, by, at))
        return None

    return extend


def _task_effects(revision: Revision, action: str) -> list[Effect]:
    found: list[Effect] = []
    for state, declared in revision.states.items():
        for name, task in declared.tasks.items():
            if action == task.asked:
                found.append(_asked(state, name))
            if action == task.answered:
                found.append(_closed(state, name, "answered_at"))
            if action == task.recalled:
                found.append(_closed(state, name, "recalled_at"))
    return found


def _agency(act: Acted) -> str:
    to = act.to.unit if act.to is not None else None
    return act.task or to or act.unit or ""


def _asked(state: str, name: str) -> Effect:
    def ask(dossier: Dossier, act: Acted, at: datetime) -> None:
        if dossier.state == state:
            dossier.tasks = (*dossier.tasks, TaskRun(state, name, _agency(act), at))

    return ask


def _closed(state: str, name: str, how: str) -> Effect:
    def close(dossier: Dossier, act: Acted, at: datetime) -> None:
        waiting = [
            run
            for run in dossier.tasks
            if (run.state, run.task) == (state, name)
            and run.left_at is None
            and run.answered_at is None
            and run.recalled_at is None
        ]
        named = [run for run in waiting if run.agency == _agency(act)] or waiting[:1] * (len(waiting) == 1)
        if named:
            changed = replace(named[0], **{how: at})
            dossier.tasks = tuple(changed if run is named[0] else run for run in dossier.tasks)

    return close
