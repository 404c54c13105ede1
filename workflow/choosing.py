"""Which revision of a procedure judges a dossier: the one in force on the date of its receipt."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from workflow.factrows import FactRows
from workflow.facts import STEPS, Acted, Opened
from workflow.sources import UNKNOWN_SOURCE
from workflow.standing import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from workflow.facts import Fact
    from workflow.rules import Rules
    from workflow.sources import SourceOrder


def tells_steps(sources: Mapping[str, SourceOrder], fact: Fact) -> bool:
    """Whether a fact is an act, or an opening balance, told by a source that reports every step."""
    return isinstance(fact.body, STEPS) and sources.get(fact.source, UNKNOWN_SOURCE).steps


def choose(family: Mapping[str, Rules], facts: Sequence[Fact]) -> Rules:
    """The revision for a dossier of these standing facts: by its first milestone `received`, else its first fact.

    A date no revision is for is judged by the revision before it, or by the earliest (the checks find such gaps).
    """
    if len(family) == 1:
        return next(iter(family.values()))
    return in_force(family, _received(family, facts))


def receipts_of(family: Mapping[str, Rules]) -> frozenset[str]:
    """The actions that receive a dossier by one of these revisions."""
    return frozenset().union(*(rules.receipts for rules in family.values()))


def in_force(family: Mapping[str, Rules], at: datetime) -> Rules:
    """The revision in force at an instant, by the date it has in the revision's zone."""
    by_date = sorted(family.values(), key=_since)
    begun = [rules for rules in by_date if _since(rules) <= at.astimezone(rules.zone).date()]
    return begun[-1] if begun else by_date[0]


def _since(rules: Rules) -> date:
    effective = rules.revision.effective
    return effective.since if effective and effective.since else date.min


def _received(family: Mapping[str, Rules], facts: Sequence[Fact]) -> datetime:
    receipts = receipts_of(family)
    if isinstance(facts, FactRows) and facts.known is None:
        return next((at for at, act, _, _ in facts.rows if act.action in receipts), facts.rows[0][0])
    placed = in_order(next(iter(family.values())).sources, facts)
    for one in placed:
        body = one.fact.body
        if isinstance(body, Acted) and body.action in receipts:
            return one.at
        if isinstance(body, Opened) and body.received_at is not None:
            return body.received_at
    return placed[0].at
