"""What dossiers name and the definitions have not: codes of procedures, and units of the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import to_builtins

from workflow.cli.output import Column, print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.store.looking import StrangeUnit, Unmodelled

UNMODELLED: Final = (Column("code", "Code named"), Column("dossiers", "Dossiers", "right"))
STRANGE_UNITS: Final = (
    Column("unit", "Unit named"),
    Column("dossiers", "Dossiers", "right"),
    Column("dossier", "One of them"),
)


def print_unknown(codes: Sequence[Unmodelled], units: Sequence[StrangeUnit]) -> None:
    """Prints a table of each of the two that has rows."""
    print_rows(to_builtins(codes), UNMODELLED, "table", title="Judged by the generic procedure")
    print_rows(to_builtins(units), STRANGE_UNITS, "table", title="Units the organisation has not")
