"""What a person is told of revisions that call themselves approved and are in no ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow import log
from workflow.cli.vocabulary import worded
from workflow.i18n import current, message
from workflow.procedure.ledger import NAME, ledger_fault, new_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflow.catalogue import Catalogue
    from workflow.procedure.language import Revision
    from workflow.procedure.ledger import Listed


def tell_unlisted(catalogue: Catalogue) -> None:
    """Tells each of them on standard error, a line for people: no figure counts it as approved."""
    for said in _lines(catalogue):
        click.echo(said, err=True)


def tell_not_approved(revisions: Iterable[Revision], listed: Listed | None) -> None:
    """Tells on standard error each revision that is not approved as it stands: its figures are not, or the ledger says
    nothing of it, or something else. `listed`: what the ledger lists, None where there is none."""
    template = current(
        "measured against procedure {procedure} revision {revision}, which is not listed as approved: its figures are "
        "{figures}"
    )
    for one in revisions:
        fault = ledger_fault(one, listed or {})
        if fault is not None:
            click.echo(message(fault), err=True)
        elif one.figures != "approved":
            figures = worded(one.figures)
            said = template.format(procedure=one.procedure, revision=one.revision, figures=figures)
            click.echo(said, err=True)


def log_unlisted(catalogue: Catalogue, part: str) -> None:
    """Tells each of them in the log of a part that keeps running."""
    for said in _lines(catalogue):
        log.warning("not_approved", said=said, part=part)


def _lines(catalogue: Catalogue) -> Iterator[str]:
    template = current(
        "procedure {procedure} revision {revision} calls itself approved, but the ledger {ledger} does not list it: it "
        "does not count as approved. Once the decision is signed append the line: {line}"
    )
    for one in catalogue.unlisted:
        line = new_entry(one).line
        yield template.format(procedure=one.procedure, revision=one.revision, ledger=NAME, line=line)
