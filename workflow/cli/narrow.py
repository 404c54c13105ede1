"""A table wider than its terminal: what gives way first, so that no word, number or id is torn while there is a way.

First what says nothing goes, and the space between columns; then lines are broken between words; then at the marks
inside codes; then ids stand on a line of their own below their row; and last numbers are broken at
their spaces. Where nothing fits, whoever prints puts each column on a line of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNBROKEN: Final = re.compile(r".+", re.DOTALL)
_AT_SPACES: Final = re.compile(r"\S+(?: %)?\s*")
_AT_MARKS: Final = re.compile(r"(?:\S*?[^\W\d][-/_](?=\w)|\S+)(?: %)?\s*")
"""A piece of text that stays on one line, with the space behind it; a number is not parted from its per cent."""
_WAYS: Final = ((_AT_SPACES, _UNBROKEN), (_AT_MARKS, _UNBROKEN), (_AT_MARKS, _AT_SPACES))
"""Where texts may be broken, and where numbers: the first way that fits is taken."""

BETWEEN: Final = 2
"""Letters between two columns, and before the first; one more stands behind the last."""


class Shape(NamedTuple):
    """A table that fits: how wide its columns are, and its titles and cells with their lines broken.

    `below`: of each row, what stands on lines of its own.
    """

    columns: list[int]
    widths: list[int]
    titles: list[str]
    rows: list[list[str]]
    below: list[list[str]]


def fitted(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    ids: Sequence[bool],
    room: int,
) -> Shape | None:
    """The shape in which a table takes no more than `room` letters; None where there is none.

    `right`: columns of numbers. `ids`: columns that are never broken.
    """
    told = [place for place in range(len(titles)) if any(row[place] for row in rows)]
    beside = [place for place in told if not ids[place]]
    for columns, (texts, numbers) in [*((told, way) for way in _WAYS[:2]), *((beside, way) for way in _WAYS)]:
        patterns = [_UNBROKEN if ids[place] else numbers if right[place] else texts for place in columns]
        widths = _widths(columns, patterns, titles, rows, room - BETWEEN * len(columns) - 1)
        if widths is not None:
            below = [[row[place] for place in told if place not in columns] for row in rows]
            return Shape(columns, widths, *_broken(columns, patterns, widths, titles, rows), below)
    return None


def _widths(
    columns: Sequence[int],
    patterns: Sequence[re.Pattern[str]],
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    room: int,
) -> list[int] | None:
    """The widest columns are narrowed until all have room, none below its longest piece."""
    least, widths = [], []
    for place, pattern in zip(columns, patterns, strict=True):
        cells = [row[place] for row in rows]
        pieces = [*_pieces(titles[place], _AT_SPACES)]
        for cell in cells:
            pieces += _pieces(cell, pattern)
        least.append(max(map(cell_len, pieces), default=0))
        widths.append(max(map(cell_len, (titles[place], *cells))))
    for _ in range(sum(widths) - room):
        wide = [place for place, width in enumerate(widths) if width > least[place]]
        if not wide:
            return None
        widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _broken(
    columns: Sequence[int],
    patterns: Sequence[re.Pattern[str]],
    widths: Sequence[int],
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> tuple[list[str], list[list[str]]]:
    heads = [_lines(titles[place], width, _AT_SPACES) for place, width in zip(columns, widths, strict=True)]
    shaped = list(zip(columns, patterns, widths, strict=True))
    return heads, [[_lines(row[place], width, pattern) for place, pattern, width in shaped] for row in rows]


def _lines(text: str, width: int, pattern: re.Pattern[str]) -> str:
    lines = [""]
    for piece in pattern.findall(text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(map(str.rstrip, lines))


def _pieces(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    return (piece.rstrip() for piece in pattern.findall(text))
