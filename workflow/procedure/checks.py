"""The checks a procedure passes before it is used. Each finding has a place and, where one can, a run that shows it.

Errors keep a revision from being used. A missing role, limit or cap, and steps that add up to more than the whole,
may be listed under `accepts` with a reason: by the finding's code, or by `code/place` for one place alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from workflow.errors import UnsoundProcedure, Words
from workflow.procedure import flow, forms, sums, values
from workflow.procedure.finding import ACCEPTABLE, Finding, error, shown_run, warning
from workflow.procedure.moves import Runs, edges
from workflow.procedure.references import undeclared, unused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from workflow.procedure.language import Revision

STATES_MAX: Final = 1_000
"""More states than a person could approve; the checks of paths take longer with their square."""
MOVES_MAX: Final = 10_000
"""Moves of all actions from all states, `any` written out."""


def check(revision: Revision, calendars: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """Everything found in one revision: errors, warnings, and errors it accepts, in the order of the checks.

    `calendars`: the zone of each calendar there is by its name; without them its calendar is not looked up.
    """
    if too_large := tuple(_too_large(revision)):
        return too_large
    known = () if calendars is None else forms.calendar(revision, calendars)
    return _accepted(revision, [*_found(revision), *known])


def check_all(revisions: Iterable[Revision]) -> tuple[Finding, ...]:
    """What is found between the revisions of each procedure: repeated ones, gaps and overlaps of their dates.

    `where` begins with the procedure's code and the revision. The first of them needs no dates, and one without a last
    day holds until the next begins.
    """
    groups: dict[str, list[Revision]] = {}
    for revision in revisions:
        groups.setdefault(revision.procedure, []).append(revision)
    return tuple(finding for group in groups.values() if len(group) > 1 for finding in _between(group))


def require_sound(revisions: Iterable[Revision], file: Path) -> None:
    """Raises `UnsoundProcedure` with the first error in or between revisions of a file or folder, and how many."""
    given = tuple(revisions)
    errors = [
        (f"{one.procedure} {one.revision}: {finding.place}", finding, _shown_by(one, finding))
        for one in given
        for finding in check(one)
        if finding.level == "error"
    ]
    errors += [(finding.place, finding, "") for finding in check_all(given) if finding.level == "error"]
    if errors:
        where, first, run = errors[0]
        raise UnsoundProcedure(
            "{file}: {count} errors, the first: {where}: {first}{run}; see them all with: "
            "dunghen procedure check {file}",
            file=file,
            count=len(errors),
            where=where,
            first=Words.of(first.text, first.values),
            run=run,
        )


def _shown_by(revision: Revision, finding: Finding) -> str:
    return f" ({shown_run(revision, finding.trace)})" if finding.trace else ""


def _too_large(revision: Revision) -> Iterator[Finding]:
    states, moves = len(revision.states), 0
    for action in revision.actions.values():
        moves += sum(states if move.sources == "any" else len(move.sources) for move in action.moves)
    for number, most, where in ((states, STATES_MAX, "states"), (moves, MOVES_MAX, "actions")):
        if number > most:
            yield error(
                "too-large",
                "{number} {where} (with each state an action starts from), expected at most {most}; split it",
                (where,),
                number=number,
                where=where,
                most=most,
            )


def _found(revision: Revision) -> Iterator[Finding]:
    graph = edges(revision)
    reached = Runs(graph, revision.initial)
    yield from forms.identity(revision)
    unknown = tuple(undeclared(revision))
    yield from unknown
    # What follows a state whose name is misspelt is reached, and left, once the name is right.
    if not any(finding.values["section"] == "states" for finding in unknown):
        yield from flow.unreachable(revision, graph, reached)
        yield from flow.traps(revision, graph, reached)
    yield from flow.moves_of_actions(revision, graph, reached)
    yield from flow.followed(revision, graph, reached)
    yield from flow.waits(revision, graph, reached)
    yield from flow.loops(revision, graph, reached)
    yield from forms.countings(revision)
    yield from forms.limits(revision)
    yield from forms.samples(revision)
    yield from sums.added_up(revision)
    yield from sums.committed_against_statutory(revision)
    yield from forms.pauses(revision, graph, reached)
    yield from forms.tasks(revision, graph)
    yield from values.predicates(revision, reached)
    yield from values.registers(revision, graph, reached)
    yield from unused(revision)


def _accepted(revision: Revision, found: list[Finding]) -> tuple[Finding, ...]:
    used: set[str] = set()
    result: list[Finding] = []
    for finding in found:
        keys = [key for key in (f"{finding.code}/{finding.place}", finding.code) if key in revision.accepts]
        if finding.level == "error" and finding.code in ACCEPTABLE and keys:
            used.add(keys[0])
            result.append(replace(finding, level="accepted", because=revision.accepts[keys[0]]))
        else:
            result.append(finding)
    for key, reason in revision.accepts.items():
        if key.split("/")[0] not in ACCEPTABLE:
            result.append(
                error(
                    "not-acceptable",
                    "{key} cannot be accepted, only {acceptable} can; correct the procedure",
                    ("accepts", key),
                    key=key,
                    acceptable=", ".join(ACCEPTABLE),
                )
            )
        elif not reason.strip():
            result.append(
                error("not-acceptable", "{key} is accepted without a reason", ("accepts", key), key=key)
            )
        elif key not in used:
            result.append(
                warning(
                    "unused-accept",
                    "{key} is accepted but was not found; remove it",
                    ("accepts", key),
                    key=key,
                )
            )
    return tuple(result)


def _between(group: list[Revision]) -> Iterator[Finding]:
    seen: set[str] = set()
    undated: set[str] = set()
    several = sum(revision.effective is None for revision in group) > 1
    for revision in group:
        where = (revision.procedure, revision.revision)
        if revision.revision in seen:
            yield error(
                "repeated-revision",
                "procedure {procedure} has two revisions {revision}; give one another number",
                where,
                procedure=revision.procedure,
                revision=revision.revision,
            )
        seen.add(revision.revision)
        if revision.effective is None and several and revision.revision not in undated:
            undated.add(revision.revision)
            yield error(
                "no-dates",
                "procedure {procedure} has several revisions that do not say since when, {revision} among them; "
                "add effective",
                where,
                procedure=revision.procedure,
                revision=revision.revision,
            )
    dated = [(r.effective, r.revision) for r in group if r.effective is not None]
    dated.sort(key=lambda one: (one[0].since, one[1]))
    for (before, earlier), (after, later) in pairwise(dated):
        if before.since == after.since:
            yield error(
                "overlap",
                "procedure {procedure}: {earlier} and {later} both begin on {since}; a receipt needs one revision",
                (group[0].procedure, later, "effective"),
                procedure=group[0].procedure,
                earlier=earlier,
                later=later,
                since=after.since.isoformat(),
            )
            continue
        if before.to is None:
            # It holds until the next begins: what was approved need not be edited to be followed.
            continue
        code = _apart(before.to.toordinal(), after.since.toordinal())
        if code is not None:
            yield error(
                code,
                _APART[code],
                (group[0].procedure, later, "effective"),
                procedure=group[0].procedure,
                earlier=earlier,
                to=before.to.isoformat(),
                later=later,
                since=after.since.isoformat(),
            )


_APART: Final = {
    "gap": "procedure {procedure}: {earlier} ends on {to} and {later} begins on {since}; no revision holds between",
    "overlap": "procedure {procedure}: {earlier} holds until {to} and {later} begins on {since}; "
    "a receipt needs one revision",
}


def _apart(last: int, first: int) -> str | None:
    """What lies between two revisions: `gap`, `overlap`, or None where one day follows the other."""
    if last >= first:
        return "overlap"
    return "gap" if last + 1 < first else None
