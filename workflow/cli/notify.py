"""`dunghen notify`: sends alerts through webhooks and mail, until it is told to end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from consumers.channels.notifying import Notifying, parts_of
from consumers.channels.opening import senders
from consumers.together import together
from workflow.cli.brokers import health_options
from workflow.cli.channels import PROCEDURES, opened_routes, routes_option
from workflow.cli.options import Command
from workflow.cli.running import running
from workflow.cli.stores import store_options
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.cli.stores import Place


@click.command(cls=Command)
@routes_option(required=True)
@store_options
@health_options
@PROCEDURES
def notify(place: Place, health_host: str, health_port: int, routes: Path, procedures: Path | None) -> None:
    """Send alerts through webhooks and mail as a file of routes says, until SIGTERM.

    A channel that does not answer loses nothing and holds up no other. A delivery may be sent again after a fault, with
    the same id and bytes. Of several such processes of one store each channel is served by one.
    """
    found = opened_routes(routes, procedures)
    reached = senders(found)
    with (
        running(parts_of(reached), port=health_port, host=health_host) as process,
        place.opened() as store,
    ):
        process.metrics.watch(lambda: backlog(store, datetime.now(UTC)))
        loops = Notifying(store, found.value, reached, process.health, process.metrics).loops()
        together(loops, process.stop)
