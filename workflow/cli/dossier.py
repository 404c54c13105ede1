"""`dunghen dossier`: one dossier's story, and what may come next in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from workflow.audit.allowed import allowed
from workflow.audit.explain import story
from workflow.cli.inputs import FILE, facts_of, moment, open_log
from workflow.cli.options import Group, output_option
from workflow.cli.output import print_json
from workflow.cli.stories import print_choices, print_story
from workflow.fold import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from workflow.cli.output import Form
    from workflow.facts import Fact
    from workflow.rules import Rules


class Asked(NamedTuple):
    """A dossier, its facts and the rules that judge it. `at`, `known_at`: the moments asked about, if any were."""

    subject: str
    facts: Sequence[Fact]
    rules: Rules
    zone: ZoneInfo
    at: datetime | None
    known_at: datetime | None
    closes: bool = False

    @property
    def until(self) -> datetime:
        """The moment its clocks are read at: the one asked about, or its last event."""
        return self.at or max(fact.occurred_at for fact in self.facts)


def _asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options that say which dossier of which log, and as of when."""
    for option in reversed(
        (
            click.argument("file", type=FILE),
            click.argument("dossier"),
            click.option("--procedure", type=FILE, required=True, help="The procedure to judge by."),
            click.option(
                "--mapping",
                type=FILE,
                help="How the file's columns become facts; not needed for our own messages.",
            ),
            click.option(
                "--calendar",
                type=FILE,
                multiple=True,
                help="A calendar beside or instead of those that come with us.",
            ),
            click.option(
                "--at", help="As it was at this date or time; by default at the dossier's last event."
            ),
            click.option(
                "--known-at", help="As it was known at this date or time; by default all that is known."
            ),
        )
    ):
        command = option(command)
    return command


@click.group(cls=Group)
def dossier() -> None:
    """Look at one dossier."""


@dossier.command()
@_asking
@output_option("table", "json")
def explain(output: Form, **asked: Any) -> None:  # noqa: ANN401 - one parameter per option, see `_of_log`
    """Tell a dossier's story: events with their outcome, stays against their limits, dates with their sums."""
    one = _of_log(**asked)
    told = story(
        one.rules,
        one.subject,
        one.facts,
        at=one.until,
        known_at=one.known_at,
        valid_at=one.at,
        closes=one.closes and one.at is None,
    )
    if output == "json":
        print_json(told)
        return
    print_story(told, one.rules.family[told.dossier.revision].revision, one.zone)


@dossier.command("allowed")
@_asking
@output_option("table", "json")
def allowed_next(output: Form, **asked: Any) -> None:  # noqa: ANN401 - one parameter per option, see `_of_log`
    """List which actions may come next, by whom, and why the others may not."""
    one = _of_log(**asked)
    judged = fold(one.rules, one.subject, one.facts, known_at=one.known_at, valid_at=one.at).dossier
    choices = allowed(one.rules, judged, one.until)
    if output == "json":
        print_json({"dossier": one.subject, "state": judged.state, "actions": choices})
        return
    print_choices(judged, choices, one.rules.family[judged.revision].revision, one.zone)


def _of_log(
    *,
    file: Path,
    dossier: str,
    procedure: Path,
    mapping: Path | None,
    calendar: tuple[Path, ...],
    at: str | None,
    known_at: str | None,
) -> Asked:
    log = open_log(file, procedure, mapping, calendar)
    facts = facts_of(log, dossier)
    asked, known = moment(at, log.zone, "--at"), moment(known_at, log.zone, "--known-at")
    return Asked(dossier, facts, log.rules(facts), log.zone, asked, known, log.closes)
