"""What `dunghen audit verify` finds: a row that is not what was written, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from workflow.store.rows import from_us

if TYPE_CHECKING:
    from workflow.store.rows import Identity

Breach: TypeAlias = Literal[
    "content", "received", "erased_unsaid", "recorded_at", "gone", "unsaid", "checksum", "witness"
]
"""`content`: columns are not what was written. `received`: the bytes do not give their hash, or it is not the one that
was written. `erased_unsaid`: the bytes are gone and no fact says so. `recorded_at`: it was recorded at another instant.
`gone`: a row that was written is not there. `unsaid`: a row that no batch wrote. `checksum`: a row of the outbox does
not give its check sum. `witness`: not what an earlier witness saw."""
Table: TypeAlias = Literal["facts", "outbox", "alerts", "positions", "definitions", "dead_letters"]


class Broken(Struct, frozen=True, omit_defaults=True):
    """A row that is not what was written. `row` names it in its table; of a fact its own names are told too."""

    breach: Breach
    table: Table
    row: str
    expected: str = ""
    found: str = ""
    subject: str = ""
    source: str = ""
    id: str = ""
    revision: int = 0


def of_fact(breach: Breach, identity: Identity, expected: str = "", found: str = "") -> Broken:
    """What is broken of a fact."""
    subject, source, identifier, revision = identity
    row = f"{subject}/{source}/{identifier}" + (f" revision {revision}" if revision else "")
    return Broken(breach, "facts", row, expected, found, *identity)


def instant(at_us: int) -> str:
    """An instant of a column, as far as it is one."""
    try:
        return from_us(at_us).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return str(at_us)
