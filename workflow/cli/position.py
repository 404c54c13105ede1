"""`dunghen position`: how far each stream was read, and the way out where a log is not what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from consumers.kafkareader import NO_LOG, log_of
from workflow.cli.brokers import broker_options
from workflow.cli.options import Command, Group, kafka_settings, output_option
from workflow.cli.output import Column, print_rows
from workflow.cli.stores import store_options
from workflow.errors import UsageError
from workflow.store.looking import positions

if TYPE_CHECKING:
    from workflow.cli.brokers import Broker
    from workflow.cli.output import Form
    from workflow.cli.stores import Place

POSITIONS = (
    Column("stream", "Stream"),
    Column("partition", "Partition", "right"),
    Column("position", "Position", "right"),
    Column("epoch", "Claims", "right"),
    Column("log", "Log"),
)


@click.group(cls=Group)
def position() -> None:
    """How far streams were read."""


@position.command("list", cls=Command)
@store_options
@output_option()
def list_(place: Place, output: Form) -> None:
    """Say how far each stream was read, how often it was claimed, and in which log."""
    with place.opened() as store:
        print_rows(to_builtins(positions(store)), POSITIONS, output)


@position.command("set", cls=Command)
@click.argument("topic")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@store_options
@broker_options
def set_(topic: str, partition: int, offset: int, place: Place, broker: Broker) -> None:
    """Have a partition of a topic, as it is now, read on from an offset.

    For a topic that was made anew or has lost its start or end, once it is known what is missing. A worker that reads
    the partition begins again from there; what was read before is known by its identity and not taken twice.
    """
    log = log_of(broker.servers, topic, **kafka_settings().security())
    if log == NO_LOG:
        raise UsageError(
            "{topic}: expected a topic of {broker}, found none of that name; write its whole name",
            topic=topic,
            broker=broker.servers,
            reason="no_topic",
        )
    with place.opened() as store, store.writing() as writing:
        writing.set_position(topic, partition, offset, log)
