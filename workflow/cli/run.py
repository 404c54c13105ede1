"""`dunghen run`: worker, ticker and relay in one process, until it is told to end."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from consumers import relay, ticking, worker
from consumers.kafka import Publisher
from consumers.relay import Relay
from consumers.ticking import Ticking
from consumers.together import together
from consumers.worker import Worker
from workflow.cli.brokers import broker_options, health_options
from workflow.cli.options import Command, kafka_settings
from workflow.cli.running import running
from workflow.cli.stores import store_options
from workflow.cli.worker import KAFKA, reading_options
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from workflow.cli.brokers import Broker
    from workflow.cli.running import Running
    from workflow.cli.stores import Place
    from workflow.cli.worker import Reading


@click.command(cls=Command)
@reading_options
@store_options
@broker_options
@health_options
@click.option("--shadow", is_flag=True, help="Judge and store, and never send what is said.")
def run(
    reading: Reading,
    place: Place,
    broker: Broker,
    health_host: str,
    health_port: int,
    shadow: bool,  # noqa: FBT001 - a flag of the command line
) -> int:
    """Read events, notice deadlines and send what is said, in one process, until SIGTERM.

    As worker, ticker and relay, on either database. From files there is no relay: what is said waits in the store for
    one; once they are read, deadlines are still noticed. The first part that fails ends the others too. Ends with 1
    where a stream was stopped.
    """
    parts = [worker.PART, ticking.PART, *([relay.PART] if reading.source == KAFKA else [])]
    with running(parts, port=health_port, host=health_host) as process, ExitStack() as held:
        catalogue, beside = held.enter_context(reading.definitions())
        # What a definition remembers while it judges is of one thread, so the ticker has its own.
        another, _ = held.enter_context(reading.definitions())
        store = held.enter_context(place.opened(make=True, shadow=shadow))
        process.metrics.watch(lambda: backlog(store, datetime.now(UTC)))
        loops: dict[str, Callable[[Event], object]] = {}
        if relay.PART in parts:
            publish = held.enter_context(closing(Publisher(broker.servers, **kafka_settings().security())))
            loops[relay.PART] = Relay(
                store, publish, broker.prefix, process.health, process.metrics, process.patience()
            ).run
        loops[ticking.PART] = Ticking(store, another, process.health, process.metrics, process.patience()).run
        streams = reading.streams(catalogue, beside, broker)
        read = Worker(
            store, catalogue, streams, process.health, process.metrics, patience=process.patience()
        ).run
        loops[worker.PART] = _told_when_done(read, process)
        whole = together(loops, process.stop)[worker.PART]
    return int(not whole)


def _told_when_done(read: Callable[[Event], bool], process: Running) -> Callable[[Event], bool]:
    """The worker's loop; at the end of its files it is expected to come round no longer."""

    def until_read(stop: Event) -> bool:
        whole = read(stop)
        process.health.finished(worker.PART)
        return whole

    return until_read
