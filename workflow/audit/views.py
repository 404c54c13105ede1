"""One dossier in one line, as of a moment: what lists and counts of many dossiers show of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from workflow.figures.rates import measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.figures.rates import Due
    from workflow.model import Dossier
    from workflow.rules import Rules

Sort: TypeAlias = Literal["code", "due", "received", "state", "unit"]


class View(Struct, frozen=True, omit_defaults=True):
    """A dossier as of a moment.

    `due_at`: its headline date, that of the slip (`by` says so) or the committed one; of several the next that is
    not met, else the last. `late`: released after it. `overdue`: open past it. `deviated`: a rule of order, role, guard
    or end was broken. `blocked`: why it could not be judged. `code`: the procedure its facts name, which another judges
    where nobody modelled it.
    """

    subject: str
    procedure: str
    revision: str
    state: str
    open: bool
    unit: str | None = None
    officer: str | None = None
    since: datetime | None = None
    received_at: datetime | None = None
    released_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    by: Literal["appointment", "committed"] | None = None
    late: bool = False
    overdue: bool = False
    deviated: bool = False
    blocked: str | None = None
    code: str | None = None


class Filter(Struct, frozen=True, kw_only=True):
    """Which dossiers to list: those that meet all that is asked. Absent or false asks nothing."""

    states: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    open: bool = False
    overdue: bool = False
    late: bool = False
    blocked: bool = False
    due_before: datetime | None = None

    def takes(self, one: View) -> bool:
        """Whether a dossier is asked for."""
        named = (
            (self.states, one.state),
            (self.units, one.unit),
        )
        flags = (
            (self.open, one.open),
            (self.overdue, one.overdue),
            (self.late, one.late),
            (self.blocked, one.blocked is not None),
            (bool(self.procedures), one.procedure in self.procedures or one.code in self.procedures),
            (self.due_before is not None, one.open and _before(one.due_at, self.due_before)),
        )
        return all(not asked or found in asked for asked, found in named) and all(
            found or not asked for asked, found in flags
        )


def view(
    rules: Rules, dossier: Dossier, at: datetime, blocked: str | None = None, code: str | None = None
) -> View:
    """A judged dossier as of `at`; `rules` is any revision of its procedure. Raises CalendarRange."""
    measured = measure(rules, dossier, at)
    due = _shown(measured.headline)
    late = any(one.late(at) for one in measured.headline)
    ended_at = dossier.ended_at if dossier.ended_at is not None and dossier.ended_at <= at else None
    by: Literal["appointment", "committed"] = "committed" if measured.benchmark is None else "appointment"
    return View(
        subject=dossier.subject,
        procedure=measured.procedure,
        revision=dossier.revision,
        state=dossier.state,
        open=ended_at is None,
        unit=dossier.unit,
        officer=dossier.officer,
        since=dossier.since,
        received_at=dossier.received_at,
        released_at=measured.released_at,
        ended_at=ended_at,
        due_at=None if due is None else due.due_at,
        by=None if due is None else by,
        late=late and measured.released_at is not None,
        overdue=late and measured.released_at is None,
        deviated=not measured.followed,
        blocked=blocked,
        code=code,
    )


def in_order(found: Iterable[View], sort: Sort) -> list[View]:
    """The dossiers sorted; those without a value come last, those with the same value by their code."""
    return sorted(found, key=lambda one: _key(one, sort))


def _key(one: View, sort: Sort) -> tuple[bool, str, str]:
    match sort:
        case "due":
            value = None if one.due_at is None else one.due_at.astimezone(UTC).isoformat()
        case "received":
            value = None if one.received_at is None else one.received_at.astimezone(UTC).isoformat()
        case "state":
            value = one.state
        case "unit":
            value = one.unit
        case "code":
            value = one.subject
    return value is None, value or "", one.subject


def _shown(dates: tuple[Due, ...]) -> Due | None:
    waiting = [due for due in dates if due.met_at is None]
    if waiting:
        return min(waiting, key=lambda due: due.due_at)
    return max(dates, key=lambda due: due.due_at, default=None)


def _before(due_at: datetime | None, moment: datetime | None) -> bool:
    return due_at is not None and moment is not None and due_at < moment
