"""A revision made ready to judge: its slots, registers, guards, clocks and machine, compiled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.clocks.clock import LimitClock, compile_clock
from workflow.effects import effects, waits_end
from workflow.guards import Check, Context, check, role_check
from workflow.joins import join_checks
from workflow.layout import Layout, layout
from workflow.machine import ProcedureMachine
from workflow.model import Dossier
from workflow.plan import ActionPlan, Plan
from workflow.procedure.language import ENDING_MILESTONES
from workflow.procedure.moves import follow_target, on_order_break, sources_of
from workflow.registers import Registers
from workflow.sources import UNKNOWN_SOURCE, SourceOrder
from workflow.zones import zone_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from workflow.clocks.calendar import Calendar
    from workflow.clocks.clock import Clock
    from workflow.clocks.timetable import HoursOf
    from workflow.effects import Effect
    from workflow.procedure.language import Move, Revision


class Ending(NamedTuple):
    """What ending in a state means: whether it is allowed, its conditions, the limits that bind it, and the one
    of them that says whether the dossier ended late."""

    allowed: bool
    checks: tuple[Check, ...]
    limits: tuple[LimitClock, ...]
    headline: LimitClock | None


class Rules:
    """Everything one revision judges by. Immutable after it was compiled, but for memos of due dates.

    `family`: the revisions a running dossier may be migrated to, by their number. `receipts`: the actions that receive
    a dossier.
    """

    def __init__(
        self,
        revision: Revision,
        calendars: Mapping[str, Calendar],
        sources: Mapping[str, SourceOrder],
        hours_of: HoursOf,
    ) -> None:
        """Compiles; UnknownZone or DefinitionError where the revision cannot be judged by."""
        self.revision = revision
        self.sources = sources
        self.zone = zone_at(revision.zone, f"procedure {revision.procedure}")
        self.layout: Layout = layout(revision)
        self.clock: Clock = compile_clock(revision, self.layout, calendars, hours_of)
        self.registers = Registers(revision, self.layout, self.zone)
        self.taken_at_opening = self.registers.taken_by(None)
        fields = {name: register.source or name for name, register in revision.registers.items()}
        context = Context(self.layout, self.registers.types, self.clock, revision.sums, fields)
        self._checks = {rule: check(rule, guard, context) for rule, guard in revision.guards.items()}
        self.endings = {state: self._ending(state, context) for state in revision.states}
        self._number, self._initial = revision.revision, revision.initial
        self._untaken: list[datetime | None] = [None] * len(self.layout.actions)
        self._zeros = [0] * len(self.layout.actions)
        self._visited = (revision.initial,) if self.layout.visited else ()
        self.machine = ProcedureMachine(revision, {name: self._plan(name) for name in revision.actions})
        self.receipts = frozenset(
            n for n, action in revision.actions.items() if action.milestone == "received"
        )
        self.family: dict[str, Rules] = {revision.revision: self}

    def start(self, subject: str) -> Dossier:
        """A dossier of which nothing is known yet."""
        untaken = self._untaken
        return Dossier(
            subject=subject,
            revision=self._number,
            state=self._initial,
            registers=self.registers.initial.copy(),
            firsts=untaken.copy(),
            lasts=untaken.copy(),
            counts=self._zeros.copy(),
            visited=self._visited,
        )

    def _ending(self, state: str, context: Context) -> Ending:
        declared = self.revision.ends.get(state)
        final = self.revision.states[state].final
        return Ending(
            allowed=declared is not None or final,
            checks=tuple(
                check(rule, self.revision.guards[rule], context, "end")
                for rule in (declared.requires if declared else ())
            ),
            limits=self.clock.for_end(state),
            headline=self.clock.headline(state),
        )

    def _plan(self, name: str) -> ActionPlan:
        action = self.revision.actions[name]
        done = effects(self.revision, name, self.layout, self.clock)
        moves = {
            source: (move.to, self._step(name, move, source, done))
            for move in action.moves
            for source in sources_of(move, self.revision)
        }
        how = on_order_break(action, self.revision)
        if how != "follow":
            return ActionPlan(moves, how)
        target = follow_target(action)
        broken_from = [state for state in self.revision.states if state not in moves]
        follow = {state: (target, self._step(name, None, state, done, target)) for state in broken_from}
        return ActionPlan(moves, how, follow)

    def _step(
        self,
        name: str,
        move: Move | None,
        source: str,
        done: tuple[Effect, ...],
        followed: str | None = None,
    ) -> Plan:
        revision, action = self.revision, self.revision.actions[name]
        target = move.to if move is not None else followed
        takes = self.registers.taken_by(name)
        leaves = None if target is None else source
        checks = (
            [role_check(name, action.role, refuses=action.on_role_break == "refuse")] if action.role else []
        )
        guards = [*action.guards, *(move.guards if move else ())]
        if leaves is not None:
            guards += revision.states[leaves].guards
        checks += [self._checks[rule] for rule in dict.fromkeys(guards)]
        if leaves is not None and action.milestone not in {*ENDING_MILESTONES, "paused"}:
            checks += join_checks(revision, leaves, self.clock)
        limits = self.clock.for_action(name) + (self.clock.for_stay(leaves) if leaves is not None else ())
        return Plan(
            checks=tuple(checks),
            limits=limits,
            lasts=tuple((t.slot, t.field, t.values) for t in takes if t.keep == "last"),
            takes=tuple(t for t in takes if t.keep != "last"),
            effects=(*waits_end(revision, self.layout, name, source, target), *done),
            slot=self.layout.actions.get(name),
            has_tasks=leaves is not None and bool(revision.states[leaves].tasks),
            visited=self.layout.visited,
            ends_by="final" if target is not None and revision.states[target].final else None,
        )


__all__ = ["UNKNOWN_SOURCE", "Rules", "SourceOrder", "compile_family", "compile_rules"]


def compile_rules(
    revision: Revision,
    calendars: Mapping[str, Calendar] | None = None,
    sources: Mapping[str, SourceOrder] | None = None,
    hours_of: HoursOf | None = None,
) -> Rules:
    """A revision ready to judge. A source that is not named orders by time, at rank 0, and voids its own facts.
    `hours_of`: by unit the names of its hours in a calendar, as `organisation.hours_of` gives them."""
    return Rules(revision, calendars or {}, sources or {}, hours_of or {})


def compile_family(
    revisions: Iterable[Revision],
    calendars: Mapping[str, Calendar] | None = None,
    sources: Mapping[str, SourceOrder] | None = None,
    hours_of: HoursOf | None = None,
) -> dict[str, Rules]:
    """The revisions of one procedure by number, each knowing the others, so that dossiers can be migrated."""
    family = {r.revision: compile_rules(r, calendars, sources, hours_of) for r in revisions}
    for rules in family.values():
        rules.family = family
    return family
