"""Equal situations judged once: what acts make of a dossier whatever their times, learned from the fold's own judge.

A log tells the same few things of many dossiers. What an act does in a situation is therefore learned at its first
coming, and only what hangs on times is asked of each dossier: the limits.
"""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from workflow.errors import CalendarRange
from workflow.model import Dossier
from workflow.verdict import end_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from workflow.clocks.clock import LimitClock
    from workflow.factrows import FactRows
    from workflow.facts import Acted
    from workflow.model import ViolationKind
    from workflow.rules import Rules

    Broken: TypeAlias = tuple[tuple[str, ViolationKind], ...]


LEARNED_MAX: Final = 32_768
"""Acts learned; the fines log needs 11,101. Dossiers that bring more are folded."""

TIMES_KEPT: Final = ("since", "received_at", "issued_at", "ready_at", "ended_at")
"""The times a dossier keeps of its acts, beside those of the actions that rules ask about."""

SOME_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands in a situation for every time it has."""

_NONE: Final[Broken] = ()


class Situation:
    """A dossier without its times, and what was learned of acts in it, by their identity. `end`: which rules an end
    here breaks, and whether it is late, where no time says so."""

    __slots__ = ("_asked", "dossier", "end", "steps")

    def __init__(self, dossier: Dossier) -> None:
        """Nothing learned yet."""
        self.dossier = dossier
        self.steps: dict[int, Step] = {}
        self.end: tuple[Broken, bool] | None = None
        self._asked = copy(dossier)

    def at(
        self, fields: Mapping[str, datetime], firsts: list[datetime | None], lasts: list[datetime | None]
    ) -> Dossier:
        """The dossier with these times, until it is asked again."""
        dossier = self._asked
        dossier.firsts, dossier.lasts = firsts, lasts
        for name, time in fields.items():
            setattr(dossier, name, time)
        return dossier


class Step(NamedTuple):
    """What an act does: the limits it must keep, the rules it breaks besides, the fields whose time it is, the slot
    where its time is kept, where it leads.

    `after` is None where times decide more than the limits. The act is kept, so that no other has its identity.
    """

    act: Acted
    limits: tuple[LimitClock, ...] = ()
    broken: Broken = ()
    fields: tuple[str, ...] = ()
    slot: int | None = None
    after: Situation | None = None


class Course(Struct, frozen=True, gc=False):
    """What a dossier came to: which rules its events and its end broke, when it ended, and whether late.

    `dossier`: one still open, but for the facts it was told by and what no rule asks about.
    """

    broken: Broken
    ended_at: datetime | None
    late: bool = False
    dossier: Dossier | None = None


class Situations:
    """The situations dossiers of one revision come into. Memory: at most `LEARNED_MAX` steps and situations."""

    def __init__(self, rules: Rules) -> None:
        """Nothing learned yet."""
        self._rules = rules
        self._known: dict[bytes, Situation] = {}
        self._room = LEARNED_MAX
        self._start = self._situation(rules.start(""))
        self._untaken = self._start.dossier.firsts.copy()

    def course(self, rows: FactRows, *, closes: bool) -> Course | None:
        """What `fold` and `verdict` find of rows that share their acts, in short; None where they must be asked."""
        situation, at, broken = self._start, None, _NONE
        times: dict[str, datetime] = {}
        firsts, lasts = self._untaken.copy(), self._untaken.copy()
        for at, act, _, _ in rows.rows:
            known = situation.steps.get(id(act))
            _, limits, breaks, fields, slot, after = known or self._learned(situation, act, at)
            if after is None:
                return None
            for limit in limits:
                asked = situation.at(times, firsts, lasts)
                if limit.missed(asked, at) is not None and not limit.met_before(asked):
                    broken = (*broken, (limit.id, "deadline"))
            if breaks:
                broken += breaks
            for name in fields:
                times[name] = at
            if slot is not None:
                firsts[slot] = firsts[slot] or at
                lasts[slot] = at
            situation = after
        ended_at = times.get("ended_at") or (at if closes else None)
        if ended_at is None:
            return Course(broken, None, dossier=copy(situation.at(times, firsts, lasts)))
        breaks, late = situation.end or self._end(situation, situation.at(times, firsts, lasts), ended_at)
        return Course(broken + breaks if breaks else broken, ended_at, late)

    def _end(self, situation: Situation, dossier: Dossier, ended_at: datetime) -> tuple[Broken, bool]:
        verdict = end_of(self._rules, dossier, ended_at)
        found = tuple(verdict.broken), verdict.late
        ending = self._rules.endings[dossier.state]
        if not ending.limits and all(check.timeless for check in ending.checks):
            situation.end = found
        return found

    def _learned(self, situation: Situation, act: Acted, at: datetime) -> Step:
        if not self._room:
            return Step(act)
        self._room -= 1
        halted = situation.dossier.halted
        step = Step(act, after=situation) if halted else self._tried(situation.dossier, act, at)
        situation.steps[id(act)] = step
        return step

    def _tried(self, before: Dossier, act: Acted, at: datetime) -> Step:
        """The act judged with all times before it at an object of their own: those that are its own are `at` itself."""
        machine = self._rules.machine
        move = machine.move(before.state, act.action)
        if move is not None and not all(check.timeless for check in move.checks):
            return Step(act)
        dossier = _put(_own(before), at.replace())
        try:
            outcome = machine.judge(dossier, act, at)
        except CalendarRange:
            return Step(act)
        limits = move.plan.limits if move is not None and outcome.status == "applied" else ()
        late = [one.rule for one in outcome.violations if one.kind == "deadline"]
        # A limit asked at the act itself counts by the hours the act has just told of.
        recounted = bool(limits) and dossier.hours_of != before.hours_of
        if (
            recounted
            or _keeps_more(dossier)
            or (late and not {limit.id for limit in limits}.issuperset(late))
        ):
            return Step(act)
        broken = tuple([(one.rule, one.kind) for one in outcome.violations if one.kind != "deadline"])
        fields = tuple([name for name in TIMES_KEPT if getattr(dossier, name) is at])
        slot = next((slot for slot, time in enumerate(dossier.lasts) if time is at), None)
        return Step(act, limits, broken, fields, slot, self._situation(_put(dossier, SOME_TIME)))

    def _situation(self, dossier: Dossier) -> Situation:
        """The one situation of dossiers that differ in nothing but times, and in what no rule asks about."""
        dossier.officer = None
        dossier.broken, dossier.missed = {}, ()
        key = msgspec.json.encode(dossier)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Situation(dossier)
        return found


def _own(dossier: Dossier) -> Dossier:
    """A private copy."""
    own = copy(dossier)
    own.registers, own.counts = dossier.registers.copy(), dossier.counts.copy()
    own.firsts, own.lasts = dossier.firsts.copy(), dossier.lasts.copy()
    return own


def _put(dossier: Dossier, time: datetime) -> Dossier:
    """The same dossier, each of its times put at this one."""
    for kept in (dossier.firsts, dossier.lasts):
        for slot, one in enumerate(kept):
            if one is not None:
                kept[slot] = time
    for name in TIMES_KEPT:
        if getattr(dossier, name) is not None:
            setattr(dossier, name, time)
    return dossier


def _keeps_more(dossier: Dossier) -> bool:
    """Whether a dossier has met what keeps times of its own."""
    return bool(
        dossier.submitted_at
        or dossier.appointments
        or dossier.pauses
        or dossier.tasks
        or dossier.phases
        or dossier.extensions
    )
