"""`dunghen alerts`: what must be said, listed and shown, and what a person does about it."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import click
import msgspec

from consumers.apply import Told, apply
from consumers.codec import encode
from workflow.alerts.causes import limit_of
from workflow.alerts.words import ALERT_KINDS, ALERT_STATES
from workflow.cli.inputs import moment
from workflow.cli.naming import with_names, worded
from workflow.cli.options import Group, OneOf, output_option
from workflow.cli.output import Column, print_json, print_rows, tell_none
from workflow.cli.overruns import overrun_of, print_overrun
from workflow.cli.stores import Looking, Place, Seen, store_options
from workflow.cli.sums import KINDS, print_sum, shown_instant
from workflow.errors import UsageError
from workflow.facts import Actor, AlertActed, Fact, is_bare
from workflow.i18n import current
from workflow.messages import Kind, State
from workflow.procedure.language import Names
from workflow.store.alerts import lives, lives_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from workflow.alerts.life import Life, Shown
    from workflow.cli.output import Form

By: TypeAlias = Literal["kind", "unit", "cause"]
OPEN: Final = ("raised", "acknowledged", "snoozed")
STATES: Final[tuple[Shown, ...]] = (*get_args(State), "unsaid")
SOURCE: Final = "dunghen"
"""The source of what is done about alerts on the command line."""

COLUMNS: Final = (
    Column("due_at", "Due"),
    Column("kind", "Alert"),
    Column("unit", "Unit", named="below"),
    Column("state", "State"),
    Column("id", "Id", id=True),
)
"""What a table has room for; the id is what `show` and the acts ask for, and names what the alert is about."""
FLAT: Final = tuple(
    Column(key, "")
    for key in (
        *("id", "raised_at", "kind", "subject", "rule", "unit", "due_at", "state", "to", "cause"),
        *("officer", "source", "ended_at", "rung", "n"),
    )
)
FIELD_NAMES: Final = {
    "id": "Id",
    "kind": "Alert",
    "topic": "Topic",
    "subject": "About",
    "rule": "Rule",
    "due_at": "Due",
    "ended_at": "Ended",
    "unit": "Unit",
    "officer": "Officer",
    "source": "Source",
    "to": "Goes to",
    "readers": "May be read by",
    "rung": "Rung",
    "procedure": "Procedure",
    "revision": "Revision",
    "basis": "Basis",
    "calendar": "Calendar",
    "by": "Measured by",
    "cause": "Cause",
    "feed_silent": "Its source was silent",
    "history": "History, not sent",
    "raise_at": "To be raised from",
    "state": "State",
    "raised_at": "Raised",
    "n": "Messages",
    "act": "Last act",
    "by_whom": "By whom",
    "until": "Until",
    "why": "Its reason",
}
"""What `show` calls the fields of an alert."""
GROUPED: Final = (
    Column("group", "Group", named="below"),
    Column("kind", "Alert"),
    Column("count", "Count", "right"),
    Column("first_due_at", "Earliest due"),
)
FIELDS: Final = (Column("field", "Field"), Column("value", "Value"))


@click.group(cls=Group)
def alerts() -> None:
    """Look at alerts, and say what was done about them."""


@alerts.command("list")
@store_options
@click.option("--kind", "kinds", multiple=True, type=OneOf(get_args(Kind)), help="Only of this kind.")
@click.option("--unit", "units", multiple=True, help="Only those about this unit's dossiers.")
@click.option("--about", "subjects", multiple=True, help="Only those about this dossier, officer or source.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=OneOf(STATES),
    default=OPEN,
    show_default=True,
    help="Only those in this state.",
)
@click.option(
    "--by",
    type=click.Choice(get_args(By)),
    help="Count them by kind, by unit, or by cause, instead of listing each.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many are shown at most."
)
@output_option()
def list_(place: Place, by: By | None, limit: int, output: Form, **asked: Any) -> None:  # noqa: ANN401 - the other options
    """List alerts, those that meet all that is asked; the earliest due first."""
    with place.opened() as store, store.reading() as reading:
        found = lives(reading.alerts(asked["subjects"] or None)).values()
        seen = Seen(store, None, None, datetime.now(UTC))
        zone, catalogue = seen.zone, seen.catalogue
    wanted = sorted((one for one in found if _takes(one, asked)), key=_order)
    tell_none(wanted, output, "No alert meets what is asked.")
    if by is not None:
        groups = _groups(wanted, by, output, zone)
        if by == "unit":
            groups = [with_names(one, catalogue, group="unit") for one in groups]
        print_rows(groups, GROUPED[by == "kind" :], output)
    else:
        rows = [with_names(_row(one, output, zone), catalogue, unit="unit") for one in wanted[:limit]]
        print_rows(rows, COLUMNS if output == "table" else FLAT, output)
    if by is None and len(wanted) > limit:
        click.echo(
            current("{shown} of {total} alerts shown; see more with --limit").format(
                shown=limit, total=len(wanted)
            ),
            err=True,
        )
    _tell_waiting(found, asked)


@alerts.command()
@click.argument("alert")
@store_options
@output_option("table", "json")
def show(alert: str, place: Place, output: Form) -> None:
    """Show one alert whole: what it rests on, its sum line by line, and where it is in its life."""
    with Looking(place, None, None).opened() as store:
        life, zone = _life(store, alert), store.zone
        why, reason = overrun_of(store, life.alert), _reason(store, life)
        rules = store.catalogue.rules(life.alert.procedure or "", life.alert.revision or "")
    if output == "json":
        found = msgspec.to_builtins(life)
        if life.act is not None:
            found["act"]["reason"] = reason
        print_json({**found, "state": life.shown, "overrun": why})
        return
    one = life.alert
    said = {
        **msgspec.structs.asdict(one),
        "basis": worded(Names(vi=one.basis_vi or one.basis or "", en=one.basis or "")),
        "state": life.shown,
        "raised_at": life.raised_at,
        "n": life.n,
    }
    if life.act is not None:
        said |= {"act": life.act.act, "by_whom": life.act.by, "until": life.act.until, "why": reason}
    rows = [
        {"field": current(FIELD_NAMES[name]), "value": _worded(name, value, zone)}
        for name, value in said.items()
        if value not in (None, "", (), False) and name not in ("sum", "basis_vi")
    ]
    print_rows(rows, FIELDS, "table")
    print_sum(life.alert.sum, zone, None if rules is None else rules.revision)
    if why is not None:
        print_overrun(why, None if rules is None else rules.revision)


def _worded(name: str, value: object, zone: ZoneInfo) -> object:
    """A field's value in words."""
    if isinstance(value, datetime):
        return shown_instant(value, zone)
    if value is True:
        return current("yes")
    words = {"kind": ALERT_KINDS, "state": ALERT_STATES, "act": ALERT_STATES, "by": KINDS}.get(name, {})
    return current(words[str(value)]) if str(value) in words else value


