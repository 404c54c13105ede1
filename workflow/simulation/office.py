"""A year of offices with too much to do: dossiers queue for officers, who follow the alerts or do not. Made up, pure.

Arrivals and work are the same in both cases; only the order in which officers take dossiers, and the help a unit gets
while its budget is at risk, differ. Acts are tried on the engine as everywhere, and what came late is its judgment.
"""

from __future__ import annotations

import heapq
from collections import deque
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.figures.budget import Counted, of_dossiers
from workflow.simulation.arrivals import arrivals, whole_second
from workflow.simulation.walk import STEPS_MAX, Route, Walker, released_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workflow.clocks.worktime import Worktime
    from workflow.risk.table import Risk
    from workflow.rules import Rules

MINUTE_US: Final = 60_000_000
MILLION: Final = 1_000_000
SPREAD: Final = 0.5
"""Sigma of the logarithm of the work a dossier needs. Sample."""
SEASON: Final = (0.8, 0.7, 1.1, 1.0, 1.0, 1.05, 1.0, 1.0, 1.05, 1.0, 1.1, 1.15)
"""Arrivals of each month against the mean; Tết is quiet, the end of the year is not. Sample."""
HELP_MIN: Final = 8
"""Dossiers waiting for an officer before a helper comes: help for fewer would arrive to find them done."""


class Work(NamedTuple):
    """What a kind of dossier asks of an officer: its procedure, the state in which it waits for one, its share of the
    arrivals, and the median minutes of work."""

    route: Route
    state: str
    share: float
    minutes: float


class Office(NamedTuple):
    """A unit and its officers."""

    unit: str
    officers: int


class Year(NamedTuple):
    """What is made up: offices, kinds of work, the calendar, the year, and the mean arrivals of a month."""

    offices: Sequence[Office]
    works: Sequence[Work]
    calendar: Worktime
    year: int
    monthly: int


class Done(NamedTuple):
    """A dossier at the end of the year, and the acts that led there."""

    rules: Rules
    walker: Walker


class _Case:
    """A dossier that waits for its officer. `needs`: minutes of work; `urgent_at`: from when it is at risk."""

    def __init__(self, walker: _Paced, needs: float, came_at: datetime) -> None:
        self.walker, self.needs, self.came_at = walker, needs, came_at
        self.urgent_at: datetime | None = None

    @property
    def due(self) -> datetime:
        """The date printed on its slip; a dossier waits for an officer only after it was received."""
        assert self.walker.due is not None  # noqa: S101 - see above
        return self.walker.due


class _Paced(Walker):
    """A walk whose acts take some minutes each; how long it waits for an officer is decided from outside."""

    def _moment(self, name: str) -> datetime:
        if not self.stops:
            return self.at
        del name
        return whole_second(self.route.work.add(self.at, MINUTE_US * self.random.randrange(1, 7)))

    def begin(self, at: datetime) -> None:
        """Arrives."""
        self.at, self.late, self.slip_days, self.until, self.slow = at, False, 0, None, 0

    def reach(self, state: str | None) -> bool:
        """Goes on until it comes into a state, or to its end; whether it came there."""
        while len(self.stops) < STEPS_MAX and self.dossier.ended_at is None:
            if self.dossier.state == state:
                return True
            if not self._onward(self.dossier.state):
                return False
        return False


def run(body: Year, seed: int, risk: Risk | None) -> list[Done]:
    """The dossiers of a year, in the order of their arrival. With a risk table officers take those at risk first, the
    earliest date before others, and a unit whose budget is at risk or spent gets a helper; without one they take what
    came first. The same seed gives the same arrivals and the same work in both."""
    offices = {office.unit: _Desk(office, body, risk) for office in body.offices}
    arriving = deque(_arrivals(body, seed))
    done: list[Done] = []
    day: date | None = None
    while arriving or any(desk.busy for desk in offices.values()):
        moments = [desk.next_at for desk in offices.values() if desk.next_at is not None]
        now = min([*moments, *([arriving[0].came_at] if arriving else [])])
        if now.date() != day:
            day = now.date()
            for desk in offices.values():
                desk.begin_day(now)
        while arriving and arriving[0].came_at <= now:
            case = arriving.popleft()
            done.append(Done(case.walker.route.rules, case.walker))
            offices[case.walker.unit].queue(case)
        for desk in offices.values():
            desk.work(now)
    return done


