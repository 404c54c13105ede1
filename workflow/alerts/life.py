"""The life of an alert: raised, changed, escalated, acknowledged, snoozed, resolved or retracted. Pure.

What should stand is worked out elsewhere, from facts and a moment (`workflow/alerts/lateness.py` for one dossier); here
it is compared with what was said, and the difference is what must be said now. Saying it again says nothing.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from workflow.facts import AlertActed
from workflow.messages import Alert, AlertSaid, Change, Kind, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workflow.facts import Fact

PASSING: Final[frozenset[Kind]] = frozenset(
    {
        *("step_at_risk", "dossier_at_risk", "apology_due", "feedback_due"),
        *("feed_silent", "feed_incomplete", "budget_at_risk", "budget_spent"),
    }
)
"""Kinds that speak of how things stand, not of what was done: one that no longer stands is over, it was not wrong."""

Shown: TypeAlias = State | Literal["unsaid"]
ActKey: TypeAlias = tuple[datetime, str, str, int]


class Act(Struct, frozen=True, gc=False, omit_defaults=True):
    """A human act on an alert; of several the last by `key` (occurred_at, source, id, revision) counts."""

    act: str
    by: str
    key: ActKey
    until: datetime | None = None


class Life(Struct, frozen=True, gc=False, omit_defaults=True):
    """An alert as it was last said, and where it is in its life. `n`: how much was said about it."""

    alert: Alert
    state: State
    n: int
    raised_at: datetime
    act: Act | None = None

    @property
    def shown(self) -> Shown:
        """The state as people see it: what is over and was never told of was not taken back, it is `unsaid`."""
        return "unsaid" if self.state == "retracted" and self.n == 0 else self.state


class Spoken(NamedTuple):
    """The lives that changed, and what is said about them, in the order of the alerts' ids."""

    lives: list[Life]
    said: list[AlertSaid]


def say(
    lives: Mapping[str, Life],
    standing: Iterable[Alert],
    now: datetime,
    *,
    acts: Mapping[str, Act] | None = None,
    all_acts: bool = False,
    explain: Callable[[Alert], Alert] | None = None,
) -> Spoken:
    """What must be said so that what was said agrees with what stands.

    `lives`: all that was said about these subjects, by alert id. `acts`: new human acts by alert id; one on an alert
    that was never said has no effect; `all_acts`: they are all that stand, so one taken before and not among them was
    corrected and is undone. `explain` adds the sum of its deadline to an alert that is said anew.
    """
    should = {alert.id: alert for alert in standing}
    acted = acts or {}
    spoken = Spoken([], [])
    for identifier in sorted({*should, *lives}):
        before, act = lives.get(identifier), acted.get(identifier)
        if before is not None and not all_acts and before.act is not None:
            act = before.act if act is None else later(before.act, act)
        following = _next(before, should.get(identifier), act, now)
        if following is None:
            continue
        change, kept = following
        alert = kept.alert
        if explain is not None and not alert.sum and alert is should.get(identifier):
            told = _explained(alert, before, explain)
            kept = kept if told is alert else replace(kept, alert=told)
        spoken.lives.append(kept)
        if change is not None:
            spoken.said.append(_said(kept, change, now))
    return spoken


def _explained(alert: Alert, before: Life | None, explain: Callable[[Alert], Alert]) -> Alert:
    """With its sum: that of before where its date and end are the same, or one counted anew."""
    if before is None or (before.alert.due_at, before.alert.ended_at) != (alert.due_at, alert.ended_at):
        return explain(alert)
    return replace(alert, sum=before.alert.sum)


def acts_in(facts: Iterable[Fact]) -> dict[str, Act]:
    """The human acts among facts by the id of their alert, of each the one that counts."""
    found: dict[str, Act] = {}
    for fact in facts:
        body = fact.body
        if isinstance(body, AlertActed):
            act = Act(
                body.act, body.by.id, (fact.occurred_at, fact.source, fact.id, fact.revision), body.until
            )
            found[body.alert_id] = later(found.get(body.alert_id), act)
    return found


def wakes_at(lives: Iterable[Life], now: datetime) -> datetime | None:
    """When the first of some alerts that wait or were snoozed must be looked at again; None where none must."""
    first = None
    for life in lives:
        at = None
        if life.state == "waiting":
            at = life.alert.raise_at
        elif life.state == "snoozed" and life.act is not None:
            at = life.act.until
        if at is not None and at > now and (first is None or at < first):
            first = at
    return first


def rungs_said(lives: Mapping[str, Life]) -> dict[str, int]:
    """The rung to which each alert was said that was not taken back, by its id."""
    return {
        name: life.alert.rung for name, life in lives.items() if life.state not in ("retracted", "waiting")
    }


