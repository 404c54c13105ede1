"""Guards: the closed list of predicates, compiled to plain functions over a dossier and an event.

A guard of the `transitions` library can only say no; an auditor needs the reason, so these say what they found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from workflow.clocks.counting import lateness
from workflow.facts import Acted
from workflow.layout import parts
from workflow.model import Dossier, RegisterValue, Violation, ViolationKind
from workflow.procedure.language import Operand, Predicate, Value
from workflow.registers import REMEMBERED_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from workflow.clocks.clock import Clock
    from workflow.layout import Layout
    from workflow.procedure.language import Guard
    from workflow.registers import Typed

    Read: TypeAlias = Callable[[Dossier, Acted], RegisterValue]
    Test: TypeAlias = Callable[[Dossier, Acted, datetime], bool]
    Tell: TypeAlias = Callable[[Dossier, Acted, datetime], str]

NOBODY = Acted(action="")
"""Stands for the event where the conditions of an end are asked: it says nothing, so what asks it is false."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule asked at an event or an end: whether it holds, and what was found where it does not. `timeless`: no
    time has a say in it."""

    rule: str
    kind: ViolationKind
    refuses: bool
    expected: str
    holds: Test
    found: Tell
    timeless: bool = False

    def violation(self, dossier: Dossier, act: Acted, at: datetime) -> Violation:
        """The violation of this rule by `act` at `at`."""
        return Violation(self.rule, self.kind, self.expected, self.found(dossier, act, at))


class Context(NamedTuple):
    """What predicates are compiled against. `fields`: where in an event's data a register's value stands."""

    layout: Layout
    types: Mapping[str, Typed]
    clock: Clock
    sums: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, str]


def check(rule: str, guard: Guard, context: Context, kind: ViolationKind | None = None) -> Check:
    """A guard as a check. Its kind is `role` where it asks who acts, else `guard`, unless `kind` is given."""
    own: ViolationKind = "role" if _asks_who(guard.requires) else "guard"
    return Check(
        rule=rule,
        kind=kind or own,
        refuses=guard.on_break == "refuse",
        expected=spelled(guard.requires),
        holds=compiled(guard.requires, context),
        found=_telling(guard.requires, context),
        timeless=not any(part.within or part.limit_passed for part in parts(guard.requires)),
    )


def role_check(action: str, roles: tuple[str, ...], *, refuses: bool) -> Check:
    """The rule `role/<action>`: the actor has one of the roles."""
    predicate = Predicate(role=roles)
    among = frozenset(roles)
    holds: Test = lambda _d, act, _at: (who := act.actor) is not None and who.role in among  # noqa: E731
    return Check(f"role/{action}", "role", refuses, spelled(predicate), holds, _who, timeless=True)


def _asks_who(predicate: Predicate) -> bool:
    return bool(predicate.role or predicate.four_eyes)


def compiled(predicate: Predicate, context: Context) -> Test:
    """The predicate as a function of dossier, act and the act's effective time."""
    if predicate.all is not None:
        return _every([compiled(part, context) for part in predicate.all])
    if predicate.any is not None:
        return _some([compiled(part, context) for part in predicate.any])
    if predicate.negated is not None:
        inner = compiled(predicate.negated, context)
        return lambda d, act, at: not inner(d, act, at)
    return _comparison(predicate, context) or _history(predicate, context) or _event(predicate)


def _every(parts: list[Test]) -> Test:
    def every(dossier: Dossier, act: Acted, at: datetime) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would cost more than the parts
            if not part(dossier, act, at):
                return False
        return True

    return every


def _some(parts: list[Test]) -> Test:
    def some(dossier: Dossier, act: Acted, at: datetime) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if part(dossier, act, at):
                return True
        return False

    return some


def _event(predicate: Predicate) -> Test:
    if predicate.role is not None:
        roles = frozenset(predicate.role)
        return lambda _d, act, _at: act.actor is not None and act.actor.role in roles
    if predicate.documents is not None:
        needed = frozenset(predicate.documents)
        return lambda _d, act, _at: needed.issubset(act.documents)
    if predicate.four_eyes is None:
        raise ValueError(predicate)
    group = tuple(sorted(predicate.four_eyes))
    others = {action: tuple(other for other in group if other != action) for action in group}

    def two_people(dossier: Dossier, act: Acted, _at: datetime) -> bool:
        if act.actor is None:
            return False
        known = dossier.actors
        return not any(act.actor.id in known.get(other, ()) for other in others.get(act.action, group))

    return two_people


