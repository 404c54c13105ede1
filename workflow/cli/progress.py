"""A progress bar for long work: on standard error, at a terminal only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
EVERY: Final = 512
"""Items between two looks at the position: seldom enough to cost nothing, often enough to look alive."""


def watched(
    items: Iterable[T], position: Callable[[], tuple[int, int]], label: str, *, terminal: bool | None = None
) -> Iterable[T]:
    """The same items; while they are taken a bar shows `position()`, which is (done, total) in any unit.

    Without a terminal on standard error the items come back untouched, at no cost. `label` is translated.
    """
    shown = sys.stderr.isatty() if terminal is None else terminal
    return _with_bar(items, position, current(label)) if shown else items


def _with_bar(items: Iterable[T], position: Callable[[], tuple[int, int]], label: str) -> Iterator[T]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(label, total=None)
        for number, item in enumerate(items):
            if number % EVERY == 0:
                done, total = position()
                bar.update(task, completed=done, total=total or None)
            yield item
