"""A limit's number by what a register says."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.procedure.language import Choice


def chosen(choice: Choice, value: object) -> int | None:
    """The number for a register's value; None where there is none."""
    if isinstance(value, Decimal):
        return next((n for key, n in choice.values.items() if _is_amount(key, value)), choice.otherwise)
    return None if value is None else choice.values.get(text_of(value), choice.otherwise)


def text_of(value: object) -> str:
    """A register's value as a choice names it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_amount(key: str, amount: Decimal) -> bool:
    """Whether a choice names this amount, however many decimals either is written with."""
    try:
        return Decimal(key) == amount
    except InvalidOperation:
        return False
