"""Evaluations over a store: paper forms keyed by somebody who handled the dossier are told, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumers.differences import begin, own_lives, tell
from workflow.alerts.life import say
from workflow.figures.evaluation import KIND, keyed_by_handler, rating
from workflow.store import beside

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.messages import Alert, AlertSaid, Kind
    from workflow.store.store import Store

SAID_KINDS: Final[frozenset[Kind]] = frozenset({KIND})


def judge_evaluation(store: Store, catalogue: Catalogue, *, now: datetime) -> tuple[AlertSaid, ...]:
    """Says what must be said about evaluations at `now`; one transaction. Raises StoreError."""
    should: list[Alert] = []
    with store.writing() as writing:
        begin(writing, "evaluation")
        for dossier, facts in beside.rated(writing):
            given = rating(catalogue.orders, facts, valid_at=now)
            if given is not None and given.handled:
                should.append(keyed_by_handler(dossier, given, catalogue.organisation))
        known = own_lives(writing, SAID_KINDS)
        return tell(writing, catalogue, say(known, should, now), now)
