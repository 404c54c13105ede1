"""A walk through one procedure by its own machine: each act is tried on the engine, and kept where it breaks nothing.

No rule is written here a second time; what may come next is what the machine accepts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from workflow.facts import Acted, Actor, Appointment, Fact
from workflow.fold import advance, start
from workflow.layout import parts
from workflow.procedure.language import ENDING_MILESTONES, Choice, Operand
from workflow.simulation.arrivals import after, whole_second
from workflow.simulation.volumes import DETOURS, OFFICERS, PAUSED_DAYS_MEAN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from random import Random

    from workflow.clocks.worktime import Worktime
    from workflow.facts import Scalar
    from workflow.model import Dossier
    from workflow.procedure.language import Action, Predicate, Revision
    from workflow.rules import Rules

STEPS_MAX: Final = 80
"""Acts of one walk. The longest procedure needs about 25; a walk that does not end is left open."""
GAP: Final = 10
"""Between two sequence numbers, so that an act may be put between two others."""
MONTH: Final = timedelta(days=31)
"""How long to wait where a procedure asks that time goes by."""
TEN_DAYS: Final = 10 * 8 * 3_600_000_000
"""What is promised where a procedure gives no date: ten days of eight hours, in microseconds."""
LATE_BY: Final = (0.2, 6.0)
"""Days by which a late dossier passes its date, from and to."""


class Stop(NamedTuple):
    """One act of a walk: the fact, and the dossier before it."""

    fact: Fact
    before: Dossier


class Route:
    """What the walks of one revision share: how far each state is from the result, and what an act must carry."""

    def __init__(self, rules: Rules, work: Worktime) -> None:
        """Measures the way to the result by the machine's own moves."""
        self.rules = rules
        self.work = work
        self.revision: Revision = rules.revision
        self.distance = _distances(rules)
        self.forward = {state: self._forward(state) for state in self.revision.states}
        self.loops = {state: self._loops(state) for state in self.revision.states}
        self.detours = {state: self._detours(state) for state in self.revision.states}
        self.papers = {name: tuple(_papers(self.revision, name)) for name in self.revision.actions}
        self.values = {name: _values(self.revision, name) for name in self.revision.actions}
        self.asks = {
            action: task.agencies
            for state in self.revision.states.values()
            for task in state.tasks.values()
            for action in (task.asked, task.answered)
        }
        milestones = {action.milestone for action in self.revision.actions.values()}
        self.last = "ready" if "ready" in milestones else "issued"

    def _moves(self, state: str) -> Iterator[tuple[str, str, Action]]:
        for name, action in self.revision.actions.items():
            target = self.rules.machine.target(state, name)
            if target is not None:
                yield name, target, action

    def _forward(self, state: str) -> tuple[str, ...]:
        own = self.distance.get(state, STEPS_MAX)
        found = [
            (self.distance[target], name)
            for name, target, action in self._moves(state)
            if self.distance.get(target, STEPS_MAX) < own and not _ends_otherwise(action)
        ]
        return tuple(name for _, name in sorted(found, key=lambda one: one[0]))

    def _loops(self, state: str) -> tuple[str, ...]:
        return tuple(n for n, target, _ in self._moves(state) if target == state and n not in DETOURS)

    def _detours(self, state: str) -> tuple[tuple[str, float], ...]:
        return tuple((name, DETOURS[name]) for name, _, _ in self._moves(state) if DETOURS.get(name))


