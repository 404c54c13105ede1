"""Which alerts about one dossier stand at a moment: a function of its judgment, the definitions and that moment. Pure.

`watch` is asked for every dossier of a batch, so it only compares instants; `standing` is asked where something is up.
docs/alerts.md says each kind: when it is raised, to whom, how it ends.
"""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from workflow.alerts.causes import Cause, as_promised, causes
from workflow.alerts.office import FAR
from workflow.clocks.stops import Moment
from workflow.clocks.sums import counted_when_met, printed_time
from workflow.clocks.telling import told
from workflow.messages import ESCALATED, HOLDER, Alert
from workflow.model import Line
from workflow.procedure.language import both

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import timedelta

    from workflow.alerts.office import Office
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


class Watched(Struct, frozen=True, gc=False):
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
        rule = cause.rule
        before = said.get(alert_id(dossier.subject, cause.kind, rule))
        if before is None:
            raise_at = office.spoken_at(cause.since + delay, dossier.unit, now, live=live)
            if raise_at > now:
                next_at = min(next_at, raise_at)
                continue
        heads = office.heads(dossier.unit, cause.ended_at or now)
        rung, next_rung = _rung(office, cause, heads, dossier.unit, delay, now)
        if before is not None and rung > before and cause.ended_at is None:
            opens = office.spoken_at(now, dossier.unit, now, live=live)
            rung, next_rung = (before, opens) if opens > now else (rung, next_rung)
        next_at = min(next_at, next_rung)
        found.append(alert_of(office, rules, dossier, cause, rule, heads, rung, silent=source in silent))
    return followed(found, said), next_at


def named(rules: Rules, cause: Cause) -> Cause:
    """A cause by the kind it has in procedures of feedback and complaints."""
    if rules.revision.kind not in _FEEDBACK:
        return cause
    return replace(cause, kind=_OF_FEEDBACK.get(cause.kind, cause.kind))


def followed(found: Sequence[Alert], said: Collection[str]) -> list[Alert]:
    """Alerts without the warnings whose date has passed and is told of; one that was `said` ended at its date."""
    if len(found) < 2:  # noqa: PLR2004 - no alert follows itself
        return list(found)
    late = {(alert.kind, alert.rule) for alert in found}
    kept = []
    for alert in found:
        if (FOLLOWED_BY.get(alert.kind), alert.rule) not in late:
            kept.append(alert)
        elif alert.id in said:
            kept.append(replace(alert, ended_at=alert.ended_at or alert.due_at))
    return kept


def explained(rules: Rules, dossier: Dossier, watched: Watched, now: datetime, alert: Alert) -> Alert:
    """An alert with the sum of the date it rests on, `watched` being what was up as of `now`; itself where it rests on
    none. Raises CalendarRange."""
    for found_up in reversed(watched.up):
        cause = named(rules, found_up)
        if cause.kind == alert.kind and cause.due_at == alert.due_at and cause.rule == alert.rule:
            return replace(alert, sum=sum_of(rules, dossier, cause, now))
    return alert


def sum_of(rules: Rules, dossier: Dossier, cause: Cause, now: datetime) -> tuple[Line, ...]:
    """How the date a cause rests on came about, line by line, as of `now`; of one that was met too late as of then.
    Raises CalendarRange."""
    date = cause.date
    if cause.kind == "appointment_differs":
        return tuple(_of_slip(rules, dossier, cause))
    if cause.kind == "result_not_collected":
        return tuple(_of_result(dossier, cause))
    if date is None or date.sum:
        return () if date is None else date.sum
    if date.kind == "benchmark":
        found = rules.clock.benchmark(dossier, at=now, explain=True)
        return () if found is None else found.sum
    limit, start = rules.clock.limits[date.rule], date.starts_at or now
    if cause.met and date.met_at is not None:
        at = date.met_at
        reached, lines = told(limit, _as_of(dossier, at), start, Moment(at, at, dossier.hours_of))
        # A register it hangs on may say something else since: then only the date itself is told.
        same = reached is not None and reached[0] == cause.due_at
        return lines if same else (counted_when_met(cause.due_at),)
    ended = dossier.ended_at is not None and dossier.ended_at <= now
    by = dossier.ended_at if ended else now
    _, lines = told(limit, dossier, start, Moment(date.met_at or now, by, dossier.hours_of))
    return lines


