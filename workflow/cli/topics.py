"""`dunghen topics`: every topic with its reasons, and making those that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consumers.contract.topics import CARRIES, TOPICS, WHY
from consumers.kafka import make_topics
from workflow.cli.brokers import broker_options
from workflow.cli.options import Group, kafka_settings, output_option
from workflow.cli.output import Column, print_rows
from workflow.i18n import current

if TYPE_CHECKING:
    from workflow.cli.brokers import Broker
    from workflow.cli.output import Form

LISTED = (
    Column("topic", "Topic", id=True),
    Column("direction", "Way", words=True),
    Column("partitions", "Partitions", "right"),
    Column("days", "Kept, days", "right"),
    Column("cleanup", "Clean-up", words=True),
    Column("carries", "Carries"),
)
MADE = (Column("topic", "Topic", id=True), Column("found", "Found", words=True), Column("differs", "Differs"))


@click.group(cls=Group)
def topics() -> None:
    """Topics: what goes in and out, by which, and how they are made."""


@topics.command("list")
@broker_options
@output_option()
def list_topics(broker: Broker, output: Form) -> None:
    """List every topic: what it carries, its partitions, how long it keeps what it has, and why. Asks no broker."""
    rows = [
        {
            "topic": broker.prefix + topic.name,
            "direction": topic.direction,
            "partitions": topic.partitions,
            "days": topic.retention_days,
            "cleanup": topic.cleanup,
            "carries": current(CARRIES[topic.name]),
            "why": current(WHY[topic.reasons]),
            "settings": topic.settings,
            "kinds": topic.kinds,
        }
        for topic in TOPICS
    ]
    print_rows(rows, LISTED, output)
    if output == "table":
        for name, reason in WHY.items():
            click.echo(f"\n{broker.prefix}{name}: {current(reason)}")


@topics.command()
@broker_options
@click.option(
    "--replicas",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Copies of each partition: 3 where there are three brokers.",
)
@click.option("--dry-run", is_flag=True, help="Only say what is missing or differs.")
@output_option()
def create(broker: Broker, replicas: int, *, dry_run: bool, output: Form) -> int:
    """Make the topics that are missing. One that is there is never changed: more partitions would break its order.

    Ends with 1 where a topic is not as it should be.
    """
    found = make_topics(
        broker.servers,
        broker.prefix,
        TOPICS,
        replicas=replicas,
        make=not dry_run,
        **kafka_settings().security(),
    )
    print_rows([one._asdict() for one in found], MADE, output)
    return int(any(one.found in {"missing", "differs"} for one in found))
