"""Registers: typed values of a dossier, taken from what events say. Money and other decimals are exact."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from workflow.facts import Scalar
    from workflow.layout import Layout
    from workflow.model import RegisterValue
    from workflow.procedure.language import Register, RegisterType, Revision

REMEMBERED_MAX: Final = 50_000
"""Texts whose typed values one register remembers; a log repeats few codes and amounts, but a free text must not
fill the memory."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,9})?")
_FLAGS: Final = {"true": True, "false": False}


class Typed(dict[str, "RegisterValue"]):
    """Texts and their values under one register's type. Reading an unseen text types and remembers it.

    Raises ValueError where the text is not of the type.
    """

    def __init__(self, name: str, kind: RegisterType, zone: ZoneInfo) -> None:
        """`zone` places a time that is asked for as a date."""
        super().__init__()
        self.name = name
        self.kind = kind
        self.zone = zone

    def __missing__(self, text: str) -> RegisterValue:
        value = typed(self.kind, text, self.zone)
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[text] = value
        return value

    def of(self, raw: Scalar) -> RegisterValue:
        """The typed value of a scalar; None stays None."""
        if isinstance(raw, str):
            return self[raw]
        return None if raw is None else typed(self.kind, _spelled(raw), self.zone)


def typed(kind: RegisterType, text: str, zone: ZoneInfo) -> RegisterValue:
    """`text` as a value of `kind`; ValueError if it is none. A `time` must carry its offset; a `date` given as an
    instant is its date in `zone`."""
    match kind:
        case "text":
            return text
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "money" if _DECIMAL.fullmatch(text):
            return Decimal(text)
        case "flag" if text in _FLAGS:
            return _FLAGS[text]
        case "date":
            return date.fromisoformat(text) if len(text) == 10 else _instant(text).astimezone(zone).date()  # noqa: PLR2004 - YYYY-MM-DD
        case "time":
            return _instant(text)
    raise ValueError(text)


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(text)
    return value


def _spelled(raw: int | bool) -> str:  # noqa: FBT001 - a scalar as told, not a switch
    return str(raw).lower()


class Take(NamedTuple):
    """How one register takes its value from an event: its slot, the field, what is kept, its typed texts."""

    slot: int
    field: str
    keep: str
    values: Typed


class Registers:
    """The registers of one revision: their initial values and, per action, what each takes."""

    def __init__(self, revision: Revision, layout: Layout, zone: ZoneInfo) -> None:
        """Types each register's initial value; ValueError if one is not of its type (the checks say where)."""
        self._declared = revision.registers
        self._slots = layout.registers
        self.types = {name: Typed(name, r.type, zone) for name, r in revision.registers.items()}
        self.initial: list[RegisterValue] = [
            _initial(register, self.types[name]) for name, register in revision.registers.items()
        ]

    def taken_by(self, action: str | None) -> tuple[Take, ...]:
        """What is taken from an event of `action`; of an opening (None) every register takes."""
        return tuple(
            Take(self._slots[name], register.source or name, register.keep, self.types[name])
            for name, register in self._declared.items()
            if action is None or register.actions is None or action in register.actions
        )


def _initial(register: Register, values: Typed) -> RegisterValue:
    if register.initial is not None:
        return values[register.initial]
    return 0 if register.keep == "count" else None


def keep(take: Take, registers: list[RegisterValue], raw: Scalar) -> None:
    """Change a register by one told value; ValueError, and no change, if the value is not of its type."""
    value = take.values.of(raw)
    before = registers[take.slot]
    registers[take.slot] = _KEEPS[take.keep](before, value)


def _sum(before: RegisterValue, value: RegisterValue) -> RegisterValue:
    if not isinstance(value, int | Decimal):
        raise ValueError(value)  # noqa: TRY004 - callers know one error: not of the type
    return value if not isinstance(before, int | Decimal) else before + value


_KEEPS: Final[dict[str, Callable[[RegisterValue, RegisterValue], RegisterValue]]] = {
    "last": lambda _before, value: value,
    "first": lambda before, value: value if before is None else before,
    "sum": _sum,
    "count": lambda before, _value: (before if isinstance(before, int) else 0) + 1,
}
