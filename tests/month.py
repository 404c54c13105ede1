"""A made-up month of the department as the benches take it: messages in the order they are sent, and the rules."""

from __future__ import annotations

import platform
import statistics
from datetime import UTC, date, datetime
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from consumers.codec import RawRecord, decode, encode
from workflow.catalogue import load
from workflow.simulation.department import Truth, department, simulate
from workflow.simulation.volumes import Rates
from workflow.store.bodies import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact

ROOT = Path(__file__).resolve().parents[1]
BATCH = 1_000


@cache
def catalogue() -> Catalogue:
    """The definitions that come with the product."""
    return load(ROOT / "processes")


def facts(known: Catalogue, dossiers: int, seed: int = 1) -> list[Fact]:
    """A month of so many dossiers, damaged at the usual rates, in the order its facts are sent."""
    organisation = known.organisation
    assert organisation is not None
    work = known.calendars[organisation.calendar].worktime(None, None)
    body = department(known.families.values(), organisation, work, date(2025, 3, 1))
    return [one for one in simulate(body, dossiers, Rates(), Random(seed)) if not isinstance(one, Truth)]


def messages(told: Iterable[Fact]) -> list[bytes]:
    """Facts as structured messages."""
    return [encode(fact) for fact in told]


def batches(lines: Sequence[bytes], size: int = BATCH) -> list[Sequence[bytes]]:
    """Messages in batches."""
    return [lines[at : at + size] for at in range(0, len(lines), size)]


def sent(told: Sequence[Fact], size: int = BATCH) -> list[datetime]:
    """When each batch of a live stream was sent: as the last of its facts took effect, but for one in a hundred, since
    some are told ahead of their time. It never falls."""
    ends = []
    for at in range(0, len(told), size):
        times = sorted(fact.entered_at or fact.occurred_at for fact in told[at : at + size])
        ends.append(times[(len(times) - 1) * 99 // 100])
    return list(accumulate(ends, max))


def decoded(lines: Iterable[bytes]) -> list[Told]:
    """Messages with the facts they tell."""
    return [Told(decode(RawRecord(line)), line) for line in lines]


def heading() -> str:
    """The day and the kind of machine."""
    return f"{datetime.now(UTC).date()}, {platform.machine()}, Python {platform.python_version()}"


def spread(values: Sequence[float]) -> str:
    """A median with the least and the greatest."""
    return f"{statistics.median(values):.2f} [{min(values):.2f}-{max(values):.2f}]"
