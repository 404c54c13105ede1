"""`dunghen dossier`: dossiers of a store in a list, one of them whole, its story, and what may come next in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import click
import msgspec

from workflow.alerts.reporting import reported_late_at
from workflow.audit.allowed import allowed
from workflow.audit.explain import story
from workflow.audit.views import Filter, Sort, in_order, view
from workflow.cli.inputs import FILE, facts_of, moment, not_yet, open_log
from workflow.cli.listing import ONE, print_one, print_views
from workflow.cli.naming import with_names
from workflow.cli.options import Group, output_option
from workflow.cli.output import print_json
from workflow.cli.progress import watched
from workflow.cli.stores import Looking, log_or_store_options, looking_options
from workflow.cli.stories import print_choices, print_story
from workflow.cli.sums import KINDS
from workflow.errors import UsageError
from workflow.facts import begins_dossier
from workflow.fold import fold
from workflow.i18n import current
from workflow.store.rows import from_us
from workflow.verdict import goes_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.facts import Fact
    from workflow.rules import Rules


class Asked(NamedTuple):
    """A dossier, its facts and the rules that judge it. `at`, `known_at`: the moments asked about, if any were.
    `until`: the moment its clocks are read at. `place`: the store or the file."""

    place: str
    subject: str
    facts: Sequence[Fact]
    rules: Rules
    zone: ZoneInfo
    at: datetime | None
    known_at: datetime | None
    until: datetime
    closes: bool = False


_LOG = (
    click.argument("which", nargs=-1, required=True, metavar="[FILE] DOSSIER"),
    click.option("--procedure", type=FILE, help="With a file: the procedure to judge by."),
    click.option(
        "--mapping", type=FILE, help="With a file: how its columns become facts; not for our own messages."
    ),
    click.option(
        "--calendar",
        type=FILE,
        multiple=True,
        help="With a file: a calendar beside or instead of those that come with us.",
    ),
    click.option(
        "--organisation",
        type=FILE,
        help="With a file: the organisation whose units it names; by default the one that comes with us.",
    ),
)
_FILE = click.Argument(["file"], type=FILE)
_PROCEDURE = click.Option(["--procedure"], type=FILE, required=True)


def _asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options that say which dossier of which log or store, and as of when."""
    for option in reversed((*_LOG, log_or_store_options)):
        command = option(command)
    return command


@click.group(cls=Group)
def dossier() -> None:
    """Look at dossiers."""


@dossier.command("list")
@looking_options
@click.option("--state", "states", multiple=True, help="Only those in this state.")
@click.option("--unit", "units", multiple=True, help="Only those this unit holds, or held last.")
@click.option(
    "--procedure",
    "procedures",
    multiple=True,
    help="Only those that this procedure judges or whose facts name it.",
)
@click.option("--open", "open_", is_flag=True, help="Only those that have not ended.")
@click.option("--overdue", is_flag=True, help="Only those not released though their date has passed.")
@click.option("--late", is_flag=True, help="Only those released after their date.")
@click.option("--blocked", is_flag=True, help="Only those that could not be judged.")
@click.option("--due-before", help="Only open ones whose date lies before this date or time.")
@click.option(
    "--sort",
    type=click.Choice(get_args(Sort)),
    default="code",
    show_default=True,
    help="What they are sorted by.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many are shown at most."
)
@output_option()
def list_(
    looking: Looking,
    due_before: str | None,
    sort: Sort,
    limit: int,
    output: Form,
    **asked: Any,  # noqa: ANN401 - the other options, one parameter each
) -> None:
    """List dossiers, those that meet all that is asked."""
    with looking.opened() as store:
        zone = store.zone
        wanted = Filter(
            states=asked["states"],
            units=asked["units"],
            procedures=asked["procedures"],
            open=asked["open_"],
            overdue=asked["overdue"],
            late=asked["late"],
            blocked=asked["blocked"],
            due_before=moment(due_before, zone, "--due-before"),
        )
        views = (
            view(one.rules, one.dossier, store.at, one.blocked, one.code)
            for one in watched(store.judged(), store.progress, "Looking")
        )
        found = in_order(filter(wanted.takes, views), sort)
    print_views(found[:limit], len(found), output, store)


