"""What alerts about one dossier may rest on: dates missed or at risk, slips, pauses, results not collected. Pure.

docs/alerts.md says each kind: when it is raised, to whom, how it ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from workflow.messages import Kind
from workflow.model import Deadline, Dossier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from workflow.alerts.office import Office
    from workflow.clocks.limits import LimitClock
    from workflow.model import DeadlineKind
    from workflow.procedure.language import Revision
    from workflow.rules import Rules

_MICROSECOND: Final = timedelta(microseconds=1)
_NOTHING: Final = timedelta()
APPOINTMENT: Final = "appointment"
"""The rule of a date that rests on a slip."""
_STEPS: Final[frozenset[DeadlineKind]] = frozenset({"step", "phase", "task", "limit"})


class Cause(Struct, frozen=True, gc=False):
    """What an alert would rest on: since when it is true, the deadline or moment, when it was over, and, where a limit
    may be counted several times, when this count began; `met`: whether its date is that of then, when it was met."""

    kind: Kind
    limit: str
    since: datetime
    due_at: datetime
    ended_at: datetime | None = None
    date: Deadline | None = None
    visit: datetime | None = None
    met: bool = False

    @property
    def rule(self) -> str:
        """The limit, with the beginning of its count."""
        return visit_of(self.limit, self.visit)


def visit_of(rule: str, start: datetime | None) -> str:
    """A limit that may be counted several times, told apart by where this count began."""
    if start is None:
        return rule
    values = rule, start.year, start.month, start.day, start.hour, start.minute, start.second
    return "%s@%04d%02d%02dT%02d%02d%02dZ" % values  # noqa: UP031 - half of what other ways take


def limit_of(rule: str) -> str:
    """The limit of a rule that `visit_of` made."""
    return rule.partition("@")[0]


def causes(
    office: Office, rules: Rules, dossier: Dossier, dates: Sequence[Deadline], now: datetime
) -> list[Cause]:
    """All an alert may rest on, past or ahead, by a dossier and its deadlines as of `now`."""
    headline = _headline(rules, dossier, dates)
    found = [*_of_closed_tasks(rules, dossier)] if dossier.tasks else []
    for date in dates:
        if date.met_at is not None and not date.late:
            continue
        if headline in (date.kind, date.rule):
            found.append(_late(date, "dossier_late", _visit_of_headline(rules, date)))
            found += _of_headline(office, rules, dossier, date, now)
        elif date.kind in _STEPS:
            found.append(_late(date, "step_late", date.starts_at))
            found += _of_step(office, date)
    for missed in dossier.missed:
        limit = rules.clock.limits.get(missed.rule)
        due_at, reaching = missed.due_at, limit is not None and limit.reaching_is_late
        since = due_at if reaching else due_at + _MICROSECOND
        met = None if limit is None else _met(limit, missed.starts_at, due_at, missed.met_at)
        found.append(
            Cause("step_late", missed.rule, since, due_at, missed.met_at, met, missed.starts_at, met=True)
        )
    if dossier.appointments:
        found += _of_slip(rules, dossier, dates)
        found += _of_later_slips(rules, dossier) if len(dossier.appointments) > 1 else ()
    if dossier.pauses:
        found += _of_pauses(rules, dossier, now)
    if dossier.ready_at is not None:
        lies_until = dossier.ready_at + timedelta(days=office.limits.uncollected_after_days)
        if dossier.ended_at is None or dossier.ended_at > lies_until:
            found.append(Cause("result_not_collected", "ready", lies_until, lies_until, dossier.ended_at))
    return found


def warned_by(
    office: Office,
    rules: Rules,
    dossier: Dossier,
    at: datetime,
    *,
    of: Collection[str] | None = None,
    but: Dossier | None = None,
) -> list[Cause]:
    """The warnings that are true by a moment. Raises CalendarRange.

    `of`: only those of these limits, the slip's too. `but`: the dossier after one more fact; what that fact surely left
    as it was may be left out. Asked for after every fact: dates that surely do not press yet are not counted.
    """
    clock = rules.clock
    if _is_over(dossier, at):
        return []
    if dossier.ended_at is not None or office.foretells or not _tells_slip(dossier):
        dates: Sequence[Deadline] = clock.governing(dossier, at=at)
        headline = _headline(rules, dossier, dates)
    else:
        dates, headline = clock.pressing(dossier, at=at, share=office.share, of=of, but=but), "benchmark"
        asked = (of is None or APPOINTMENT in of) and not (
            but is not None and _slip_stays(rules, dossier, but, at)
        )
        if asked and _slip_presses(office, rules, dossier, at):
            benchmark = clock.benchmark(dossier, at=at)
            dates = dates if benchmark is None else [benchmark, *dates]
    if not dates:
        return []
    return [one for one in _warned(office, rules, dossier, dates, at, headline) if one.since <= at]


def _is_over(dossier: Dossier, at: datetime) -> bool:
    """Whether every date of a dossier is met by a moment: with its end all are, but that of a phase begun later."""
    if dossier.ended_at is None or dossier.ended_at > at:
        return False
    return all(run.ended_at is not None for run in dossier.phases)


def _tells_slip(dossier: Dossier) -> bool:
    slips = dossier.appointments
    return bool(slips) and (slips[0].cause != "apology" or any(slip.cause != "apology" for slip in slips))


def _slip_stays(rules: Rules, one: Dossier, other: Dossier, at: datetime) -> bool:
    """Whether the warnings of its slip surely are the same in two states of an open dossier: what a fact leaves as it
    was is the same object."""
    if other.ended_at is not None or not (
        one.appointments is other.appointments
        and one.pauses is other.pauses
        and one.received_at is other.received_at
        and one.unit == other.unit
        and one.hours_of == other.hours_of
    ):
        return False
    if one.ready_at is other.ready_at and one.issued_at is other.issued_at:
        return True
    return rules.clock.released_at(one, at) == rules.clock.released_at(other, at)


def _slip_presses(office: Office, rules: Rules, dossier: Dossier, at: datetime) -> bool:
    """Whether a warning may rest on the slip of an open dossier by a moment."""
    begun, clock = dossier.received_at, rules.clock
    if begun is None or clock.released_at(dossier, at) is not None:
        return False
    slips = [slip for slip in dossier.appointments if slip.cause != "apology"]
    # Stops move a date away alone: the benchmark is no earlier.
    least = min([clock.printed(slip, dossier.hours_of) for slip in slips])
    if begun + max(least - begun, _NOTHING) * office.share <= at:
        return True
    return office.day_before(least, dossier.unit, at) <= at


def _warned(
    office: Office,
    rules: Rules,
    dossier: Dossier,
    dates: Sequence[Deadline],
    now: datetime,
    headline: str | None,
) -> list[Cause]:
    found: list[Cause] = []
    for date in dates:
        if headline in (date.kind, date.rule):
            found += _of_headline(office, rules, dossier, date, now)
        elif date.kind in _STEPS:
            found += _of_step(office, date)
    return found


def _headline(rules: Rules, dossier: Dossier, dates: Sequence[Deadline]) -> str | None:
    """The kind, or the one rule, of the dates that say whether the dossier is late: the slip's, else the committed,
    else the limit that binds its end."""
    kinds = [date.kind for date in dates]
    if "benchmark" in kinds:
        return "benchmark"
    if "committed" in kinds:
        return "committed"
    limit = rules.clock.headline(dossier.state)
    return None if limit is None else limit.id


def _late(date: Deadline, kind: Kind, visit: datetime | None) -> Cause:
    return Cause(kind, date.rule, _too_late(date), date.due_at, date.met_at, date, visit)


def _of_headline(
    office: Office, rules: Rules, dossier: Dossier, date: Deadline, now: datetime
) -> list[Cause]:
    found: list[Cause] = []
    if date.met_at is not None or date.open_pause:
        return found
    risk = office.dossier_at_risk_at(rules, dossier, date, now)
    if risk is not None and risk < date.due_at:
        visit = _visit_of_headline(rules, date)
        found.append(Cause("dossier_at_risk", date.rule, risk, date.due_at, None, date, visit))
    received_at = dossier.received_at
    if date.kind == "benchmark" and received_at is not None and not _apologised(dossier):
        before = office.day_before(date.due_at, dossier.unit, now)
        if before > received_at:
            found.append(Cause("apology_due", date.rule, before, date.due_at, None, date))
    return found


def _visit_of_headline(rules: Rules, date: Deadline) -> datetime | None:
    """When a headline that binds a phase began to be counted."""
    limit = rules.clock.limits.get(date.rule)
    return date.starts_at if limit is not None and limit.binds is not None and limit.binds.phase else None


def _apologised(dossier: Dossier) -> bool:
    slips = dossier.appointments
    return len(slips) > 1 and any(slip.cause == "apology" for slip in slips)


def _of_step(office: Office, date: Deadline) -> list[Cause]:
    if date.met_at is not None or date.open_pause:
        return []
    risk = office.step_at_risk_at(date)
    if risk is None:
        return []
    return [Cause("step_at_risk", date.rule, risk, date.due_at, None, date, date.starts_at)]


def _of_closed_tasks(rules: Rules, dossier: Dossier) -> Iterator[Cause]:
    """Tasks that ended after their limit. Of agencies asked at one instant the last to end counts, and before all one
    that is still silent: it comes later, as a date."""
    closed = [(ended, run) for run in dossier.tasks if (ended := run.ended_at) is not None]
    for ended_at, run in sorted(closed, key=lambda one: one[0]):
        for limit in rules.clock.for_task(run.state, run.task):
            if ended_at - run.asked_at < limit.least:
                continue
            due_at = limit.due(dossier, run.asked_at, ended_at)
            if due_at is not None and limit.late(ended_at, due_at):
                since = due_at if limit.reaching_is_late else due_at + _MICROSECOND
                date = _met(limit, run.asked_at, due_at, ended_at)
                yield Cause("step_late", limit.id, since, due_at, ended_at, date, run.asked_at, met=True)


def _met(limit: LimitClock, start: datetime | None, due_at: datetime, met_at: datetime) -> Deadline:
    """The date of a limit that was met too late, by the calendar announced then."""
    label = None if limit.counts is None else limit.counts.label(met_at)
    return Deadline(limit.id, limit.kind, due_at, starts_at=start, met_at=met_at, late=True, calendar=label)


def _promised(
    rules: Rules, dossier: Dossier, dates: Sequence[Deadline], told_at: datetime
) -> tuple[LimitClock, datetime, Deadline] | None:
    """The committed limit that was running when a slip was told, what it counts from, and its date now; None where it
    is no single one, or that of a phase which others follow: its end is not yet the result the slip promises."""
    counting = []
    for date in dates:
        if date.kind == "committed":
            limit = rules.clock.limits[date.rule]
            if _is_followed(rules.revision, limit):
                continue
            anchor = limit.anchor(dossier)
            if anchor is not None and anchor <= told_at:
                counting.append((limit, anchor, date))
    return counting[0] if len(counting) == 1 else None


def _is_followed(revision: Revision, limit: LimitClock) -> bool:
    """Whether a limit is that of a phase after which another is declared."""
    phase = None if limit.binds is None else limit.binds.phase
    return phase is not None and phase != next(reversed(revision.phases))


def as_promised(dossier: Dossier) -> Dossier:
    """A dossier as its first slip was told: no stop of the clock, phase or calendar that came later makes that slip
    wrong, or right."""
    if not (dossier.pauses or dossier.extensions or dossier.tasks):
        return dossier
    told_at = dossier.appointments[0].told_at
    return replace(
        dossier,
        pauses=tuple(taken for taken in dossier.pauses if taken.started_at < told_at),
        extensions=tuple(taken for taken in dossier.extensions if taken.at < told_at),
        tasks=(),
    )


def _of_slip(rules: Rules, dossier: Dossier, dates: Sequence[Deadline]) -> Iterator[Cause]:
    """A slip that names another day than the committed limit gave when it was told."""
    slip = dossier.appointments[0]
    found = _promised(rules, dossier, dates, slip.told_at) if slip.cause == "first" else None
    if found is None:
        return
    limit, anchor, date = found
    due = limit.due(as_promised(dossier), anchor, slip.told_at)
    printed = rules.clock.printed(slip, dossier.hours_of)
    if due is None or due == printed:
        return
    if due.astimezone(rules.zone).date() != printed.astimezone(rules.zone).date():
        then = date if limit.counts is None else replace(date, calendar=limit.counts.label(slip.told_at))
        yield Cause("appointment_differs", APPOINTMENT, slip.told_at, printed, dossier.ended_at, then)


def _of_later_slips(rules: Rules, dossier: Dossier) -> Iterator[Cause]:
    """Slips that name another date than the first one did, without a cause that may move it."""
    told = [slip for slip in dossier.appointments if slip.cause != "apology"]
    for slip in told[1:]:
        printed = rules.clock.printed(slip, dossier.hours_of)
        if slip.cause == "first" and printed != rules.clock.printed(told[0], dossier.hours_of):
            yield Cause(
                "appointment_differs",
                APPOINTMENT,
                slip.told_at,
                printed,
                dossier.ended_at,
                visit=slip.told_at,
            )


def _of_pauses(rules: Rules, dossier: Dossier, now: datetime) -> Iterator[Cause]:
    for taken in dossier.pauses:
        cap = rules.clock.capped_at(taken, dossier.ended_at or now, dossier.hours_of)
        if cap is not None:
            limit = f"pause/{taken.pause}"
            date = rules.clock.cap(taken, dossier.ended_at or now, dossier.hours_of)
            yield Cause("pause_cap_exceeded", limit, cap, cap, taken.ended_at, date, taken.started_at)


def _too_late(date: Deadline) -> datetime:
    """The first instant at which a date is missed."""
    return date.due_at if date.reaching_is_late else date.due_at + _MICROSECOND
