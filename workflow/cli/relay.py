"""`dunghen relay`: sends what the store has to say to its topics, until it is told to end."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from consumers.kafka import Publisher
from consumers.relay import PART, Relay
from workflow.cli.brokers import broker_options, health_options
from workflow.cli.options import Command, kafka_settings
from workflow.cli.running import running
from workflow.cli.stores import store_options
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from workflow.cli.brokers import Broker
    from workflow.cli.stores import Place


@click.command(cls=Command)
@store_options
@broker_options
@health_options
def relay(place: Place, broker: Broker, health_host: str, health_port: int) -> None:
    """Send decisions, alerts and dead letters to their topics, until SIGTERM.

    Of several relays of one store one sends and the others stand by. A message may be sent again after a fault, with
    the same id and bytes. What was judged in shadow is never sent.
    """
    with (
        running((PART,), port=health_port, host=health_host) as process,
        place.opened() as store,
        closing(Publisher(broker.servers, **kafka_settings().security())) as publish,
    ):
        process.metrics.watch(lambda: backlog(store, datetime.now(UTC)))
        Relay(store, publish, broker.prefix, process.health, process.metrics, process.patience()).run(
            process.stop
        )
