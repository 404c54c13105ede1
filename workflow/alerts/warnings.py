"""Warnings that were over before they could be said. Pure.

A warning is judged by how things stood at its moment. What ended it may come to be known sooner or later within the
delay of its source, so whether it is said must not hang on that: it is, as one that is over, unless its late alert
takes its place. One that nobody looked for in time is not said any more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from workflow.alerts.causes import limit_of, warned_by
from workflow.alerts.lateness import (
    FOLLOWED_BY,
    alert_id,
    alert_of,
    named,
    source_of,
    sum_of,
)
from workflow.alerts.office import FAR
from workflow.factrows import identity
from workflow.fold import fold, follow, left_alone, passed, stepped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from workflow.alerts.causes import Cause
    from workflow.alerts.life import Life
    from workflow.alerts.office import Office
    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.messages import Alert
    from workflow.model import Dossier, Outcome
    from workflow.rules import Rules

LOOKED_FOR: Final = timedelta(days=1)
"""How long after it was to be said, and the delay of its source, a warning that is over is still said."""


class Over(NamedTuple):
    """A warning with its end, and the dossier as it was until then."""

    rules: Rules
    dossier: Dossier
    cause: Cause


class Steps:
    """Goes through the facts of a dossier one by one, and finds the warnings they ended. `over`: those found, the
    earliest first; `all_seen`: whether all facts were gone through, so that there are no others.

    Of most facts only those matter that are so new that a warning they ended would still be said; of the limits that
    were warned of before, by `lives`, all.
    """

    def __init__(self, office: Office, now: datetime, lives: Iterable[Life] = ()) -> None:
        """Nothing found yet. `lives`: what was said of the dossier before, or waits."""
        self.over: list[Over] = []
        self.all_seen = False
        self._office, self._now = office, now
        warned = [limit_of(life.alert.rule) for life in lives if life.alert.kind in FOLLOWED_BY]
        self._limits = frozenset(warned)

    def follow(
        self, rules: Rules, dossier: Dossier, facts: Sequence[Fact]
    ) -> tuple[Dossier, list[Outcome]] | None:
        """As the fold's `follow`. Raises CalendarRange."""
        border = self._border(rules, dossier, facts)
        if not (self._limits or _any_beyond(border, facts)):
            return follow(rules, dossier, facts)
        outcomes: list[Outcome] = []
        for fact in facts:
            found = stepped(rules, dossier, fact)
            if found is None:
                return None
            after, outcome = found
            outcomes.append(outcome)
            self._look(rules, dossier, after, outcome, border)
            dossier = after
        return dossier, outcomes

    def fold(self, rules: Rules, subject: str, facts: Sequence[Fact], new: Collection[Fact]) -> Judgment:
        """As `fold`, and looks through all facts on the way; of the older ones only at those that are `new` to us.
        Raises CalendarRange."""
        judgment = fold(rules, subject, facts)
        self.look_back(rules, judgment.dossier, facts, new)
        return judgment

    def look_back(self, rules: Rules, dossier: Dossier, facts: Sequence[Fact], new: Collection[Fact]) -> None:
        """Looks through all facts of a dossier that was judged. Raises CalendarRange."""
        self.over, self.all_seen = [], True
        news = set(map(identity, new)) if self._limits else set()
        border = self._border(rules, dossier, facts)
        if len(facts) < 2 or not (news or _any_beyond(border, facts)):  # noqa: PLR2004 - a pair
            return
        asked = passed(rules, dossier.subject, facts, lambda fact, at: at > border or identity(fact) in news)
        for before, after, outcome in asked:
            self._look(rules, before, after, outcome, border)

    def _look(
        self, rules: Rules, before: Dossier, after: Dossier, outcome: Outcome, border: datetime
    ) -> None:
        """Looks at one fact, whatever it ended or, where it is too old, only at what was warned of before."""
        new = after.last_key is not None and after.last_key[0] > border
        if new or self._limits:
            of = None if new else self._limits
            self.over += _ended(self._office, rules, before, after, outcome, of)

    def _border(self, rules: Rules, dossier: Dossier, facts: Iterable[Fact]) -> datetime:
        """What took effect up to then ended no warning that would still be said; of a log nothing is ever said."""
        if rules.revision.kind == "log":
            return FAR
        office, now, source = self._office, self._now, source_of(dossier)
        delay = office.delay(source)
        for fact in facts:
            if fact.source != source:
                source = fact.source
                delay = max(delay, office.delay(source))
        return office.day_before(now - LOOKED_FOR - delay, dossier.unit, now) - delay