def _history(predicate: Predicate, context: Context) -> Test | None:
    slots, clock = context.layout.actions, context.clock
    if times := predicate.times:
        slot, fewer = slots[times.action], times.fewer_than
        return lambda d, _act, _at: d.counts[slot] < fewer
    if predicate.after_state is not None:
        after = frozenset(predicate.after_state)
        return lambda d, _act, _at: not after.isdisjoint(d.visited)
    if predicate.before_state is not None:
        before = frozenset(predicate.before_state)
        return lambda d, _act, _at: before.isdisjoint(d.visited)
    if predicate.limit_passed is not None:
        return _passed(predicate.limit_passed, clock)
    if within := predicate.within:
        slot, first = slots[within.after], within.which == "first"
        counting = clock.counting(within.counts)
        late = lateness(counting)

        def in_time(dossier: Dossier, _act: Acted, at: datetime) -> bool:
            start = (dossier.firsts if first else dossier.lasts)[slot]
            if start is None:
                return False
            return not late(at, clock.due_within(counting, within.number, start, at, dossier.hours_of))

        return in_time
    return None


def _passed(limit_id: str, clock: Clock) -> Test:
    def passed(dossier: Dossier, _act: Acted, at: datetime) -> bool:
        limit = clock.limits[limit_id]
        anchor = limit.anchor(dossier)
        due = None if anchor is None else limit.due(dossier, anchor, at)
        return due is not None and limit.late(at, due)

    return passed


def _comparison(predicate: Predicate, context: Context) -> Test | None:
    if predicate.present is not None:
        read = _reader(predicate.present, context, None)
        return lambda d, act, _at: read(d, act) is not None
    if one_of := predicate.one_of:
        kind = _kind_of((one_of.value,), context)
        read = _reader(one_of.value, context, kind)
        allowed = frozenset(text if kind is None else kind[text] for text in one_of.values)
        return lambda d, act, _at: read(d, act) in allowed
    pair = predicate.equals or predicate.at_least or predicate.at_most or predicate.less_than
    if pair is None:
        return None
    kind = _kind_of(pair, context)
    if predicate.equals is not None:
        return _equals(pair, kind, context)
    left, right = (_reader(side, context, kind) for side in pair)
    if predicate.less_than is not None:
        return _less_than(left, right)
    if predicate.at_most is not None:
        return _at_least(right, left)
    slot = _slot(pair[0], context)
    return _at_least(left, right) if slot is None else _register_at_least(slot, right)


def _slot(value: Value, context: Context) -> int | None:
    """Where the register lies that an operand is; None for any other. Read there it costs no call of its own."""
    if isinstance(value, str) or value.register is None:
        return None
    return context.layout.registers[value.register]


def _equals(pair: tuple[Value, Value], kind: Typed | None, context: Context) -> Test:
    left, right = (_reader(side, context, kind) for side in pair)
    slot, text = _slot(pair[0], context), pair[1]
    if slot is not None and isinstance(text, str):
        constant = text if kind is None else kind[text]
        return lambda d, _act, _at: d.registers[slot] == constant
    return lambda d, act, _at: (value := left(d, act)) is not None and value == right(d, act)


def _register_at_least(slot: int, right: Read) -> Test:
    def holds(dossier: Dossier, act: Acted, _at: datetime) -> bool:
        one, other = dossier.registers[slot], right(dossier, act)
        return one is not None and other is not None and one >= other  # type: ignore[operator] # as below

    return holds


def _at_least(left: Read, right: Read) -> Test:
    def holds(dossier: Dossier, act: Acted, _at: datetime) -> bool:
        one, other = left(dossier, act), right(dossier, act)
        return one is not None and other is not None and one >= other  # type: ignore[operator] # the checks hold both to one type

    return holds


def _less_than(left: Read, right: Read) -> Test:
    def holds(dossier: Dossier, act: Acted, _at: datetime) -> bool:
        one, other = left(dossier, act), right(dossier, act)
        return one is not None and other is not None and one < other  # type: ignore[operator] # as above

    return holds


def _kind_of(sides: tuple[Value, ...], context: Context) -> Typed | None:
    """The type constants take: that of the first register beside them."""
    for side in sides:
        if isinstance(side, Operand) and (names := _registers(side, context)):
            return context.types[names[0]]
    return None


def _registers(operand: Operand, context: Context) -> tuple[str, ...]:
    if isinstance(operand.sum, str):
        return context.sums[operand.sum]
    if operand.sum is not None:
        return operand.sum
    return tuple(name for name in (operand.register, operand.data) if name is not None)


def _reader(value: Value, context: Context, kind: Typed | None) -> Read:
    if isinstance(value, str):
        constant: RegisterValue = value if kind is None else kind[value]
        return lambda _d, _act: constant
    slots = context.layout.registers
    if value.register is not None:
        slot = slots[value.register]
        return lambda d, _act: d.registers[slot]
    if value.data is not None:
        name, values = context.fields[value.data], context.types[value.data]
        return lambda _d, act: _told(values, act, name)
    return _summing([slots[name] for name in _registers(value, context)])


