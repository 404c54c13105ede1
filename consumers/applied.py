"""What became of a batch."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from workflow.messages import Decision


class Buried(NamedTuple):
    """A message that became a dead letter: where it came from, and why."""

    place: str
    reason: str
    detail: str


class Applied(Struct, frozen=True, kw_only=True):
    """What became of a batch: how many facts were appended, met again, or became dead letters; how many dossiers were
    touched, how many of these folded anew, and which are blocked; the dead letters; decisions that refuse an event."""

    appended: int = 0
    duplicates: int = 0
    dead: int = 0
    dossiers: int = 0
    refolded: int = 0
    erased: int = 0
    blocked: tuple[str, ...] = ()
    letters: tuple[Buried, ...] = ()
    refused: tuple[Decision, ...] = ()
