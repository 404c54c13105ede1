"""The verdict on a dossier's end: whether it ended, where it may, in time, and under the conditions of its end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from workflow.guards import NOBODY
from workflow.model import Violation

if TYPE_CHECKING:
    from workflow.fold import Judgment
    from workflow.model import Dossier
    from workflow.rules import Rules


class Verdict(Struct, frozen=True, gc=False):
    """`ended_at` absent: still open. `late`: ended after the deadline that binds the end. `violations`: those of
    the end alone."""

    ended_at: datetime | None
    late: bool = False
    violations: tuple[Violation, ...] = ()


STILL_OPEN: Final = Verdict(None)


def verdict(judgment: Judgment, *, closes: bool = False, as_of: datetime | None = None) -> Verdict:
    """The end of a dossier as of a moment (None: after all its facts).

    `closes`: the log these facts come from is complete, so what has not ended by itself ended with its last fact.
    """
    dossier = judgment.dossier
    ended_at = dossier.ended_at
    if ended_at is not None and as_of is not None and ended_at > as_of:
        ended_at = None
    if ended_at is None and closes and dossier.last_key is not None:
        ended_at = dossier.last_key[0]
    if ended_at is None:
        return STILL_OPEN
    if dossier.halted:
        return Verdict(ended_at)
    return _judged(judgment.rules, dossier, ended_at)


def _judged(rules: Rules, dossier: Dossier, ended_at: datetime) -> Verdict:
    ending = rules.endings[dossier.state]
    broken: list[Violation] = [] if ending.allowed else [_no_end(rules, dossier.state)]
    for limit in ending.limits:
        due = limit.missed(dossier, ended_at)
        if due is not None:
            broken.append(Violation(limit.id, "deadline", due, ended_at))
    late = ending.headline is not None and ending.headline.missed(dossier, ended_at) is not None
    checks = [check for check in ending.checks if not check.holds(dossier, NOBODY, ended_at)]
    broken += [check.violation(dossier, NOBODY, ended_at) for check in checks]
    return Verdict(ended_at, late, tuple(broken))


def _no_end(rules: Rules, state: str) -> Violation:
    expected = ", ".join(name for name, ending in rules.endings.items() if ending.allowed) or "no state"
    return Violation(f"order/end/{state}", "order", expected, state)
