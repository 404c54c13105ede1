"""What each batch came to, read back from a store that took it: what the floor is handed as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from apply_floor import Given
from msgspec.structs import astuple

from workflow.store.told import wrote_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.store.rows import AlertRow
    from workflow.store.store import Store


class Giving:
    """Reads a store back, batch by batch."""

    def __init__(self, store: Store) -> None:
        """`store` holds no dossier yet."""
        self._store = store
        with store.reading() as reading:
            self._said = max((seq for seq, *_ in wrote_in(reading)), default=0)
        self._letters = 0
        self._lives: dict[str, AlertRow] = {}

    def batch(self, subjects: set[str], step: Callable[[], object]) -> Given:
        """What a `step` that touches these dossiers came to."""
        with self._store.reading() as reading:
            before = {row.subject: row.version for row in reading.dossiers(subjects)}
        step()
        with self._store.reading() as reading:
            rows = [row for row in reading.dossiers(subjects) if row.version != before.get(row.subject)]
            outbox = [one for one in wrote_in(reading) if one[0] > self._said]
            alerts = [row for row in reading.alerts() if self._lives.get(row.id) != row]
            dead = reading.dead_letters()
        values = [(*row[:-1], msgspec.msgpack.decode(row.judgment)) for row in rows]
        new, old = ([one for one in values if (one[0] in before) is older] for older in (False, True))
        told = [message for _, content, _ in outbox for message in msgspec.json.decode(content)]
        kept = [(*row[:-1], msgspec.json.decode(row.content)) for row in alerts]
        found = Given(new, old, told, kept, dead[self._letters :], astuple(outbox[0][-1])[3:])
        self._said, self._letters = outbox[-1][0], len(dead)
        self._lives |= {row.id: row for row in alerts}
        return found