def _reason(store: Seen, life: Life) -> str | None:
    """Why the last act was done, as its fact says: a life keeps what counts alone."""
    if life.act is None:
        return None
    _, *identity = life.act.key
    with store.store.reading() as reading:
        for one in reading.facts([life.alert.subject]):
            if isinstance(one.body, AlertActed) and [one.source, one.id, one.revision] == identity:
                return one.body.reason
    return None


def _acting(command: Any) -> Any:  # noqa: ANN401 - a decorator
    for option in (
        click.option("--reason", help="Why."),
        click.option("--by", "by", required=True, help="The code of the officer who does it."),
        store_options,
        click.argument("alert"),
    ):
        command = option(command)
    return command


@alerts.command()
@_acting
def ack(alert: str, place: Place, by: str, reason: str | None) -> None:
    """Say that somebody has seen an alert and deals with it. Escalation goes on."""
    _act(place, alert, "acknowledged", by, reason, None)


@alerts.command()
@_acting
@click.option("--until", required=True, help="The date or time until which it is quiet.")
def snooze(alert: str, place: Place, by: str, reason: str | None, until: str) -> None:
    """Keep an alert quiet until a moment; then it is said again if it still stands."""
    _act(place, alert, "snoozed", by, reason, until)


@alerts.command()
@_acting
def resolve(alert: str, place: Place, by: str, reason: str | None) -> None:
    """Say that an alert is settled: nothing more is said of it unless facts prove it wrong."""
    _act(place, alert, "resolved", by, reason, None)


