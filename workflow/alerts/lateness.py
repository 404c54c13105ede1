"""Which alerts about one dossier stand at a moment: a function of its judgment, the definitions and that moment. Pure.

`watch` is asked for every dossier of a batch, so it only compares instants; `standing` is asked where something is up.
docs/alerts.md says each kind: when it is raised, to whom, how it ends.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from workflow.alerts.causes import Cause, causes, promised, visit_of
from workflow.alerts.office import FAR
from workflow.clocks.sums import counted_when_met, printed_time
from workflow.messages import ESCALATED, HOLDER, Alert
from workflow.model import Line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from workflow.alerts.office import Office
    from workflow.clocks.limits import LimitClock
    from workflow.messages import Kind, Topic
    from workflow.model import Deadline, Dossier
    from workflow.rules import Rules

NOTHING_SAID: Final[Mapping[str, int]] = MappingProxyType({})
_HOLDER_ALONE: Final[frozenset[Kind]] = frozenset({"step_at_risk"})
FOLLOWED_BY: Final[dict[Kind, Kind]] = {
    "step_at_risk": "step_late",
    "dossier_at_risk": "dossier_late",
    "apology_due": "dossier_late",
    "feedback_due": "feedback_late",
}
"""Warnings, and the kind that takes their place once it may be said."""
_FEEDBACK: Final = ("feedback", "complaint")
_OF_FEEDBACK: Final[dict[Kind, Kind]] = {"dossier_late": "feedback_late", "dossier_at_risk": "feedback_due"}


class Watched(NamedTuple):
    """`up`: causes that are true by now, whether or not they may be said yet. `next_at`: the earliest later moment at
    which one becomes so; FAR where none is ahead."""

    up: list[Cause]
    next_at: datetime


def watch(
    office: Office, rules: Rules, dossier: Dossier, dates: Sequence[Deadline], now: datetime
) -> Watched:
    """What is true of a dossier by now, and when more may become so. `dates`: its deadlines as of `now`."""
    up: list[Cause] = []
    next_at = FAR
    if dossier.halted or rules.revision.kind == "log":
        return Watched(up, next_at)
    delay = office.delay(source_of(dossier))
    for cause in causes(office, rules, dossier, dates, now):
        if cause.since <= now:
            up.append(cause)
        elif cause.since + delay < next_at:
            next_at = cause.since + delay
    return Watched(up, next_at)


def standing(  # noqa: PLR0913 - a judgment, and how it is looked at
    office: Office,
    rules: Rules,
    dossier: Dossier,
    watched: Watched,
    now: datetime,
    *,
    said: Mapping[str, int] = NOTHING_SAID,
    silent: Collection[str] = (),
    live: bool = True,
) -> tuple[list[Alert], datetime]:
    """The alerts that stand, without their sums, and the earliest later moment at which that changes.

    A cause is raised once its source had time to report and somebody is at work, and so is each rung; what was `said`
    (rungs by id) stands as long as it is true. `silent`: sources past their cadence; `live`: whether `now` is the
    present, so that nothing new is said while nobody is at work. Raises CalendarRange.
    """
    found: list[Alert] = []
    next_at = watched.next_at
    source = source_of(dossier)
    delay = office.delay(source)
    for found_up in watched.up:
        cause = named(rules, found_up)
        before = said.get(alert_id(dossier.subject, cause))
        if before is None:
            raise_at = office.spoken_at(cause.since + delay, dossier.unit, now, live=live)
            if raise_at > now:
                next_at = min(next_at, raise_at)
                continue
        rung, next_rung = _rung(office, cause, dossier.unit, delay, now)
        if before is not None and rung > before and cause.ended_at is None:
            opens = office.spoken_at(now, dossier.unit, now, live=live)
            rung, next_rung = (before, opens) if opens > now else (rung, next_rung)
        next_at = min(next_at, next_rung)
        found.append(alert_of(office, rules, dossier, cause, rung, silent=source in silent))
    return followed(found, said), next_at


def named(rules: Rules, cause: Cause) -> Cause:
    """A cause by the kind it has in procedures of feedback and complaints."""
    if rules.revision.kind not in _FEEDBACK:
        return cause
    return replace(cause, kind=_OF_FEEDBACK.get(cause.kind, cause.kind))


def followed(found: Sequence[Alert], said: Collection[str]) -> list[Alert]:
    """Alerts without the warnings whose date has passed and is told of; one that was `said` ended at its date."""
    late = {(alert.kind, alert.rule) for alert in found}
    kept = []
    for alert in found:
        if (FOLLOWED_BY.get(alert.kind), alert.rule) not in late:
            kept.append(alert)
        elif alert.id in said:
            kept.append(replace(alert, ended_at=alert.ended_at or alert.due_at))
    return kept


class Sums:
    """The sums of a dossier's deadlines as of a moment, each counted when an alert asks for it."""

    def __init__(self, rules: Rules, dossier: Dossier, now: datetime) -> None:
        """Nothing counted yet."""
        self._asked = rules, dossier, now

    def explained(self, alert: Alert) -> Alert:
        """An alert with the sum of its deadline, or of the moment it rests on. Raises CalendarRange."""
        if alert.kind == "appointment_differs":
            return replace(alert, sum=tuple(self._of_slip(alert)))
        if alert.kind == "result_not_collected":
            return replace(alert, sum=tuple(self._of_result(alert)))
        if alert.by is None:
            return alert
        rules, dossier, now = self._asked
        rule = alert.rule.partition("@")[0]
        for date in rules.clock.deadlines(dossier, at=now, explain=True, rule=rule):
            if date.kind == alert.by and alert.rule in (date.rule, visit_of(date.rule, date.starts_at)):
                return replace(alert, sum=date.sum)
        limit = rules.clock.limits.get(rule)
        return alert if limit is None else replace(alert, sum=self._when_met(alert, limit))

    def _of_slip(self, alert: Alert) -> Iterator[Line]:
        """What the slip names, and what it is held against: our own date of then, or the first slip."""
        rules, dossier, now = self._asked
        first = dossier.appointments[0]
        yield printed_time(rules.clock.printed(first, dossier.hours_of))
        if alert.by is None:
            yield Line("printed on a later slip, without a cause that moves the date", {}, alert.due_at)
            return
        found = promised(rules, dossier, rules.clock.deadlines(dossier, at=now))
        at = first.told_at
        date = found and found.limit.deadline(
            found.dossier, found.anchor, at=at, announced_by=at, explain=True
        )
        yield from () if date is None else date.sum

    def _of_result(self, alert: Alert) -> Iterator[Line]:
        """Since when a result lies ready, and for how long it may."""
        ready_at = self._asked[1].ready_at
        if ready_at is not None and alert.due_at is not None:
            yield Line("ready at the desk", {}, ready_at)
            yield Line("plus {number} days", {"number": (alert.due_at - ready_at).days}, alert.due_at)

    def _when_met(self, alert: Alert, limit: LimitClock) -> tuple[Line, ...]:
        """The sum of a limit that was met too late, as of then."""
        rules, dossier, _ = self._asked
        met_at, due_at = alert.ended_at, alert.due_at
        begun = [(one.rule, one.starts_at) for one in dossier.missed]
        begun += [
            (one.id, run.asked_at)
            for run in dossier.tasks
            for one in rules.clock.for_task(run.state, run.task)
        ]
        start = next((at for name, at in begun if visit_of(name, at) == alert.rule), None)
        if met_at is None or due_at is None:
            return ()
        found = limit.deadline(
            _as_of(dossier, met_at),
            start or met_at,
            at=met_at,
            announced_by=met_at,
            explain=True,
            met_at=met_at,
        )
        # A register it hangs on may say something else since: then only the date itself is told.
        return found.sum if found is not None and found.due_at == due_at else (counted_when_met(due_at),)


