"""The verdict on a dossier's end: whether it ended, where it may, in time, and under the conditions of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.guards import NOBODY
from workflow.model import Violation

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.clock import LimitClock
    from workflow.fold import Judgment
    from workflow.model import Dossier
    from workflow.rules import Rules


class Verdict(NamedTuple):
    """`ended_at` absent: still open. `late`: ended after the deadline that binds the end. `violations`: those of
    the end alone."""

    ended_at: datetime | None
    late: bool
    violations: tuple[Violation, ...]


STILL_OPEN = Verdict(None, late=False, violations=())


def verdict(judgment: Judgment, *, closes: bool = False, as_of: datetime | None = None) -> Verdict:
    """The end of a dossier as of a moment (None: after all its facts).

    `closes`: the log these facts come from is complete, so what has not ended by itself ended with its last fact.
    """
    rules, dossier = judgment.rules, judgment.dossier
    ended_at = dossier.ended_at
    if ended_at is not None and as_of is not None and ended_at > as_of:
        ended_at = None
    if ended_at is None and closes and dossier.last_key is not None:
        ended_at = dossier.last_key[0]
    if ended_at is None:
        return STILL_OPEN
    if dossier.halted:
        return Verdict(ended_at, late=False, violations=())
    return _judged(rules, dossier, ended_at)


def _judged(rules: Rules, dossier: Dossier, ended_at: datetime) -> Verdict:
    state = dossier.state
    found: list[Violation] = []
    if state not in rules.may_end:
        expected = ", ".join(name for name in rules.revision.states if name in rules.may_end) or "no state"
        found.append(Violation(f"order/end/{state}", "order", expected, state))
    late = False
    for limit in rules.clock.for_end(state):
        due = end_due(limit, dossier, ended_at)
        if due is not None and limit.late(ended_at, due):
            found.append(Violation(limit.id, "deadline", due, ended_at))
    headline = rules.clock.headline(state)
    if headline is not None:
        due = end_due(headline, dossier, ended_at)
        late = due is not None and headline.late(ended_at, due)
    found += [
        check.violation(dossier, NOBODY, ended_at)
        for check in rules.ends.get(state, ())
        if not check.holds(dossier, NOBODY, ended_at)
    ]
    return Verdict(ended_at, late, tuple(found))


def end_due(limit: LimitClock, dossier: Dossier, at: datetime) -> datetime | None:
    """When a limit that binds the end is due, by the calendar announced at `at`; None where it does not apply."""
    anchor = limit.anchor(dossier)
    return None if anchor is None else limit.due(dossier, anchor, at)