def _any_beyond(border: datetime, facts: Iterable[Fact]) -> bool:
    return any(fact.occurred_at > border for fact in facts)


def _ended(
    office: Office,
    rules: Rules,
    before: Dossier,
    after: Dossier,
    outcome: Outcome,
    of: frozenset[str] | None,
) -> list[Over]:
    """The warnings that were true of a dossier until its last fact, by that one's `outcome`; `of`: only those of these
    limits need be found. Raises CalendarRange."""
    key = after.last_key
    if key is None or before.last_key is None or before.last_key == key:
        return []
    if before.halted or rules.revision.kind == "log" or left_alone(before, after, outcome):
        return []
    at, until = key[0], rules.family[before.revision]
    # Of a dossier that is halted nothing is said any more, so a fact that halts it leaves nothing as it was.
    found = warned_by(office, until, before, at, of=of, but=None if after.halted else after)
    if not found:
        return []
    true = [one for one in found if one.since < at and one.since < one.due_at]
    if not true:
        return []
    limits = set() if after.halted else {one.limit for one in true if not _of_left_step(one, before, after)}
    left = warned_by(office, rules.family[after.revision], after, at, of=limits) if limits else ()
    still = {(one.kind, one.limit, one.visit, one.due_at) for one in left}
    return [
        Over(until, before, named(until, replace(one, ended_at=min(at, one.due_at))))
        for one in true
        if (one.kind, one.limit, one.visit, one.due_at) not in still
    ]


def _of_left_step(one: Cause, before: Dossier, after: Dossier) -> bool:
    """Whether a warning surely ended since the step it is about was left."""
    left = before.state != after.state and before.revision == after.revision
    return left and one.date is not None and one.date.kind == "step"


def standing_over(
    office: Office,
    steps: Steps,
    lives: Mapping[str, Life],
    present: Sequence[Alert],
    now: datetime,
    *,
    silent: Collection[str] = (),
    live: bool = True,
) -> list[Alert]:
    """The warnings that are over and were said, are to be said now, or must wait for their moment.

    `steps`: with those found just now; `lives`: what was said before, or waits; `present`: what is true now and takes
    the place of what was over, as a late alert does of warnings that were not said; `live`: as `standing` has it.
    Raises CalendarRange.
    """
    if not (lives or steps.over):
        return []
    ids, kinds = {alert.id for alert in present}, {(alert.kind, alert.rule) for alert in present}
    found: dict[str, Alert] = {}
    for name, life in lives.items():
        alert, waits = life.alert, life.state == "waiting"
        late = FOLLOWED_BY.get(alert.kind)
        if late is None or alert.ended_at is None or life.state == "retracted" or name in ids:
            continue
        if not waits or not (steps.all_seen or (late, alert.rule) in kinds):
            found[name] = alert
    for one in steps.over:
        rule = one.cause.rule
        name = alert_id(one.dossier.subject, one.cause.kind, rule)
        before = lives.get(name)
        unsaid = before is None or before.state in ("waiting", "retracted")
        if name in ids or (unsaid and (FOLLOWED_BY.get(one.cause.kind), rule) in kinds):
            continue
        said = _alert(office, one, rule, before, now, silent)
        if said is not None:
            found[name] = said
    return [_due(office.held(one, now, live=live), now) for one in found.values()]


def _alert(
    office: Office, one: Over, rule: str, before: Life | None, now: datetime, silent: Collection[str]
) -> Alert | None:
    """The alert of a warning that is over, with its sum; None where it comes too late to be said. `rule`: its cause's;
    `before`: its life so far."""
    source = source_of(one.dossier)
    raise_at = None
    if before is None or before.n == 0:
        delay = office.delay(source)
        raise_at, latest = one.cause.since + delay, now - delay - LOOKED_FOR
        waits = before is not None and before.state == "waiting"
        if not waits and raise_at <= latest >= office.speaking_at(raise_at, one.dossier.unit, now):
            return None
    ended_at = one.cause.ended_at or one.cause.due_at
    heads = office.heads(one.dossier.unit, ended_at)
    alert = alert_of(office, one.rules, one.dossier, one.cause, rule, heads, 0, silent=source in silent)
    return replace(alert, sum=sum_of(one.rules, one.dossier, one.cause, ended_at), raise_at=raise_at)


def _due(alert: Alert, now: datetime) -> Alert:
    """An alert that waits no longer."""
    return replace(alert, raise_at=None) if alert.raise_at is not None and alert.raise_at <= now else alert
