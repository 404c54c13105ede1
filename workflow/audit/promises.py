"""Appointments in a log: dossiers whose result came after the printed date, or is still to come past it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.model import Dossier
    from workflow.rules import Rules


class Appointments(Struct, frozen=True):
    """Of the dossiers with an appointment: `late`, those that met it too late; `open_overdue`, those that have not
    met it and are past it. What meets and what moves it: docs/clocks.md."""

    dossiers: int
    late: int
    open_overdue: int


class Promises:
    """Counts the dossiers with an appointment; memory grows only with those still open."""

    def __init__(self) -> None:
        """None yet."""
        self._dossiers = self._late = 0
        self._waiting: list[tuple[Rules, Dossier]] = []

    def add(self, rules: Rules, dossier: Dossier, ended_at: datetime | None) -> None:
        """Counts one that has slips; `ended_at` is its end by the verdict. Raises CalendarRange."""
        if ended_at is None:
            self._waiting.append((rules, dossier))
            return
        told = ended_at if dossier.last_key is None else max(ended_at, dossier.last_key[0])
        found = rules.clock.benchmark(replace(dossier, ended_at=ended_at), at=told)
        if found is not None:
            self._dossiers += 1
            self._late += found.late

    def report(self, as_of: datetime | None) -> Appointments | None:
        """The count, open dossiers asked about `as_of`; None where no dossier has an appointment."""
        waiting = (
            [] if as_of is None else [rules.clock.benchmark(one, at=as_of) for rules, one in self._waiting]
        )
        known = [found for found in waiting if found is not None]
        if not self._dossiers and not known:
            return None
        past = [found for found in known if found.late]
        ready = sum(found.met_at is not None for found in past)
        return Appointments(self._dossiers + len(known), self._late + ready, len(past) - ready)
