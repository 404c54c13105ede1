"""The budget of lateness: of the dossiers a unit releases in a year at most 1 % after their appointment.

Judged from counts of many dossiers, by query at ticks: nothing is counted while facts come in. A judgment of the second
level, pure. docs/looking.md defines each number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from workflow.messages import Alert
from workflow.model import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from workflow.model import Dossier
    from workflow.risk.table import Risk
    from workflow.rules import Rules

TARGET_PERCENT: Final = 1
"""At most so many of a hundred released dossiers are late: the department's promise of 2021."""
SMALL: Final = 100 // TARGET_PERCENT
"""A unit with fewer dossiers has no whole late dossier to spend; it is shown in counts and judged with the whole."""
BANDS_MIN: Final = (60, 120, 240, 360, 480, 720, 960, 1_440, 1_920, 2_400, 3_360, 4_800)
"""Borders of the bands of working minutes left in which open dossiers are counted. Risks change fast where little is
left, so there the bands are narrow."""
MILLION: Final = 1_000_000

State: TypeAlias = Literal["kept", "at_risk", "spent", "small"]


class Released(NamedTuple):
    """Dossiers of a unit released in the year that had an appointment, and how many of them late."""

    unit: str
    released: int
    late: int


class Waiting(NamedTuple):
    """Open dossiers with an appointment, of one unit, procedure and step: how many are past it, and how many have their
    working minutes left in each band (below the first border, between each two, beyond the last)."""

    unit: str
    procedure: str
    step: str
    overdue: int
    bands: tuple[int, ...]


class Budget(Struct, frozen=True):
    """The budget of one unit, of the whole where `unit` is None; empty for dossiers that name no unit.

    `released` in the year, `late` of them; `overdue`: open past their appointment; `expected`: all open ones with an
    appointment, the overdue among them. `risk_ppm`: the sum of the risks of the open ones that are not overdue, in
    millionths of a dossier.
    """

    unit: str | None
    released: int = 0
    late: int = 0
    overdue: int = 0
    expected: int = 0
    risk_ppm: int = 0

    @property
    def all(self) -> int:
        """What the budget is counted of: released and expected."""
        return self.released + self.expected

    @property
    def allowed(self) -> int:
        """How many may be late, whole dossiers."""
        return self.all * TARGET_PERCENT // 100

    @property
    def spent(self) -> int:
        """Late, or certain to be."""
        return self.late + self.overdue

    @property
    def left(self) -> int:
        """How many more may be late; below 0 the budget is more than spent."""
        return self.allowed - self.spent

    @property
    def projected_ppm(self) -> int | None:
        """The rate that is coming, in millionths: (late + sum of risk) / (released + expected). None of none."""
        return (self.spent * MILLION + self.risk_ppm) // self.all if self.all else None

    @property
    def state(self) -> State:
        """`spent`: no longer to be saved by any dossier in hand; `at_risk`: it is, though not kept as things go."""
        if self.all < SMALL:
            return "small"
        if self.left < 0:
            return "spent"
        projected = self.projected_ppm
        assert projected is not None  # noqa: S101 - there are dossiers
        return "at_risk" if projected > TARGET_PERCENT * MILLION // 100 else "kept"


def budgets(released: Iterable[Released], waiting: Iterable[Waiting], risk: Risk | None) -> list[Budget]:
    """The budget of each unit by its name, the whole first. Without a risk table no risk is added."""
    found: dict[str | None, Budget] = {}
    for one in released:
        _add(found, Budget(one.unit, released=one.released, late=one.late))
    for group in waiting:
        expected = group.overdue + sum(group.bands)
        sum_ppm = 0 if risk is None else _risk_ppm(group, risk)
        _add(found, Budget(group.unit, overdue=group.overdue, expected=expected, risk_ppm=sum_ppm))
    return _with_whole(found)


class Counted(NamedTuple):
    """One dossier as the budget counts it."""

    unit: str
    released: bool
    late: bool
    risk_ppm: int


