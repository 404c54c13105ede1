"""What became of each line of a file, or record of a topic, that is checked: one row for each thing it tells."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from workflow.cli.output import Column, print_rows
from workflow.cli.stories import OUTCOMES
from workflow.errors import InputError, UsageError, Words
from workflow.facts import Acted
from workflow.i18n import current, filled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.forms.reading import Part
    from workflow.cli.checking import Report

LINES: Final = (
    Column("place", "Place"),
    Column("outcome", "Outcome"),
    Column("rules", "Broken rules"),
    Column("dossier", "Dossier", id=True),
    Column("action", "Action"),
    Column("occurred_at", "When"),
    Column("reason", "Not taken because"),
    Column("column", "Column"),
    Column("expected", "Expected"),
    Column("found", "Found"),
    Column("do", "What to do"),
)
FLAT: Final = (
    Column("line", "Line"),
    *LINES[:4],
    Column("id", "Id"),
    *LINES[4:],
)
"""As a table for other programs: with the number of the line alone, and the id of the fact."""
WORDS: Final = {
    **OUTCOMES,
    "repeated": "repeated",
    "not_taken": "not taken",
    "says_nothing": "says nothing",
}
_RANGE: Final = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?", re.ASCII)
_NUMBER: Final = re.compile(r"\d+", re.ASCII)


class Range(NamedTuple):
    """Lines from `first` to `last`, both among them."""

    first: int
    last: int


def range_of(text: str) -> Range:
    """The lines that `17` or `17-30` names. Raises UsageError."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise UsageError(
            "--lines: expected a number such as 17 or a range such as 17-30, found {found}", found=text
        )
    return Range(int(found[1]), int(found[2] or found[1]))


def rows_of(
    parts: Iterable[Part], report: Report, file: str, wanted: Range | None
) -> Iterator[dict[str, Any]]:
    """What became of each part, in their order; of `wanted` lines only, where they are named."""
    for part in parts:
        row = _row(part, report, file)
        if wanted is None or wanted.first <= row.get("line", 0) <= wanted.last:
            yield row


def _row(part: Part, report: Report, file: str) -> dict[str, Any]:
    number = _NUMBER.match(part.place.removeprefix(f"{file}:")) if part.place.startswith(f"{file}:") else None
    row: dict[str, Any] = (
        {"place": part.place} if number is None else {"place": part.place, "line": int(number[0])}
    )
    if part.error is not None:
        return row | _not_taken(part.place, part.error)
    fact = part.fact
    if fact is None:
        return row | {"outcome": "says_nothing"}
    try:
        status, rules = report.became(fact)
    except InputError as error:
        return row | _not_taken(part.place, error)
    action = fact.body.action if isinstance(fact.body, Acted) else type(fact.body).__struct_config__.tag
    told = {"dossier": fact.subject, "action": action, "occurred_at": fact.occurred_at, "id": fact.id}
    return row | {"outcome": status, **({"rules": rules} if rules else {}), **told}


def _not_taken(place: str, error: InputError) -> dict[str, Any]:
    values = error.values
    return {
        "outcome": "not_taken",
        "reason": error.code,
        "column": str(values.get("column", "")),
        "expected": _in_words(values.get("expected", "")),
        "found": _in_words(values.get("found", "")),
        # The place has a column of its own.
        "do": filled(error.template, values).removeprefix(f"{place}: "),
    }


def _in_words(value: object) -> str:
    return filled(value.template, value.values) if isinstance(value, Words) else str(value)


def print_lines(rows: Iterable[dict[str, Any]], limit: int, title: str) -> None:
    """Prints the first `limit` lines of each outcome as a table, and says on standard error where there are more."""
    met: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    for row in rows:
        met[row["outcome"]] += 1
        if met[row["outcome"]] <= limit:
            shown.append({**row, "outcome": current(WORDS[row["outcome"]])})
    print_rows(shown, LINES, "table", title=title)
    if len(shown) < met.total():
        click.echo(
            current(
                "Shown are the first {limit} of each outcome, {shown} of {total}; all with --output jsonl or csv, "
                "those of certain lines with --lines."
            ).format(limit=limit, shown=len(shown), total=met.total()),
            err=True,
        )
