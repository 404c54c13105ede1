"""How many dossiers stand where: counts of views, by procedure and state, and by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.audit.views import View


class Count(Struct):
    """Dossiers of one group. `open`: not ended; `released`: the office is done with them, as it is with every one that
    ended in whatever way; `open_released`: both, such as a result that waits to be fetched; `late`: released after
    their date; `overdue`: not released and past it; `deviated`: a rule of the procedure was broken; `blocked`: could
    not be judged."""

    dossiers: int = 0
    open: int = 0
    released: int = 0
    open_released: int = 0
    late: int = 0
    overdue: int = 0
    deviated: int = 0
    blocked: int = 0

    def add(self, one: View) -> None:
        """Count one dossier."""
        self.dossiers += 1
        self.open += one.open
        self.released += one.released_at is not None
        self.open_released += one.open and one.released_at is not None
        self.late += one.late
        self.overdue += one.overdue
        self.deviated += one.deviated
        self.blocked += one.blocked is not None


class Group(Struct, frozen=True):
    """The count of one group, by its name."""

    name: str
    count: Count


class Census(Struct, frozen=True):
    """The dossiers of a store, counted in several ways; each way counts every dossier once, groups by name.

    `states`: the most frequent first, since a list of states has no order across procedures.
    """

    whole: Count
    states: tuple[Group, ...]
    procedures: tuple[Group, ...]
    units: tuple[Group, ...]


def census(views: Iterable[View]) -> Census:
    """The counts of these dossiers; those without a unit stand under the empty name."""
    whole = Count()
    states: dict[str, Count] = {}
    procedures: dict[str, Count] = {}
    units: dict[str, Count] = {}
    for one in views:
        whole.add(one)
        states.setdefault(one.state, Count()).add(one)
        procedures.setdefault(one.procedure, Count()).add(one)
        units.setdefault(one.unit or "", Count()).add(one)
    by_name = sorted(states.items())
    return Census(
        whole,
        tuple(Group(*item) for item in sorted(by_name, key=lambda item: -item[1].dossiers)),
        tuple(Group(*item) for item in sorted(procedures.items())),
        tuple(Group(*item) for item in sorted(units.items())),
    )