def _of_slip(rules: Rules, dossier: Dossier, cause: Cause) -> Iterator[Line]:
    """What the slip names, and what it is held against: our own date of then, or the first slip."""
    first, date = dossier.appointments[0], cause.date
    yield printed_time(rules.clock.printed(first, dossier.hours_of))
    if date is None:
        yield Line("printed on a later slip, without a cause that moves the date", {}, cause.due_at)
        return
    limit, at = rules.clock.limits[date.rule], first.told_at
    then, start = as_promised(dossier), limit.anchor(dossier) or at
    yield from told(limit, then, start, Moment(at, at, then.hours_of))[1]


def _of_result(dossier: Dossier, cause: Cause) -> Iterator[Line]:
    """Since when a result lies ready, and for how long it may."""
    if dossier.ready_at is not None:
        yield Line("ready at the desk", {}, dossier.ready_at)
        days = (cause.due_at - dossier.ready_at).days
        yield Line("plus {number} days", {"number": days}, cause.due_at)


def alert_id(subject: str, kind: Kind, rule: str) -> str:
    """The id of the alert of a kind that rests on a rule, the limit with the beginning of its count."""
    return f"{kind}/{subject}/{rule}"


def source_of(dossier: Dossier) -> str | None:
    """The source of a dossier's last fact."""
    return None if dossier.last_key is None else dossier.last_key[3]


def _as_of(dossier: Dossier, at: datetime) -> Dossier:
    """A dossier without the stops and extensions that came later."""
    if not (dossier.pauses or dossier.extensions or dossier.tasks):
        return dossier
    return replace(
        dossier,
        pauses=tuple(taken for taken in dossier.pauses if taken.started_at < at),
        extensions=tuple(taken for taken in dossier.extensions if taken.at <= at),
        tasks=tuple(run for run in dossier.tasks if run.asked_at < at),
    )


def _rung(
    office: Office, cause: Cause, heads: Sequence[str], unit: str | None, delay: timedelta, now: datetime
) -> tuple[int, datetime]:
    """How many further posts are told by now (or by the end), and when the next is."""
    if cause.kind not in ESCALATED:
        return 0, FAR
    above = max(len(heads) - 1, 0)
    rung, until = 0, cause.ended_at or now
    for days in office.limits.escalate_after_days[:above]:
        reached = office.days_after(cause.due_at, days, unit, now) + delay
        spoken = office.speaking_at(reached, unit, now)
        if spoken > until:
            return rung, FAR if cause.ended_at is not None else spoken
        rung += 1
    return rung, FAR


def alert_of(  # noqa: PLR0913 - a cause, and what is known of it already
    office: Office,
    rules: Rules,
    dossier: Dossier,
    cause: Cause,
    rule: str,
    heads: tuple[str, ...],
    rung: int,
    *,
    silent: bool,
) -> Alert:
    """The alert that rests on a cause, without its sum. `rule`: the cause's, at hand already; `heads`: who answers for
    the dossier's unit, of whom the first and `rung` more are told."""
    revision = rules.family[dossier.revision].revision
    limit = rules.clock.limits.get(cause.limit)
    posts = heads[: 1 + rung]
    if rung and rung == len(office.limits.escalate_after_days) and heads[-1] not in posts:
        posts = (*posts, heads[-1])
    if revision.kind == "feedback":
        posts = (*posts, *(one for one in office.focal(dossier.unit) if one not in posts))
    topic: Topic = "alerts.feedback" if revision.kind in _FEEDBACK else "alerts.lateness"
    date, source = cause.date, source_of(dossier)
    basis, basis_vi = both((limit.limit.basis if limit is not None else None) or revision.basis)
    return Alert(
        id=alert_id(dossier.subject, cause.kind, rule),
        kind=cause.kind,
        topic=topic,
        subject=dossier.subject,
        rule=rule,
        due_at=cause.due_at,
        ended_at=cause.ended_at,
        unit=dossier.unit,
        officer=dossier.officer,
        source=source,
        to=(HOLDER,) if cause.kind in _HOLDER_ALONE else (HOLDER, *posts),
        rung=rung,
        procedure=revision.procedure,
        revision=revision.revision,
        basis=basis,
        basis_vi=basis_vi,
        calendar=None if date is None else date.calendar,
        by=None if date is None else date.kind,
        sum=() if date is None else date.sum,
        feed_silent=silent,
        history=office.history(source, cause.due_at),
    )
