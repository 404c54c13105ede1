"""What the figures of a bench belong to: the day and the kind of machine, and work shared among its cores."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Asked = TypeVar("Asked")
Said = TypeVar("Said")


def machine() -> str:
    """One line: day (UTC), system, processor, Python, cores."""
    kind = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    return f"{datetime.now(UTC).date()}, {kind}"


def on_all_cores(work: Callable[[Asked], Said], asked: Iterable[Asked]) -> Iterator[Said]:
    """What `work` says to each, in the order asked: as if one core had done it all. Leaving off ends the rest."""
    with get_context("spawn").Pool() as pool:
        yield from pool.imap(work, asked)
