"""All judgments over several subjects, one after the other, each in a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from consumers.budgeting import judge_budgets
from consumers.feedback import judge_feedback
from consumers.rating import judge_evaluation
from consumers.rotating import judge_rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from workflow.catalogue import Catalogue
    from workflow.messages import AlertSaid
    from workflow.store.store import Store

    Judgment: TypeAlias = Callable[[], tuple[AlertSaid, ...]]


def judgments(
    store: Store, catalogue: Catalogue, *, now: datetime, acts: bool = True
) -> Iterator[tuple[str, Judgment]]:
    """Each judgment over several subjects at `now` by its name, not yet made: a fault of one is none of the others.

    `acts` as for `judge_rotation`. Each says what was not said yet; it raises DefinitionError, CalendarRange and
    StoreError.
    """
    yield "rotation", lambda: judge_rotation(store, catalogue, now=now, acts=acts).said
    yield "evaluation", lambda: judge_evaluation(store, catalogue, now=now)
    yield "feedback", lambda: judge_feedback(store, catalogue, now=now)
    yield "budget", lambda: judge_budgets(store, catalogue, now=now)


def judge_several(
    store: Store, catalogue: Catalogue, *, now: datetime, acts: bool = True
) -> tuple[AlertSaid, ...]:
    """Says what is due on rotation, evaluation, feedback and the budget at `now`, and only what was not said yet.

    Stopped anywhere and called again it goes on. Raises what the judgments raise.
    """
    return tuple(one for _, judge in judgments(store, catalogue, now=now, acts=acts) for one in judge())
