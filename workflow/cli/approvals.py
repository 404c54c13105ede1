"""What a person is told of revisions that call themselves approved and are in no ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow import log
from workflow.i18n import current
from workflow.procedure.ledger import NAME, new_entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.catalogue import Catalogue


def tell_unlisted(catalogue: Catalogue) -> None:
    """Tells each of them on standard error, a line for people: no figure counts it as approved."""
    for said in _lines(catalogue):
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
