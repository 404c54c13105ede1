"""`dunghen run`: worker, ticker, relay and channels in one process, until it is told to end."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from consumers import relay, ticking, worker
from consumers.channels.notifying import Notifying, parts_of
from consumers.channels.opening import senders
from consumers.kafka import Publisher
from consumers.relay import Relay
from consumers.ticking import Ticking
from consumers.together import together
from consumers.worker import Worker
from workflow.cli.approvals import log_unlisted
from workflow.cli.brokers import broker_options, health_options
from workflow.cli.channels import opened_routes, routes_option
from workflow.cli.options import Command, kafka_settings
from workflow.cli.running import running, settled
from workflow.cli.stores import store_options
from workflow.cli.worker import KAFKA, reading_options
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
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
@routes_option(required=False)
@click.option("--shadow", is_flag=True, help="Judge and store, and never send what is said.")
def run(
    reading: Reading,
    place: Place,
    broker: Broker,
    health_host: str,
    health_port: int,
    routes: Path | None,
    shadow: bool,  # noqa: FBT001 - a flag of the command line
) -> int:
    """Read events, notice deadlines and send what is said, in one process, until SIGTERM.

    As worker, ticker and relay, and with --routes as notify, on either database. From files there is no relay: what is
    said waits in the store for one; once they are read, deadlines are still noticed. The first part that fails ends the
    others too. Ends with 1 where a stream was stopped.
    """
    told = None if routes is None else opened_routes(routes, None)
    reached = {} if told is None else senders(told)
    parts = [worker.PART, ticking.PART, *([relay.PART] if reading.source == KAFKA else [])]
    parts += parts_of(reached) if told is not None else ()
    with running(parts, port=health_port, host=health_host) as process, ExitStack() as held:
        catalogue, beside = held.enter_context(reading.definitions())
        log_unlisted(catalogue, worker.PART)
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
        if told is not None:
            loops |= Notifying(store, told.value, reached, process.health, process.metrics).loops()
        loops[ticking.PART] = Ticking(store, another, process.health, process.metrics, process.patience()).run
        streams = reading.streams(store, catalogue, beside, broker)
        read = Worker(
            store, catalogue, streams, process.health, process.metrics, patience=process.patience()
        ).run
        settled()
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