def later(one: Act | None, other: Act) -> Act:
    """Of two acts on one alert the one that counts."""
    return other if one is None or other.key >= one.key else one


def _next(
    life: Life | None, alert: Alert | None, act: Act | None, now: datetime
) -> tuple[Change | None, Life] | None:
    """The change that is due and the life after it; None where nothing changes. A change of None is not sent.

    `act`: the one that counts."""
    if life is None:
        return None if alert is None else _first(alert, act, now)
    if alert is None:
        return _gone(life, act)
    if life.n == 0 and life.state in ("waiting", "retracted"):
        first = _first(alert, act, now)
        waits = first[1].state == life.state
        return None if waits and first[1].alert == life.alert else first
    if life.state == "history" or alert.history:
        return _of_history(life, alert, act, now)
    if life.state in ("waiting", "retracted") and _early(alert, now):
        again = Life(alert, "waiting", life.n, life.raised_at, act)
        return None if again == life else (None, again)
    state = _state(alert, act, now)
    change = _change(life, alert, state, act)
    if change is None:
        return None
    kept = life.alert if _same(life.alert, alert) else alert
    return change, Life(kept, state, life.n + 1, life.raised_at, act)


def _first(alert: Alert, act: Act | None, now: datetime) -> tuple[Change | None, Life]:
    if alert.history:
        return None, Life(alert, "history", 0, now)
    if _early(alert, now):
        return None, Life(alert, "waiting", 0, now)
    return "raised", Life(alert, _state(alert, act, now), 1, now, act)


def _early(alert: Alert, now: datetime) -> bool:
    """Whether it waits: for its source, or until somebody is at work."""
    return alert.raise_at is not None and alert.raise_at > now


def _of_history(
    life: Life, alert: Alert, act: Act | None, now: datetime
) -> tuple[Change | None, Life] | None:
    """Where a source's first live day was moved, or where nothing is sent at all."""
    if not alert.history:
        return "raised", Life(alert, _state(alert, act, now), life.n + 1, now, act)
    if life.state != "history":
        return _gone(life, act)
    return None if _same(life.alert, alert) else (None, Life(alert, "history", life.n, life.raised_at))


def _gone(life: Life, act: Act | None) -> tuple[Change | None, Life] | None:
    """What was said and stands no longer."""
    over: Literal["resolved", "retracted"] = "resolved" if life.alert.kind in PASSING else "retracted"
    if life.state in ("retracted", over):
        return None
    if life.state in ("history", "waiting"):
        return None, Life(life.alert, "retracted", life.n, life.raised_at)
    # What never held has no end either, whether or not one was told before it proved wrong.
    alert = life.alert
    if over == "retracted" and alert.ended_at is not None:
        alert = replace(alert, ended_at=None)
    return over, Life(alert, over, life.n + 1, life.raised_at, act)


def _state(alert: Alert, act: Act | None, now: datetime) -> State:
    if alert.ended_at is not None:
        return "resolved"
    if act is None:
        return "raised"
    if act.act == "snoozed":
        return "raised" if act.until is not None and act.until <= now else "snoozed"
    return "resolved" if act.act == "resolved" else "acknowledged"


def _change(life: Life, alert: Alert, state: State, act: Act | None) -> Change | None:
    """What to call the difference between what was said and what stands; None where there is none."""
    if life.state in ("waiting", "retracted") or (
        state == "raised" and life.state in ("resolved", "snoozed", "acknowledged")
    ):
        return "raised"
    if act is not None and act != life.act and state != "raised":
        return state  # type: ignore[return-value] # an act leads to a state of the change's own name
    if state == "resolved" != life.state:
        return "resolved"
    if state in ("snoozed", "resolved") and alert.ended_at is None:
        return None
    if alert.rung > life.alert.rung:
        return "escalated"
    return None if _same(life.alert, alert) else "changed"


def _same(one: Alert, other: Alert) -> bool:
    """Whether two say the same: how a date came about, and whether a feed was silent when it was said, is no change."""
    return one is other or bool(_told(one) == _told(other))


_told: Final = attrgetter(
    "due_at", "ended_at", "unit", "officer", "to", "readers", "rung", "revision", "cause"
)


def _said(life: Life, change: Change, now: datetime) -> AlertSaid:
    act = life.act if change in ("acknowledged", "snoozed", "resolved") else None
    return AlertSaid(
        alert=life.alert,
        change=change,
        state=life.state,
        n=life.n,
        said_at=now,
        by=None if act is None else act.by,
        until=None if act is None else act.until,
    )
