"""What flows in a campaign: a random month that is not over, and in it what cannot be read, procedures nobody has
modelled, and messages that bear the id of another.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Final, NamedTuple

from working import month

if TYPE_CHECKING:
    from pathlib import Path

UNTIL: Final = "2025-03-27"
"""Where the month is cut off, so that many dossiers stay open and are late ever since."""
MESSAGES_A_DOSSIER: Final = 7
ONE_IN: Final = 30
"""So many messages for one that cannot be read, for one that bears another's id, and dossiers for one of a procedure
without a definition."""


class Sent(NamedTuple):
    """A message and its key: the dossier it is about, or seems to be."""

    key: bytes
    value: bytes


def workload(folder: Path, size: int, seed: int) -> list[Sent]:
    """About so many messages in a random order, in which only the other message of an id comes after the first."""
    choose = random.Random(seed)
    told = [
        (choose.random(), _of(line))
        for line in month(folder, max(20, size // MESSAGES_A_DOSSIER), seed, until=UNTIL)
    ]
    unknown = set(choose.sample(keys := sorted({one.key for _, one in told}), max(1, len(keys) // ONE_IN)))
    told = [(at, _unmodelled(one) if one.key in unknown else one) for at, one in told]
    few = max(3, len(told) // ONE_IN)
    told += [(choose.uniform(at, 1), _of_another(one)) for at, one in choose.sample(told, few)]
    told += [(at, _spoilt(one, choose)) for at, one in choose.sample(told, few)]
    return [one for _, one in sorted(told)]


def _of(line: bytes) -> Sent:
    return Sent(json.loads(line)["subject"].encode(), line)


def _unmodelled(one: Sent) -> Sent:
    told = json.loads(one.value)
    if "procedure" in told["data"]:
        told["data"]["procedure"] = "never-modelled"
    return Sent(one.key, json.dumps(told).encode())


def _of_another(one: Sent) -> Sent:
    """Another happening under the same id: the time is no longer what it was."""
    told = json.loads(one.value)
    told["data"]["occurred_at"] = told["data"]["occurred_at"].replace("2025-03", "2025-02")
    return Sent(one.key, json.dumps(told).encode())


def _spoilt(one: Sent, choose: random.Random) -> Sent:
    how = choose.randrange(3)
    if how == 0:
        return Sent(one.key, one.value[: choose.randrange(len(one.value))])
    told = json.loads(one.value)
    if how == 1:
        told["type"] = f"dossier.dreamt.v{choose.randrange(9)}"
    else:
        del told["data"]
    return Sent(one.key, json.dumps(told).encode())
