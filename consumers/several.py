"""All judgments over several subjects, one after the other, each in a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.budgeting import judge_budgets
from consumers.feedback import judge_feedback
from consumers.rating import judge_evaluation
from consumers.rotating import judge_rotation

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.messages import AlertSaid
    from workflow.store.store import Store


def judge_several(
    store: Store, catalogue: Catalogue, *, now: datetime, acts: bool = True
) -> tuple[AlertSaid, ...]:
    """Says what is due on rotation, evaluation, feedback and the budget at `now`, and only what was not said yet.

    Stopped anywhere and called again it goes on. `acts` as for `judge_rotation`. Raises DefinitionError, CalendarRange,
    StoreError.
    """
    rotated = judge_rotation(store, catalogue, now=now, acts=acts)
    return (
        *rotated.said,
        *judge_evaluation(store, catalogue, now=now),
        *judge_feedback(store, catalogue, now=now),
        *judge_budgets(store, catalogue, now=now),
    )
