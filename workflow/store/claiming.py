"""Taking a stream over, even from one who holds its position and does not move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.errors import StoreBusy

if TYPE_CHECKING:
    from workflow.store.store import Store

WAIT_MS: Final = 1_000
"""How long a claim waits for the row of a position: a batch takes tenths of a second, a stopped worker for ever."""
TRIES: Final = 3


def claim(store: Store, stream: str, partition: int, *, log: str, start: int = 0) -> tuple[int, int]:
    """Takes a stream's partition over, as `Writing.claim` does: the position to read on from, and the new epoch.

    On PostgreSQL whoever holds its row for longer than WAIT_MS is ended: a process that was stopped in the middle of a
    batch would hold it for ever. Raises PositionLost, StoreBusy and other StoreErrors.
    """
    for _ in range(TRIES - 1):
        try:
            return _claimed(store, stream, partition, log, start)
        except StoreBusy:
            with store.writing() as writing:
                writing.oust(stream, partition)
    return _claimed(store, stream, partition, log, start)


def _claimed(store: Store, stream: str, partition: int, log: str, start: int) -> tuple[int, int]:
    with store.writing() as writing:
        writing.wait_at_most(WAIT_MS)
        return writing.claim(stream, partition, log=log, start=start)
