"""Counts of dossiers for the budget of lateness, from the columns of the store alone. Reads only."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from workflow.figures.budget import BANDS_MIN, Released, Waiting
from workflow.store.faults import translated
from workflow.store.rows import to_us
from workflow.store.tables import DOSSIERS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select

    from workflow.store.store import Store


def counts(
    store: Store, since: datetime, at: datetime, borders: Sequence[datetime], without: Collection[str] = ()
) -> tuple[list[Released], list[Waiting]]:
    """What was released since the year began, and what waits, as of `at`, which must not lie before what is recorded.

    `borders`: the instants by which BANDS_MIN working minutes will have gone by. `without`: duplicates, which leave
    the counts. A wait beyond its cap is counted as if its clock still stood, until the dossier's next fact. Raises a
    StoreError.
    """
    named = DOSSIERS.c
    ours = [] if not without else [named.subject.not_in(list(without))]
    with translated(store.name), store.engine.connect() as plain:
        connection = plain.execution_options(reads=True)
        with connection.begin():
            released = [
                Released(unit or "", count, late)
                for unit, count, late in connection.execute(_released(since, at).where(*ours))
            ]
            waiting = [
                _group(list(row))
                for asked in (
                    _waiting(
                        [named.appointment_due_at < to_us(one) for one in (at, *borders)], standing=False
                    ),
                    _waiting([named.minutes_left < minutes for minutes in (0, *BANDS_MIN)], standing=True),
                )
                for row in connection.execute(asked.where(*ours))
            ]
    return released, waiting


def _released(since: datetime, at: datetime) -> Select[Any]:
    named = DOSSIERS.c
    late = or_(
        named.appointment_late,
        # Released, by its source's clock, after it was recorded: its date was not met by then.
        and_(named.appointment_late.is_(None), named.appointment_due_at < to_us(at)),
    )
    return (
        select(named.unit, func.count(), func.count().filter(late))
        .where(
            named.released_at.is_not(None),
            named.appointment_due_at.is_not(None),
            named.released_at >= to_us(since),
            named.released_at <= to_us(at),
        )
        .group_by(named.unit)
    )


def _waiting(borders: Sequence[ColumnElement[bool]], *, standing: bool) -> Select[Any]:
    """Those whose clock runs, or those whose clock stands: asked apart, since one comparison is what a border costs."""
    named = DOSSIERS.c
    left = named.minutes_left
    return (
        select(
            named.unit,
            named.procedure,
            named.state,
            func.count(),
            *(func.count().filter(one) for one in borders),
        )
        .where(
            named.released_at.is_(None),
            named.appointment_due_at.is_not(None),
            left.is_not(None) if standing else left.is_(None),
        )
        .group_by(named.unit, named.procedure, named.state)
    )


def _group(row: list[Any]) -> Waiting:
    unit, procedure, step, count, overdue, *below = row
    bands = (
        below[0] - overdue,
        *(high - low for low, high in pairwise(below)),
        count - below[-1],
    )
    return Waiting(unit or "", procedure, step, overdue, bands)
