"""A made-up month applied to a store, and the hash of what it came to: how it is applied must not show.

`python samebytes.py DOSSIERS` prints the hash, for runs under another time zone and hash seed.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

import month

from consumers.apply import apply
from workflow.store.opening import open_store
from workflow.store.rows import DossierRow

NOW = datetime(2026, 1, 5, 2, tzinfo=UTC)
"""One moment for every way: when an alert must be looked at again hangs on it."""
ARRIVAL = ("version", "last_recorded_at", "alerts")
"""Columns that say how facts arrived, not what they come to; `alerts` counts what was ever said, taken back or not."""


def applied(dossiers: int, *, batch: int = month.BATCH, shuffled: int | None = None) -> str:
    """The hash of all judged dossiers. `shuffled`: the seed by which each batch is put into another order."""
    known = month.catalogue()
    lines = month.messages(month.facts(known, dossiers))
    found = sha256()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store.db")
        for part in month.batches(lines, batch):
            told = month.decoded(part)
            if shuffled is not None:
                Random(shuffled).shuffle(told)
            apply(store, known, told, now=NOW)
        with store.reading() as reading:
            for row in reading.dossiers():
                kept = [
                    value for name, value in zip(DossierRow._fields, row, strict=True) if name not in ARRIVAL
                ]
                found.update(repr(kept).encode())
        store.close()
    return found.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(applied(int(sys.argv[1])))
