"""`dunghen audit conform`: a log measured against a procedure."""

from __future__ import annotations

import gc
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workflow.audit.conform import Audit, Found, Report
from workflow.cli.approvals import tell_not_approved
from workflow.cli.inputs import FILE, Log, moment, open_log, regrouped
from workflow.cli.options import Command, output_option
from workflow.cli.output import Column, print_json, print_rows, refusal_line
from workflow.cli.progress import watched
from workflow.cli.surroundings import listed_for
from workflow.cli.writing import OUT, written_whole
from workflow.errors import InputError
from workflow.facts import Acted
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from workflow.cli.output import Form

RULES = (
    Column("rule", "Rule"),
    Column("kind", "Kind", words=True),
    Column("dossiers", "Dossiers", "right"),
    Column("counts", "Counted as", words=True),
)
FIGURES = (Column("figure", "Figure"), Column("value", "Count", "right"))


LOG_COLLECT_AFTER: Final = 1_000_000
"""In place of `workflow.cli.main.COLLECT_AFTER`, and rarer: of a log nothing is kept but counts and what was learned
once. It makes a log of half a million events three parts in a hundred faster."""


@click.command(cls=Command)
@click.argument("file", type=FILE)
@click.option("--procedure", type=FILE, required=True, help="The procedure to judge by.")
@click.option(
    "--mapping", type=FILE, help="How the file's columns become facts; not needed for our own messages."
)
@click.option(
    "--calendar", type=FILE, multiple=True, help="A calendar beside or instead of those that come with us."
)
@click.option(
    "--organisation",
    type=FILE,
    help="The organisation whose units are named; by default the one that comes with us.",
)
@click.option(
    "--ledger",
    type=FILE,
    help="The ledger of approved revisions; by default the nearest file APPROVED in or above the procedure.",
)
@click.option("--as-of", help="Judge as of this date or time; by default the last event of the log.")
@click.option("--violations", type=OUT, help="Write each violation to this file.")
@output_option("table", "json")
def conform(  # noqa: PLR0913 - one parameter per option
    file: Path,
    procedure: Path,
    mapping: Path | None,
    calendar: tuple[Path, ...],
    organisation: Path | None,
    ledger: Path | None,
    as_of: str | None,
    violations: Path | None,
    output: Form,
) -> int:
    """Measure a log against a procedure, without storing it.

    Ends with 1 where a rule was broken or a row could not be taken. Says which revisions of the procedure no ledger
    lists as approved.
    """
    log = open_log(file, procedure, mapping, calendar, organisation)
    listed = listed_for([procedure], ledger)
    asked = moment(as_of, log.zone, "--as-of")
    gc.set_threshold(LOG_COLLECT_AFTER)
    begun = time.perf_counter()
    report = _measured(log, asked, violations)
    seconds = time.perf_counter() - begun
    _show(log, report, asked or log.facts.last_at, seconds, output)
    _tell_refusals(log)
    tell_not_approved((rules.revision for rules in log.family.values()), listed)
    return int(bool(report.violations or log.facts.refusals.total))


def _measured(log: Log, as_of: datetime | None, violations: Path | None) -> Report:
    reports: list[Report] = []

    def read() -> None:
        with written_whole(violations) if violations else nullcontext() as listing:
            count = Audit(
                closes=log.closes,
                as_of=as_of,
                listen=None if listing is None else lambda found: _list(listing, found),
            )
            only = log.only
            for subject, facts in watched(log.facts.dossiers(), log.facts.progress, "Judging"):
                try:
                    rules = only or log.rules(facts)
                except InputError as error:
                    log.facts.refusals.add(f"{log.facts.path}: {subject}", error)
                    continue
                count.add(rules, subject, facts)
            reports.append(count.report(as_of or log.facts.last_at))

    regrouped(log.facts, read)
    return reports[-1]


def _list(listing: BinaryIO, found: Iterable[Found]) -> None:
    for one in found:
        fact = one.fact
        listing.write(
            msgspec.json.encode(
                {
                    "dossier": one.dossier,
                    "position": one.position,
                    "rule": one.violation.rule,
                    "kind": one.violation.kind,
                    "expected": one.violation.expected,
                    "found": one.violation.found,
                    "counts": one.counts,
                    "event": None if fact is None else fact.id,
                    "action": fact.body.action if fact is not None and isinstance(fact.body, Acted) else None,
                    "occurred_at": None if fact is None else fact.occurred_at,
                }
            )
            + b"\n"
        )


def _show(log: Log, report: Report, as_of: datetime | None, seconds: float, output: Form) -> None:
    facts = log.facts
    shown = msgspec.to_builtins(report) | {
        "seconds": round(seconds, 3),
        "events_per_second": round(report.events / seconds) if seconds else 0,
        "as_of": as_of,
        "procedure": {
            revision: {"procedure": rules.revision.procedure, "figures": rules.revision.figures}
            for revision, rules in log.family.items()
        },
        "rows": {
            "read": facts.rows,
            "taken": facts.taken,
            "filtered": facts.filtered,
            "repeated": facts.repeated,
            "refused": facts.refusals.counts,
        },
        "sorted_externally": facts.sorted_externally,
    }
    if output == "json":
        print_json(shown)
        return
    figures = [{"figure": current(title), "value": shown[key]} for key, title in TITLES.items()]
    promised = shown.get("appointments", {})
    figures += [{"figure": current(PROMISED[key]), "value": value} for key, value in promised.items()]
    print_rows(figures, FIGURES, "table", title=str(facts.path))
    print_rows(shown["violations"], RULES, "table", title="Broken rules")


TITLES = {
    "dossiers": "Dossiers",
    "events": "Events",
    "ended": "Ended",
    "open": "Open",
    "open_overdue": "Open and overdue",
    "late": "Ended late",
    "order_conforming": "Conform in order",
    "time_conforming": "Conform in order and deadlines",
    "conforming": "Conform in everything",
    "seconds": "Seconds",
    "events_per_second": "Events per second",
}

PROMISED = {
    "dossiers": "With an appointment",
    "late": "Late against the appointment",
    "open_overdue": "Open and past the appointment",
}


def _tell_refusals(log: Log) -> None:
    refusals = log.facts.refusals
    for refusal in refusals.listed:
        click.echo(refusal_line(refusal.where, refusal.template, refusal.values), err=True)
    unlisted = refusals.total - len(refusals.listed)
    if unlisted > 0:
        click.echo(current("and {count} more rows that were not taken").format(count=unlisted), err=True)
    for (field, value), count in sorted(log.facts.uncoded.items()):
        click.echo(
            current("{field}: {count} times {value}, which the mapping's codes do not list").format(
                field=field, count=count, value=value
            ),
            err=True,
        )
