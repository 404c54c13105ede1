"""Checks of how a dossier moves: what cannot be reached or left, who acts, and what may go on for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.procedure.finding import error
from workflow.procedure.moves import Edge, Runs, Step, ends_by, may_end, on_order_break, reaching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.procedure.finding import Finding
    from workflow.procedure.language import Action, Predicate, Revision
    from workflow.procedure.moves import Run

LOOPS_SHOWN_MAX: Final = 20
"""Loops reported of one revision; who has more sees the rest after these are capped."""


def unreachable(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors for states no run leads to."""
    for state in revision.states:
        if state in reached:
            continue
        before = list(dict.fromkeys(e.source for e in graph if e.target == state and e.source != state))
        if not before:
            yield error(
                "unreachable",
                "state {state} is never reached: no move leads to it; add a move or remove the state",
                ("states", state),
                state=state,
            )
            continue
        yield error(
            "unreachable",
            "state {state} is never reached: moves lead to it only from {before}; add a move or remove the state",
            ("states", state),
            state=state,
            before=", ".join(before),
        )


def traps(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors for states that are reached and from which no state is, in which a dossier may end."""
    leads_out = reaching(graph, may_end(revision))
    for state in revision.states:
        if state in reached and state not in leads_out:
            yield error(
                "trap",
                "from state {state} no end can be reached; add a way out, make a state final or list one under ends",
                ("states", state),
                reached.to(state),
                state=state,
            )


def moves_of_actions(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors for actions without moves or roles, and with two moves from one state."""
    for name, action in revision.actions.items():
        if not action.moves:
            yield error("no-moves", "action {action} has no moves; add one", ("actions", name), action=name)
        if not action.role:
            yield error(
                "no-role",
                "action {action} names no role, so anybody may do it; name the roles",
                ("actions", name),
                _first_run(name, graph, reached),
                action=name,
            )
        seen: dict[str, int] = {}
        for edge in (edge for edge in graph if edge.action == name):
            if edge.source in seen:
                yield error(
                    "two-moves",
                    "action {action} has two moves from state {state} (moves {first} and {second}); keep one",
                    ("actions", name, "moves", edge.move),
                    reached.by(edge) if edge.source in reached else (),
                    action=name,
                    state=edge.source,
                    first=seen[edge.source] + 1,
                    second=edge.move + 1,
                )
            seen.setdefault(edge.source, edge.move)


def followed(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors for actions that are followed out of order and whose target is not one and the same."""
    for name, action in revision.actions.items():
        if on_order_break(action, revision) != "follow":
            continue
        targets = list(dict.fromkeys(move.to for move in action.moves if move.to is not None))
        if len(targets) > 1 and action.follow_to is None:
            yield error(
                "ambiguous-follow",
                "action {action} is followed when it comes out of order, but its moves lead to {targets}; "
                "name one in follow_to, or say what its order break does",
                ("actions", name),
                _out_of_order(name, targets[0], graph, reached),
                action=name,
                targets=", ".join(targets),
            )
        if action.follow_to is not None and targets and action.follow_to not in targets:
            yield error(
                "ambiguous-follow",
                "action {action} is followed to {follow_to}, but its moves lead to {targets}; name one of these",
                ("actions", name, "follow_to"),
                _out_of_order(name, action.follow_to, graph, reached),
                action=name,
                follow_to=action.follow_to,
                targets=", ".join(targets),
            )


def waits(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors for waits without a limit: stays, pauses, tasks, and the whole."""
    for name, state in revision.states.items():
        if name in reached and not _limited(revision, name, graph):
            yield error(
                "no-limit",
                "a dossier may stay in state {state} for ever; give the state a limit",
                ("states", name),
                reached.to(name),
                state=name,
            )
        for task_id, task in state.tasks.items():
            if task.limit is None:
                yield error(
                    "no-limit",
                    "task {task} of state {state} may wait for an answer for ever; give it a limit",
                    ("states", name, "tasks", task_id),
                    _first_run(task.asked, graph, reached),
                    task=task_id,
                    state=name,
                )
    for name, pause in revision.pauses.items():
        if pause.cap is None:
            yield error(
                "no-limit",
                "pause {pause} may stop the clock for ever; give it a cap",
                ("pauses", name),
                _run_of_pause(revision, name, graph, reached),
                pause=name,
            )
    if not any(limit.binds and (limit.binds.end or limit.binds.phase) for limit in revision.limits.values()):
        yield error(
            "no-limit",
            "no limit binds the end or a phase, so no dossier is ever late as a whole; add one",
            ("limits",),
        )


def _limited(revision: Revision, name: str, graph: Sequence[Edge]) -> bool:
    """Whether a stay is bounded: by a limit, by the cap of the pause that leads there, or for want of a way out.

    The initial state is no stay where no move leads to it or stays in it: nothing was received yet.
    """
    state = revision.states[name]
    if state.final or state.limit or name in _bound_states(revision):
        return True
    if name in revision.ends and all(edge.source != name for edge in graph):
        return True
    if all(edge.target != name for edge in graph):
        return True
    by_moves = [revision.actions[e.action] for e in graph if e.target == name and not e.stays]
    return bool(by_moves) and all(_capped_pause(revision, action) for action in by_moves)


def _capped_pause(revision: Revision, action: Action) -> bool:
    pause = revision.pauses.get(action.pause or "") if action.milestone == "paused" else None
    return pause is not None and pause.cap is not None


def _bound_states(revision: Revision) -> list[str | None]:
    return [limit.binds.state for limit in revision.limits.values() if limit.binds]


def loops(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors for what may be repeated without an end: new visits, pauses and extensions."""
    visits = [edge for edge in graph if not edge.stays]
    open_edges = [edge for edge in visits if not _capped(revision, edge, visits)]
    for _ in range(LOOPS_SHOWN_MAX):
        found = _a_loop(revision, open_edges, reached)
        if found is None:
            break
        closing, trace = found
        open_edges.remove(closing)
        yield error(
            "no-cap",
            "{source} and {target} can follow each other for ever, since nothing caps {action}; guard it by times",
            ("actions", closing.action),
            trace,
            source=closing.source,
            target=closing.target,
            action=closing.action,
        )
    yield from _repeated(revision, graph, visits, reached)


def _a_loop(revision: Revision, graph: Sequence[Edge], reached: Runs) -> tuple[Edge, Run] | None:
    """The move that closes a shortest loop, and a run that goes round it once."""
    for state in revision.states:
        if state not in reached:
            continue
        from_here = Runs(graph, state)
        if state in from_here.entered:
            return from_here.entered[state], (*reached.to(state), *from_here.back(state))
    return None


def _repeated(
    revision: Revision, graph: Sequence[Edge], visits: Sequence[Edge], reached: Runs
) -> Iterator[Finding]:
    for name, action in revision.actions.items():
        pause = revision.pauses.get(action.pause or "") if action.milestone == "paused" else None
        uncapped_pause = pause is not None and pause.at_most is None
        again = [e for e in graph if e.action == name and e.source in reached and _comes_again(e, visits)]
        if not again or any(_bounds(p, again[0]) for p in _conditions(revision, again[0])):
            continue
        run = (*reached.by(again[0]), *_round(again[0], visits))
        if uncapped_pause:
            yield error(
                "no-cap",
                "pause {pause} may stop the clock any number of times; say at_most how often",
                ("pauses", action.pause or ""),
                run,
                pause=action.pause or "",
            )
        if action.extends:
            yield error(
                "no-cap",
                "action {action} may lengthen {limits} any number of times; guard it by times",
                ("actions", name),
                run,
                action=name,
                limits=", ".join(action.extends),
            )


def _comes_again(edge: Edge, visits: Sequence[Edge]) -> bool:
    return edge.stays or edge.source == edge.target or edge.source in Runs(visits, edge.target)


def _round(edge: Edge, visits: Sequence[Edge]) -> Run:
    """From the move's target back to its source, and the move once more."""
    return (*Runs(visits, edge.target).to(edge.source), Step(edge.action, edge.target))


def _capped(revision: Revision, edge: Edge, visits: Sequence[Edge]) -> bool:
    action = revision.actions[edge.action]
    pause = revision.pauses.get(action.pause or "") if action.milestone == "paused" else None
    if pause is not None and pause.at_most is not None:
        return True
    if ends_by(revision, edge):
        return True
    return any(_bounds(p, edge) or _always(p, edge, visits) for p in _conditions(revision, edge))


def _bounds(predicate: Predicate, edge: Edge) -> bool:
    """Whether a condition of a move lets it happen only so often."""
    if predicate.times is not None:
        return predicate.times.action == edge.action
    return predicate.before_state is not None and not edge.stays and edge.target in predicate.before_state


def _always(predicate: Predicate, edge: Edge, visits: Sequence[Edge]) -> bool:
    """Whether a condition counts another action that every loop through this move goes by."""
    if predicate.times is None:
        return False
    without = [other for other in visits if other.action != predicate.times.action]
    return edge.source not in Runs(without, edge.target)


def _conditions(revision: Revision, edge: Edge) -> Iterator[Predicate]:
    """What must hold for a move: its guards, and each part of those that ask for all of their parts."""
    action = revision.actions[edge.action]
    names = (*action.guards, *action.moves[edge.move].guards, *revision.states[edge.source].guards)
    waiting = [revision.guards[name].requires for name in names if name in revision.guards]
    while waiting:
        predicate = waiting.pop()
        yield predicate
        waiting.extend(predicate.all or ())


def _first_run(action: str, graph: Sequence[Edge], reached: Runs) -> Run:
    """A run that ends with this action, empty where there is none."""
    return next((reached.by(e) for e in graph if e.action == action and e.source in reached), ())


def _run_of_pause(revision: Revision, pause: str, graph: Sequence[Edge], reached: Runs) -> Run:
    begins = [n for n, a in revision.actions.items() if a.pause == pause and a.milestone == "paused"]
    return next((run for name in begins if (run := _first_run(name, graph, reached))), ())


def _out_of_order(action: str, target: str, graph: Sequence[Edge], reached: Runs) -> Run:
    """A run to a state where the action is out of order, and the action followed to one target."""
    in_order = {edge.source for edge in graph if edge.action == action}
    states = [reached.start, *reached.entered]
    return next(((*reached.to(state), Step(action, target)) for state in states if state not in in_order), ())
