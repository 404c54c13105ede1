"""Opening balances, what is known from the start, taking an ended dossier up again, moving one to another revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.effects import close_pauses, end
from workflow.facts import Migrated, Opened
from workflow.model import AppointmentTold, Outcome, PauseTaken, Violation
from workflow.plan import APPLIED
from workflow.registers import keep

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.facts import Fact, PauseUsed
    from workflow.model import Dossier
    from workflow.rules import Rules


def opens(rules: Rules, fact: Fact) -> bool:
    """Whether judging may start at this fact: an opening balance in a state the procedure knows."""
    return isinstance(fact.body, Opened) and fact.body.state in rules.revision.states


def open_dossier(rules: Rules, dossier: Dossier, fact: Fact, at: datetime) -> Outcome:
    """Takes over an opening balance, or what a log knows of a dossier beforehand."""
    body = fact.body
    assert isinstance(body, Opened)  # noqa: S101 - the fold sends nothing else here
    if body.state is not None:
        if dossier.opened or body.state not in rules.revision.states:
            return _refused(
                f"order/opened/{dossier.state}", "one opening in a known state", body.state, dossier
            )
        _balance(rules, dossier, body, at)
    broken = _reveal(rules, dossier, body, at)
    return Outcome("applied", broken) if broken else APPLIED


def _balance(rules: Rules, dossier: Dossier, body: Opened, at: datetime) -> None:
    fresh = rules.start(dossier.subject)
    for name in ("last_key", "streams", "order_assumed", "steps_told"):
        setattr(fresh, name, getattr(dossier, name))
    for name in dossier.__struct_fields__:
        setattr(dossier, name, getattr(fresh, name))
    assert body.state is not None  # noqa: S101 - asked by the caller
    dossier.opened, dossier.state, dossier.since = True, body.state, at
    if rules.layout.visited:
        dossier.visited = (body.state,)
    dossier.pauses = _used(rules, body.pauses)
    if rules.revision.states[body.state].final:
        end(dossier, body.ended_at or at, "final")


def _used(rules: Rules, told: tuple[PauseUsed, ...]) -> tuple[PauseTaken, ...]:
    """The pauses used so far, as told. Of each kind only the permitted number counts, the first begun first."""
    counting: dict[str, list[PauseUsed]] = {}
    for one in sorted(told, key=lambda used: used.started_at):
        declared = rules.revision.pauses.get(one.pause)
        most = None if declared is None else declared.at_most
        counting[one.pause] = [*counting.get(one.pause, ()), one][:most]
    return tuple(
        PauseTaken(one.pause, one.started_at, one.ended_at, counts=one in counting[one.pause]) for one in told
    )


def _reveal(rules: Rules, dossier: Dossier, body: Opened, at: datetime) -> tuple[Violation, ...]:
    dossier.unit = body.unit or dossier.unit
    dossier.officer = body.officer or dossier.officer
    receives = dossier.received_at is None and body.received_at is not None
    dossier.hours_of = (body.unit if receives else None) or dossier.hours_of or body.unit
    dossier.received_at = dossier.received_at or body.received_at
    dossier.submitted_at = dossier.submitted_at or body.submitted_at
    told = tuple(AppointmentTold(a.at, a.cause, at) for a in body.appointments)
    dossier.appointments = (*dossier.appointments, *told)
    if body.ended_at is not None:
        end(dossier, body.ended_at, "told")
    broken: list[Violation] = []
    for take in rules.taken_at_opening:
        raw = body.data.get(take.field)
        if raw is None:
            continue
        try:
            keep(take, dossier.registers, raw)
        except ValueError:
            violation = Violation(f"register/{take.values.name}", "guard", take.values.kind, str(raw))
            broken.append(violation)
            dossier.broken = {**dossier.broken, violation.rule: violation.kind}
    return tuple(broken)


def reopen(rules: Rules, dossier: Dossier, at: datetime) -> None:
    """Takes an ended dossier up again: it is in the initial state, and its clocks run on from where they began."""
    if dossier.ended_at is None:
        return
    initial = rules.revision.initial
    dossier.ended_at = dossier.ended_by = dossier.issued_at = dossier.ready_at = None
    dossier.state, dossier.since = initial, at
    if rules.layout.visited and initial not in dossier.visited:
        dossier.visited = (*dossier.visited, initial)


def migrate(rules: Rules, dossier: Dossier, fact: Fact, at: datetime) -> Outcome:
    """Moves a dossier to another revision of its procedure, which judges it from then on."""
    body = fact.body
    assert isinstance(body, Migrated)  # noqa: S101 - the fold sends nothing else here
    other = rules.family.get(body.revision)
    state = body.state or dossier.state
    if other is None or state not in other.revision.states:
        found = "no such revision" if other is None else f"no state {state}"
        return _refused(f"migration/{body.revision}", "a known revision and state", found, dossier)
    _carry(rules, other, dossier)
    dossier.revision = body.revision
    if state != dossier.state:
        waits_on = other.layout.waiting.get(state, ())
        close_pauses(
            dossier, at, [p for p in rules.layout.waiting.get(dossier.state, ()) if p not in waits_on]
        )
        dossier.state, dossier.since = state, at
    return APPLIED


def _carry(old: Rules, new: Rules, dossier: Dossier) -> None:
    """Registers and the times of actions keep their values by name; what the new revision does not ask falls away."""
    fresh = new.start(dossier.subject)
    for name, slot in new.layout.registers.items():
        if name in old.layout.registers:
            fresh.registers[slot] = dossier.registers[old.layout.registers[name]]
    for name, slot in new.layout.actions.items():
        if name in old.layout.actions:
            before = old.layout.actions[name]
            fresh.firsts[slot], fresh.lasts[slot] = dossier.firsts[before], dossier.lasts[before]
            fresh.counts[slot] = dossier.counts[before]
    dossier.registers = fresh.registers
    dossier.firsts, dossier.lasts, dossier.counts = fresh.firsts, fresh.lasts, fresh.counts


def _refused(rule: str, expected: str, found: str, dossier: Dossier) -> Outcome:
    dossier.broken = {**dossier.broken, rule: "order"}
    return Outcome("refused", (Violation(rule, "order", expected, found),))
