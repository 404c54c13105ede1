"""Messages of ours inside what Debezium captures of an outbox table, in the shapes its settings lead to.

Through its event router the value is our message, or a JSON text that holds it; without the router it is the change of
a row (`before`, `after`, `op`, `source`); and each of these may stand beside its schema (`schema`, `payload`). Rows
that are removed, and the tombstones behind them, say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from consumers.contract.limits import DEFAULT_LIMITS
from consumers.contract.strict import read_object
from workflow.errors import InputError

if TYPE_CHECKING:
    from consumers.codec import RawRecord
    from consumers.contract.limits import Limits

SHELLS_MAX: Final = 4
"""A schema around a change around a text around a message: there is no more."""
ADDED: Final = ("c", "r")
"""Operations whose row holds a message: created, or read while the table was copied at first."""
REMOVED: Final = ("d", "t")
_encode: Final = msgspec.json.Encoder().encode


def unwrapped(record: RawRecord, limits: Limits = DEFAULT_LIMITS) -> list[RawRecord]:
    """The record of our message inside one of Debezium's: none where it says nothing, itself where it has no shell.

    The key of a message inside is left out: that of a change is the row's, not the dossier's. Raises InputError where a
    shell cannot be read.
    """
    value = record.value
    shells = 0
    while value and shells < SHELLS_MAX:
        inner = _inside(value, limits)
        if inner is None:
            break
        value, shells = inner, shells + 1
    if not value:
        return []
    return [replace(record, value=value, key=None) if shells else record]


def _inside(value: bytes, limits: Limits) -> bytes | None:
    """What stands inside one shell, nothing where it says nothing; None where this is no shell."""
    if value[:1] == b'"':
        text = _text(value)
        return None if text is None else text.encode()
    tree = read_object(value, "$", limits)
    if tree.keys() == {"schema", "payload"}:
        return _payload(tree["payload"])
    if {"op", "after", "source"} <= tree.keys():
        return _added(tree)
    return None


def _added(change: dict[str, Any]) -> bytes:
    """The message of a row that was added."""
    after = change["after"]
    if change["op"] in REMOVED:
        return b""
    if change["op"] not in ADDED or not isinstance(after, dict) or "payload" not in after:
        raise InputError(
            "{place}: at {path} expected a row added to an outbox, with a payload, found the operation {found}; only "
            "add rows, never change one",
            reason="no_outbox_row",
            place="message",
            path="$.op",
            expected="c",
            found=repr(change["op"])[:20],
        )
    return _payload(after["payload"])


def _payload(payload: object) -> bytes:
    if payload is None:
        return b""
    return payload.encode() if isinstance(payload, str) else _encode(payload)


def _text(value: bytes) -> str | None:
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        return None
