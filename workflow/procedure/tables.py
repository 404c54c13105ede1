"""A procedure as rows, for tables and JSON: states, moves, limits, phases, pauses, guards, registers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from workflow.procedure.asking import asked_in_words
from workflow.procedure.describe import MILESTONES, asked_text, limit_text, name_of, text_of
from workflow.procedure.language import Counting
from workflow.procedure.moves import may_end, on_order_break, sources_of
from workflow.procedure.reader import fingerprint
from workflow.procedure.references import placed_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.procedure.describe import Language, Translate
    from workflow.procedure.finding import Where
    from workflow.procedure.language import Binds, Limit, Revision

_LONG: Final = re.compile(r"([^\s,()“”]{60})[^\s,()“”]+")
"""A constant too long to be read; what is left out does not change what the guard says to a person."""
Row: TypeAlias = "dict[str, object]"


def heading(revision: Revision, language: Language) -> Row:
    """The revision itself: code, number, name, figures, approval, dates, zone, legal basis, fingerprint."""
    approval, effective = revision.approval, revision.effective
    return {
        "procedure": revision.procedure,
        "revision": revision.revision,
        "name": name_of(revision.name, revision.procedure, language),
        "figures": revision.figures,
        "document": approval.document if approval else None,
        "decision": approval.decision if approval else None,
        "decided_on": approval.decided_on if approval else None,
        "effective_from": effective.since if effective else None,
        "effective_to": effective.to if effective else None,
        "zone": revision.zone,
        "calendar": revision.calendar,
        "basis": text_of(revision.basis, language),
        "initial": revision.initial,
        "fingerprint": fingerprint(revision),
    }


def states(revision: Revision, language: Language, translate: Translate) -> Iterator[Row]:
    """One row for each state: who holds it, the limit of a stay, whether a dossier may end there, its tasks."""
    ends = may_end(revision)
    for name, state in revision.states.items():
        yield {
            "state": name,
            "name": name_of(state.name, name, language),
            "role": state.role,
            "limit": limit_text(revision, state.limit, translate) if state.limit else None,
            "ends": translate("always") if state.final else translate("may") if name in ends else None,
            "guards": state.guards,
            "tasks": tuple(state.tasks),
        }


def moves(revision: Revision, language: Language, translate: Translate) -> Iterator[Row]:
    """One row for each move: the action, who may take it, from where to where, its rules and its milestone."""
    for name, action in revision.actions.items():
        for move in action.moves:
            yield {
                "action": name,
                "name": name_of(action.name, name, language),
                "roles": action.role,
                "from": sources_of(move, revision),
                "to": move.to,
                "guards": (*action.guards, *move.guards),
                "milestone": translate(MILESTONES[action.milestone]) if action.milestone else None,
                "order_break": on_order_break(action, revision),
            }


def limits(revision: Revision, language: Language, translate: Translate) -> Iterator[Row]:
    """One row for each limit: its length, what it binds, what it counts from, its legal basis."""
    for where, limit, _ in placed_limits(revision):
        yield {
            "limit": _id(where),
            "name": name_of(limit.name, "", language),
            "length": limit_text(revision, limit, translate),
            "counts": _counted(revision, limit),
            "binds": _bound(limit.binds) if limit.binds else _owner(where),
            "date": limit.date,
            "headline": limit.headline,
            "stops_for": limit.stops_for,
            "basis": text_of(limit.basis, language),
        }


def _id(where: Where) -> str:
    """A limit's rule id: its name, `step/<state>` or `task/<state>/<task>`."""
    match where:
        case ("states", state, "limit"):
            return f"step/{state}"
        case ("states", state, "tasks", task, "limit"):
            return f"task/{state}/{task}"
        case _:
            return str(where[-1])


def _owner(where: Where) -> str | None:
    """What a limit that names nothing is a limit of: the state or task it stands at."""
    match where:
        case ("states", state, "limit"):
            return f"state {state}"
        case ("states", state, "tasks", task, "limit"):
            return f"task {task}, state {state}"
        case _:
            return None


def _counted(revision: Revision, limit: Limit) -> str | None:
    """How a limit counts, in the words of the language: what would change a date."""
    counting = limit.counts if isinstance(limit.counts, Counting) else revision.counting.get(limit.counts)
    if counting is None:
        return None
    said = {word: getattr(counting, word) for word in ("reaching", "first_day", "rest_day", "cut_off")}
    return ", ".join(f"{word} {value}" for word, value in said.items() if value is not None)


def _bound(binds: Binds) -> str:
    said = {word: getattr(binds, word) for word in ("action", "actions", "state", "phase", "end")}
    return ", ".join(
        f"{word} {value if isinstance(value, str) else ', '.join(value)}"
        for word, value in said.items()
        if value
    )


def pauses(revision: Revision, language: Language, translate: Translate) -> Iterator[Row]:
    """One row for each pause: how often, how long at most, how the clock goes on."""
    for name, pause in revision.pauses.items():
        yield {
            "pause": name,
            "name": name_of(pause.name, name, language),
            "at_most": pause.at_most,
            "cap": pause.cap.within if pause.cap else None,
            "cap_length": limit_text(revision, pause.cap, translate) if pause.cap else None,
            "on_resume": pause.on_resume,
            "waits_for": pause.waits_for,
            "documents": pause.documents,
            "basis": text_of(pause.basis, language),
        }


def phases(revision: Revision, language: Language) -> Iterator[Row]:
    """One row for each phase: which actions start its clock and which stop it, in the order of the phases."""
    for name, phase in revision.phases.items():
        yield {
            "phase": name,
            "name": name_of(phase.name, name, language),
            "starts": phase.starts,
            "ends": phase.ends,
        }


def guards(revision: Revision, language: Language, translate: Translate) -> Iterator[Row]:
    """One row for each guard: what it asks, as verdicts spell it and in words, and what a break does."""
    for name, guard in revision.guards.items():
        yield {
            "guard": name,
            "name": name_of(guard.name, name, language),
            "requires": _LONG.sub(r"\1…", asked_text(guard.requires)),
            "asks": _LONG.sub(r"\1…", asked_in_words(guard.requires, revision, language, translate)),
            "on_break": guard.on_break,
            "basis": text_of(guard.basis, language),
        }


def registers(revision: Revision) -> Iterator[Row]:
    """One row for each register: its type, what it keeps, and from where."""
    for name, register in revision.registers.items():
        yield {
            "register": name,
            "type": register.type,
            "keep": register.keep,
            "from": register.source or name,
            "actions": register.actions or "any",
            "initial": register.initial,
        }
