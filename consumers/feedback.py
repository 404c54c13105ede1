"""Feedback over a store: what is repeated, drawn out or over the level is told, once."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from consumers.differences import begin, own_lives, tell
from workflow.alerts.life import say
from workflow.feedback import DRAWN_OUT, OVER_LEVEL, REPEATED, petition, standing
from workflow.fold import fold
from workflow.rotation.findings import finding
from workflow.standing import stand
from workflow.store import beside
from workflow.store.judgments import judged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
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


def findings(
    reading: Reading,
    catalogue: Catalogue,
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> dict[str, list[Fact]]:
    """What feedback on officers came to at the two times, by officer. Raises StoreError."""
    found: dict[str, list[Fact]] = {}
    subjects = _feedback(reading, catalogue)
    rows = {row.subject: row for row in reading.dossiers(subjects)} if subjects else {}
    facts = reading.facts(subjects) if subjects else iter(())
    for subject, told in groupby(facts, key=lambda fact: fact.subject):
        known = list(told)
        rules = catalogue.rules(rows[subject].procedure, rows[subject].revision)
        if rules is None or rows[subject].blocked is not None:
            continue
        judgment = fold(rules, subject, known, known_at=known_at, valid_at=valid_at)
        one = finding(judgment.rules, judgment.dossier)
        if one is not None:
            found.setdefault(one.subject, []).append(one)
    return found


def _feedback(reading: Reading, catalogue: Catalogue) -> list[str]:
    """The dossiers of feedback, by their codes."""
    codes = [
        code
        for code, family in catalogue.families.items()
        if any(rules.revision.kind == "feedback" for rules in family.values())
    ]
    return beside.judged_by(reading, codes)


def petitions(reading: Reading, catalogue: Catalogue, at: datetime) -> Iterator[Petition]:
    """The feedback of a store, as judged, with what its facts said by `at`."""
    subjects = _feedback(reading, catalogue)
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
