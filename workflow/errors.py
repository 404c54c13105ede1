"""Every error of Dunghen. One tree, each with a reason code, an exit status and whether retrying may cure it.

    DunghenError
    |-- DefinitionError        an approved definition cannot be used (file:line:column)
    |   |-- UnsoundProcedure   it was read but its checks found errors
    |   `-- LedgerError        an approved revision was edited, or is not in the ledger
    |-- InputError             a message or a row cannot be taken (file:line or offset, path)
    |   `-- HostileInput       a limit of size or depth was passed, or markup that attacks readers
    |-- UsageError             wrong use of a command or function
    |   `-- UnknownZone        a time zone no database knows
    |-- StoreError             the store cannot do what was asked
    |   |-- StoreUnreachable   it does not answer, or another process holds it
    |   |-- StoreNewer         its schema is of a later version than this program
    |   |-- StoreNotWritable   it is read-only, or its disk is full
    |   |-- StoreDamaged       it is no database of ours, or its file is damaged
    |   `-- StoreChanged       another writer was first
    |-- CalendarRange          an instant outside what a calendar covers
    `-- OutOfOrder             a fact that does not sort last was given to `advance`

A message says what, which id or file:line, what was expected, what was found, and what to do. `template` is the
English text and the key of its translation; `values` fill it.
"""

from __future__ import annotations

from typing import ClassVar


class DunghenError(Exception):
    """Base: `reason` is a stable code for machines, `exit_status` what a command ends with."""

    reason: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    retriable: ClassVar[bool] = False

    def __init__(self, template: str, /, *, reason: str | None = None, **values: object) -> None:
        """`reason` overrides the class's code where one class has several."""
        super().__init__(template, values)
        self.template = template
        self.values = values
        self.code = reason or type(self).reason

    def __str__(self) -> str:
        """The message in English."""
        return self.template.format(**self.values)


class DefinitionError(DunghenError):
    """An approved definition cannot be used."""

    reason = "definition"
    exit_status = 2


class UnsoundProcedure(DefinitionError):
    """A procedure was read, but its checks found errors."""

    reason = "unsound_procedure"
    exit_status = 1


class LedgerError(DefinitionError):
    """An approved revision was edited after approval, or is missing from the ledger."""

    reason = "ledger"
    exit_status = 1


class InputError(DunghenError):
    """A message, a row or a file cannot be taken."""

    reason = "input"
    exit_status = 2


class HostileInput(InputError):
    """Input that passes a named limit, or markup that attacks its reader."""

    reason = "hostile_input"


class UsageError(DunghenError):
    """Wrong use of a command or function."""

    reason = "usage"
    exit_status = 2


class UnknownZone(UsageError):
    """A time zone that no database knows."""

    reason = "unknown_zone"


class CalendarRange(DunghenError):
    """An instant outside what a calendar can count."""

    reason = "calendar_range"
    exit_status = 2


class OutOfOrder(DunghenError):
    """A fact that does not sort last was given to `advance`; its dossier must be folded again."""

    reason = "out_of_order"


class StoreError(DunghenError):
    """The store cannot do what was asked."""

    reason = "store"
    exit_status = 3


class StoreUnreachable(StoreError):
    """The store does not answer, or another process holds it."""

    reason = "store_unreachable"
    retriable = True


class StoreNewer(StoreError):
    """The store's schema is of a later version than this program."""

    reason = "store_newer"


class StoreNotWritable(StoreError):
    """The store is read-only, or its disk is full."""

    reason = "store_not_writable"


class StoreDamaged(StoreError):
    """The store is no database of ours, or its file is damaged."""

    reason = "store_damaged"


class StoreChanged(StoreError):
    """Another writer was first; nothing was written, and the same batch may be tried again."""

    reason = "store_changed"
    retriable = True
