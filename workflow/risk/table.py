"""The risk that an open dossier misses its date: what dossiers in the same step needed before, against what is left.

A table is fitted once to dossiers whose clocks have stopped, frozen, and archived as a definition. Of each procedure,
each of its steps, and each unit in that step it holds how much working time dossiers still needed there. The risk is
the share that needed more than is left; where few were seen it leans on the next wider group. docs/risk.md explains it.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from msgspec import Meta
from msgspec.structs import replace

from workflow.procedure.language import Definition, Identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflow.model import Dossier
    from workflow.rules import Rules

POINTS: Final = 100
"""How many points of a distribution are kept: a hundredth of the dossiers lies between two."""
PRIOR: Final = 20
"""A group counts against the next wider one as if that had been seen with so many dossiers of this group."""
EVERY_MINUTES: Final = 60
"""A stay is looked at when it begins and after each working hour, so that long stays weigh as long as they last."""
LOOKS_MAX: Final = 64
"""Looks at one stay; a longer one is looked at less often."""
MARKS: Final = 1_000
"""Marks are thousandths."""
MOMENTS_MIN: Final = 100
"""A step of what came has at least so many moments, so that its share means something."""
THRESHOLD_PERCENT: Final = 20
"""The risk at which a dossier is `at risk`, where nothing else was chosen."""
ALWAYS: Final = 10**9
"""More working minutes than any dossier has left: the risk is at the threshold from the start."""


class Stay(NamedTuple):
    """One stay of a dossier in a step before its clock stopped: the working minutes it still needed at the beginning
    and at the end of the stay, pauses left out."""

    subject: str
    procedure: str
    step: str
    unit: str
    needed_first: int
    needed_last: int


class Moment(NamedTuple):
    """A dossier at one moment: the working minutes it had left until its date as known then, and what came of it."""

    procedure: str
    step: str
    unit: str
    left: int
    late: bool


class Cell(Definition, frozen=True):
    """What dossiers still needed in a step of a procedure, in working minutes: points of the distribution, ascending.

    Without `unit` those of all units, without `step` those of all steps. `dossiers`: how many were seen.
    """

    procedure: str
    dossiers: Annotated[int, Meta(ge=1)]
    minutes: Annotated[tuple[int, ...], Meta(min_length=1)]
    step: str | None = None
    unit: str | None = None


class Step(Definition, frozen=True):
    """Of the moments whose share lay at `permille` or above, up to the next step: how many, and how many came late."""

    permille: int
    moments: int
    late: int


class Band(Definition, frozen=True):
    """The moments of a test whose risk lay from `low` (included) to `high` per cent: how many, the sum of their risks,
    and how many of them came late. A table is reliable where `expected` and `late` agree in every band."""

    low: int
    high: int
    moments: int
    expected: float
    late: int


class Backtest(Definition, frozen=True):
    """How well a table foretold what it was not fitted to.

    `brier`: mean square of (risk - what came), 0 is perfect. `brier_base`: of saying of every moment the share that did
    come late, which only hindsight knows. `undecided`: dossiers left out, as it was not known what became of them.
    """

    moments: int
    late: int
    brier: float
    brier_base: float
    bands: tuple[Band, ...]
    undecided: int = 0

    @property
    def skill(self) -> float | None:
        """1 - brier / brier_base: above 0 is better than the share; None where all came late or none did."""
        return 1 - self.brier / self.brier_base if self.brier_base else None


class RiskTable(Definition, frozen=True):
    """A frozen table. `late` of `dossiers` it was fitted to missed their date; they were released from `since` to
    `until`. `steps`: what came of the shares the cells give, rising. `test`: on
    later dossiers. `threshold_percent`: the risk at which a dossier
    is said to be at risk."""

    risk: Identifier
    revision: str
    since: datetime
    until: datetime
    dossiers: int
    late: int
    threshold_percent: Annotated[int, Meta(ge=1, le=99)]
    cells: tuple[Cell, ...]
    steps: tuple[Step, ...] = ()
    test: Backtest | None = None


class Fitted(NamedTuple):
    """The dossiers a table is fitted to: how many, how many of them late, and released from when to when."""

    dossiers: int
    late: int
    since: datetime
    until: datetime


def fit(
    stays: Iterable[Stay],
    moments: Iterable[Moment],
    fitted: Fitted,
    *,
    revision: str,
    threshold_percent: int = THRESHOLD_PERCENT,
    name: str = "appointment",
) -> RiskTable:
    """The table of these stays and moments of the same dossiers, in any order; the same ones give the same table.

    What was needed does not depend on what was left only where nobody hurries. So the share that needed more is no
    more than a mark, the higher the more pressing, and the risk is how often dossiers with such a mark came late.
    """
    needed: dict[tuple[str, str, str], list[int]] = {}
    seen: dict[tuple[str, str, str], set[str]] = {}
    for stay in stays:
        looks = list(_looks(stay))
        for group in _groups(stay.procedure, stay.step, stay.unit):
            needed.setdefault(group, []).extend(looks)
            seen.setdefault(group, set()).add(stay.subject)
    cells = [
        Cell(
            procedure=group[0],
            step=group[1] or None,
            unit=group[2] or None,
            dossiers=len(seen[group]),
            minutes=tuple(_points(sorted(needed[group]))),
        )
        for group in sorted(needed)
    ]
    table = RiskTable(
        risk=name,
        revision=revision,
        since=fitted.since,
        until=fitted.until,
        dossiers=fitted.dossiers,
        late=fitted.late,
        threshold_percent=threshold_percent,
        cells=tuple(cells),
    )
    return replace(table, steps=_steps(Risk(table), moments))


class Risk:
    """A table made ready to be asked."""

    def __init__(self, table: RiskTable) -> None:
        """Finds its cells by their group."""
        self.table = table
        self._base = table.late / table.dossiers if table.dossiers else 0.0
        self._cells = {(one.procedure, one.step or "", one.unit or ""): one for one in table.cells}
        self._reached: dict[tuple[str, str, str], int | None] = {}
        self._from = [step.permille for step in table.steps]
        smoothed = ((step.late + self._base) / (step.moments + 1) for step in table.steps)
        self._came = list(accumulate(smoothed, max))

    def probability(self, procedure: str, step: str, unit: str, left: int) -> float:
        """The risk, 0 to 1, of a dossier with so many working minutes left; of one with none left it is 1.

        It never falls while time goes by in a step. A procedure that was never seen has the risk of all dossiers.
        """
        if left <= 0:
            return 1.0
        if (procedure, "", "") not in self._cells:
            return self._base
        mark = self.mark(procedure, step, unit, left)
        return self._came[max(bisect_right(self._from, mark) - 1, 0)] if self._came else mark / MARKS

    @property
    def greatest(self) -> float:
        """The greatest risk it gives a dossier that has something left, 0 to 1."""
        if not self._cells:
            return self._base
        return max(self._base, self._came[-1] if self._came else 1.0)

    def mark(self, procedure: str, step: str, unit: str, left: int) -> int:
        """The share, in thousandths, of the dossiers in this step that needed more than what is left."""
        found = self._base
        for group in _groups(procedure, step, unit):
            cell = self._cells.get(group)
            if cell is not None:
                above = 1 - bisect_right(cell.minutes, left) / len(cell.minutes)
                found = (cell.dossiers * above + PRIOR * found) / (cell.dossiers + PRIOR)
        return int(found * MARKS)

    def reached_with(self, procedure: str, step: str, unit: str) -> int | None:
        """The most working minutes left at which the risk is at the threshold; None: at no time before the date.

        ALWAYS where it is there whatever is left.
        """
        key = procedure, step, unit
        if key not in self._reached:
            self._reached[key] = self._crossing(*key)
        return self._reached[key]

    def at_risk_from(self, rules: Rules, dossier: Dossier, due_at: datetime, at: datetime) -> datetime | None:
        """The instant (UTC) from which an open dossier is at risk of missing `due_at`, if nothing happens until then.

        Not before it came into its step. None: not before its date. While its clock stands (an open pause) what is left
        does not change, so it is at risk from its step's beginning or not at all. `at`: whose calendar counts.
        Raises CalendarRange.
        """
        since, unit = dossier.since, dossier.unit or ""
        left = self.reached_with(rules.revision.procedure, dossier.state, unit)
        if left is None or since is None:
            return None
        if left == ALWAYS:
            return since
        if any(taken.ended_at is None for taken in dossier.pauses):
            return since if rules.clock.minutes(at, due_at, at, dossier.hours_of) <= left else None
        return max(since, rules.clock.before(due_at, left, at, dossier.hours_of))

    def _crossing(self, procedure: str, step: str, unit: str) -> int | None:
        threshold = self.table.threshold_percent / 100
        if self.probability(procedure, step, unit, ALWAYS) >= threshold:
            return ALWAYS
        cells = [cell for group in _groups(procedure, step, unit) if (cell := self._cells.get(group))]
        # The risk falls only where a point is reached, so it lasts until just before one of them.
        steps = sorted({point - 1 for cell in cells for point in cell.minutes if point > 1}, reverse=True)
        return next(
            (left for left in steps if self.probability(procedure, step, unit, left) >= threshold), None
        )


def _steps(risk: Risk, moments: Iterable[Moment]) -> tuple[Step, ...]:
    """What came of each mark: neighbours are joined until each step has more of them late than the one below (isotonic
    regression by pooling adjacent violators)."""
    found: list[Step] = []
    for block in _blocks(risk, moments):
        step = block
        while found and found[-1].late * step.moments >= step.late * found[-1].moments:
            step = _joined(found.pop(), step)
        found.append(step)
    return tuple(found)


def _blocks(risk: Risk, moments: Iterable[Moment]) -> list[Step]:
    """Marks with what came of them, the lowest first, joined until each block has enough moments."""
    counts = [[0, 0] for _ in range(MARKS + 1)]
    for one in moments:
        place = counts[risk.mark(one.procedure, one.step, one.unit, one.left)]
        place[0] += 1
        place[1] += one.late
    found: list[Step] = []
    open_block: Step | None = None
    for mark, (count, late) in enumerate(counts):
        if not count:
            continue
        step = Step(permille=mark, moments=count, late=late)
        open_block = step if open_block is None else _joined(open_block, step)
        if open_block.moments >= MOMENTS_MIN:
            found.append(open_block)
            open_block = None
    if open_block is not None:
        found.append(open_block if not found else _joined(found.pop(), open_block))
    return found


def _joined(below: Step, above: Step) -> Step:
    return Step(permille=below.permille, moments=below.moments + above.moments, late=below.late + above.late)


def _groups(procedure: str, step: str, unit: str) -> tuple[tuple[str, str, str], ...]:
    """The groups a dossier belongs to, the widest first."""
    groups = ((procedure, "", ""), (procedure, step, ""))
    return (*groups, (procedure, step, unit)) if unit else groups


def _looks(stay: Stay) -> Iterator[int]:
    stride = max(EVERY_MINUTES, (stay.needed_first - stay.needed_last) // LOOKS_MAX + 1)
    yield stay.needed_first
    yield from range(stay.needed_first - stride, stay.needed_last, -stride)


def _points(ordered: list[int]) -> Iterator[int]:
    """Points in the middle of equal parts; all of them where there are no more."""
    if len(ordered) <= POINTS:
        yield from ordered
        return
    for part in range(POINTS):
        yield ordered[(2 * part + 1) * len(ordered) // (2 * POINTS)]
