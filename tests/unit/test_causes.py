"""What alerts rest on: the short way to a warning against counting every date."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import month

from workflow.alerts.causes import Cause, causes, warned_by
from workflow.alerts.lateness import FOLLOWED_BY
from workflow.fold import trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.fold import Stage
    from workflow.rules import Rules


def told(found: list[Cause]) -> list[tuple[str, str, str, str]]:
    return sorted((one.kind, one.rule, str(one.since), str(one.due_at)) for one in found)


def steps(known: Catalogue, dossiers: int, seed: int) -> Iterator[tuple[Rules, Stage, Stage]]:
    """Each fact of a month, before it and after."""
    subjects: dict[str, list[Fact]] = {}
    for fact in month.facts(known, dossiers, seed=seed):
        subjects.setdefault(fact.subject, []).append(fact)
    for subject, facts in subjects.items():
        rules = known.rules_for(facts)
        for one, other in pairwise(trail(rules, subject, facts)):
            yield rules, one, other


def test_the_warnings_of_a_month_are_those_found_by_counting_every_date() -> None:
    """Asked before and after each fact, as of that fact, so just before a warning is over."""
    known, warnings, calm = month.catalogue(), 0, 0
    for rules, one, other in steps(known, 60, seed=4):
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
    for rules, one, other in steps(known, 150, seed=7):
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