def _told(values: Typed, act: Acted, name: str) -> RegisterValue:
    try:
        return values.of(act.data.get(name))
    except ValueError:
        return None


def _summing(slots: list[int]) -> Read:
    """The exact sum of registers; None as soon as one of them is absent."""

    def total(dossier: Dossier, _act: Acted) -> RegisterValue:
        registers = dossier.registers
        total: Any = 0
        for slot in slots:
            value = registers[slot]
            if value is None:
                return None
            total += value
        return cast("Decimal | int", total)

    return total


def spelled(predicate: Predicate) -> str:
    """A predicate in one line, the same in every language: for verdicts and tables."""
    for name in ("all", "any"):
        if (parts := getattr(predicate, name)) is not None:
            return f"{name}({', '.join(spelled(part) for part in parts)})"
    if predicate.negated is not None:
        return f"not({spelled(predicate.negated)})"
    for name in ("equals", "at_least", "at_most", "less_than"):
        if (pair := getattr(predicate, name)) is not None:
            return f"{name}({_name(pair[0])}, {_name(pair[1])})"
    if predicate.present is not None:
        return f"present({_name(predicate.present)})"
    if one_of := predicate.one_of:
        return f"one_of({_name(one_of.value)}, {'|'.join(one_of.values)})"
    if times := predicate.times:
        return f"fewer_than({times.fewer_than}, {times.action})"
    if within := predicate.within:
        return f"within({within.number}, {within.which} {within.after})"
    if predicate.limit_passed is not None:
        return f"limit_passed({predicate.limit_passed})"
    for name in ("role", "four_eyes", "documents", "after_state", "before_state"):
        if (words := getattr(predicate, name)) is not None:
            return f"{name}({'|'.join(words)})"
    raise ValueError(predicate)


def _name(value: Value) -> str:
    if isinstance(value, str):
        return value
    if value.sum is not None:
        return value.sum if isinstance(value.sum, str) else "+".join(value.sum)
    return value.register or f"data.{value.data}"


def operands(predicate: Predicate) -> list[Operand]:
    """Every operand a predicate compares, also inside the ones it is combined of."""
    pairs = (predicate.equals, predicate.at_least, predicate.at_most, predicate.less_than)
    values: list[Value] = [side for pair in pairs if pair for side in pair]
    if predicate.one_of:
        values.append(predicate.one_of.value)
    found = [value for value in values if isinstance(value, Operand)]
    if predicate.present:
        found.append(predicate.present)
    inner = [*(predicate.all or ()), *(predicate.any or ())]
    if predicate.negated:
        inner.append(predicate.negated)
    return found + [operand for part in inner for operand in operands(part)]


def _telling(predicate: Predicate, context: Context) -> Tell:
    """What stood there instead: the values of all operands, or who acted, with which papers, how often."""
    if _asks_who(predicate):
        return _who
    if predicate.documents is not None:
        return lambda _d, act, _at: "|".join(act.documents) or "no document"
    if times := predicate.times:
        slot = context.layout.actions[times.action]
        return lambda d, _act, _at: f"{d.counts[slot]} times"
    reads = {_name(operand): _reader(operand, context, None) for operand in operands(predicate)}
    if reads:
        return _Operands(reads)
    if predicate.after_state or predicate.before_state:
        return lambda d, _act, _at: "|".join(d.visited)
    return lambda _d, _act, at: at.isoformat()


class _Operands:
    """Tells the values of operands, remembering texts: a log breaks the same rule with the same few values."""

    def __init__(self, reads: Mapping[str, Read]) -> None:
        self._names, self._reads = tuple(reads), tuple(reads.values())
        self._told: dict[tuple[RegisterValue, ...], str] = {}

    def __call__(self, dossier: Dossier, act: Acted, _at: datetime) -> str:
        values = tuple([read(dossier, act) for read in self._reads])
        text = self._told.get(values)
        if text is None:
            text = ", ".join(
                f"{name}={_shown(value)}" for name, value in zip(self._names, values, strict=True)
            )
            if len(self._told) >= REMEMBERED_MAX:
                self._told.clear()
            self._told[values] = text
        return text


def _who(_dossier: Dossier, act: Acted, _at: datetime) -> str:
    if act.actor is None:
        return "nobody named"
    return f"{act.actor.id} ({act.actor.role or 'no role'})"


def _shown(value: RegisterValue) -> str:
    return "absent" if value is None else str(value)
