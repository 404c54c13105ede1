"""`dunghen position`: how far each stream was read, and the way out where a log is not what it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click
from msgspec import to_builtins

from consumers.kafkareader import NO_LOG, log_of
from workflow.cli.brokers import broker_options
from workflow.cli.options import Command, Group, kafka_settings, output_option
from workflow.cli.output import Column, print_rows
from workflow.cli.stores import store_options
from workflow.errors import UsageError
from workflow.i18n import current
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


DIGITS: Final = 12
"""Of the digest that tells a file: enough to tell the files of one store apart."""


OF_JUDGMENTS: Final = "judge/"
"""What the claims of judgments over several subjects begin with: nothing is read there."""


def shown_stream(stream: str) -> str:
    """A stream for people. A file is known by its bytes, not by its name, which may be another the next time."""
    digest = stream.removeprefix("file/")
    if digest == stream:
        return stream
    return current("a file, SHA-256 {digest}…").format(digest=digest[:DIGITS])


@click.group(cls=Group)
def position() -> None:
    """How far streams were read."""


@position.command("list", cls=Command)
@store_options
@output_option()
def list_(place: Place, output: Form) -> None:
    """Say how far each stream was read, how often it was claimed, and in which log."""
    with place.opened() as store:
        rows: list[dict[str, object]] = to_builtins(positions(store))
    if output == "table":
        rows = [row for row in rows if not str(row["stream"]).startswith(OF_JUDGMENTS)]
        rows = [
            {
                **row,
                "stream": shown_stream(str(row["stream"])),
                "log": "" if row["stream"] == f"file/{row['log']}" else row["log"],
            }
            for row in rows
        ]
    print_rows(rows, POSITIONS, output)


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
        writing.set_position(topic, partition, offset, log, datetime.now(UTC))
