"""Checks of form: limits and countings that say too little or too much, pauses, tasks, approval, zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.errors import Words
from workflow.procedure.finding import Where, error, warning
from workflow.procedure.language import Counting, Names
from workflow.procedure.moves import Runs
from workflow.procedure.references import placed_limits
from workflow.zones import is_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workflow.procedure.finding import Finding
    from workflow.procedure.language import Limit, Revision, Wording
    from workflow.procedure.moves import Edge
    from workflow.procedure.references import PlacedLimit

_DAYS = ("working_days", "calendar_days")


def identity(revision: Revision) -> Iterator[Finding]:
    """Errors of zone, approval and effective dates."""
    if not is_zone(revision.zone):
        yield error(
            "unknown-zone",
            "expected a time zone such as Asia/Ho_Chi_Minh, found {zone}; correct it",
            ("zone",),
            zone=revision.zone,
        )
    if revision.figures == "sample" and revision.approval is not None:
        yield error(
            "sample-approved",
            "sample figures carry the approval {document}; say figures: approved, or remove the approval",
            ("approval",),
            document=revision.approval.document,
        )
    if revision.figures == "approved" and revision.approval is None:
        yield error(
            "not-approved",
            "approved figures carry no approval; add document, decision and date, or say figures: sample",
            ("figures",),
        )
    dates = revision.effective
    if dates is not None and dates.to is not None and dates.to < dates.since:
        yield error(
            "dates-reversed",
            "effective from {since} to {to}: the last day lies before the first; correct one of them",
            ("effective",),
            since=dates.since.isoformat(),
            to=dates.to.isoformat(),
        )


def calendar(revision: Revision, calendars: Mapping[str, str]) -> Iterator[Finding]:
    """Errors where the calendar is none of those there are, or counts in another zone. `calendars`: zones by name."""
    name = revision.calendar
    if name is None:
        return
    if name not in calendars:
        yield error(
            "unknown-calendar",
            "expected one of the calendars {known}, found {name}; correct the name or give the calendar",
            ("calendar",),
            known=", ".join(sorted(calendars)) or Words("none"),
            name=name,
        )
    elif calendars[name] != revision.zone:
        yield error(
            "other-zone",
            "the zone is {zone}, that of the calendar {name} is {found}; they must be the same",
            ("calendar",),
            zone=revision.zone,
            name=name,
            found=calendars[name],
        )


def countings(revision: Revision) -> Iterator[Finding]:
    """Errors of countings that leave a date open, or say what has no meaning for their unit."""
    for where, counting in _countings(revision):
        day = counting.unit in _DAYS
        if day and counting.first_day is None:
            yield _incomplete("first_day", counting, where)
        if counting.unit == "calendar_days" and counting.rest_day is None:
            yield _incomplete("rest_day", counting, where)
        for word in ("first_day", "rest_day"):
            if not day and getattr(counting, word) is not None:
                yield _excess(word, counting, where)
        if counting.unit == "given_date" and counting.cut_off is not None:
            yield _excess("cut_off", counting, where)
        if revision.calendar is None and (
            counting.unit.startswith("working") or counting.cut_off is not None
        ):
            yield error(
                "no-calendar",
                "{unit} and cut-offs need a working calendar; name one in `calendar`",
                where,
                unit=counting.unit,
            )


def _countings(revision: Revision) -> Iterator[tuple[Where, Counting]]:
    for name, counting in revision.counting.items():
        yield ("counting", name), counting
    for placed in placed_limits(revision):
        if isinstance(placed.limit.counts, Counting):
            yield (*placed.where, "counts"), placed.limit.counts
    for name, pause in revision.pauses.items():
        if pause.cap is not None and isinstance(pause.cap.counts, Counting):
            yield ("pauses", name, "cap", "counts"), pause.cap.counts


def _incomplete(word: str, counting: Counting, where: Where) -> Finding:
    return error(
        "counting-form", "a count of {unit} must say {word}; add it", where, unit=counting.unit, word=word
    )


def _excess(word: str, counting: Counting, where: Where) -> Finding:
    return error(
        "counting-form", "{word} has no meaning for {unit}; remove it", where, unit=counting.unit, word=word
    )


def limits(revision: Revision) -> Iterator[Finding]:
    """Errors of limits that say too little, too much, or contradict their counting."""
    for placed in placed_limits(revision):
        yield from _amount(revision, placed)
        yield from _bindings(placed)
        yield from _basis(revision, placed)
    for names in _of_ends(revision):
        yield from _headline(revision, names)


def _of_ends(revision: Revision) -> Iterator[tuple[str, ...]]:
    """The names of the limits that bind each end for which one is declared."""
    bound: dict[str, list[str]] = {}
    for name, limit in revision.limits.items():
        if limit.binds and limit.binds.end:
            for end in (limit.binds.end,) if limit.binds.end == "any" else limit.binds.end:
                bound.setdefault(end, []).append(name)
    everywhere = bound.pop("any", [])
    for names in bound.values() or [[]]:
        yield tuple(dict.fromkeys([*everywhere, *names]))


def samples(revision: Revision) -> Iterator[Finding]:
    """Sample figures in an approved revision: an error where they say whether a dossier is late, else a warning."""
    if revision.figures != "approved":
        return
    deciding = {
        ("limits", name)
        for names in _of_ends(revision)
        for name in names
        if len(names) == 1 or revision.limits[name].headline
    }
    for placed in placed_limits(revision):
        if placed.limit.figures != "sample":
            continue
        if placed.where in deciding or placed.limit.headline:
            yield error(
                "sample-headline",
                "sample figures say whether a dossier is late, in an approved revision; "
                "give the figure that was approved, or say figures: sample of the revision",
                placed.where,
            )
        else:
            yield warning(
                "sample-limit",
                "sample figures in an approved revision; give the figure that was approved, or its law",
                placed.where,
            )


def _basis(revision: Revision, placed: PlacedLimit) -> Iterator[Finding]:
    limit = placed.limit
    if (limit.figures or revision.figures) == "statutory" and not (
        _says(limit.basis) or _says(revision.basis)
    ):
        yield error(
            "no-basis",
            "statutory figures name no law; add its basis, or say figures: sample",
            placed.where,
        )


def _says(text: Wording | None) -> bool:
    """Whether there is something to read, in every language it is said in."""
    return all((text.vi, text.en)) if isinstance(text, Names) else bool(text)


def _amount(revision: Revision, placed: PlacedLimit) -> Iterator[Finding]:
    limit, where = placed.limit, placed.where
    counting = limit.counts if isinstance(limit.counts, Counting) else revision.counting.get(limit.counts)
    if (limit.within is None) == (limit.until is None):
        yield error("limit-form", "a limit says exactly one of within and until; correct it", where)
    if counting is None:
        return
    if limit.within is not None and counting.unit == "given_date":
        yield error(
            "limit-form",
            "given_date counts to a date in a register: say until, not within",
            (*where, "within"),
        )
    if limit.until is not None and counting.unit != "given_date":
        yield error(
            "limit-form",
            "until names a date, which {unit} cannot count to: count by given_date, or say within",
            (*where, "until"),
            unit=counting.unit,
        )
    register = revision.registers.get(limit.until or "")
    if register is not None and register.type not in ("date", "time"):
        yield error(
            "limit-form",
            "register {register} holds {type}, expected a date or a time; correct its type",
            (*where, "until"),
            register=limit.until or "",
            type=register.type,
        )
    if limit.within == 0 and counting.reaching == "late" and counting.unit in _DAYS:
        yield error(
            "limit-form",
            "within 0 where reaching the day is late leaves no day in time; say 1 or reaching: in_time",
            (*where, "within"),
        )


def _bindings(placed: PlacedLimit) -> Iterator[Finding]:
    limit, where = placed.limit, placed.where
    if placed.owner != "named":
        if limit.binds or limit.starts or limit.headline or limit.date != "other":
            yield error(
                "limit-form",
                "the limit of a state or task binds that stay and starts with it; "
                "remove binds, from, date and headline",
                where,
            )
        return
    said = [] if limit.binds is None else _said(limit.binds, ("action", "actions", "state", "phase", "end"))
    if len(said) != 1:
        yield error(
            "limit-form",
            "a limit binds exactly one of action, actions, state, phase and end, found {found}; correct it",
            where,
            found=", ".join(said) or Words("none"),
        )
    if (
        limit.starts is not None
        and len(found := _said(limit.starts, ("action", "entering", "milestone"))) != 1
    ):
        yield error(
            "limit-form",
            "a limit counts from exactly one of action, entering and milestone, found {found}; correct it",
            (*where, "from"),
            found=", ".join(found) or Words("none"),
        )
    if (limit.date != "other" or limit.headline) and len(said) == 1 and said[0] not in ("end", "phase"):
        yield error(
            "limit-form",
            "only a limit of the end or of a phase gives a date of the dossier or is the headline",
            where,
        )


def _said(value: object, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if getattr(value, word)]


def _headline(revision: Revision, names: tuple[str, ...]) -> Iterator[Finding]:
    chosen = [name for name in names if revision.limits[name].headline]
    if len(names) > 1 and len(chosen) != 1:
        yield error(
            "no-headline",
            "limits {limits} bind the same end, headline is {chosen}; mark exactly one by headline: true",
            ("limits", names[1]),
            limits=", ".join(names),
            chosen=", ".join(chosen) or Words("none"),
        )


def pauses(revision: Revision, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    """Errors of pauses that no action ends, and of what a resumption needs."""
    tasks = {task for state in revision.states.values() for task in state.tasks}
    for name, action in revision.actions.items():
        if (action.milestone in ("paused", "resumed")) != (action.pause is not None):
            yield error(
                "pause-form",
                "action {action}: milestone paused or resumed and the name of a pause go together; add the other",
                ("actions", name),
                action=name,
            )
    for name, pause in revision.pauses.items():
        if name in tasks:
            yield error(
                "pause-form",
                "{pause} names a pause and a task, so stops_for is ambiguous; rename one",
                ("pauses", name),
                pause=name,
            )
        yield from _resumption(revision, name, graph, reached)
        yield from _resumed_how(revision, name, pause.on_resume)


def _resumption(revision: Revision, name: str, graph: Sequence[Edge], reached: Runs) -> Iterator[Finding]:
    begins = [e for e in graph if _of_pause(revision, e, name, "paused") and e.source in reached]
    ends = [e.source for e in graph if _of_pause(revision, e, name, "resumed")]
    for edge in begins:
        after = Runs(graph, edge.target)
        if not any(source in after for source in ends):
            yield error(
                "no-resume",
                "after pause {pause} in state {state} no action can resume it; add one with milestone resumed",
                ("pauses", name),
                reached.by(edge),
                pause=name,
                state=edge.target,
            )
            return


def _of_pause(revision: Revision, edge: Edge, pause: str, milestone: str) -> bool:
    action = revision.actions[edge.action]
    return action.pause == pause and action.milestone == milestone


def _resumed_how(revision: Revision, name: str, on_resume: str) -> Iterator[Finding]:
    if on_resume == "next_phase" and len(revision.phases) <= 1:
        yield error(
            "resume-form",
            "pause {pause} goes on with the next phase, but fewer than two phases are declared; declare them",
            ("pauses", name, "on_resume"),
            pause=name,
        )
    stopped = [
        limit for limit in revision.limits.values() if limit.within is not None and _stops_for(limit, name)
    ]
    if on_resume == "restart" and not stopped:
        yield error(
            "resume-form",
            "pause {pause} restarts the clock, but no limit stops for it; name it in stops_for of a limit",
            ("pauses", name, "on_resume"),
            pause=name,
        )


def _stops_for(limit: Limit, pause: str) -> bool:
    return limit.stops_for == "all" or (limit.stops_for != "none" and pause in limit.stops_for)


def tasks(revision: Revision, graph: Sequence[Edge]) -> Iterator[Finding]:
    """Errors of tasks whose actions another task of the state has too, or that cannot take place there."""
    possible = {(edge.source, edge.action) for edge in graph}
    for state, where, name in (use for one in revision.states for use in _task_actions(revision, one)):
        if sum(1 for _, _, other in _task_actions(revision, state) if other == name) > 1:
            yield error(
                "task-form",
                "action {action} stands for two things in the tasks of state {state}; give each its own",
                where,
                action=name,
                state=state,
            )
        if name in revision.actions and (state, name) not in possible:
            yield error(
                "task-form",
                "action {action} of a task has no move from its state {state}; add one that stays there",
                where,
                action=name,
                state=state,
            )


def _task_actions(revision: Revision, state: str) -> Iterator[tuple[str, Where, str]]:
    """Each action a task of a state names: the state, where it is named, and the action."""
    for task_id, task in revision.states[state].tasks.items():
        for key in ("asked", "answered", "recalled"):
            if (name := getattr(task, key)) is not None:
                yield state, ("states", state, "tasks", task_id, key), name