def alert_id(subject: str, cause: Cause) -> str:
    """The id of the alert that rests on a cause."""
    return f"{cause.kind}/{subject}/{cause.rule}"


def source_of(dossier: Dossier) -> str | None:
    """The source of a dossier's last fact."""
    return None if dossier.last_key is None else dossier.last_key[3]


def _as_of(dossier: Dossier, at: datetime) -> Dossier:
    """A dossier without the stops and extensions that came later."""
    return replace(
        dossier,
        pauses=tuple(taken for taken in dossier.pauses if taken.started_at < at),
        extensions=tuple(taken for taken in dossier.extensions if taken.at <= at),
        tasks=tuple(run for run in dossier.tasks if run.asked_at < at),
    )


def _rung(
    office: Office, cause: Cause, unit: str | None, delay: timedelta, now: datetime
) -> tuple[int, datetime]:
    """How many further posts are told by now (or by the end), and when the next is."""
    if cause.kind not in ESCALATED:
        return 0, FAR
    above = max(len(office.heads(unit)) - 1, 0)
    rung, until = 0, cause.ended_at or now
    for days in office.limits.escalate_after_days[:above]:
        reached = office.days_after(cause.due_at, days, unit, now) + delay
        spoken = office.speaking_at(reached, unit, now)
        if spoken > until:
            return rung, FAR if cause.ended_at is not None else spoken
        rung += 1
    return rung, FAR


def alert_of(
    office: Office, rules: Rules, dossier: Dossier, cause: Cause, rung: int, *, silent: bool
) -> Alert:
    """The alert that rests on a cause, without its sum."""
    revision = rules.family[dossier.revision].revision
    limit = rules.clock.limits.get(cause.limit)
    heads = office.heads(dossier.unit)
    told = heads[: 1 + rung]
    if rung and rung == len(office.limits.escalate_after_days) and heads[-1] not in told:
        told = (*told, heads[-1])
    if revision.kind == "feedback":
        told = (*told, *(one for one in office.focal(dossier.unit) if one not in told))
    topic: Topic = "alerts.feedback" if revision.kind in _FEEDBACK else "alerts.lateness"
    date, source = cause.date, source_of(dossier)
    return Alert(
        id=alert_id(dossier.subject, cause),
        kind=cause.kind,
        topic=topic,
        subject=dossier.subject,
        rule=cause.rule,
        due_at=cause.due_at,
        ended_at=cause.ended_at,
        unit=dossier.unit,
        officer=dossier.officer,
        source=source,
        to=(HOLDER,) if cause.kind in _HOLDER_ALONE else (HOLDER, *told),
        rung=rung,
        procedure=revision.procedure,
        revision=revision.revision,
        basis=(limit.limit.basis if limit is not None else None) or revision.basis,
        calendar=None if date is None else date.calendar,
        by=None if date is None else date.kind,
        sum=() if date is None else date.sum,
        feed_silent=silent,
        history=office.history(source, cause.due_at),
    )
