"""What every command that keeps running has: the log, the end by a signal, its health and its measures."""

from __future__ import annotations

import gc
import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from consumers.health import Health, served
from consumers.metrics import Metrics
from workflow import log
from workflow.cli.options import retry_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumers.patience import Patience


class Running(NamedTuple):
    """`stop` is set by SIGTERM and SIGINT: finish what is at hand, then end. `patience`: makes one for each loop."""

    stop: Event
    health: Health
    metrics: Metrics
    patience: Callable[[], Patience]


def settled() -> None:
    """Says that what was made so far stays: the collector of garbage looks at it no more.

    Definitions and libraries are a quarter of a million objects; looking through them takes a tenth of a second, and
    events wait meanwhile.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def running(parts: Sequence[str], *, port: int, host: str) -> Iterator[Running]:
    """Logs, listens to signals and answers for its health while the block runs. `parts` are its loops."""
    log.start()
    stop = Event()

    def end(number: int, _frame: object) -> None:
        log.info("stopping", cause=signal.Signals(number).name)
        stop.set()

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    found = Running(stop, Health(parts), Metrics(), retry_settings().patience)
    try:
        with served(found.health, found.metrics, port, host) as listening:
            log.info("started", kind="+".join(parts), port=listening)
            yield found
        log.info("stopped", kind="+".join(parts))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
