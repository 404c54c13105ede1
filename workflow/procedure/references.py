"""The names a revision uses, and those it uses without declaring them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.errors import Words
from workflow.procedure.finding import Where, error, warning
from workflow.procedure.language import Counting, Operand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflow.procedure.finding import Finding
    from workflow.procedure.language import Action, Limit, Predicate, Revision, Value


class Reference(NamedTuple):
    """One use of a name: the section that should declare it, the name, and where it is used."""

    section: str
    name: str
    where: Where


class PlacedLimit(NamedTuple):
    """A limit, where it stands, and whether it was declared by name, for a state (step) or for a task."""

    where: Where
    limit: Limit
    owner: str


def undeclared(revision: Revision) -> Iterator[Finding]:
    """Errors for names that are used and declared nowhere."""
    declared = _declared(revision)
    for section, name, where in references(revision):
        if name not in declared[section]:
            yield error(
                "undeclared",
                "expected a name declared under {section} ({known}), found {name}; declare it or correct its spelling",
                where,
                section=section,
                known=", ".join(declared[section]) or Words("none"),
                name=name,
            )


def unused(revision: Revision) -> Iterator[Finding]:
    """Warnings for guards, countings, sums and pauses that nothing uses."""
    used = {(section, name) for section, name, _ in references(revision)}
    for section in ("guards", "counting", "sums", "pauses"):
        for name in getattr(revision, section):
            if (section, name) not in used:
                yield warning(
                    "unused",
                    "{name} is declared but nothing uses it; remove it or use it",
                    (section, name),
                    name=name,
                )


def _declared(revision: Revision) -> dict[str, tuple[str, ...]]:
    sections = ("states", "actions", "guards", "counting", "registers", "sums", "pauses", "limits", "phases")
    found = {section: tuple(getattr(revision, section)) for section in sections}
    tasks = tuple(task for state in revision.states.values() for task in state.tasks)
    return {**found, "pauses or tasks": found["pauses"] + tasks}


def references(revision: Revision) -> Iterator[Reference]:
    """Every use of a declared name, in the order of the file."""
    yield Reference("states", revision.initial, ("initial",))
    yield from _of_states(revision)
    for name, action in revision.actions.items():
        yield from _of_action(action, ("actions", name))
    for name, register in revision.registers.items():
        yield from _each("actions", register.actions or (), ("registers", name, "actions"))
    for name, registers in revision.sums.items():
        yield from _each("registers", registers, ("sums", name))
    for name, guard in revision.guards.items():
        for where, predicate in nested(guard.requires, ("guards", name, "requires")):
            yield from _of_predicate(predicate, where)
    for placed in placed_limits(revision):
        yield from _of_limit(placed.limit, placed.where)
    yield from _of_clocks(revision)


def _of_states(revision: Revision) -> Iterator[Reference]:
    for name, state in revision.states.items():
        yield from _each("guards", state.guards, ("states", name, "guards"))
        for task_id, task in state.tasks.items():
            where: Where = ("states", name, "tasks", task_id)
            for key in ("asked", "answered", "recalled"):
                yield from _one("actions", getattr(task, key), (*where, key))


def _of_clocks(revision: Revision) -> Iterator[Reference]:
    for name, pause in revision.pauses.items():
        if pause.cap:
            yield from _counted(pause.cap.counts, ("pauses", name, "cap", "counts"))
    for name, phase in revision.phases.items():
        yield from _each("actions", phase.starts, ("phases", name, "starts"))
        yield from _each("actions", phase.ends, ("phases", name, "ends"))
    for name, end in revision.ends.items():
        yield Reference("states", name, ("ends", name))
        yield from _each("guards", end.requires, ("ends", name, "requires"))


def placed_limits(revision: Revision) -> Iterator[PlacedLimit]:
    """Every limit: those declared by name, then those of states and their tasks."""
    for name, limit in revision.limits.items():
        yield PlacedLimit(("limits", name), limit, "named")
    for name, state in revision.states.items():
        if state.limit:
            yield PlacedLimit(("states", name, "limit"), state.limit, "step")
        for task_id, task in state.tasks.items():
            if task.limit:
                yield PlacedLimit(("states", name, "tasks", task_id, "limit"), task.limit, "task")


def nested(predicate: Predicate, where: Where) -> Iterator[tuple[Where, Predicate]]:
    """A predicate and all it is combined of, each with its place."""
    yield where, predicate
    for key in ("all", "any"):
        for index, part in enumerate(getattr(predicate, key) or ()):
            yield from nested(part, (*where, key, index))
    if predicate.negated:
        yield from nested(predicate.negated, (*where, "not"))


def values_of(predicate: Predicate, where: Where) -> Iterator[tuple[Where, Value]]:
    """The constants and operands a predicate itself compares, each with its place."""
    if predicate.present is not None:
        yield (*where, "present"), predicate.present
    for key in ("equals", "at_least", "at_most", "less_than"):
        for index, value in enumerate(getattr(predicate, key) or ()):
            yield (*where, key, index), value
    if predicate.one_of is not None:
        yield (*where, "one_of", "value"), predicate.one_of.value


def _of_action(action: Action, where: Where) -> Iterator[Reference]:
    for index, move in enumerate(action.moves):
        here: Where = (*where, "moves", index)
        yield from _each("states", () if move.sources == "any" else move.sources, (*here, "from"))
        yield from _one("states", move.to, (*here, "to"))
        yield from _each("guards", move.guards, (*here, "guards"))
    yield from _each("guards", action.guards, (*where, "guards"))
    yield from _one("states", action.follow_to, (*where, "follow_to"))
    yield from _one("pauses", action.pause, (*where, "pause"))
    for limit in action.extends:
        yield Reference("limits", limit, (*where, "extends", limit))


def _of_predicate(predicate: Predicate, where: Where) -> Iterator[Reference]:
    yield from _each("actions", predicate.four_eyes or (), (*where, "four_eyes"))
    yield from _each("states", predicate.after_state or (), (*where, "after_state"))
    yield from _each("states", predicate.before_state or (), (*where, "before_state"))
    yield from _one("limits", predicate.limit_passed, (*where, "limit_passed"))
    if predicate.times:
        yield Reference("actions", predicate.times.action, (*where, "times", "action"))
    if predicate.within:
        yield Reference("actions", predicate.within.after, (*where, "within", "after"))
        yield from _counted(predicate.within.counts, (*where, "within", "counts"))
    for here, value in values_of(predicate, where):
        if isinstance(value, Operand):
            yield from _of_operand(value, here)


def _of_operand(operand: Operand, where: Where) -> Iterator[Reference]:
    yield from _one("registers", operand.register, (*where, "register"))
    yield from _one("registers", operand.data, (*where, "data"))
    if isinstance(operand.sum, str):
        yield Reference("sums", operand.sum, (*where, "sum"))
    else:
        yield from _each("registers", operand.sum or (), (*where, "sum"))


def _of_limit(limit: Limit, where: Where) -> Iterator[Reference]:
    yield from _counted(limit.counts, (*where, "counts"))
    yield from _one("registers", limit.until, (*where, "until"))
    if limit.within is not None and not isinstance(limit.within, int):
        yield Reference("registers", limit.within.register, (*where, "within", "register"))
    if limit.stops_for not in ("all", "none"):
        yield from _each("pauses or tasks", limit.stops_for, (*where, "stops_for"))
    if limit.starts:
        yield from _one("actions", limit.starts.action, (*where, "from", "action"))
        yield from _one("states", limit.starts.entering, (*where, "from", "entering"))
    if binds := limit.binds:
        yield from _one("actions", binds.action, (*where, "binds", "action"))
        yield from _one("states", binds.state, (*where, "binds", "state"))
        yield from _one("phases", binds.phase, (*where, "binds", "phase"))
        if binds.actions != "any":
            yield from _each("actions", binds.actions or (), (*where, "binds", "actions"))
        if binds.end != "any":
            yield from _each("states", binds.end or (), (*where, "binds", "end"))


def _counted(counts: Counting | str, where: Where) -> Iterator[Reference]:
    if isinstance(counts, str):
        yield Reference("counting", counts, where)


def _each(section: str, names: Iterable[str], where: Where) -> Iterator[Reference]:
    for index, name in enumerate(names):
        yield Reference(section, name, (*where, index))


def _one(section: str, name: str | None, where: Where) -> Iterator[Reference]:
    if name is not None:
        yield Reference(section, name, where)