@dossier.command()
@click.argument("dossier")
@looking_options
@output_option("table", "json")
def show(dossier: str, looking: Looking, output: Form) -> None:
    """Show all that is known of one dossier."""
    with looking.opened() as store:
        one, kept = store.one(dossier), store.row(dossier)
        seen = view(one.rules, one.dossier, store.at, kept.blocked)
        dates = one.rules.clock.deadlines(one.dossier, at=store.at)
        facts, office, zone = store.known(store.facts(dossier)), store.catalogue.office, store.zone
        reported_at = reported_late_at(office, one.rules, one.dossier, facts, store.at)
    fields = {
        **msgspec.structs.asdict(seen),
        "on_time_only_by_report_of": reported_at,
        "code": kept.code,
        "fingerprint": kept.fingerprint,
        "judge_version": kept.judge_version,
        "version": kept.version,
        "facts": kept.facts,
        "last_recorded_at": from_us(kept.last_recorded_at),
    }
    fields = with_names(fields, store.catalogue, procedure="procedure", unit="unit")
    if looking.known_at is not None:
        # The row says how things are kept now; then fewer facts were known, in a version that is not kept.
        own = [fact.recorded_at for fact in facts if fact.subject == dossier]
        fields |= {
            "version": None,
            "facts": len(own),
            "last_recorded_at": max(filter(None, own), default=None),
        }
    if output == "json":
        print_json({**fields, "dossier": one.dossier, "deadlines": dates})
        return
    layout = one.rules.family[one.dossier.revision].layout
    registers = zip(layout.registers, one.dossier.registers, strict=True)
    fields["by"] = seen.by and current(KINDS[seen.by])
    fields |= {
        current("register {name}").format(name=name): value for name, value in registers if value is not None
    }
    fields |= {f"{current(KINDS[each.kind])} · {each.rule}": each.due_at for each in dates}
    print_one(fields, ONE, zone)


@dossier.command()
@_asking
@output_option("table", "json")
def explain(output: Form, **asked: Any) -> None:  # noqa: ANN401 - one parameter per option, see `_found`
    """Tell a dossier's story: events with their outcome, stays against their limits, dates with their sums.

    With a file, of the dossier in that log, judged by the procedure named; without one, of the store.
    """
    one = _found(**asked)
    told = story(
        one.rules,
        one.subject,
        one.facts,
        at=one.until,
        known_at=one.known_at,
        valid_at=one.at,
        closes=one.closes and (one.at is None or not goes_on(one.facts, one.at)),
    )
    if not told.happenings:
        raise not_yet(one.place, one.subject)
    if output == "json":
        print_json(told)
        return
    print_story(told, one.rules.family[told.dossier.revision].revision, one.zone)


@dossier.command("allowed")
@_asking
@output_option("table", "json")
def allowed_next(output: Form, **asked: Any) -> None:  # noqa: ANN401 - one parameter per option, see `_found`
    """List which actions may come next, by whom, and why the others may not.

    With a file, in the dossier of that log, judged by the procedure named; without one, of the store.
    """
    one = _found(**asked)
    judged = fold(one.rules, one.subject, one.facts, known_at=one.known_at, valid_at=one.at).dossier
    if judged.last_key is None:
        raise not_yet(one.place, one.subject)
    choices = allowed(one.rules, judged, one.until)
    if output == "json":
        print_json({"dossier": one.subject, "state": judged.state, "actions": choices})
        return
    print_choices(judged, choices, one.rules.family[judged.revision].revision, one.zone)


def _found(
    which: tuple[str, ...],
    procedure: Path | None,
    mapping: Path | None,
    calendar: tuple[Path, ...],
    organisation: Path | None,
    looking: Looking,
) -> Asked:
    """The dossier asked about. Raises UsageError where the words do not say which."""
    if len(which) == 1 and procedure is None:
        with looking.opened() as store:
            facts = store.facts(which[0])
            if not begins_dossier(store.known(facts)):
                raise not_yet(store.store.name, which[0])
            return Asked(
                store.store.name,
                which[0],
                facts,
                store.rules(facts),
                store.zone,
                store.asked_at,
                store.known_at,
                store.at,
            )
    if len(which) != 2:  # noqa: PLR2004 - a file and a dossier
        raise UsageError(
            "expected DOSSIER, or FILE DOSSIER with --procedure, found {found}; name one dossier",
            found=" ".join(which),
            reason="which_dossier",
        )
    context = click.get_current_context()
    if procedure is None:
        raise click.MissingParameter(ctx=context, param=_PROCEDURE)
    file: Path = _FILE.type_cast_value(context, which[0])
    log = open_log(file, procedure, mapping, calendar, organisation)
    facts = facts_of(log, which[1])
    at, known_at = moment(looking.at, log.zone, "--at"), moment(looking.known_at, log.zone, "--known-at")
    until = at or max(fact.occurred_at for fact in facts)
    return Asked(which[0], which[1], facts, log.rules(facts), log.zone, at, known_at, until, log.closes)