def counted(
    rules: Rules, dossier: Dossier, risk: Risk | None, since: datetime, at: datetime
) -> Counted | None:
    """How a judged dossier counts as of `at`, in the year that began at `since`; None where it does not: without an
    appointment, not received, or released before. The same as by query, but for the bands. Raises CalendarRange."""
    date = rules.clock.benchmark(dossier, at=at)
    released_at = rules.clock.released_at(dossier, at)
    if date is None or (released_at is not None and released_at < since):
        return None
    unit, stopped = dossier.unit or "", date.met_at or at
    late = stopped > date.due_at
    if released_at is not None or late or risk is None:
        return Counted(unit, released_at is not None, late, 0)
    left = rules.clock.minutes(at, date.due_at, at, dossier.hours_of)
    said = risk.probability(rules.revision.procedure, dossier.state, unit, max(left, 1))
    return Counted(unit, released=False, late=False, risk_ppm=round(said * MILLION))


def of_dossiers(counts: Iterable[Counted]) -> list[Budget]:
    """The budgets of dossiers counted one by one."""
    found: dict[str | None, Budget] = {}
    for one in counts:
        if one.released:
            _add(found, Budget(one.unit, released=1, late=int(one.late)))
        else:
            _add(found, Budget(one.unit, overdue=int(one.late), expected=1, risk_ppm=one.risk_ppm))
    return _with_whole(found)


def standing(
    found: Iterable[Budget], year: int, to: Mapping[str, tuple[str, ...]], whole: str
) -> list[Alert]:
    """The alerts that should stand: of each unit, and of the whole under its own name. `to`: whom each goes to."""
    named = ((whole if one.unit is None else one.unit, one) for one in found)
    return [
        _alert(one, subject, year, to.get(subject, ()))
        for subject, one in named
        if subject and one.state in ("at_risk", "spent")
    ]


def _alert(one: Budget, subject: str, year: int, to: tuple[str, ...]) -> Alert:
    kind: Literal["budget_spent", "budget_at_risk"] = (
        "budget_spent" if one.state == "spent" else "budget_at_risk"
    )
    return Alert(
        id=f"{kind}/{subject}/{year}",
        kind=kind,
        topic="alerts.lateness",
        subject=subject,
        rule=f"budget/{year}",
        unit=one.unit or None,
        to=to,
        sum=_sum(one),
    )


def _sum(one: Budget) -> tuple[Line, ...]:
    """How the judgment came about, line by line."""
    projected = one.projected_ppm or 0
    return (
        Line(
            "{released} released and {expected} in hand: at most {percent} % of them, {allowed}, may be late",
            {
                "released": one.released,
                "expected": one.expected,
                "percent": TARGET_PERCENT,
                "allowed": one.allowed,
            },
        ),
        Line(
            "{late} were late and {overdue} are open past their appointment: {left} left",
            {"late": one.late, "overdue": one.overdue, "left": one.left},
        ),
        Line(
            "the risks of the others come to {risk} dossiers: {rate} % as things go",
            {"risk": _hundredths(one.risk_ppm * 100), "rate": _hundredths(projected * 10_000)},
        ),
    )


def _hundredths(hundred_millionths: int) -> str:
    whole = (hundred_millionths + MILLION // 2) // MILLION
    return f"{whole // 100}.{whole % 100:02}"


def _risk_ppm(group: Waiting, risk: Risk) -> int:
    """The sum of the risks, each band taken at its middle."""
    borders = (0, *BANDS_MIN, BANDS_MIN[-1] * 2)
    return sum(
        count * round(risk.probability(group.procedure, group.step, group.unit, (low + high) // 2) * MILLION)
        for count, low, high in zip(group.bands, borders[:-1], borders[1:], strict=True)
        if count
    )


def _add(found: dict[str | None, Budget], more: Budget) -> None:
    known = found.get(more.unit)
    found[more.unit] = more if known is None else _together(known, more)


def _together(one: Budget, other: Budget) -> Budget:
    return Budget(
        one.unit,
        one.released + other.released,
        one.late + other.late,
        one.overdue + other.overdue,
        one.expected + other.expected,
        one.risk_ppm + other.risk_ppm,
    )


def _with_whole(found: Mapping[str | None, Budget]) -> list[Budget]:
    whole = Budget(None)
    for one in found.values():
        whole = _together(whole, one)
    return [whole, *sorted(found.values(), key=lambda one: one.unit or "")]
