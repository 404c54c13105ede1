"""Feedback over a store: what is repeated, drawn out or over the level is told, once."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from consumers.differences import begin, own_lives, tell
from workflow.alerts.life import say
from workflow.feedback import DRAWN_OUT, OVER_LEVEL, REPEATED, petition, standing
from workflow.standing import stand
from workflow.store import beside
from workflow.store.judgments import judged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.feedback import Petition
    from workflow.messages import AlertSaid, Kind
    from workflow.store.store import Reading, Store

SPOKEN: Final[frozenset[Kind]] = frozenset({REPEATED, DRAWN_OUT, OVER_LEVEL})


def judge_feedback(store: Store, catalogue: Catalogue, *, now: datetime) -> tuple[AlertSaid, ...]:
    """Says what must be said about feedback at `now`; one transaction. Raises StoreError."""
    with store.writing() as writing:
        begin(writing, "feedback")
        found = list(petitions(writing, catalogue, now))
        should = standing(found, catalogue.organisation, now)
        return tell(writing, catalogue, say(own_lives(writing, SPOKEN), should, now), now)


def petitions(reading: Reading, catalogue: Catalogue, at: datetime) -> Iterator[Petition]:
    """The feedback of a store, as judged, with what its facts said by `at`."""
    codes = [
        code
        for code, family in catalogue.families.items()
        if any(rules.revision.kind == "feedback" for rules in family.values())
    ]
    subjects = beside.judged_by(reading, codes)
    rows = {row.subject: row for row in reading.dossiers(subjects)} if subjects else {}
    facts = reading.facts(subjects) if subjects else iter(())
    for subject, told in groupby(facts, key=lambda fact: fact.subject):
        row = rows[subject]
        rules = catalogue.rules(row.procedure, row.revision)
        standing_facts = [one.fact for one in stand(catalogue.orders, told, None, at).placed]
        if rules is None or row.blocked is not None:
            continue
        one = petition(rules, judged(row), standing_facts)
        if one is not None:
            yield one