def _act(
    place: Place,
    alert: str,
    act: Literal["acknowledged", "snoozed", "resolved"],
    by: str,
    reason: str | None,
    until: str | None,
) -> None:
    """Appends the act as a fact, as any source would tell it."""
    now = datetime.now(UTC)
    if not is_bare(by):
        raise UsageError(
            "--by: expected the code of an officer with no blank around it, found {found}; say who does it",
            found=repr(by),
            reason="by",
        )
    with Looking(place, None, None).opened() as store:
        life = _life(store, alert)
        quiet_until = moment(until, store.zone, "--until")
        if until is not None and quiet_until is not None and quiet_until <= now:
            raise UsageError(
                "--until: expected a date or time to come, found {until}; an alert is quiet until then",
                until=until,
                reason="until",
            )
        body = AlertActed(alert_id=alert, act=act, by=Actor(id=by), until=quiet_until, reason=reason)
        digest = hashlib.sha256(f"{alert}\n{act}\n{by}\n{now.isoformat()}".encode()).hexdigest()
        fact = Fact(life.alert.subject, SOURCE, digest[:32], now, body)
        apply(store.store, store.catalogue, [Told(fact, encode(fact), "command line")], now=now)
        after = _life(store, alert)
    click.echo(current("{alert}: {state}").format(alert=alert, state=current(ALERT_STATES[after.shown])))


def _life(store: Seen, alert: str) -> Life:
    with store.store.reading() as reading:
        found = lives_of(reading, [alert]).get(alert)
    if found is None:
        raise UsageError(
            "{store}: no alert {alert}; see their ids with: dunghen alerts list --output csv",
            store=store.store.name,
            alert=alert,
            reason="no_alert",
        )
    return found


def _takes(one: Life, asked: dict[str, Any]) -> bool:
    alert = one.alert
    named = ((asked["kinds"], alert.kind), (asked["units"], alert.unit), (asked["states"], one.shown))
    return all(not wanted or found in wanted for wanted, found in named)


def _tell_waiting(found: Iterable[Life], asked: dict[str, Any]) -> None:
    """Says how many more are true and not said yet: at night a list of what was said is short, and misleads.

    At least so many: what falls due while the office is closed is mostly looked at when it opens.
    """
    waiting = sum(_takes(one, {**asked, "states": ("waiting",)}) for one in found)
    if waiting and "waiting" not in asked["states"]:
        click.echo(
            current(
                "Not said yet, while the office is closed or an event on its way: at least {count} (--state waiting)"
            ).format(count=waiting),
            err=True,
        )


def _order(one: Life) -> tuple[bool, str, str]:
    due = one.alert.due_at
    return due is None, "" if due is None else due.astimezone(UTC).isoformat(), one.alert.id


def _groups(found: Sequence[Life], by: By, form: Form, zone: ZoneInfo) -> Iterable[dict[str, object]]:
    """How many alerts of each kind there are, or a unit or a cause has, the most first."""
    counted = Counter((_group(one, by), one.alert.kind) for one in found)
    first: dict[tuple[str, str], datetime | None] = {}
    for one in found:
        first.setdefault((_group(one, by), one.alert.kind), one.alert.due_at)
    for key, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        due = first[key]
        shown = due if form != "table" or due is None else shown_instant(due, zone)
        kind = current(ALERT_KINDS[key[1]]) if form == "table" else key[1]
        yield {"group": key[0], "kind": kind, "count": count, "first_due_at": shown}


def _group(one: Life, by: By) -> str:
    alert = one.alert
    if by == "kind":
        return alert.kind
    if by == "unit":
        return alert.unit or ""
    return ", ".join(part for part in (alert.cause or limit_of(alert.rule), alert.source) if part)


def _row(one: Life, form: Form, zone: ZoneInfo) -> dict[str, object]:
    alert = one.alert
    row: dict[str, object] = {
        **{name: getattr(alert, name) for name in ("id", "kind", "subject", "rule", "unit", "due_at")},
        **{name: getattr(alert, name) for name in ("to", "cause", "officer", "source", "ended_at", "rung")},
        "state": one.shown,
        "raised_at": one.raised_at,
        "n": one.n,
    }
    if form == "table":
        row |= {
            name: shown_instant(at, zone)
            for name in ("due_at", "raised_at")
            if isinstance(at := row[name], datetime)
        }
        row |= {"kind": current(ALERT_KINDS[alert.kind]), "state": current(ALERT_STATES[one.shown])}
    return row
