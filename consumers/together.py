"""Several loops in one process, each in a thread of its own: they end together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from workflow import log
from workflow.errors import DunghenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from threading import Event


def together(loops: Mapping[str, Callable[[Event], object]], stop: Event) -> dict[str, object]:
    """Runs the loops until each has ended; what each returned, by its name.

    One that fails sets `stop`, so that the others finish what they have at hand; then its error is raised, that of the
    first in their order where several fail. One that returns leaves the others running.
    """
    with ThreadPoolExecutor(len(loops), thread_name_prefix="dunghen") as threads:
        running = {name: threads.submit(loop, stop) for name, loop in loops.items()}
        for name, one in running.items():
            one.add_done_callback(_noticed(name, stop))
        return {name: one.result() for name, one in running.items()}


def _noticed(name: str, stop: Event) -> Callable[[Future[object]], None]:
    def ended(one: Future[object]) -> None:
        fault = one.exception()
        if fault is None:
            return
        reason = fault.code if isinstance(fault, DunghenError) else type(fault).__name__
        log.error("failed", part=name, reason=reason, said=str(fault))
        stop.set()

    return ended
