"""Every error of Dunghen. One tree, each with a reason code, an exit status and whether retrying may cure it.

    DunghenError
    |-- DefinitionError        an approved definition cannot be used (file:line:column)
    |   |-- UnsoundProcedure   it was read but its checks found errors
    |   `-- LedgerError        an approved revision was edited, or is not in the ledger
    |-- InputError             a message or a row cannot be taken (file:line or offset, path)
    |   `-- HostileInput       a limit of size or depth was passed, or markup that attacks readers
    |-- UsageError             wrong use of a command or function
    |   `-- UnknownZone        a time zone no database knows
    |-- CalendarRange          an instant outside what a calendar covers
    |-- OutOfOrder             a fact that does not sort last was given to `advance`
    |-- StoreError             the store cannot do what was asked; nothing of it was kept
    |   |-- StoreUnreachable   no database answers, or the connection broke
    |   |-- StoreBusy          another writer holds what is needed for longer than we wait
    |   |-- StoreNewer         a newer Dunghen has changed the tables
    |   |-- JudgedOtherwise    a dossier was last judged by another version of the engine
    |   |-- StoreReadOnly      the file or the server takes no writes
    |   |-- StoreFull          no room is left
    |   |-- StoreCorrupt       the file is no database, or a broken one
    |   |-- Unstorable         a value the database refuses, whoever asks again
    |   |-- VersionConflict    another writer changed a dossier in between
    |   `-- PositionLost       the position of a stream is not where we left it, or another has claimed it
    |-- BrokerError            Kafka did not do what was asked
    |   |-- BrokerUnreachable  no broker answers in time
    |   `-- BrokerRefused      it answered and would not
    `-- ChannelError           a webhook or a mail server did not take a delivery
        |-- ChannelAway        it does not answer, or not now
        `-- ChannelRefused     it answered, and would again

A message says what, which id or file:line, what was expected, what was found, and what to do. `template` is the
English text and the key of its translation; `values` fill it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Words(str):  # noqa: SLOT000 - text cannot have slots of its own beside a dictionary
    """A value of an error that is a text of ours: an English template, which is translated with the error's own.

    As text it is the English, filled with `values`.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """`template` is the key of its translation."""
        self = super().__new__(cls, template.format(**values))
        self.template, self.values = template, values
        return self

    @classmethod
    def of(cls, template: str, values: Mapping[str, object]) -> Self:
        """A text that was written elsewhere, such as that of a finding, with its values."""
        return cls(template, **values)


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
    """The store cannot do what was asked; nothing of it was kept."""

    reason = "store"
    exit_status = 3


class StoreUnreachable(StoreError):
    """No database answers, or the connection broke."""

    reason = "store_unreachable"
    retriable = True


class StoreBusy(StoreError):
    """Another writer holds what is needed for longer than we wait."""

    reason = "store_busy"
    retriable = True


class StoreNewer(StoreError):
    """A newer Dunghen has changed the tables."""

    reason = "store_newer"


class StoreForeign(StoreError):
    """The database holds tables of something else; nothing was written to it."""

    reason = "store_foreign"


class JudgedOtherwise(StoreError):
    """A dossier was last judged by another version of the engine, whose judgments this one does not read."""

    reason = "judged_otherwise"


class StoreReadOnly(StoreError):
    """The file or the server takes no writes."""

    reason = "store_read_only"


class StoreFull(StoreError):
    """No room is left on the disk; cured by making room, so the same batch may be tried again."""

    reason = "store_full"
    retriable = True


class StoreCorrupt(StoreError):
    """The file is no database, or a broken one."""

    reason = "store_corrupt"


class Unstorable(StoreError):
    """A value the database refuses, whoever asks again."""

    reason = "unstorable"


class VersionConflict(StoreError):
    """Another writer changed a dossier between our reading and our writing."""

    reason = "version_conflict"
    retriable = True


class PositionLost(StoreError):
    """The position of a stream is not where we left it, or another has claimed the stream."""

    reason = "position_lost"


class BrokerError(DunghenError):
    """Kafka did not do what was asked."""

    reason = "broker"
    exit_status = 3


class BrokerUnreachable(BrokerError):
    """No broker answers in time."""

    reason = "broker_unreachable"
    retriable = True


class BrokerRefused(BrokerError):
    """The broker answered and would not: a right is missing, or a setting is wrong."""

    reason = "broker_refused"


class ChannelError(DunghenError):
    """A webhook or a mail server did not take a delivery."""

    reason = "channel"
    exit_status = 3


class ChannelAway(ChannelError):
    """It does not answer, or not now. `wait_s` among the values: how long it asked to be left alone."""

    reason = "channel_away"
    retriable = True


class ChannelRefused(ChannelError):
    """It answered, and would answer the same again."""

    reason = "channel_refused"
