"""`dunghen ticker`: notices deadlines that pass in silence, until it is told to end."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consumers.ticking import PART, Ticking
from workflow.catalogue import load
from workflow.cli.approvals import log_unlisted
from workflow.cli.brokers import health_options
from workflow.cli.options import Command
from workflow.cli.running import running
from workflow.cli.stores import store_options
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from workflow.cli.stores import Place

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(cls=Command)
@store_options
@health_options
@click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)
def ticker(place: Place, health_host: str, health_port: int, procedures: Path | None) -> None:
    """Notice deadlines that pass in silence and feeds that fall silent, until SIGTERM.

    Several tickers share the work. However late one looks, an alert carries the moment it is about.
    """
    with (
        running((PART,), port=health_port, host=health_host) as process,
        resources.as_file(resources.files("processes")) as ours,
        place.opened() as store,
    ):
        process.metrics.watch(lambda: backlog(store, datetime.now(UTC)))
        catalogue = load(procedures or ours)
        log_unlisted(catalogue, PART)
        Ticking(store, catalogue, process.health, process.metrics, process.patience()).run(process.stop)
