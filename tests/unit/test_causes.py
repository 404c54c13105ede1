"""What alerts rest on: the short way to a warning against counting every date."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import month

from workflow.alerts.causes import Cause, causes, warned_by
from workflow.alerts.lateness import FOLLOWED_BY
from workflow.fold import trail

if TYPE_CHECKING:
    from workflow.facts import Fact


def told(found: list[Cause]) -> list[tuple[str, str, str, str]]:
    return sorted((one.kind, one.rule, str(one.since), str(one.due_at)) for one in found)


def test_the_warnings_of_a_month_are_those_found_by_counting_every_date() -> None:
    """Asked before and after each fact, as of that fact, so just before a warning is over."""
    known, warnings, calm = month.catalogue(), 0, 0
    subjects: dict[str, list[Fact]] = {}
    for fact in month.facts(known, 60, seed=4):
        subjects.setdefault(fact.subject, []).append(fact)
    for subject, facts in subjects.items():
        rules = known.rules_for(facts)
        for one, other in pairwise(trail(rules, subject, facts)):
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
