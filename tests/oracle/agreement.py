"""Puts a judgment of the engine and the naive model's beside each other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from oracle import naive_fold
from oracle.bridge import calendar_of
from oracle.offices import CALENDAR, WORKS
from workflow.fold import fold
from workflow.rules import SourceOrder, compile_rules
from workflow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from oracle.naive_order import Broken, Plain
    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.model import Outcome, Violation
    from workflow.procedure.language import Revision
    from workflow.rules import Rules


def rules_of(revision: Revision, sources: Mapping[str, Plain]) -> Rules:
    """The engine's rules; sources are given as the model takes them."""
    calendars = {} if revision.calendar is None else {CALENDAR.name: calendar_of(CALENDAR)}
    hours_of = {unit: () if hours is None else (hours,) for unit, hours in WORKS.items()}
    orders = {name: SourceOrder(**how) for name, how in sources.items()}
    return compile_rules(revision, calendars, orders, hours_of)


def differences(
    revision: Revision,
    sources: Mapping[str, Plain],
    facts: Sequence[Fact],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> dict[str, tuple[Any, Any]]:
    """What the engine (first) and the model (second) say differently; empty where they agree."""
    judgment = fold(
        rules_of(revision, sources), facts[0].subject, facts, known_at=known_at, valid_at=valid_at
    )
    model = naive_fold.judge(revision, facts, sources, known_at=known_at, valid_at=valid_at)
    model["end"] = Counter(naive_fold.end(revision, model))
    model["end_if_closed"] = Counter(naive_fold.end(revision, model, closed=True))
    engine = as_plain(judgment)
    return {name: (engine[name], model[name]) for name in engine if engine[name] != model[name]}


def as_plain(judgment: Judgment) -> dict[str, Any]:
    """What the model also knows of a judgment, in the model's form."""
    dossier, revision = judgment.dossier, judgment.rules.revision
    return {
        "facts": [(fact.source, fact.id, fact.revision, fact.subject) for fact in judgment.facts],
        "outcomes": [plain_outcome(outcome) for outcome in judgment.outcomes],
        "state": dossier.state,
        "since": dossier.since,
        "registers": dict(zip(revision.registers, dossier.registers, strict=True)),
        "appointments": [(told.at, told.cause, told.told_at) for told in dossier.appointments],
        "pauses": [(taken.pause, taken.started_at, taken.ended_at) for taken in dossier.pauses],
        "received_at": dossier.received_at,
        "hours_of": dossier.hours_of,
        "ended_at": dossier.ended_at,
        "halted": dossier.halted,
        "order_assumed": dossier.order_assumed,
        "end": Counter(without_texts(verdict(judgment).violations)),
        "end_if_closed": Counter(without_texts(verdict(judgment, closes=True).violations)),
    }


def plain_outcome(outcome: Outcome) -> Plain:
    """An outcome as the model writes it."""
    return {
        "status": outcome.status,
        "violations": list(without_texts(outcome.violations)),
        "order_assumed": outcome.order_assumed,
    }


def without_texts(violations: Iterable[Violation]) -> list[Broken]:
    """Violations without what only people read; a deadline keeps its due instant.

    Those of registers, of which the page fixes no order among themselves, stand by name.
    """
    plain: list[Broken] = [(v.rule, v.kind, v.expected if v.kind == "deadline" else None) for v in violations]
    at = [i for i, broken in enumerate(plain) if broken[0].startswith("register/")]
    for i, broken in zip(at, sorted(plain[i] for i in at), strict=True):
        plain[i] = broken
    return plain
