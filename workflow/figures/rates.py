"""Rates of lateness and of following the procedure: counts of judged dossiers, each with what it was divided by.

Peers divide by different things and call it by one name, so every rate here has a name of its own, its numerator and
its denominator, and none is made of nothing: of no dossiers there is no rate. docs/looking.md defines each.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct, field

from workflow.figures.portal import COUNTED, PortalDates, portal_dates
from workflow.fold import Judgment
from workflow.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from workflow.model import Deadline, Dossier
    from workflow.procedure.language import Revision
    from workflow.rules import Rules

By: TypeAlias = Literal["all", "unit", "procedure", "officer_unit"]
SHARES: Final = (
    *("late_appointment", "late_committed", "late_or_overdue", "overdue", "followed", "both"),
    *("portal_on_time", "opencps_on_time", "approved"),
)
"""The rates there are, as they are shown side by side."""
OWED: Final = ("report", "obligation")
"""Kinds of procedures that no citizen asked for: they are late like any other, and no rate of dossiers counts them."""
NO_UNIT: Final = ""
"""The group of dossiers whose facts name no unit."""


class Due(Struct, frozen=True, gc=False):
    """A date a dossier has: when, whether reaching it is late, and the instant that stopped its clock."""

    due_at: datetime
    reaching_is_late: bool
    met_at: datetime | None

    def late(self, at: datetime) -> bool:
        """Whether the date was missed, as of `at`."""
        stopped = self.met_at if self.met_at is not None and self.met_at <= at else at
        return stopped >= self.due_at if self.reaching_is_late else stopped > self.due_at


class Measure(Struct, frozen=True, gc=False):
    """What the rates ask of one dossier.

    `unit`: that which holds it, or held it last. `approved`: it was judged by an approved revision; a sample never is.
    `observed`: its steps are told, so that following the procedure can be said of it. `issued_at`: when its result was
    issued, else when it ended. `released_at`: when its appointment was met; without one as `issued_at`. `followed`: no
    rule of order, role, guard or end was broken. `committed`: one date for each limit of that name (a procedure in
    phases has several). `portal`: what the national portal knows of it, None where it does not count it. `kind`: of its
    procedure.
    `marks`: of feedback, the portal's own limits (2, 5, 15 and 2 working days) as far as they ran.
    `told_by`: the source that told of it last. `officer`: who holds it, or held it last;
    `officer_unit`: where that officer holds a post, empty where it is not told.
    """

    unit: str
    procedure: str
    approved: bool
    observed: bool
    followed: bool
    received_at: datetime | None = None
    released_at: datetime | None = None
    issued_at: datetime | None = None
    benchmark: Due | None = None
    committed: tuple[Due, ...] = ()
    portal: PortalDates | None = None
    kind: str = "dossier"
    marks: tuple[Due, ...] = ()
    told_by: str = ""
    officer: str | None = None
    officer_unit: str = ""

    @property
    def headline(self) -> tuple[Due, ...]:
        """The dates that say whether it is on time: the slip's, or the committed ones where no slip is known."""
        return self.committed if self.benchmark is None else (self.benchmark,)


class Period(NamedTuple):
    """A stretch of time, half-open, and its name."""

    name: str
    since: datetime
    until: datetime


class Share(Struct):
    """`numerator` of `denominator`."""

    numerator: int = 0
    denominator: int = 0

    @property
    def percent(self) -> str | None:
        """Per cent with two decimals, halves up; None of no dossiers (neither 0 nor 100 could be defended)."""
        if not self.denominator:
            return None
        hundredths = (20_000 * self.numerator + self.denominator) // (2 * self.denominator)
        return f"{hundredths // 100}.{hundredths % 100:02}"

    def count(self, yes: bool) -> None:  # noqa: FBT001 - what is counted is the argument
        """Take one more dossier."""
        self.numerator += yes
        self.denominator += 1


