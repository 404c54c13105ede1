"""What judging needs to know of a source."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct


class SourceOrder(Struct, frozen=True):
    """Whether a source's times or its sequence give the order, its rank among sources at one instant (lower
    first), and whose facts it may void."""

    order: Literal["time", "sequence"] = "time"
    rank: int = 0
    voids: Literal["none", "own", "any"] = "own"


UNKNOWN_SOURCE: Final = SourceOrder()
"""A source that is not declared orders by time and may only void what it told itself."""
