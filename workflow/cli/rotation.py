"""`dunghen rotation`: who has to leave which post, why and by when; and what to hand over."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
import msgspec

from consumers.rotating import acts_after, officers
from workflow.audit.views import in_order, view
from workflow.cli.listing import print_views
from workflow.cli.naming import with_names, worded
from workflow.cli.options import Group, output_option
from workflow.cli.output import Column, print_json, print_rows, tell_none
from workflow.cli.progress import watched
from workflow.cli.stores import looking_options
from workflow.cli.sums import print_sum, shown_instant
from workflow.errors import UsageError
from workflow.i18n import current
from workflow.rotation.careers import career, day_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.cli.stores import Looking, Seen
    from workflow.rotation.careers import Career
    from workflow.rotation.duties import Duty, Rotation

DUTIES: Final = (
    Column("officer", "Officer"),
    Column("kind", "Because of"),
    Column("rests_on", "Rests on"),
    Column("post", "Post"),
    Column("unit", "Unit", named="below"),
    Column("state", "State"),
    Column("due_at", "Due"),
    Column("left_on", "Left on"),
    Column("to", "Goes to"),
    Column("proposed_by", "Proposed by"),
    Column("sample", "Sample"),
)
SPARSE: Final = ("left_on", "proposed_by", "sample")
"""Columns a table has only where they tell rows apart, or at all."""
POSTS: Final = (
    Column("post", "Post"),
    Column("unit", "Unit"),
    Column("since", "Since"),
    Column("until", "Left on"),
)
ACTS: Final = (
    Column("officer", "Officer"),
    Column("post", "Post"),
    Column("unit", "Unit"),
    Column("left_on", "Left on"),
    Column("dossier", "Dossier", id=True),
    Column("action", "Action"),
    Column("at", "When"),
)


class Known(NamedTuple):
    """The rules of rotation, the careers of some officers, and the store they were read from."""

    rotation: Rotation
    careers: list[Career]
    store: Seen


@click.group(cls=Group)
def rotation() -> None:
    """See which officers have to leave their post."""


@rotation.command("list")
@looking_options
@click.option("--reader", help="Only what the holder of this post may read.")
@click.option("--unit", "units", multiple=True, help="Only posts of this unit.")
@click.option("--all", "every", is_flag=True, help="Also those that are done, freed, or not announced yet.")
@output_option()
def list_(
    looking: Looking,
    reader: str | None,
    units: tuple[str, ...],
    every: bool,  # noqa: FBT001 - a flag of the command line
    output: Form,
) -> None:
    """List the moves that are due or overdue: of verified findings first, then of terms, each by its date."""
    with looking.opened() as store:
        known = _known(store)
        _check_reader(known.rotation, reader)
        rows = [
            _row(known, duty)
            for told in known.careers
            for duty in known.rotation.duties(told)
            if (reader is None or known.rotation.may_read(duty, reader)) and (not units or duty.unit in units)
        ]
    found = [row for row in rows if every or row["state"] in ("due", "overdue")]
    found.sort(key=lambda row: (str(row["kind"]), str(row["due_at"] or "9999"), str(row["officer"])))
    shown = [one for one in DUTIES if one.key not in SPARSE or len({str(row[one.key]) for row in found}) > 1]
    _print(found, shown if output == "table" else DUTIES, output, known.store.zone)
    tell_none(found, output, "No move is to be made.")
    if output == "table" and any(row["sample"] for row in found):
        click.echo(current("Some of these dates rest on figures that are a sample."))
    if output == "table" and reader is None:
        _tell_strangers(known)


@rotation.command()
@click.argument("officer")
@looking_options
@output_option("table", "json")
def show(officer: str, looking: Looking, output: Form) -> None:
    """Show one officer: posts held, moves to make with their sums, acts in posts left before."""
    with looking.opened() as store:
        known = _known(store, officer)
        (told,) = known.careers
        duties = known.rotation.duties(told)
        with store.store.reading() as reading:
            after = acts_after(
                reading, store.catalogue, [told], until=store.asked_at, known_at=store.known_at
            ).get(officer, [])
    if output == "json":
        print_json({"career": told, "duties": [_row(known, one) for one in duties], "acted_after": after})
        return
    _print([msgspec.structs.asdict(one) for one in told.holdings], POSTS, "table", store.zone)
    for duty in duties:
        _print_duty(known, duty)
    _print(
        [msgspec.structs.asdict(one) for one in after],
        ACTS,
        "table",
        store.zone,
        "Acts after the post was left",
    )


@rotation.command()
@click.argument("officer")
@looking_options
@click.option("--unit", "units", multiple=True, help="Only dossiers of this unit.")
@output_option()
def handover(officer: str, looking: Looking, units: tuple[str, ...], output: Form) -> None:
    """List the open dossiers an officer holds, to be handed over before a move. No clock begins anew by it."""
    with looking.opened() as store:
        views = (
            view(one.rules, one.dossier, store.at, one.blocked)
            for one in watched(store.judged(), store.progress, "Looking")
            if one.dossier.officer == officer
        )
        found = in_order((one for one in views if one.open and (not units or one.unit in units)), "due")
        print_views(found, len(found), output, store)


@rotation.command()
@looking_options
@output_option()
def acts(looking: Looking, output: Form) -> int:
    """List acts in a post after it was left. Ends with 1 where there are some."""
    with looking.opened() as store, store.store.reading() as reading:
        known = _known(store)
        after = acts_after(
            reading, store.catalogue, known.careers, until=store.asked_at, known_at=store.known_at
        )
        found = [msgspec.structs.asdict(one) for officer in sorted(after) for one in after[officer]]
    _print(found, ACTS, output, store.zone)
    tell_none(found, output, "Nobody acted in a post after it was left.")
    return int(bool(found))


def _tell_strangers(known: Known) -> None:
    store = known.store
    posts, strange = known.rotation.strangers(known.careers, day_of(store.at, store.zone))
    if posts:
        click.echo(
            current(
                "Posts held that the rotation file does not name, so that no term of theirs ends: {posts}"
            ).format(posts=", ".join(posts))
        )
    if strange:
        click.echo(
            current("Units that the organisation does not name: {units}").format(units=", ".join(strange))
        )


def _known(store: Seen, officer: str | None = None) -> Known:
    """The careers of all officers, or of one, at the moments asked about. Raises UsageError where nothing is known."""
    found = store.catalogue.rotation()
    if found is None:
        raise UsageError(
            "{store}: no rules of rotation were used there yet; bring in a register of officers with: dunghen import "
            "FILE --source personnel",
            store=store.store.name,
            reason="no_rotation",
        )
    with store.store.reading() as reading:
        careers = [
            career(store.catalogue.orders, name, facts, known_at=store.known_at, valid_at=store.at)
            for name, facts in officers(
                reading, store.catalogue, known_at=store.known_at, valid_at=store.asked_at
            )
            if officer is None or name == officer
        ]
    if officer is not None and not careers:
        raise UsageError(
            "{store}: no officer {officer}; the code must be written exactly as its source writes it",
            store=store.store.name,
            officer=officer,
            reason="no_officer",
        )
    return Known(found, careers, store)


def _check_reader(rules: Rotation, reader: str | None) -> None:
    posts = rules.organisation.posts
    if reader is not None and reader not in posts:
        raise UsageError(
            "--reader: expected one of {known}, found {found}; name a post of the organisation",
            known=", ".join(posts),
            found=reader,
            reason="unknown_post",
        )


def _row(known: Known, duty: Duty) -> dict[str, object]:
    row = {**msgspec.structs.asdict(duty), "state": known.rotation.state(duty, known.store.at)}
    return with_names(row, known.store.catalogue, unit="unit")


def _print(
    rows: Sequence[dict[str, object]],
    columns: Sequence[Column],
    output: Form,
    zone: ZoneInfo,
    title: str = "",
) -> None:
    shown: Iterator[dict[str, Any]] | Sequence[dict[str, Any]] = rows
    if output == "table":
        shown = ({key: _shown(key, value, zone) for key, value in row.items()} for row in rows)
    print_rows(shown, columns, output, title=title)


def _shown(key: str, value: object, zone: ZoneInfo) -> object:
    if isinstance(value, datetime):
        return shown_instant(value, zone)
    if key == "sample":
        return current("sample") if value else ""
    return current(WORDS[str(value)]) if key in ("state", "kind") and value in WORDS else value


def _print_duty(known: Known, duty: Duty) -> None:
    zone, state = known.store.zone, known.rotation.state(duty, known.store.at)
    due = current("no date") if duty.due_at is None else shown_instant(duty.due_at, zone)
    click.echo(
        f"{current(WORDS[duty.kind])} · {duty.rests_on}: {due} · {current(WORDS[state])} · {duty.to}@{duty.at}"
    )
    print_sum(duty.sum, zone)
    if duty.basis:
        click.echo(f"  {current('basis: {basis}').format(basis=worded(duty.basis))}")
    click.echo()


WORDS: Final = {
    "finding": "move because of a finding",
    "term": "end of term",
    "ahead": "not announced yet",
    "due": "due",
    "overdue": "overdue",
    "done": "done",
    "exempt": "exempt",
    "deferred": "deferred",
}
