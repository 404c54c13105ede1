"""Checks of predicates and values: constants of their register's type, comparisons of one type, exact forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from workflow.errors import Words
from workflow.procedure.finding import Where, error
from workflow.procedure.language import Choice, Operand
from workflow.procedure.references import nested, placed_limits, values_of
from workflow.registers import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.procedure.finding import Finding
    from workflow.procedure.language import Predicate, RegisterType, Revision, Value
    from workflow.procedure.moves import Edge, Runs

_NUMBERS: Final = ("integer", "money")
_PARTS: Final = {"all": "all", "any": "any", "negated": "not"}
_UTC: Final = ZoneInfo("UTC")


def predicates(revision: Revision, reached: Runs) -> Iterator[Finding]:
    """Errors of guards: their form, the types they compare, and what an end cannot ask."""
    for name, guard in revision.guards.items():
        for where, predicate in nested(guard.requires, ("guards", name, "requires")):
            yield from _form(predicate, where)
            yield from _operands(predicate, where)
            yield from _comparison(revision, predicate, where)
    for state, end in revision.ends.items():
        for index, name in enumerate(end.requires):
            asked = revision.guards.get(name)
            found = (
                [] if asked is None else [w for _, p in nested(asked.requires, ()) for w in _asks_event(p)]
            )
            if found:
                yield error(
                    "end-asks-event",
                    "guard {guard} asks an event for {found}, but an end is no event; ask registers or history",
                    ("ends", state, "requires", index),
                    reached.to(state) if state in reached else (),
                    guard=name,
                    found=", ".join(dict.fromkeys(found)),
                )


def registers(revision: Revision, graph: tuple[Edge, ...], reached: Runs) -> Iterator[Finding]:
    """Errors of registers, sums and choices whose values are not of their type, or can never change."""
    for name, register in revision.registers.items():
        where: Where = ("registers", name)
        if register.initial is not None:
            yield from _constant(register.initial, register.type, name, (*where, "initial"))
            if register.keep == "first":
                takers = [
                    edge for edge in graph if register.actions is None or edge.action in register.actions
                ]
                told = next((edge for edge in takers if edge.source in reached), None)
                yield error(
                    "never-changes",
                    "register {register} keeps the first value and has an initial one, so no event changes it; leave "
                    "out `initial`, or keep the last",
                    (*where, "initial"),
                    () if told is None else reached.by(told),
                    register=name,
                )
        needed = {"sum": _NUMBERS, "count": ("integer",)}.get(register.keep)
        if needed is not None and register.type not in needed:
            yield error(
                "mixed-types",
                "register {register} keeps a {keep}, which is {expected}, but holds {type}; correct its type",
                where,
                register=name,
                keep=register.keep,
                expected=" or ".join(needed),
                type=register.type,
            )
    for name, summed in revision.sums.items():
        yield from _summed(revision, summed, ("sums", name))
    for placed in placed_limits(revision):
        choice = placed.limit.within
        if isinstance(choice, Choice) and choice.register in revision.registers:
            kind = revision.registers[choice.register].type
            for value in choice.values:
                yield from _constant(value, kind, choice.register, (*placed.where, "within", "values", value))


def _form(predicate: Predicate, where: Where) -> Iterator[Finding]:
    said = [
        _PARTS.get(name, name)
        for name in predicate.__struct_fields__
        if getattr(predicate, name) not in (None, ())
    ]
    if len(said) != 1:
        yield error(
            "predicate-form",
            "a predicate says exactly one thing, found {found}; combine several by all, any and not",
            where,
            found=", ".join(said) or Words("none"),
        )


def _operands(predicate: Predicate, where: Where) -> Iterator[Finding]:
    for here, value in values_of(predicate, where):
        if isinstance(value, str):
            continue
        said = [word for word in ("register", "data", "sum") if getattr(value, word)]
        if len(said) != 1:
            yield error(
                "predicate-form",
                "an operand says exactly one of register, data and sum, found {found}; correct it",
                here,
                found=", ".join(said) or Words("none"),
            )


def _comparison(revision: Revision, predicate: Predicate, where: Where) -> Iterator[Finding]:
    compared = [(here, value) for here, value in values_of(predicate, where) if "present" not in here]
    if not compared:
        return
    named = {name: revision.registers[name].type for _, v in compared for name in _registers(revision, v)}
    kinds = list(dict.fromkeys(named.values()))
    if not named and all(isinstance(value, str) for _, value in compared):
        yield error("mixed-types", "two constants are compared, which never changes; name a register", where)
    if len(kinds) > 1 and not set(kinds) <= set(_NUMBERS):
        yield error(
            "mixed-types",
            "values of different types are compared: {types}; compare like with like",
            where,
            types=", ".join(f"{name} ({kind})" for name, kind in named.items()),
        )
    ordered = predicate.at_least or predicate.at_most or predicate.less_than
    if ordered and kinds and kinds[0] in ("text", "flag"):
        yield error("mixed-types", "{type} has no order; use equals or one_of", where, type=kinds[0])
    if kinds:
        constants = [(here, value) for here, value in compared if isinstance(value, str)]
        if predicate.one_of:
            constants += [((*where, "one_of", "in", i), v) for i, v in enumerate(predicate.one_of.values)]
        for here, constant in constants:
            yield from _constant(constant, kinds[0], next(iter(named)), here)
    for here, value in compared:
        if isinstance(value, Operand) and isinstance(value.sum, tuple):
            yield from _summed(revision, value.sum, here)


def _registers(revision: Revision, value: Value) -> list[str]:
    if isinstance(value, str):
        return []
    summed = revision.sums.get(value.sum, ()) if isinstance(value.sum, str) else value.sum or ()
    names = [*(name for name in (value.register, value.data) if name), *summed]
    return [name for name in names if name in revision.registers]


def _summed(revision: Revision, names: tuple[str, ...], where: Where) -> Iterator[Finding]:
    for index, name in enumerate(names):
        register = revision.registers.get(name)
        if register is not None and register.type not in _NUMBERS:
            yield error(
                "mixed-types",
                "register {register} holds {type} and cannot be added up; sum integer or money",
                (*where, index),
                register=name,
                type=register.type,
            )


def _constant(value: str, kind: RegisterType, register: str, where: Where) -> Iterator[Finding]:
    try:
        typed(kind, value, _UTC)
    except ValueError:
        yield error(
            "constant-type",
            "expected a value of type {type}, as register {register} holds, found {found}; correct it",
            where,
            type=kind,
            register=register,
            found=value,
        )


def _asks_event(predicate: Predicate) -> list[str]:
    words = [
        word
        for word in ("role", "four_eyes", "documents", "within", "limit_passed")
        if getattr(predicate, word)
    ]
    data = any(isinstance(value, Operand) and value.data for _, value in values_of(predicate, ()))
    return [word for word in words if word in ("role", "four_eyes", "documents")] + ["data"] * data
