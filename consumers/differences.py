"""What judgments over several subjects share when they speak: the lives of their own alerts, and one outbox row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.messages import encode
from workflow.store.alerts import lives, row
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from datetime import datetime

    from workflow.alerts import Life, Spoken
    from workflow.catalogue import Catalogue
    from workflow.messages import AlertSaid, Kind
    from workflow.store.store import Reading, Writing


def begin(writing: Writing, judgment: str) -> None:
    """Waits for another pass of the same judgment to end. Its position is no place in a log."""
    writing.claim(f"judge/{judgment}", 0, log=judgment)


def own_lives(
    reading: Reading, subjects: Iterable[str], kinds: Container[Kind]
) -> dict[str, dict[str, Life]]:
    """The alerts of these kinds that were ever said about these subjects, by subject and id."""
    found: dict[str, dict[str, Life]] = {}
    for name, life in lives(reading.alerts(list(subjects))).items():
        if life.alert.kind in kinds:
            found.setdefault(life.alert.subject, {})[name] = life
    return found


def tell(
    writing: Writing, catalogue: Catalogue, spoken: Sequence[Spoken], now: datetime
) -> tuple[AlertSaid, ...]:
    """Keeps the lives that changed and what is said of them, with the definitions they rest on; what was said."""
    said = tuple(one for each in spoken for one in each.said)
    writing.keep_alerts([row(life) for each in spoken for life in each.lives])
    if said:
        writing.archive(catalogue.around(), to_us(now))
        writing.say(to_us(now), len(said), encode(said))
    return said