class WholePercent(Share):
    """A share as OpenCPS reckons it: cut to whole per cent, and 100 of nothing. Theirs, not ours."""

    @property
    def percent(self) -> str | None:
        """Whole per cent, never None."""
        return str(100 * self.numerator // self.denominator if self.denominator else 100)


class Rates(Struct):
    """The rates of one group of dossiers in one period.

    `late_appointment`: released late against the benchmark / released with a slip. `late_committed`: issued late
    against the committed date / issued with one. `late_or_overdue`: (released late + open past due) / (received in the
    period or in hand).
    `overdue`: open past due / in hand at the end. `portal_on_time`: on time by index 2.1 of Decision 766/QĐ-TTg, with
    its own end moments and supplements / received or in hand, no feedback. `opencps_on_time`: by OpenCPS, what has no
    date being on time / released. `followed`: followed the procedure / released with steps told. `both`: followed it
    and on time / released with steps told and a date. `approved`: judged by an approved procedure / all of these.
    `without_date`: released without any date, so no rate of lateness counts them. `told_by`: the sources of these.
    """

    group: str
    period: str
    late_appointment: Share
    late_committed: Share
    late_or_overdue: Share
    followed: Share
    both: Share
    approved: Share
    overdue: Share
    portal_on_time: Share
    opencps_on_time: WholePercent
    without_date: int = 0
    told_by: set[str] = field(default_factory=set)


def measure(
    rules: Rules,
    dossier: Dossier,
    at: datetime,
    code: str | None = None,
    unlisted: Container[tuple[str, str]] = (),
) -> Measure:
    """What the rates ask of a judged dossier as of `at`; `rules`: any revision of its procedure. `code`:
    the procedure it is counted under where the generic one judges it. `unlisted`: the procedures and
    revisions that call themselves approved and are not.

    Raises CalendarRange.
    """
    own = rules.family[dossier.revision]
    dates = own.clock.deadlines(dossier, at=at)
    ends = (dossier.issued_at, dossier.ended_at)
    benchmark = next((_due(one) for one in dates if one.kind == "benchmark"), None)
    return Measure(
        unit=dossier.unit or NO_UNIT,
        procedure=(code if own.revision.generic else None) or own.revision.procedure,
        approved=own.revision.figures == "approved" and _key(own.revision) not in unlisted,
        observed=not own.revision.generic,
        followed=_followed(own, dossier, at),
        received_at=dossier.received_at,
        released_at=own.clock.released_at(dossier, at),
        issued_at=next((end for end in ends if end is not None and end <= at), None),
        benchmark=benchmark,
        committed=tuple(_due(one) for one in dates if one.kind == "committed"),
        portal=portal_dates(own, dossier, at) if own.revision.kind in COUNTED else None,
        kind=own.revision.kind,
        marks=_marks(own, dossier, dates) if own.revision.kind == "feedback" else (),
        told_by="" if dossier.last_key is None else dossier.last_key[3],
        officer=dossier.officer,
    )


def _key(revision: Revision) -> tuple[str, str]:
    return revision.procedure, revision.revision


def rates(
    measures: Iterable[Measure], periods: Sequence[Period], by: By = "all", *, now: datetime
) -> list[Rates]:
    """The rates of each group in each period, groups by name; a group that has no dossier in a period is left out.

    `now` is the moment asked about: of a period that is not over yet, what is open is asked about then.
    """
    found: dict[tuple[str, str], Rates] = {}
    key = _KEYS[by]
    for one in measures:
        for period in periods:
            if in_period(one, period):
                group = key(one)
                place = (group, period.name)
                _count(found.setdefault(place, empty(*place)), one, period, now)
    order = {period.name: number for number, period in enumerate(periods)}
    return sorted(found.values(), key=lambda each: (each.group, order[each.period]))


def in_period(one: Measure, period: Period) -> bool:
    """Whether a dossier was released in a period, or received by its end and not released before it."""
    released = one.released_at
    if released is not None:
        return period.since <= released and (released < period.until or _in_hand(one, period))
    return one.received_at is not None and one.received_at < period.until


def total(parts: Iterable[Rates], period: str) -> Rates:
    """The rates of all dossiers of some groups together, no dossier being in two of them."""
    whole = empty("", period)
    for part in parts:
        for name in SHARES:
            into, share = getattr(whole, name), getattr(part, name)
            into.numerator += share.numerator
            into.denominator += share.denominator
        whole.without_date += part.without_date
        whole.told_by |= part.told_by
    return whole


def empty(group: str, period: str) -> Rates:
    """The rates of no dossiers."""
    plain = {name: Share() for name in SHARES if name != "opencps_on_time"}
    return Rates(group=group, period=period, opencps_on_time=WholePercent(), **plain)  # type: ignore[arg-type] # shares


def months(since: datetime, until: datetime, zone: ZoneInfo) -> list[Period]:
    """The months of `zone` that a stretch of time touches, each cut to it, named as 2026-03."""
    found: list[Period] = []
    begin = since.astimezone(zone)
    while begin < until:
        first = begin.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
        following = (first + timedelta(days=32)).replace(day=1)
        found.append(Period(f"{begin:%Y-%m}", begin, min(following, until)))
        begin = following
    return found


_KEYS: Final[Mapping[By, Callable[[Measure], str]]] = {
    "all": lambda _one: "",
    "unit": lambda one: one.unit,
    "procedure": lambda one: one.procedure,
    "officer_unit": lambda one: one.officer_unit,
}


def _due(deadline: Deadline) -> Due:
    return Due(deadline.due_at, deadline.reaching_is_late, deadline.met_at)


def _marks(rules: Rules, dossier: Dossier, dates: Iterable[Deadline]) -> tuple[Due, ...]:
    """The limits of a procedure beside its dates and steps: those that run or were met, and those that were missed."""
    names = {name for name, limit in rules.revision.limits.items() if limit.date == "other"}
    running = [_due(one) for one in dates if one.rule in names]
    missed = [
        Due(one.due_at, rules.clock.limits[one.rule].reaching_is_late, one.met_at)
        for one in dossier.missed
        if one.rule in names
    ]
    return (*running, *missed)


def _followed(rules: Rules, dossier: Dossier, at: datetime) -> bool:
    end = verdict(Judgment(rules, dossier, (), ()), as_of=at)
    kinds = [*dossier.broken.values(), *(violation.kind for violation in end.violations)]
    return all(kind == "deadline" for kind in kinds)


def _in_hand(one: Measure, period: Period) -> bool:
    return one.received_at is not None and one.received_at < period.until


def _count(into: Rates, one: Measure, period: Period, now: datetime) -> None:
    released = one.released_at is not None and one.released_at < period.until
    end = min(period.until, now)
    into.approved.count(one.approved)
    into.told_by.add(one.told_by)
    if one.received_at is not None:
        into.late_or_overdue.count(_late(one.headline, now if released else end))
        if one.portal is not None:
            into.portal_on_time.count(one.portal.on_time(end))
    if one.committed and one.issued_at is not None and period.since <= one.issued_at < period.until:
        into.late_committed.count(_late(one.committed, now))
    if not released:
        into.overdue.count(_late(one.headline, end))
    if released:
        _count_released(into, one, now)


def _count_released(into: Rates, one: Measure, now: datetime) -> None:
    if one.benchmark is not None:
        into.late_appointment.count(one.benchmark.late(now))
    if not one.headline:
        into.without_date += 1
    into.opencps_on_time.count(not _late(one.headline, now))
    if one.observed:
        into.followed.count(one.followed)
    if one.observed and one.headline:
        into.both.count(one.followed and not _late(one.headline, now))


def _late(dates: tuple[Due, ...], at: datetime) -> bool:
    return any(due.late(at) for due in dates)
