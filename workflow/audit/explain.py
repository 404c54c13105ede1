"""One dossier's story: every event with its outcome and rule, every stay against its limit, every date with its sum.

Values only; the command line and the pages print them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from workflow.facts import Acted, AlertActed, Linked, Migrated, Voided
from workflow.fold import fold, trail
from workflow.model import Deadline, Dossier, Outcome, Violation
from workflow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.facts import Fact
    from workflow.fold import Stage
    from workflow.rules import Rules


class Happening(Struct, frozen=True, omit_defaults=True):
    """One fact of the story. `before`, `after`: the state it met and left. A fact without a place in the order
    (a void, a voided or superseded one) has no states. `about`: what a fact that tells no action is about (an alert,
    the event it voids, another dossier); `act`: what was done about an alert."""

    source: str
    id: str
    occurred_at: datetime
    what: str
    outcome: Outcome
    at: datetime | None = None
    before: str | None = None
    after: str | None = None
    actor: str | None = None
    role: str | None = None
    unit: str | None = None
    officer: str | None = None
    entered_at: datetime | None = None
    recorded_at: datetime | None = None
    about: str | None = None
    act: str | None = None
    reason: str | None = None


class Stay(Struct, frozen=True, omit_defaults=True):
    """One visit to a state: who held it, from when to when, and against which limit. `due_at` absent: no limit.
    `until`: when it was left, or the moment asked about."""

    state: str
    entered_at: datetime
    until: datetime
    left_at: datetime | None = None
    role: str | None = None
    unit: str | None = None
    officer: str | None = None
    due_at: datetime | None = None
    late: bool = False


class Story(Struct, frozen=True, omit_defaults=True):
    """All there is to tell of one dossier as of a moment."""

    dossier: Dossier
    happenings: tuple[Happening, ...]
    stays: tuple[Stay, ...]
    deadlines: tuple[Deadline, ...]
    ended_at: datetime | None = None
    late: bool = False
    end_violations: tuple[Violation, ...] = ()


def story(
    rules: Rules,
    subject: str,
    facts: Sequence[Fact],
    *,
    at: datetime,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
    closes: bool = False,
) -> Story:
    """The story of one dossier as of `at`; `known_at` and `valid_at` as in `fold`."""
    judgment = fold(rules, subject, facts, known_at=known_at, valid_at=valid_at)
    stages = trail(rules, subject, facts, known_at=known_at, valid_at=valid_at)
    end = verdict(judgment, closes=closes, as_of=at)
    placed = len(stages)
    happenings = [
        _happening(stage, before) for stage, before in zip(stages, _states_before(rules, stages), strict=True)
    ]
    happenings += [
        Happening(
            f.source,
            f.id,
            f.occurred_at,
            _what(f),
            outcome,
            actor=_who(f),
            recorded_at=f.recorded_at,
            about=_about(f),
            reason=_reason(f),
        )
        for f, outcome in zip(judgment.facts[placed:], judgment.outcomes[placed:], strict=True)
    ]
    return Story(
        dossier=judgment.dossier,
        happenings=tuple(happenings),
        stays=tuple(stays(rules, stages, at)),
        deadlines=judgment.rules.clock.deadlines(judgment.dossier, at=at, explain=True),
        ended_at=end.ended_at,
        late=end.late,
        end_violations=end.violations,
    )


def stays(rules: Rules, stages: Sequence[Stage], at: datetime) -> list[Stay]:
    """The visits of a dossier in order, each against its own limit; the last is open until `at`."""
    found: list[Stay] = []
    entered: Dossier | None = None
    for stage in stages:
        if entered is not None and entered.since is not None and _visit(stage.dossier) != _visit(entered):
            found.append(_stay(rules, entered, stage.placed.at, left=True))
        entered = stage.dossier
    if entered is not None and entered.since is not None:
        done = entered.ended_at is not None
        found.append(_stay(rules, entered, entered.ended_at or at, left=done))
    return found


def _visit(dossier: Dossier) -> tuple[str, datetime | None]:
    """What tells one visit from the next: the state too, since one may be left at the instant it was entered."""
    return dossier.state, dossier.since


def _stay(rules: Rules, dossier: Dossier, until: datetime, *, left: bool) -> Stay:
    own = rules.family[dossier.revision]
    since = dossier.since or until
    dues = [
        (due, limit.late(until, due))
        for limit in own.clock.for_stay(dossier.state)
        if (due := limit.due(dossier, since, until)) is not None
    ]
    due, late = min(dues) if dues else (None, False)
    return Stay(
        state=dossier.state,
        entered_at=since,
        until=until,
        left_at=until if left else None,
        role=own.revision.states[dossier.state].role,
        unit=dossier.unit,
        officer=dossier.officer,
        due_at=due,
        late=late,
    )


def _states_before(rules: Rules, stages: Sequence[Stage]) -> list[str]:
    return [rules.revision.initial, *(stage.dossier.state for stage in stages)][: len(stages)]


def _happening(stage: Stage, before: str) -> Happening:
    fact, dossier = stage.placed.fact, stage.dossier
    act = fact.body if isinstance(fact.body, Acted) else None
    actor = act.actor if act is not None else None
    done = fact.body.act if isinstance(fact.body, AlertActed) else None
    return Happening(
        source=fact.source,
        id=fact.id,
        occurred_at=fact.occurred_at,
        what=_what(fact),
        outcome=stage.outcome,
        at=stage.placed.at,
        before=before,
        after=dossier.state,
        actor=_who(fact),
        role=actor.role if actor else None,
        unit=dossier.unit,
        officer=dossier.officer,
        entered_at=fact.entered_at,
        recorded_at=fact.recorded_at,
        about=_about(fact),
        act=done,
        reason=_reason(fact),
    )


def _who(fact: Fact) -> str | None:
    body = fact.body
    by = body.actor if isinstance(body, Acted) else body.by if isinstance(body, AlertActed | Voided) else None
    return None if by is None else by.id


def _about(fact: Fact) -> str | None:
    match fact.body:
        case (
            AlertActed(alert_id=about)
            | Voided(target_id=about)
            | Linked(other=about)
            | Migrated(revision=about)
        ):
            return about
        case _:
            return None


def _reason(fact: Fact) -> str | None:
    """Why somebody acted on an alert, or took a fact back."""
    return fact.body.reason if isinstance(fact.body, AlertActed | Voided) else None


def _what(fact: Fact) -> str:
    if isinstance(fact.body, Acted):
        return fact.body.action
    return str(fact.body.__struct_config__.tag)
