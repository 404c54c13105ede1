"""What every command that keeps running has: the log, the end by a signal, its health and its measures."""

from __future__ import annotations

import gc
import signal
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Thread
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
    found = Running(stop, Health(parts), Metrics(), retry_settings().patience)
    with stopped_by_signals(stop):
        with served(found.health, found.metrics, port, host) as listening:
            log.info("started", kind="+".join(parts), port=listening)
            yield found
        log.info("stopped", kind="+".join(parts))


@contextmanager
def stopped_by_signals(stop: Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop` while the block runs.

    A handler runs within whatever the main thread does. It may just hold the lock of `stop` or of the log, and would
    then wait for itself for ever: so the handler only hands the signal on, and a thread says it and stops.
    """
    signals: SimpleQueue[int | None] = SimpleQueue()

    def listen() -> None:
        while (number := signals.get()) is not None:
            log.info("stopping", cause=signal.Signals(number).name)
            stop.set()

    listener = Thread(target=listen, name="signals", daemon=True)
    listener.start()
    before = {
        one: signal.signal(one, lambda number, _frame: signals.put(number))
        for one in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.put(None)
        listener.join()
