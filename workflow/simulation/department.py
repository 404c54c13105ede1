"""A department's dossiers, made up: a stream of facts as sources would send them, and the truth behind it.

Everything follows from the seeded `random` that is handed in: the same one gives the same facts. No clock, no I/O.
"""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from workflow.choosing import in_force
from workflow.errors import UsageError
from workflow.organisation import units_of_kind
from workflow.simulation.arrivals import arrivals
from workflow.simulation.damage import Damaged, Planted
from workflow.simulation.volumes import OTHERWISE, SHARES
from workflow.simulation.walk import Route, Walker, benchmark, released_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date
    from random import Random

    from workflow.clocks.worktime import Worktime
    from workflow.facts import Fact
    from workflow.organisation import Organisation
    from workflow.rules import Rules
    from workflow.simulation.volumes import Rates

SOURCE: Final = "one-stop"
HELD_MAX: Final = 50_000
"""Messages held back to be sent in their order; beyond it the earliest goes at once, so memory does not grow."""
_FILED: Final = ("dossier", "feedback", "complaint")
"""Kinds of procedure that somebody files; reports and obligations have their own dates."""
SLIP_DAYS: Final = (-2, 2, 3)
"""By how many days a wrong slip differs from our date."""


class Truth(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is so of one dossier, whatever the stream makes of it: its end, its dates, whether it came late by its
    slip, and what was planted. `sent`: how many messages tell it."""

    dossier: str
    procedure: str
    revision: str
    unit: str
    state: str
    sent: int
    late: bool
    ended_by: str | None = None
    received_at: datetime | None = None
    issued_at: datetime | None = None
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    appointment: datetime | None = None
    benchmark: datetime | None = None
    planted: tuple[Planted, ...] = ()


class Made(NamedTuple):
    """A dossier made up: when it arrives, its truth, and its messages with the moments at which they are sent."""

    began: datetime
    truth: Truth
    messages: list[tuple[datetime, Fact]]


class Department(NamedTuple):
    """The routes dossiers may take, their weights, and the units of each."""

    routes: tuple[Route, ...]
    weights: tuple[float, ...]
    units: tuple[tuple[str, ...], ...]
    work: Worktime
    first: date


def department(
    families: Iterable[Mapping[str, Rules]], organisation: Organisation, work: Worktime, first: date
) -> Department:
    """The department in the month that begins with `first`: procedures in force then, and units standing then.

    Where no unit of a kind stands, the one above takes its dossiers. Raises UsageError where no procedure is in force.
    """
    at = work.opening(work.next_working_day(first)) or datetime.combine(first, datetime.min.time(), work.zone)
    rules = [in_force(family, at) for family in families]
    found = [
        one
        for one in rules
        if one.revision.kind in _FILED and not one.revision.generic and _is_for(one, first)
    ]
    if not found:
        raise UsageError(
            "{month}: expected a procedure in force, found none; choose another month", month=f"{first:%Y-%m}"
        )
    return Department(
        tuple(Route(one, work) for one in found),
        tuple(accumulate(SHARES.get(one.revision.procedure, OTHERWISE) for one in found)),
        tuple(_units(organisation, one.revision.units, first) for one in found),
        work,
        first,
    )


def simulate(
    body: Department, number: int, rates: Rates, random: Random, *, until: datetime | None = None
) -> Iterator[Fact | Truth]:
    """The facts of `number` dossiers in the order they are sent, and each dossier's truth as it is made up.

    Those of one dossier always come in their order of sending; between dossiers that order holds within the
    messages held back. `until`: what would be done later has not happened.
    """
    held: list[tuple[datetime, int, Fact]] = []
    count = 0
    for made in dossiers(body, number, rates, random, until=until):
        while held and (held[0][0] < made.began or len(held) > HELD_MAX):
            yield heapq.heappop(held)[2]
        for sent, fact in made.messages:
            count += 1
            heapq.heappush(held, (sent, count, fact))
        yield made.truth
    while held:
        yield heapq.heappop(held)[2]


def dossiers(
    body: Department, number: int, rates: Rates, random: Random, *, until: datetime | None = None
) -> Iterator[Made]:
    """`number` dossiers in the order of their arrival, each with the moments at which its messages are sent."""
    for place, began in enumerate(arrivals(body.work, body.first, number, random), 1):
        truth, messages = _dossier(body, place, began, rates, random, until)
        yield Made(began, truth, messages)


def _dossier(
    body: Department, place: int, began: datetime, rates: Rates, random: Random, until: datetime | None
) -> tuple[Truth, list[tuple[datetime, Fact]]]:
    drawn = random.random() * body.weights[-1]
    kind = next(index for index, weight in enumerate(body.weights) if drawn < weight)
    route, unit = body.routes[kind], random.choice(body.units[kind])
    code = f"000.00.01.H13-{began.astimezone(body.work.zone):%y%m%d}-{place:07}"
    slip = random.choice(SLIP_DAYS) if random.random() < rates.slip else 0
    walker = Walker(route, code, SOURCE, unit, random)
    stops = walker.acts(began, late=random.random() < rates.late, slip_days=slip, until=until)
    damaged = Damaged(route.rules, stops, rates, random)
    planted = [*damaged.planted]
    received = next((stop.fact for stop in stops if _slip(stop.fact)), None)
    if slip and received is not None:
        planted.append(Planted("slip", received.id, 0))
    return _truth(walker, len(damaged.messages), tuple(planted), until), damaged.messages


def _truth(walker: Walker, sent: int, planted: tuple[Planted, ...], until: datetime | None) -> Truth:
    found, rules = walker.dossier, walker.route.rules
    at = until or walker.at
    due = benchmark(rules, found, at)
    stopped = released_at(walker.route, found) or at
    slips = found.appointments
    first = slips[0].at if slips else None
    return Truth(
        dossier=found.subject,
        procedure=rules.revision.procedure,
        revision=rules.revision.revision,
        unit=walker.unit,
        state=found.state,
        sent=sent,
        late=due is not None and stopped > due,
        ended_by=found.ended_by,
        received_at=found.received_at,
        issued_at=found.issued_at,
        ready_at=found.ready_at,
        ended_at=found.ended_at,
        appointment=first if isinstance(first, datetime) else None,
        benchmark=due,
        planted=planted,
    )


def _slip(fact: Fact) -> bool:
    return getattr(fact.body, "appointment", None) is not None


def _is_for(rules: Rules, first: date) -> bool:
    effective = rules.revision.effective
    return effective is None or (effective.since <= first and (effective.to is None or first <= effective.to))


def _units(organisation: Organisation, kinds: tuple[str, ...], on: date) -> tuple[str, ...]:
    standing = [unit for kind in kinds for unit in units_of_kind(organisation, kind, on)]
    above = [unit.parent for unit in organisation.units.values() if unit.kind in kinds and unit.parent]
    return tuple(standing) or tuple(dict.fromkeys(above)) or (organisation.organisation,)
