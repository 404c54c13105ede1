"""`dunghen audit`: histories judged again, and what was found."""

from __future__ import annotations

from typing import Final

import click

from workflow.cli.lazy import Lazy

HOMES: Final = {"conform": "conform", "replay": "proofs", "diff": "known", "verify": "proofs"}


@click.group(cls=Lazy, homes=HOMES)
def audit() -> None:
    """Judge histories again and list what breaks the rules."""
