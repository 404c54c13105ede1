"""What is owed by a date though no citizen asked for it: the schedule that begins such dossiers, and two shares.

The dossiers themselves are judged like any other, by procedures of the kinds report and obligation. Pure but for
reading the schedule's file.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Meta

from workflow.clocks.worktime import midnight
from workflow.errors import DefinitionError
from workflow.facts import Acted, Actor, Fact
from workflow.figures.rates import Share, measure
from workflow.procedure.language import Definition, Figures, Identifier, Names, Wording
from workflow.standing import stand
from workflow.yamltree import contents, placed_one
from workflow.zones import zone_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from workflow.figures.rates import Period
    from workflow.model import Dossier
    from workflow.rotation.careers import Career
    from workflow.rules import Rules
    from workflow.sources import SourceOrder
    from workflow.yamltree import Placed

SOURCE: Final = "schedule"
"""The source of what a schedule begins, and the role it acts in."""
_MONTHS_A_QUARTER: Final = 3
_DAY_MAX: Final = 28
"""Every month has it, so that no due day can be missing."""


class Quarterly(Definition, frozen=True):
    """Owed each quarter: begun with its first day from `first` on, due on a day of its last month."""

    name: Names
    procedure: Identifier
    unit: Identifier
    first: date
    due_day: Annotated[int, Meta(ge=1, le=_DAY_MAX)]
    figures: Figures
    basis: Wording | None = None


class Once(Definition, frozen=True):
    """Owed once."""

    name: Names
    procedure: Identifier
    unit: Identifier
    begins: date
    due: date
    figures: Figures
    data: dict[Identifier, str] = {}  # noqa: RUF012 - msgspec copies empty defaults
    basis: Wording | None = None


class Online(Definition, frozen=True):
    """The level (3 or 4) at which services are offered online, by procedure."""

    figures: Figures
    levels: dict[str, Annotated[int, Meta(ge=1, le=4)]]


class Schedule(Definition, frozen=True):
    """A schedule file."""

    schedule: Identifier
    revision: str
    zone: str
    quarterly: dict[Identifier, Quarterly] = {}  # noqa: RUF012 - as above
    once: dict[Identifier, Once] = {}  # noqa: RUF012 - as above
    online: Online | None = None
    basis: Wording | None = None

    @property
    def timezone(self) -> ZoneInfo:
        """The zone in which its days begin."""
        return ZoneInfo(self.zone)


def read_schedule(path: Path) -> Schedule:
    """The schedule in a YAML file.

    Raises DefinitionError with file:line:column where it cannot be read or a date due lies before its beginning;
    UnknownZone.
    """
    return sound(contents(path), str(path))


def sound(data: bytes, name: str) -> Schedule:
    """The schedule in these bytes; `name` stands for the file in errors, which are those of `read_schedule`."""
    one = placed_one(data, name, Schedule)
    _check(one)
    return one.value


def begun(schedule: Schedule, until: datetime) -> list[Fact]:
    """The facts that begin what is owed up to `until`, each with the same identity whenever it is asked for."""
    zone = schedule.timezone
    last = until.astimezone(zone).date()
    found = [
        _fact(schedule, f"{name}-{_quarter(day)}", one, day, _due_in(one, day), {"period": _quarter(day)})
        for name, one in schedule.quarterly.items()
        for day in _quarters(one.first, last)
    ]
    found += [
        _fact(schedule, name, one, one.begins, one.due, one.data)
        for name, one in schedule.once.items()
        if one.begins <= last
    ]
    return sorted(found, key=lambda fact: (fact.occurred_at, fact.subject))


class Owed(NamedTuple):
    """A report or file owed by a date. `due_at`: None where no day is told; `done_at`: when it was submitted, None
    while it is not; `in_full`: no rule but a date was broken; `called_off`: it ended without being submitted."""

    subject: str
    kind: str
    due_at: datetime | None
    done_at: datetime | None
    late: bool
    in_full: bool
    called_off: bool


def owed(rules: Rules, dossier: Dossier, at: datetime) -> Owed:
    """A judged report or obligation as of `at`. Raises CalendarRange."""
    found = measure(rules, dossier, at)
    due = min(found.committed, key=lambda one: one.due_at, default=None)
    over = found.issued_at is not None
    return Owed(
        dossier.subject,
        found.kind,
        None if due is None else due.due_at,
        found.issued_at if dossier.ended_by == "returned" else None,
        due is not None and due.late(at),
        found.followed,
        over and dossier.ended_by != "returned",
    )


def fulfilled(found: Iterable[Owed], period: Period) -> tuple[Share, list[str]]:
    """Of what was due in a period, what was submitted in full and on time; and what was not. Not due yet and not
    submitted says nothing; nor does what was called off."""
    share, without = Share(), []
    for one in found:
        due_at = one.due_at
        if one.called_off or due_at is None or not period.since <= due_at < period.until:
            continue
        if one.done_at is None and not one.late:
            continue
        kept = one.done_at is not None and not one.late and one.in_full
        share.count(kept)
        if not kept:
            without.append(one.subject)
    return share, sorted(without)


def accounts(careers: Iterable[Career], day: date) -> tuple[Share, list[str]]:
    """Of the officers who hold a post on a day, those with an active account on the national portal; and who has none.

    The department's plan wants all of them.
    """
    share, without = Share(), []
    for career in careers:
        if career.held(day):
            share.count(bool(career.accounts))
            if not career.accounts:
                without.append(career.officer)
    return share, sorted(without)


def filed_online(sources: Mapping[str, SourceOrder], facts: Iterable[Fact], period: Period) -> bool | None:
    """Whether a dossier received in the period was filed online; None where it was not, or no channel is told."""
    for one in stand(sources, facts, None, None).placed:
        body = one.fact.body
        if isinstance(body, Acted) and body.channel is not None:
            return body.channel == "online" if period.since <= one.at < period.until else None
    return None


def _quarters(first: date, last: date) -> Iterator[date]:
    """The first days of quarters from `first` to `last`."""
    day = date(first.year, first.month - (first.month - 1) % _MONTHS_A_QUARTER, 1)
    while day <= last:
        if day >= first:
            yield day
        day = _later(day)


def _later(day: date) -> date:
    """The first day of the next quarter."""
    month = day.month + _MONTHS_A_QUARTER
    return date(day.year + (month > 12), (month - 1) % 12 + 1, 1)  # noqa: PLR2004 - months of a year


def _due_in(one: Quarterly, quarter: date) -> date:
    return (_later(quarter) - timedelta(days=1)).replace(day=one.due_day)


def _quarter(day: date) -> str:
    return f"{day.year}-q{(day.month - 1) // _MONTHS_A_QUARTER + 1}"


def _fact(
    schedule: Schedule, subject: str, one: Quarterly | Once, begins: date, due: date, data: Mapping[str, str]
) -> Fact:
    body = Acted(
        action="receive",
        procedure=one.procedure,
        actor=Actor(id=SOURCE, role=SOURCE),
        unit=one.unit,
        data={**data, "due": due.isoformat()},
    )
    at = midnight(begins, schedule.timezone)
    return Fact(f"{schedule.schedule}/{subject}", SOURCE, "begin", at, body)


def _check(file: Placed[Schedule]) -> None:
    zone_at(file.value.zone, file.place(("zone",)))
    for name, one in file.value.once.items():
        if one.due < one.begins:
            raise DefinitionError(
                "{place}: {name}: expected a day due from {begins} on, found {due}; correct one of them",
                place=file.place(("once", name, "due")),
                name=name,
                begins=one.begins.isoformat(),
                due=one.due.isoformat(),
                reason="due_before_beginning",
            )
