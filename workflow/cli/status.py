"""`dunghen status`: what is in a store."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click
import msgspec

from consumers.kafka import log_ends
from workflow.audit.census import census
from workflow.audit.views import view
from workflow.catalogue import JUDGE_VERSION
from workflow.cli.brokers import ADDRESSES
from workflow.cli.naming import called, with_names
from workflow.cli.options import Command, kafka_settings, output_option
from workflow.cli.output import Column, print_json, print_rows
from workflow.cli.position import OF_JUDGMENTS, shown_stream
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.cli.sums import shown_instant, shown_wait
from workflow.cli.unknown import print_unknown
from workflow.clocks.worktime import MICROSECONDS_A_MINUTE
from workflow.errors import BrokerError
from workflow.i18n import current
from workflow.kept import retold
from workflow.store.alerts import feeds
from workflow.store.looking import backlog, positions, strange_units
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from workflow.audit.census import Census, Count, Group
    from workflow.catalogue import Catalogue
    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Seen
    from workflow.store.looking import Backlog, Contents, StrangeUnit

COUNTS = (
    Column("dossiers", "Dossiers", "right"),
    Column("ended", "Ended", "right"),
    Column("open", "Open", "right"),
    Column("open_released", "Of open: released", "right"),
    Column("late", "Late", "right"),
    Column("overdue", "Overdue", "right"),
    Column("deviated", "Deviated", "right"),
    Column("blocked", "Blocked", "right"),
)
SOURCES = (
    Column("source", "Source"),
    Column("facts", "Facts", "right"),
    Column("last_at", "Last event"),
    Column("heard_at", "Last heard"),
    Column("silent", "Silent, working minutes", "right"),
    Column("cadence", "May be silent", "right"),
    Column("past", "Past its cadence"),
)
POSITIONS = (
    Column("stream", "Stream"),
    Column("partition", "Partition", "right"),
    Column("position", "Position", "right"),
    Column("end", "End", "right"),
    Column("lag", "Lag", "right"),
    Column("epoch", "Claim", "right"),
)
WAITING = (
    Column("blocked", "Blocked", "right"),
    Column("dead_letters", "Dead letters", "right"),
    Column("messages", "Not sent", "right"),
    Column("oldest_s", "Oldest waits for", "right"),
    Column("due_s", "Deadline unnoticed for", "right"),
)
CHANNELS = (
    Column("name", "Channel"),
    Column("waiting", "Alerts waiting", "right"),
    Column("oldest_s", "Oldest waits for", "right"),
    Column("parked", "Refused for good", "right"),
    Column("failures", "Failures in a row", "right"),
    Column("failed_at", "Last failed"),
    Column("fault", "Last failure"),
)
LETTERS = (
    Column("reason", "Reason"),
    Column("count", "Count", "right"),
    Column("recorded_at", "Last recorded"),
)
DEFINITIONS = (
    Column("kind", "Definitions"),
    Column("count", "Count", "right"),
    Column("recorded_at", "Newest used since"),
)


@click.command(cls=Command)
@looking_options
@click.option(
    "--brokers",
    type=ADDRESSES,
    envvar="DUNGHEN_BROKERS",
    help="Kafka: host:port. Named, the lag of each partition is told too.",
)
@output_option("table", "json")
def status(looking: Looking, brokers: str | None, output: Form) -> None:
    """Say what is in a store, how far streams were read, and what waits.

    Dossiers by state, procedure and unit, sources and their silence, positions and claims, what is blocked, dead or
    not yet sent, definitions. Where no broker answers all else is told and it ends with 3. Every dossier is open or
    has ended, in whatever way; of the open ones some are released: their result is out. --at and
    --known-at ask about dossiers; everything else is told as it is now.
    """
    with looking.opened() as store:
        zone, held = store.zone, store.contents()
        sources = _sources(store, held)
        reached, away = _reached(store, brokers)
        waits = _retold(backlog(store.store, datetime.now(UTC)))
        strange = strange_units(store.store, store.catalogue.organisation)
        views = (
            view(one.rules, one.dossier, store.at, one.blocked)
            for one in watched(store.judged(), store.progress, "Counting")
        )
        counted, catalogue = census(views), store.catalogue
        said = {
            "store": store.store.name,
            "at": store.at,
            "version": metadata.version("dunghen"),
            "judge_version": JUDGE_VERSION,
        }
    if output == "json":
        running = {
            "sources": sources,
            "positions": reached,
            "waiting": waits,
            "strange_units": msgspec.to_builtins(strange),
        }
        print_json({**said, **_counted(counted, catalogue), **msgspec.to_builtins(held), **running})
    else:
        _print_census(counted, catalogue)
        _print_running(sources, reached, waits, zone)
        _print_contents(held, strange, zone)
        words = current("{facts} facts in {store}; dossiers as of {at}; dunghen {version}.")
        at, version = shown_instant(store.at, zone), said["version"]
        click.echo(words.format(facts=held.facts, store=said["store"], at=at, version=version))
    if away is not None:
        raise away


def _counted(counted: Census, catalogue: Catalogue) -> dict[str, Any]:
    """The counts as JSON has them, with what units and procedures are called."""
    told: dict[str, Any] = msgspec.to_builtins(counted)
    for one in told["procedures"]:
        one["called"] = called(one["name"], "procedure", catalogue)
    for one in told["units"]:
        one["called"] = called(one["name"], "unit", catalogue)
    return told


def _print_census(counted: Census, catalogue: Catalogue) -> None:
    print_rows([_count(counted.whole)], COUNTS, "table", title="All dossiers")
    print_rows(_groups(counted.states), (Column("name", "State"), *COUNTS), "table", title="By state")
    procedures = [with_names(one, catalogue, name="procedure") for one in _groups(counted.procedures)]
    columns = (Column("name", "Procedure", named="below"), *COUNTS)
    print_rows(procedures, columns, "table", title="By procedure")
    units = [with_names(one, catalogue, name="unit") for one in _groups(counted.units)]
    print_rows(units, (Column("name", "Unit", named="below"), *COUNTS), "table", title="By unit")


def _groups(found: Iterable[Group]) -> list[dict[str, object]]:
    return [{"name": one.name, **_count(one.count)} for one in found]


def _count(one: Count) -> dict[str, object]:
    return {**msgspec.structs.asdict(one), "ended": one.dossiers - one.open}


def _sources(store: Seen, held: Contents) -> list[dict[str, object]]:
    """What each source told, when it was last heard by whoever reads it, and its silence by the hours it works."""
    heard: dict[str, datetime] = {one.source: one.recorded_at for one in held.sources}
    with store.store.reading() as reading:
        for row in feeds(reading):
            at = from_us(row.heard_at)
            heard[row.source] = max(heard.get(row.source, at), at)
    told = {one.source: one for one in held.sources}
    return [
        {
            "source": source,
            "facts": told[source].facts if source in told else 0,
            "last_at": told[source].last_at if source in told else None,
            "heard_at": at,
            **_silence(store, source, at),
        }
        for source, at in sorted(heard.items())
    ]


def _silence(store: Seen, source: str, heard_at: datetime) -> dict[str, object]:
    """Working minutes from when it was heard until now, those it may be silent, and whether these have passed."""
    definition = store.catalogue.sources.get(source)
    calendar = None if definition is None else store.catalogue.calendars.get(definition.cadence.calendar)
    if definition is None or calendar is None:
        return {"silent": None, "cadence": None, "past": None}
    silent = calendar.worktime(None, store.now).between(heard_at, store.now) // MICROSECONDS_A_MINUTE
    most = definition.cadence.working_minutes
    return {"silent": silent, "cadence": most, "past": silent > most}


def _reached(store: Seen, brokers: str | None) -> tuple[list[dict[str, object]], BrokerError | None]:
    """How far each partition was read and, where a broker is named, how far its log goes; why it did not say so."""
    found = positions(store.store)
    ends: dict[tuple[str, int], int] = {}
    away = None
    if brokers is not None:
        try:
            ends = log_ends(brokers, {one.stream for one in found}, **kafka_settings().security())
        except BrokerError as fault:
            # When a broker is away is when somebody looks here: what the store knows is told all the same.
            away = fault
    rows: list[dict[str, object]] = [
        {**msgspec.structs.asdict(one), "end": end, "lag": None if end is None else end - one.position}
        for one in found
        for end in [ends.get((one.stream, one.partition))]
    ]
    return rows, away


def _retold(waits: Backlog) -> Backlog:
    """With the failures of channels in the language of the command."""
    channels = tuple(
        msgspec.structs.replace(one, fault=retold(one.fault, current)) if one.fault else one
        for one in waits.channels
    )
    return msgspec.structs.replace(waits, channels=channels)


def _print_running(
    sources: list[dict[str, object]], reached: list[dict[str, object]], waits: Backlog, zone: ZoneInfo
) -> None:
    shown = [{**one, **{key: _shown(one[key], zone) for key in ("last_at", "heard_at")}} for one in sources]
    print_rows(shown, SOURCES, "table", title="Sources, now")
    named = [
        {**one, "stream": shown_stream(str(one["stream"]))}
        for one in reached
        if not str(one["stream"]).startswith(OF_JUDGMENTS)
    ]
    print_rows(named, POSITIONS, "table", title="How far streams were read")
    letters = sum(one.count for one in waits.dead_letters)
    waiting = {
        **msgspec.structs.asdict(waits),
        "dead_letters": letters,
        "oldest_s": shown_wait(waits.oldest_s),
        "due_s": shown_wait(waits.due_s),
    }
    print_rows([waiting], WAITING, "table", title="What waits, now")
    print_rows(_rows(waits.channels, zone), CHANNELS, "table", title="Channels")


def _print_contents(held: Contents, strange: Sequence[StrangeUnit], zone: ZoneInfo) -> None:
    print_rows(_rows(held.dead_letters, zone), LETTERS, "table", title="Dead letters")
    print_unknown(held.unmodelled, strange)
    print_rows(_kinds(held, zone), DEFINITIONS, "table")


def _kinds(held: Contents, zone: ZoneInfo) -> list[dict[str, object]]:
    """The definitions by kind; JSON has each of them."""
    kinds: dict[str, list[datetime]] = {}
    for one in held.definitions:
        kinds.setdefault(one.kind, []).append(one.recorded_at)
    return [
        {"kind": kind, "count": len(at), "recorded_at": shown_instant(max(at), zone)}
        for kind, at in kinds.items()
    ]


def _rows(found: Iterable[Any], zone: ZoneInfo) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [msgspec.structs.asdict(one) for one in found]
    for row in rows:
        for name in ("last_at", "recorded_at", "failed_at"):
            if name in row:
                row[name] = _shown(row[name], zone)
        if "oldest_s" in row:
            row["oldest_s"] = shown_wait(row["oldest_s"])
    return rows


def _shown(value: object, zone: ZoneInfo) -> object:
    return shown_instant(value, zone) if isinstance(value, datetime) else value
