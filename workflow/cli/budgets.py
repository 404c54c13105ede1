"""The budget of lateness as `dunghen rates --budget` shows it: of each unit and of the whole, at two times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.cli.naming import with_names
from workflow.cli.output import Column, print_note, print_rows
from workflow.cli.progress import watched
from workflow.figures.budget import MILLION, TARGET_PERCENT, counted, of_dossiers
from workflow.figures.rates import Share
from workflow.i18n import current

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.cli.output import Form
    from workflow.cli.stores import Seen
    from workflow.figures.budget import Budget

COLUMNS: Final = (
    Column("unit", "Unit", named="below"),
    Column("released", "Released", "right"),
    Column("late", "Late", "right"),
    Column("rate", "Late, %", "right"),
    Column("expected", "In hand", "right"),
    Column("overdue", "Overdue", "right"),
    Column("risk", "Sum of risks", "right"),
    Column("allowed", "Allowed", "right"),
    Column("spent", "Spent", "right"),
    Column("left", "Left", "right"),
    Column("projected", "Projected, %", "right"),
    Column("state", "Budget"),
)
SHOWN: Final = tuple(one for one in COLUMNS if one.key not in ("risk", "allowed"))
"""What a table has room for: what is allowed was spent or is left, the sum of risks is in what is projected."""
JUDGMENTS: Final = {
    "kept": "kept",
    "at_risk": "at risk",
    "spent": "spent",
    "small": "in counts only",
}


def show_budget(store: Seen, output: Form) -> None:
    """Prints the budgets of the calendar year the moment lies in. Raises CalendarRange, StoreError."""
    since = year_of(store)
    risk = store.catalogue.risk
    found = (
        counted(one.rules, one.dossier, risk, since, store.at)
        for one in watched(store.judged(), store.progress, "Counting")
        if not one.duplicate
    )
    whole, *units = of_dossiers(one for one in found if one is not None)
    rows = [with_names(budget_row(one), store.catalogue, unit="unit") for one in (*units, whole)]
    if output != "table":
        print_rows(rows, COLUMNS, output)
        return
    print_rows(map(_shown, rows), SHOWN, "table")
    words = current(
        "Of the dossiers released in {year} at most {percent} % may be late against their appointment."
    )
    print_note(words.format(year=since.astimezone(store.zone).year, percent=TARGET_PERCENT))
    if risk is None:
        print_note(current("There is no risk table, so no risk is added: make one with dunghen risk fit."))


def year_of(store: Seen) -> datetime:
    """When the year began, in the store's zone, that the moment asked about lies in."""
    return store.at.astimezone(store.zone).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def budget_row(one: Budget) -> dict[str, object]:
    """A budget as JSON and CSV have it; its rates are rounded as those of `dunghen rates` are."""
    projected = one.projected_ppm
    return {
        "unit": one.unit,
        "released": one.released,
        "late": one.late,
        "rate": Share(one.late, one.released).percent,
        "expected": one.expected,
        "overdue": one.overdue,
        "risk": f"{one.risk_ppm / 1_000_000:.2f}",
        "allowed": one.allowed,
        "spent": one.spent,
        "left": one.left,
        "projected": None if projected is None else Share(projected, MILLION).percent,
        "state": one.state,
    }


def _shown(row: dict[str, object]) -> dict[str, object]:
    unit = current("All") if row["unit"] is None else row["unit"] or current("no unit named")
    return {**row, "unit": unit, "state": current(JUDGMENTS[str(row["state"])])}
