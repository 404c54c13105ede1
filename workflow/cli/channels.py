"""`dunghen channels`: how each channel stands, what went through it, and what was refused for good."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from consumers.channels.opening import senders
from consumers.channels.wording import about
from workflow.alerts.routes import placed_routes
from workflow.alerts.words import ALERT_CHANGES, ALERT_KINDS
from workflow.cli.inputs import FILE
from workflow.cli.options import Command, Group, output_option
from workflow.cli.output import Column, print_rows, tell_none
from workflow.cli.stores import Looking, store_options
from workflow.cli.sums import shown_instant, shown_wait
from workflow.errors import UsageError
from workflow.i18n import current
from workflow.kept import retold
from workflow.organisation import read_organisation
from workflow.store import notices
from workflow.store.looking import channels as standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar
    from zoneinfo import ZoneInfo

    from workflow.alerts.routes import Routes
    from workflow.cli.output import Form
    from workflow.cli.stores import Place
    from workflow.store.looking import Channel
    from workflow.store.notices import Delivery, State
    from workflow.yamltree import Placed

    F = TypeVar("F", bound="Callable[..., Any]")

FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
OPEN: Final[tuple[State, ...]] = ("waiting", "parked")
STATES: Final[tuple[State, ...]] = ("waiting", "parked", "sent", "quiet")
DELIVERY_STATES: Final = {
    "waiting": "waiting",
    "parked": "refused for good",
    "sent": "sent",
    "quiet": "snoozed meanwhile",
}
CHANNELS: Final = (
    Column("name", "Channel"),
    Column("waiting", "Alerts waiting", "right"),
    Column("oldest_s", "Oldest waits for", "right"),
    Column("parked", "Refused for good", "right"),
    Column("failures", "Failures in a row", "right"),
    Column("delivered_at", "Last delivered"),
    Column("failed_at", "Last failed"),
    Column("fault", "Last failure"),
)
DELIVERIES: Final = (
    Column("number", "Number", "right"),
    Column("made_at", "Made"),
    Column("channel", "Channel"),
    Column("route", "Route"),
    Column("address", "Address"),
    Column("form", "Form", words=True),
    Column("unit", "Unit"),
    Column("notices", "Alerts", "right"),
    Column("state", "State"),
    Column("settled_at", "Settled"),
    Column("fault", "Failure"),
)
ALERTS: Final = (
    Column("id", "Alert"),
    Column("kind", "Kind"),
    Column("change", "Said"),
    Column("subject", "About"),
    Column("unit", "Unit"),
    Column("due_at", "Due"),
)
ROUTES: Final = (
    Column("route", "Route"),
    Column("channel", "Channel"),
    Column("asks", "Takes"),
    Column("address", "Address"),
    Column("storm", "Digest above"),
)


def routes_option(*, required: bool) -> Callable[[F], F]:
    """`--routes`, the file that says which alerts go where."""
    return click.option(
        "--routes",
        type=FILE,
        required=required,
        envvar="DUNGHEN_ROUTES",
        help="The file that says which alerts go through which channel, to whom.",
    )


PROCEDURES: Final = click.option(
    "--procedures", type=FOLDER, help="The folder of definitions; by default those that come with us."
)


def opened_routes(path: Path, procedures: Path | None) -> Placed[Routes]:
    """The routes of a file, held to the organisation. Raises DefinitionError with file:line:column, UnknownZone."""
    with resources.as_file(resources.files("processes")) as ours:
        found = next(iter(sorted(((procedures or ours) / "organisation").glob("*.yaml"))), None)
        return placed_routes(path, None if found is None else read_organisation(found))


@click.group(cls=Group)
def channels() -> None:
    """Webhooks and mail: how each stands, and what was refused for good."""


@channels.command("list", cls=Command)
@store_options
@output_option()
def list_(place: Place, output: Form) -> None:
    """List the channels: alerts that wait, what was refused for good, and the last failure."""
    with Looking(place, None, None).opened() as seen:
        found = standing(seen.store, datetime.now(UTC))
        rows = [{**msgspec.structs.asdict(one), "fault": fault_of(one)} for one in found]
        if output == "table":
            rows = [{**row, "oldest_s": shown_wait(row["oldest_s"])} for row in rows]
        print_rows(_at_desk(rows, seen.zone, output), CHANNELS, output)
    tell_none(rows, output, "Nothing went through a channel yet.")


@channels.command(cls=Command)
@click.argument("number", type=click.IntRange(1), required=False)
@store_options
@click.option("--all", "everything", is_flag=True, help="Those that were sent or set aside, too.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@output_option()
def show(number: int | None, place: Place, everything: bool, limit: int, output: Form) -> None:  # noqa: FBT001 - a flag of the command line
    """Show the deliveries that wait or were refused, the newest first; with a NUMBER each alert of that one.

    A digest counts its alerts; this lists them.
    """
    with Looking(place, None, None).opened() as seen, seen.store.reading() as reading:
        if number is None:
            found = notices.deliveries(reading, STATES if everything else OPEN, limit)
            rows: list[dict[str, Any]] = [{**one._asdict(), "fault": fault_of(one)} for one in found]
            if output == "table":
                rows = [{**row, "state": current(DELIVERY_STATES[row["state"]])} for row in rows]
            print_rows(_at_desk(rows, seen.zone, output), DELIVERIES, output)
            tell_none(rows, output, "No delivery meets what is asked.")
            return
        one = notices.delivery(reading, number)
        if one is None:
            raise UsageError(
                "{store}: there is no delivery {number}; see those there are with: dunghen channels show --all",
                store=seen.store.name,
                number=number,
                reason="no_delivery",
            )
        rows = [about(content) for content in notices.contents_of(reading, one.id)]
        if output == "table":
            rows = [
                {
                    **row,
                    "kind": current(ALERT_KINDS[row["kind"]]),
                    "change": current(ALERT_CHANGES[row["change"]]),
                }
                for row in rows
            ]
        print_rows(_at_desk(rows, seen.zone, output), ALERTS, output)


@channels.command(cls=Command)
@click.argument("numbers", type=click.IntRange(1), nargs=-1)
@store_options
@click.option("--all", "everything", is_flag=True, help="All that were refused for good.")
def resend(numbers: tuple[int, ...], place: Place, everything: bool) -> None:  # noqa: FBT001 - as above
    """Have deliveries that were refused for good sent again, under the ids they had."""
    with place.opened() as store, store.writing() as writing:
        if everything:
            numbers = notices.parked(writing)
        for number in dict.fromkeys(numbers):
            if not notices.send_again(writing, number):
                raise UsageError(
                    "{store}: there is no such delivery {number} refused for good; see those there are with: dunghen "
                    "channels show",
                    store=store.name,
                    number=number,
                    reason="no_delivery",
                )
    click.echo(current("{count} wait to be sent again.").format(count=len(set(numbers))))


@channels.command(cls=Command)
@routes_option(required=True)
@PROCEDURES
@output_option()
def check(routes: Path, procedures: Path | None, output: Form) -> None:
    """Check a file of routes with all it names: secrets, passwords, certificates, units and posts. Nothing is sent."""
    found = opened_routes(routes, procedures)
    senders(found)
    rows = []
    for name, route in found.value.routes.items():
        asks = [*route.topics, *route.kinds, *route.units, *route.posts]
        if route.rung:
            asks.append(f"rung {route.rung}")
        storm = f"{route.storm.alerts} / {route.storm.minutes} min"
        rows.append(
            {
                "route": name,
                "channel": route.channel,
                "asks": asks,
                "address": route.address,
                "storm": storm,
            }
        )
    print_rows(rows, ROUTES, output)


def fault_of(one: Channel | Delivery) -> str | None:
    """Why it failed last, in the language of the command; None where nothing failed."""
    return None if one.fault is None else retold(one.fault, current)


def _at_desk(rows: Iterable[dict[str, Any]], zone: ZoneInfo, output: Form) -> list[dict[str, Any]]:
    """In a table instants as they are read in a zone."""
    if output != "table":
        return list(rows)
    return [
        {
            name: shown_instant(value, zone) if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        for row in rows
    ]
