"""Evaluations over a store: paper forms keyed by somebody who handled the dossier are told, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumers.differences import begin, own_lives, tell
from workflow.alerts import say
from workflow.evaluation import KIND, keyed_by_handler, rating
from workflow.facts import Rated
from workflow.store import beside

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.messages import Alert, AlertSaid, Kind
    from workflow.store.store import Store

SAID_KINDS: Final[frozenset[Kind]] = frozenset({KIND})


def judge_evaluation(store: Store, catalogue: Catalogue, *, now: datetime) -> tuple[AlertSaid, ...]:
    """Says what must be said about evaluations at `now`; one transaction. Raises StoreError."""
    by_keyer: dict[str, list[Alert]] = {}
    with store.writing() as writing:
        begin(writing, "evaluation")
        for dossier, facts in beside.rated(writing):
            # Voided ones name their keyer too: what was said of them is to be taken back.
            for fact in facts:
                if isinstance(fact.body, Rated) and fact.body.keyed_by is not None:
                    by_keyer.setdefault(fact.body.keyed_by, [])
            given = rating(catalogue.orders, facts, valid_at=now)
            if given is not None and given.handled and given.keyed_by is not None:
                by_keyer[given.keyed_by].append(keyed_by_handler(dossier, given, catalogue.organisation))
        known = own_lives(writing, by_keyer, SAID_KINDS)
        spoken = [say(known.get(keyer, {}), should, now) for keyer, should in sorted(by_keyer.items())]
        return tell(writing, catalogue, spoken, now)