class Walker:
    """One dossier on its way. `random` decides, the engine allows."""

    def __init__(self, route: Route, subject: str, source: str, unit: str, random: Random) -> None:
        """Begins before the first act."""
        self.route = route
        self.subject = subject
        self.source = source
        self.unit = unit
        self.random = random
        self.dossier = start(route.rules, subject)
        self.stops: list[Stop] = []
        self.due: datetime | None = None
        self.data = {name: random.choice(values) for name, values in _chosen(route.revision)}
        self.desk = random.randrange(OFFICERS)

    def acts(self, began: datetime, *, late: bool, slip_days: int, until: datetime | None) -> list[Stop]:
        """The whole walk from an arrival; `slip_days` moves the printed date from ours, `until` cuts it short."""
        self.at, self.late, self.slip_days, self.until = began, late, slip_days, until
        self.slow = self.random.randrange(2, 5)
        while len(self.stops) < STEPS_MAX and self.dossier.ended_at is None and self._before_end():
            if not self._stay():
                break
        return self.stops

    def _before_end(self) -> bool:
        return self.until is None or self.at < self.until

    def _stay(self) -> bool:
        """One stay in a state: what is done in it, perhaps a detour, then onward."""
        route, state = self.route, self.dossier.state
        for name in route.loops[state]:
            for agency in route.asks.get(name) or (None,):
                self._try(name, task=agency)
        for name, share in route.detours[state]:
            if self.random.random() < share and self._try(name):
                return True
        return self._onward(state)

    def _onward(self, state: str) -> bool:
        for wait in (timedelta(0), MONTH):
            self.at += wait
            for name in (*self.route.forward[state], *self.route.loops[state]):
                if self._try(name) and self.dossier.state != state:
                    return True
        return False

    def _try(self, name: str, task: str | None = None) -> bool:
        """Takes an act if the engine applies it without a broken rule of order, role, guard or end."""
        at = self._moment(name)
        if self.until is not None and at >= self.until:
            self.at = at
            return False
        fact = Fact(
            self.subject,
            self.source,
            f"{self.subject}/{len(self.stops) + 1}",
            at,
            self._act(name, at, task),
            GAP * (len(self.stops) + 1),
        )
        dossier, outcome = advance(self.route.rules, self.dossier, fact)
        if outcome.status != "applied" or any(one.kind != "deadline" for one in outcome.violations):
            return False
        milestone = self.route.revision.actions[name].milestone
        if milestone in ("received", "resumed", "extended"):
            fact, dossier = self._with_slip(fact, dossier, milestone)
        self.stops.append(Stop(fact, self.dossier))
        self.dossier, self.at = dossier, at
        return True

    def _with_slip(self, fact: Fact, dossier: Dossier, milestone: str) -> tuple[Fact, Dossier]:
        """The same act with the slip printed at it: our own date, moved where that is planted."""
        if milestone != "received":
            self.due = benchmark(self.route.rules, dossier, fact.occurred_at) or self.due
            return fact, dossier
        due = _own_due(self.route.rules, dossier, fact.occurred_at)
        if due is None:
            due = self.route.work.add(fact.occurred_at, TEN_DAYS)
        body: Any = fact.body
        # Until a pause moves it, what lateness is judged by is the printed date itself.
        self.due = whole_second(due) + timedelta(days=self.slip_days)
        told = _replaced(fact, body, Appointment(at=self.due, cause="first"))
        dossier, _ = advance(self.route.rules, self.dossier, told)
        return told, dossier

    def _moment(self, name: str) -> datetime:
        """When the act takes place: soon, or late on purpose, or after a wait for the citizen."""
        random, work = self.random, self.route.work
        action = self.route.revision.actions[name]
        if not self.stops:
            return self.at
        if action.milestone == "resumed":
            days = min(random.expovariate(1 / PAUSED_DAYS_MEAN), 20) + 0.1
            return whole_second(
                work.add(self.at + timedelta(days=days), 60_000_000 * random.randrange(1, 60))
            )
        if self.due is None or action.milestone == "returned" or self.at >= self.due:
            return whole_second(work.add(self.at, 60_000_000 * random.randrange(5, 200)))
        if self.late and action.milestone == self.route.last:
            beyond = self.due + timedelta(days=random.uniform(*LATE_BY))
            return whole_second(work.add(beyond, 60_000_000 * random.randrange(1, 120)))
        return after(work, self.at, random.uniform(0.02, 0.25), self.due)

    def _act(self, name: str, at: datetime, task: str | None) -> Acted:
        action = self.route.revision.actions[name]
        role = action.role[0] if action.role else None
        seat = self.desk if role in ("desk", "officer") else 0
        data: dict[str, Scalar] = {**self.data, **self.route.values[name]}
        return Acted(
            action=name,
            procedure=self.route.revision.procedure,
            actor=None if role is None else Actor(id=f"{self.unit}/{role}-{seat + 1}", role=role),
            unit=self.unit,
            documents=self.route.papers[name],
            submitted_at=at if not self.stops else None,
            task=task,
            data=data if action.milestone == "received" or self.route.values[name] else {},
        )


