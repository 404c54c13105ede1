"""The questions put to the product and to the oracle of time; the first different answer is the counter-example."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from oracle.bridge import calendar_of, compiled, dossier_of, slips_of
from oracle.cases import below, between, cases, chance, pick, random_calendar, random_instant
from oracle.minutes import DAY, MINUTE, Calendars, Rules, hours_named
from oracle.slips import SlipCase, benchmark, met, printed, random_slip_case, random_slip_rules
from oracle.walk import HOUR_US, MICROSECOND, chosen, due, start_of, stopped_since, walk_minutes, worked_us

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from random import Random

    from oracle.bridge import Compiled
    from oracle.minutes import Case, Known
    from workflow.clocks.calendar import Calendar
    from workflow.clocks.clock import LimitClock
    from workflow.clocks.worktime import Worktime


class Difference(NamedTuple):
    """One question on which the two sides differ."""

    question: str
    oracle: Any
    product: Any
    rules: Rules | None = None
    case: Case | SlipCase | None = None


class Questions:
    """Asks about many cases; keeps what both sides have laid out for a calendar."""

    def __init__(self) -> None:
        self.calendars = Calendars()
        self._carried: dict[int, Calendar] = {}
        self._compiled: dict[int, tuple[Rules, Compiled]] = {}

    def difference(self, rules: Rules, case: Case) -> Difference | None:
        """The first question about a case on which the two sides differ; None where they agree."""
        for question, oracle, product in self._answers(rules, case):
            if oracle != product:
                return Difference(question, oracle, product, rules, case)
        return None

    def _answers(self, rules: Rules, case: Case) -> Iterator[tuple[str, Any, Any]]:
        made = self.made(rules)
        limit, counting = made.clock.limits[case.limit], rules.limits[case.limit].counting
        dossier = dossier_of(case, made)
        expected = due(rules, case, self.calendars)
        yield "when is it due", expected, limit.due(dossier, case.anchor, case.asked_at)
        if expected is None:
            return
        yield from lateness(rules, case, limit, expected)
        if counting.unit == "working_hours":
            yield from self._inverse(rules, case, expected)

    def _inverse(self, rules: Rules, case: Case, reached: datetime) -> Iterator[tuple[str, Any, Any]]:
        """Working time to the due instant, less that inside the stops, is N hours exactly."""
        known = self.calendars.known(rules, case.asked_at, case.unit)
        number = chosen(rules.limits[case.limit], case)
        if number is None or rules.calendar is None:
            return
        hours = hours_named(rules, rules.calendar, case.unit)
        worktime = self._carried[id(rules.calendar)].worktime(hours, case.asked_at)
        start = start_of(rules, case, known)
        worked = worktime.between(start, reached)
        for begins, ends in stopped_since(rules, case, known, start):
            worked -= worktime.between(min(begins, reached), min(ends, reached))
        yield "working time to the due instant", (number + sum(case.extended)) * HOUR_US, worked

    def made(self, rules: Rules) -> Compiled:
        """The rules as the product compiles them, kept."""
        if (
            id(rules) not in self._compiled
        ):  # the rules are kept beside: an id is free again once its owner is gone
            self._compiled[id(rules)] = rules, compiled(rules, self._carried)
        return self._compiled[id(rules)][1]

    def deadline_difference(self, rules: Rules, case: Case) -> Difference | None:
        """Whether the list of a dossier's deadlines, explained or not, gives the same dates as one limit asked."""
        if case.asked_at is None:
            return None
        made = self.made(rules)
        dossier = dossier_of(case, made)
        expected = due(rules, case, self.calendars)
        for explain in (False, True):
            listed = made.clock.deadlines(dossier, at=case.asked_at, explain=explain)
            found = [deadline.due_at for deadline in listed if deadline.rule == case.limit]
            if found != ([] if expected is None else [expected]):
                return Difference(f"deadlines, explain={explain}", expected, found, rules, case)
        return None


def lateness(
    rules: Rules, case: Case, limit: LimitClock, reached: datetime
) -> Iterator[tuple[str, Any, Any]]:
    """An act before the due instant is in time, one after it late; at it as the limit says, for hours and times."""
    counting = rules.limits[case.limit].counting
    to_the_instant = counting.unit in {"working_hours", "elapsed_hours", "given_date"}
    yield "late a microsecond before", False, limit.late(reached - MICROSECOND, reached)
    yield "late a microsecond after", True, limit.late(reached + MICROSECOND, reached)
    yield "late a minute after", True, limit.late(reached + MINUTE, reached)
    yield (
        "late at the instant",
        counting.reaching == "late" and to_the_instant,
        limit.late(reached, reached),
    )


