"""What may come next in a dossier: which actions, by whom, under which conditions, and why the others may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from workflow.guards import NOBODY, operands
from workflow.layout import parts
from workflow.machine import order_break
from workflow.model import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.guards import Check
    from workflow.model import Dossier
    from workflow.rules import Rules


class Choice(Struct, frozen=True, omit_defaults=True):
    """One action of the procedure, asked at a moment.

    `to`: where it would lead, if its place in the order allows it. `roles`: who may act (empty: anyone).
    `not_by`: persons whom four eyes exclude. `conditions`: what depends on the event itself. `because`: the rules
    that forbid it now.
    """

    action: str
    allowed: bool
    to: str | None = None
    roles: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    because: tuple[Violation, ...] = ()


def allowed(rules: Rules, dossier: Dossier, at: datetime) -> tuple[Choice, ...]:
    """Every action of the dossier's procedure as of `at`, in the order of its file."""
    own = rules.family[dossier.revision]
    return tuple(_choice(own, dossier, action, at) for action in own.revision.actions)


def _choice(rules: Rules, dossier: Dossier, action: str, at: datetime) -> Choice:
    target = rules.machine.target(dossier.state, action)
    roles = rules.revision.actions[action].role
    if target is None or dossier.halted:
        return Choice(
            action, allowed=False, roles=roles, because=(order_break(rules.machine, dossier.state, action),)
        )
    checks = rules.machine.actions[action].rules[dossier.state].checks
    now = [check for check in checks if not _asks_event(rules, check)]
    broken = [check for check in now if not check.holds(dossier, NOBODY, at)]
    return Choice(
        action,
        allowed=not any(check.refuses for check in broken),
        to=target,
        roles=roles,
        not_by=tuple(sorted(set(_excluded(rules, dossier, action, checks)))),
        conditions=tuple(
            c.expected for c in checks if _asks_event(rules, c) and not c.rule.startswith("role/")
        ),
        because=tuple(check.violation(dossier, NOBODY, at) for check in broken),
    )


def _asks_event(rules: Rules, check: Check) -> bool:
    """Whether a rule looks at the event itself, which is not there yet."""
    guard = rules.revision.guards.get(check.rule)
    if guard is None:
        return check.kind == "role"
    asks = any(p.role or p.four_eyes or p.documents for p in parts(guard.requires))
    return asks or any(operand.data for operand in operands(guard.requires))


def _excluded(rules: Rules, dossier: Dossier, action: str, checks: tuple[Check, ...]) -> Iterator[str]:
    guards = [rules.revision.guards[check.rule] for check in checks if check.rule in rules.revision.guards]
    groups = [predicate.four_eyes or () for guard in guards for predicate in parts(guard.requires)]
    for other in dict.fromkeys(other for group in groups for other in group if other != action):
        yield from dossier.actors.get(other, ())