def benchmark(rules: Rules, dossier: Dossier, at: datetime) -> datetime | None:
    """The date lateness is judged by as of `at`; None where no slip is known."""
    found = rules.clock.benchmark(dossier, at=at)
    return None if found is None else found.due_at


def released_at(route: Route, found: Dossier) -> datetime | None:
    """When a dossier met its appointment. A result that can be made ready is waited for while the dossier is open."""
    waited_for = route.last == "ready" and found.ended_at is None
    return found.ready_at or (None if waited_for else found.issued_at or found.ended_at)


def _own_due(rules: Rules, dossier: Dossier, at: datetime) -> datetime | None:
    """The date the procedure itself gives as of `at`: committed, else statutory, else that of a phase."""
    for kind in ("committed", "statutory", "phase"):
        for limit in rules.clock.limits.values():
            anchor = limit.anchor(dossier) if limit.kind == kind else None
            due = None if anchor is None else limit.due(dossier, anchor, at)
            if due is not None:
                return due
    return None


def _replaced(fact: Fact, body: Acted, appointment: Appointment) -> Fact:
    return replace(fact, body=replace(body, appointment=appointment))


def _ends_otherwise(action: Action) -> bool:
    return action.milestone in ENDING_MILESTONES and action.milestone != "returned"


def _distances(rules: Rules) -> dict[str, int]:
    """How many moves each state is from the result in the applicant's hand, refusals and withdrawals left out."""
    revision = rules.revision
    ends = [s for s, state in revision.states.items() if state.final]
    goals = {
        target
        for name, action in revision.actions.items()
        if action.milestone == "returned"
        for state in revision.states
        if (target := rules.machine.target(state, name)) in ends
    }
    found = dict.fromkeys((state for state in revision.states if state in goals), 0)
    for distance in range(1, len(revision.states) + 1):
        for state in revision.states:
            if state in found:
                continue
            targets = (
                rules.machine.target(state, n)
                for n, action in revision.actions.items()
                if not _ends_otherwise(action)
            )
            if any(found.get(target or "") == distance - 1 for target in targets):
                found[state] = distance
    return found


def _papers(revision: Revision, name: str) -> Iterator[str]:
    for predicate in _asked(revision, name):
        yield from predicate.documents or ()
    pause = revision.pauses.get(revision.actions[name].pause or "")
    yield from pause.documents if pause is not None else ()


def _values(revision: Revision, name: str) -> dict[str, str]:
    """A value for each field of an act that its guards compare with constants."""
    found: dict[str, str] = {}
    for predicate in _asked(revision, name):
        one_of = predicate.one_of
        if one_of is not None and isinstance(one_of.value, Operand) and one_of.value.data:
            found[one_of.value.data] = one_of.values[-1]
    return found


def _chosen(revision: Revision) -> list[tuple[str, tuple[str, ...]]]:
    """The registers that choose a limit, each with the values there are."""
    limits = [*revision.limits.values(), *(s.limit for s in revision.states.values() if s.limit)]
    chosen = [limit.within for limit in limits if isinstance(limit.within, Choice)]
    return list({one.register: tuple(one.values) for one in chosen}.items())


def _asked(revision: Revision, name: str) -> Iterator[Predicate]:
    action = revision.actions[name]
    guards = [*action.guards, *(guard for move in action.moves for guard in move.guards)]
    for guard in guards:
        yield from parts(revision.guards[guard].requires)
