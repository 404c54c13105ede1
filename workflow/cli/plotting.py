"""`dunghen rates --plot`: the late rate of the year against the budget, as a picture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from workflow.cli.budgets import year_of
from workflow.cli.naming import named
from workflow.cli.writing import written_whole
from workflow.figures.budget import TARGET_PERCENT
from workflow.figures.curves import curves, releases
from workflow.figures.picture import Words, picture
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from workflow.cli.stores import Seen
    from workflow.figures.curves import Curve
    from workflow.figures.rates import Measure
    from workflow.i18n import Language
    from workflow.organisation import Unit

MONTH_NAMES: Final = {
    1: "Jan",
    2: "Feb",
    3: "Mar",
    4: "Apr",
    5: "May",
    6: "Jun",
    7: "Jul",
    8: "Aug",
    9: "Sep",
    10: "Oct",
    11: "Nov",
    12: "Dec",
}


def plot(store: Seen, measures: Iterable[Measure], path: Path) -> None:
    """Writes the picture of the year the moment asked about lies in. Raises UsageError where it cannot be written."""
    since = year_of(store)
    day = store.at.astimezone(store.zone).date()
    whole, *units = curves(releases(measures, since, store.at, store.zone), day)
    names = {} if store.catalogue.organisation is None else store.catalogue.organisation.units
    said = [one._replace(name=_name(one.name, names)) for one in units]
    under = current(
        "Released late against the appointment, of all released with one since 1 January; as of {day}"
    )
    words = words_of(day.year, under.format(day=f"{day:%Y-%m-%d}"))
    write(path, [whole._replace(name=current("All"))], said, words, day.year)


def write(path: Path, large: Sequence[Curve], small: Sequence[Curve], words: Words, year: int) -> None:
    """Writes a picture. Raises UsageError where it cannot be written."""
    with written_whole(path) as file:
        file.write(picture(large, small, words, year).encode())
    click.echo(current("Written: {file}").format(file=path))


def words_of(year: int, under: str) -> Words:
    """What a picture of a year says, in the language of the command."""
    return Words(
        language=language(),
        title=current("Late rate {year} against the budget of {percent} %").format(
            year=year, percent=TARGET_PERCENT
        ),
        under=under,
        budget=current("budget {percent} %").format(percent=TARGET_PERCENT),
        months=tuple(current(MONTH_NAMES[number]) for number in range(1, 13)),
        few=current("too few for a rate"),
    )


def language() -> Language:
    """The language last given to `use`."""
    return "vi" if os.environ.get("LANGUAGE") == "vi" else "en"


def _name(unit: str, units: Mapping[str, Unit]) -> str:
    found = units.get(unit)
    return named(None if found is None else found.name, unit or current("no unit named"))
