"""What judgments over several subjects share when they speak: the lives of their own alerts, and one outbox row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.messages import encode
from workflow.store import beside
from workflow.store.alerts import lives, row
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from workflow.alerts.life import Life, Spoken
    from workflow.catalogue import Catalogue
    from workflow.messages import AlertSaid, Kind
    from workflow.store.store import Reading, Writing


def begin(writing: Writing, judgment: str) -> None:
    """Waits for another pass of the same judgment to end. Its position is no place in a log."""
    writing.claim(f"judge/{judgment}", 0, log=judgment)


def own_lives(reading: Reading, kinds: Collection[Kind]) -> dict[str, Life]:
    """Every alert of these kinds that was ever said, by its id, whatever it is about now."""
    return lives(beside.alerts_of(reading, sorted(kinds)))


def tell(writing: Writing, catalogue: Catalogue, spoken: Spoken, now: datetime) -> tuple[AlertSaid, ...]:
    """Keeps the lives that changed and what is said of them, with the definitions they rest on; what was said."""
    writing.keep_alerts([row(life) for life in spoken.lives])
    if spoken.said:
        writing.archive(catalogue.around(), to_us(now))
    writing.say(to_us(now), len(spoken.said), encode(spoken.said))
    return tuple(spoken.said)