def _arrivals(body: Year, seed: int) -> Iterator[_Case]:
    """The dossiers as they come to wait for an officer, in the order of that moment."""
    random = Random(seed)  # noqa: S311 - a made-up year, no secret
    found: list[_Case] = []
    for month, season in enumerate(SEASON, 1):
        number = round(body.monthly * season)
        for began in arrivals(body.calendar, date(body.year, month, 1), number, random):
            work = random.choices(body.works, [one.share for one in body.works])[0]
            office = random.choices(body.offices, [one.officers for one in body.offices])[0]
            own = Random(random.getrandbits(64))  # noqa: S311 - as above
            walker = _Paced(work.route, f"{body.year}-{len(found):06}", "one-stop", office.unit, own)
            walker.begin(began)
            needs = work.minutes * own.lognormvariate(0, SPREAD)
            if walker.reach(work.state):
                found.append(_Case(walker, needs, walker.at))
    yield from sorted(found, key=lambda case: (case.came_at, case.walker.subject))


class _Desk:
    """One unit: its queue, its officers at work, and what it knows of its budget."""

    def __init__(self, office: Office, body: Year, risk: Risk | None) -> None:
        self._office, self._calendar, self._risk = office, body.calendar, risk
        self._waiting: list[_Case] = []
        self._working: list[tuple[datetime, str, _Case]] = []
        self._released: list[_Case] = []
        self._helpers = 0

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._working)

    @property
    def next_at(self) -> datetime | None:
        """When the next dossier is done."""
        return self._working[0][0] if self._working else None

    def queue(self, case: _Case) -> None:
        """Takes a dossier in."""
        if self._risk is not None:
            walker = case.walker
            case.urgent_at = self._risk.at_risk_from(
                walker.route.rules, walker.dossier, case.due, case.came_at
            )
        self._waiting.append(case)

    def begin_day(self, now: datetime) -> None:
        """Looks at the budget, as the ticker does."""
        if self._risk is None:
            return
        unit = self._office.unit
        counts = [Counted(unit, released=True, late=_late(case), risk_ppm=0) for case in self._released]
        counts += [self._count(case, now) for case in self._waiting]
        state = of_dossiers(counts)[0].state
        self._helpers = int(state in ("at_risk", "spent") and len(self._waiting) >= HELP_MIN)

    def work(self, now: datetime) -> None:
        """Finishes what is done by now, and gives each free officer the next dossier."""
        while self._working and self._working[0][0] <= now:
            finished, _, case = heapq.heappop(self._working)
            case.walker.at = finished
            case.walker.reach(None)
            self._released.append(case)
        while self._waiting and len(self._working) < self._office.officers + self._helpers:
            case = self._waiting.pop(self._next(now))
            begun = max(now, case.came_at)
            ends = whole_second(self._calendar.add(begun, int(case.needs * MINUTE_US)) + timedelta(seconds=1))
            heapq.heappush(self._working, (ends, case.walker.subject, case))

    def _next(self, now: datetime) -> int:
        """The place of the dossier to take: the first that came, or the most pressing of those at risk."""
        urgent = [
            (case.due, place)
            for place, case in enumerate(self._waiting)
            if case.urgent_at is not None and case.urgent_at <= now
        ]
        return min(urgent)[1] if urgent else 0

    def _count(self, case: _Case, now: datetime) -> Counted:
        rules, found = case.walker.route.rules, case.walker.dossier
        if now > case.due:
            return Counted(self._office.unit, released=False, late=True, risk_ppm=0)
        assert self._risk is not None  # noqa: S101 - asked only where there is one
        left = max(rules.clock.minutes(now, case.due, now, found.hours_of), 1)
        said = self._risk.probability(rules.revision.procedure, found.state, found.unit or "", left)
        return Counted(self._office.unit, released=False, late=False, risk_ppm=round(said * MILLION))


def _late(case: _Case) -> bool:
    stopped = released_at(case.walker.route, case.walker.dossier)
    return stopped is not None and stopped > case.due


def works(rules: Mapping[str, Rules], calendar: Worktime) -> list[Work]:
    """What a branch of the land registration office does: nearly half of it is due the same day. Sample."""
    return [
        Work(Route(rules[code], calendar), state, share, minutes)
        for code, state, share, minutes in (
            ("mortgage-registration", "appraising", 0.45, 40.0),
            ("land-transfer", "appraising", 0.40, 150.0),
            ("certificate-exchange", "appraising", 0.15, 120.0),
        )
    ]
