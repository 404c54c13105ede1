"""Laws of due dates that need no oracle: what a longer wait may do, and that a sum comes to its date."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from msgspec.structs import replace as replaced
from oracle.bridge import dossier_of
from oracle.cases import RECEIVERS, cases, chance, pick
from oracle.questions import Questions
from searching import examples
from strategies_time import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from oracle.minutes import Case, Paused, Rules

SEEDED = examples(600)
SHARE = 0.8


def longer(rnd: Random, taken: Paused, *, capped: bool) -> Paused:
    """The same pause, ended later or (where no cap counts from it) begun earlier."""
    more = timedelta(minutes=pick(rnd, (1, 60, 600, 1440, 3000)))
    if taken.end is not None and (capped or chance(rnd, 50)):
        return taken._replace(end=taken.end + more)
    return taken if capped else taken._replace(start=taken.start - more)


def pairs(rnd: Random, number: int) -> Iterator[tuple[datetime | None, datetime | None]]:
    """When a limit is due, and when with one pause longer; pauses that restart a limit are left out."""
    questions = Questions()
    for rules, case in cases(rnd, questions.calendars, number):
        pauses = tuple(one for one in case.paused if rules.pauses[one.pause].on_resume != "restart")
        if not pauses:
            continue
        which = rnd.randrange(len(pauses))
        capped = rules.pauses[pauses[which].pause].cap is not None
        changed = longer(rnd, pauses[which], capped=capped)
        both = pauses, (*pauses[:which], changed, *pauses[which + 1 :])
        first, second = (_due(questions, rules, replace(case, paused=each)) for each in both)
        yield first, second


def _due(questions: Questions, rules: Rules, case: Case) -> datetime | None:
    made = questions.made(rules)
    return made.clock.limits[case.limit].due(dossier_of(case, made), case.anchor, case.asked_at)


def no_earlier(rnd: Random, number: int) -> bool:
    found = [(before, after) for before, after in pairs(rnd, number) if before is not None]
    return all(after is not None and before <= after for before, after in found)


@settings(max_examples=examples(25))
@given(numbers())
def test_a_longer_pause_never_brings_a_date_forward(rnd: Random) -> None:
    assert no_earlier(rnd, 3)


def test_a_longer_pause_never_brings_a_date_forward_in_seeded_cases() -> None:
    assert all(no_earlier(Random(f"longer/{turn}"), SEEDED) for turn in range(4))


def test_the_last_line_that_moves_a_date_tells_the_date() -> None:
    questions = Questions()
    for rules, case in cases(Random("sums"), questions.calendars, SEEDED):
        if case.asked_at is None:
            continue
        made = questions.made(rules)
        listed = made.clock.deadlines(dossier_of(case, made), at=case.asked_at, explain=True)
        for one in listed:
            assert [line.at for line in one.sum if line.at is not None][-1] == one.due_at


def as_short(rnd: Random, number: int) -> bool:
    """Whether dates counted without their sums, which takes shorter ways, are those told line by line of a dossier that
    was never asked about: at any time, also before stops have ended or the count has begun."""
    questions, alike = Questions(), True
    for rules, case in cases(rnd, questions.calendars, number):
        made = questions.made(rules)
        dossier, asked = dossier_of(case, made), case.asked_at or case.anchor
        moments = asked, asked - timedelta(minutes=pick(rnd, (1, 600, 3000, 9000)))
        short = [made.clock.deadlines(dossier, at=at) for at in moments]
        for at, found in zip(moments, short, strict=True):
            other = replaced(dossier, pauses=(*list(dossier.pauses),), tasks=(*list(dossier.tasks),))
            told = made.clock.deadlines(other, at=at, explain=True)
            alike &= found == tuple(replaced(one, sum=()) for one in told)
    return alike


@settings(max_examples=examples(25))
@given(numbers())
def test_a_date_is_the_same_with_its_sum_and_without(rnd: Random) -> None:
    assert as_short(rnd, 3)


def test_a_date_is_the_same_with_its_sum_and_without_in_seeded_cases() -> None:
    assert all(as_short(Random(f"short/{turn}"), SEEDED) for turn in range(4))


def remembers_nothing_wrong(rnd: Random, number: int) -> bool:
    """Whether what a limit remembers of the last question never shows: asked several times in a row from one instant,
    at other moments and of dossiers of other units and other values, it gives what is told line by line, which
    remembers nothing; and it never takes for too young what presses."""
    questions, alike = Questions(), True
    for rules, case in cases(rnd, questions.calendars, number):
        made, anchor = questions.made(rules), case.anchor
        limit, dossier, slot = (
            made.clock.limits[case.limit],
            dossier_of(case, made),
            made.slots.registers["chosen"],
        )
        values = (case.chosen, *(rules.limits[case.limit].chosen or ()))
        for _ in range(6):
            at = (case.asked_at or anchor) + timedelta(days=pick(rnd, (-30, -1, 0, 0, 1, 3)))
            registers = dossier.registers.copy()
            registers[slot] = pick(rnd, values)
            one = replaced(dossier, hours_of=pick(rnd, RECEIVERS), registers=registers)
            told = limit.deadline(one, anchor, at=at, announced_by=at, explain=True)
            presses = told is not None and at - anchor >= (told.due_at - anchor) * SHARE
            timed = limit.counts is not None
            alike &= not (timed and presses) or limit.may_press(one, anchor, at, SHARE)
            alike &= limit.due(one, anchor, at) == (None if told is None else told.due_at)
    return alike


@settings(max_examples=examples(25))
@given(numbers())
def test_what_was_asked_last_changes_no_date(rnd: Random) -> None:
    assert remembers_nothing_wrong(rnd, 3)


def test_what_was_asked_last_changes_no_date_in_seeded_cases() -> None:
    assert all(remembers_nothing_wrong(Random(f"row/{turn}"), SEEDED) for turn in range(4))


def late_by_the_date(rnd: Random, number: int) -> bool:
    """Whether an act is too late exactly where it comes after the date told line by line: many are seen to be in time
    without a date, so acts are tried around it, to the microsecond."""
    questions, alike = Questions(), True
    for rules, case in cases(rnd, questions.calendars, number):
        made = questions.made(rules)
        limit, dossier = made.clock.limits[case.limit], dossier_of(case, made)
        anchor = limit.anchor(dossier)
        due = None if anchor is None else limit.due(dossier, anchor, case.asked_at)
        for base in filter(None, (anchor, due)):
            at = base + timedelta(days=pick(rnd, (-1, 0, 0, 0, 1)), microseconds=pick(rnd, (-1, 0, 1)))
            told = anchor and limit.deadline(dossier, anchor, at=at, announced_by=at, explain=True)
            missed = told.due_at if told and limit.late(at, told.due_at) else None
            alike &= limit.missed(dossier, at) == missed
    return alike


@settings(max_examples=examples(25))
@given(numbers())
def test_an_act_is_late_by_the_date_it_is_told(rnd: Random) -> None:
    assert late_by_the_date(rnd, 3)


def test_an_act_is_late_by_the_date_it_is_told_in_seeded_cases() -> None:
    assert all(late_by_the_date(Random(f"late/{turn}"), SEEDED) for turn in range(4))