def smaller(rules: Rules, case: Case, questions: Questions) -> Difference | None:
    """The difference on the case with everything taken out that it does not need."""
    found = questions.difference(rules, case)
    shrunk = True
    while shrunk:
        shrunk = False
        for less in _with_less(case):
            if (difference := questions.difference(rules, less)) is not None:
                case, found, shrunk = less, difference, True
                break
    return found


def _with_less(case: Case) -> Iterator[Case]:
    for index in range(len(case.paused)):
        yield replace(case, paused=case.paused[:index] + case.paused[index + 1 :])
    for index in range(len(case.waited)):
        yield replace(case, waited=case.waited[:index] + case.waited[index + 1 :])
    for index in range(len(case.extended)):
        yield replace(case, extended=case.extended[:index] + case.extended[index + 1 :])
    if case.asked_at is not None:
        yield replace(case, asked_at=None)


def differences(rnd: Random, number: int) -> Iterator[Difference | None]:
    """The answers on so many random cases of one calendar; every twentieth is asked for its deadlines too."""
    questions = Questions()
    for index, (rules, case) in enumerate(cases(rnd, questions.calendars, number)):
        found = questions.difference(rules, case)
        if found is None and index % 20 == 0:
            found = questions.deadline_difference(rules, case)
        yield found if found is None else smaller(rules, case, questions) or found


def benchmark_differences(rnd: Random, number: int) -> Iterator[Difference | None]:
    """The answers on printed dates (the last slip's, the benchmark) and what met them: so many rules on one calendar,
    ten cases each."""
    questions, calendar = Questions(), random_calendar(rnd) if chance(rnd, 85) else None
    for _ in range(number):
        rules = random_slip_rules(rnd, calendar)
        made = questions.made(rules)
        for _ in range(10):
            case = random_slip_case(rnd, rules, questions.calendars)
            listed = made.clock.deadlines(slips_of(case, made), at=case.asked_at, explain=chance(rnd, 20))
            found = [(one.due_at, one.met_at, one.late) for one in listed if one.rule == "appointment"]
            dates = (
                printed(rules, case.slips[-1], questions.calendars, case.unit),
                benchmark(rules, case, questions.calendars),
            )
            met_at = met(rules, case)
            expected = [(at, met_at, (met_at or case.asked_at) > at) for at in dates if at is not None]
            yield None if found == expected else Difference("slip, benchmark", expected, found, rules, case)


def worktime_differences(rnd: Random, number: int) -> Iterator[Difference | None]:
    """The answers of a calendar alone: forward, backward, and its days, between random instants."""
    calendars, plain = Calendars(), random_calendar(rnd)
    product = calendar_of(plain)
    units = tuple(plain.units)[:1]
    for _ in range(number):
        rules = Rules(plain.zone, plain, units, {}, {}, {})
        known = calendars.known(rules, None)
        worktime = product.worktime(units[0] if units else None, None)
        answers = _worktime_answers(rnd, plain.first + between(rnd, 10, 60) * DAY, known, worktime)
        yield next((Difference(*answer, rules) for answer in answers if answer[1] != answer[2]), None)


def _worktime_answers(
    rnd: Random, on: date, known: Known, worktime: Worktime
) -> Iterator[tuple[str, Any, Any]]:
    start = random_instant(rnd, known, on, None, fine=below(rnd, 2) == 0)
    end = start + timedelta(seconds=below(rnd, 4 * 86_400))
    yield f"between {start} {end}", worked_us(known, start, end), worktime.between(start, end)
    amount = pick(rnd, (0, 1, 60_000_000, HOUR_US, below(rnd, 20 * HOUR_US)))
    yield (
        f"add {start} {amount}",
        walk_minutes(known, known.minutes, start, amount, []),
        worktime.add(start, amount),
    )
    day, number = known.local_date(start), between(rnd, 1, 20)
    last = day
    for _ in range(number):
        last = known.following(last)
    yield f"working day {number} after {day}", last, worktime.nth_working_day(day, number)
    worked = sum(known.works(day + passed * DAY) for passed in range(1, number + 1))
    yield f"working days after {day}", worked, worktime.working_days_between(day, day + number * DAY)
    if known.works(day):
        hours = worktime.opening(day), worktime.closing(day)
        yield f"hours of {day}", (known.opening(day), known.closing(day)), hours
