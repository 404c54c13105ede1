"""What alerts rest on: the short way to a warning against counting every date."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import month
from msgspec.structs import replace

from workflow.alerts.causes import Cause, causes, visit_of, warned_by
from workflow.alerts.lateness import FOLLOWED_BY, sum_of
from workflow.fold import trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.fold import Stage
    from workflow.rules import Rules


ODD: Final = ("appointment_differs", "result_not_collected", "pause_cap_exceeded")
"""Kinds that do not rest on one of a dossier's dates."""


def told(found: list[Cause]) -> list[tuple[str, str, str, str]]:
    return sorted((one.kind, one.rule, str(one.since), str(one.due_at)) for one in found)


def dossiers(number: int) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for fact in month.facts(month.catalogue(), number, seed=4):
        found.setdefault(fact.subject, []).append(fact)
    return found


def steps(known: Catalogue, number: int) -> Iterator[tuple[Rules, Stage, Stage]]:
    """Each fact of a month, before it and after."""
    for subject, facts in dossiers(number).items():
        rules = known.rules_for(facts)
        for one, other in pairwise(trail(rules, subject, facts)):
            yield rules, one, other


def test_the_warnings_of_a_month_are_those_found_by_counting_every_date() -> None:
    """Asked before and after each fact, as of that fact, so just before a warning is over."""
    known, warnings, calm = month.catalogue(), 0, 0
    for rules, one, other in steps(known, 60):
        at = other.placed.at
        for dossier in (one.dossier, other.dossier):
            dates = rules.clock.deadlines(dossier, at=at)
            every = causes(known.office, rules, dossier, dates, at)
            expected = [cause for cause in every if cause.kind in FOLLOWED_BY and cause.since <= at]
            assert told(warned_by(known.office, rules, dossier, at)) == told(expected)
            warnings += len(expected)
            calm += not expected

    assert warnings > 50
    assert calm > 200


def test_warnings_that_a_fact_leaves_as_they_were_may_be_left_out_and_none_else() -> None:
    known, ended, left_out = month.catalogue(), 0, 0
    for rules, one, other in steps(known, 150):
        at = other.placed.at
        every = told(warned_by(known.office, rules, one.dossier, at))
        after = told(warned_by(known.office, rules, other.dossier, at))
        found = told(warned_by(known.office, rules, one.dossier, at, but=other.dossier))
        assert set(found) <= set(every)
        assert set(every) - set(found) <= set(after)
        assert set(found) - set(after) == set(every) - set(after)
        ended += len(set(every) - set(after))
        left_out += len(set(every) - set(found))

    assert ended > 50
    assert left_out > 50


def test_the_sum_of_a_cause_is_that_of_its_date_among_all_that_are_explained() -> None:
    """One that was met is told as of then, so by the same date and with that moment's stops alone."""
    known, open_ones, met = month.catalogue(), 0, 0
    for subject, facts in dossiers(150).items():
        for one in trail(known.rules_for(facts), subject, facts):
            rules, dossier, at = (
                known.rules_for(facts).family[one.dossier.revision],
                one.dossier,
                one.placed.at,
            )
            every = rules.clock.deadlines(dossier, at=at, explain=True)
            for cause in causes(known.office, rules, dossier, every, at):
                date = cause.date
                if cause.kind in ODD or date is None:
                    continue
                plain = replace(cause, date=replace(date, sum=()))
                found = sum_of(rules, dossier, plain, at)
                if cause.met:
                    met += 1
                    assert [line.at for line in found if line.at is not None][-1] == cause.due_at
                    continue
                open_ones += 1
                (expected,) = [
                    other.sum
                    for other in every
                    if other.kind == date.kind
                    and cause.rule in (other.rule, visit_of(other.rule, other.starts_at))
                ]
                assert found == expected

    assert open_ones > 2_000
    assert met > 20
