"""The late rate over a year against the budget, as one SVG: the whole large, each unit small below. Pure.

No script, no font of its own; it prints in black and white, since lines differ by their dashes and not by colour alone.
Every text is handed in, so that it stands in the reader's language.
"""

from __future__ import annotations

from datetime import date
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.figures.curves import Curve, Point

WIDTH: Final = 960
LEFT, RIGHT, TOP = 56, 216, 84
HEIGHT: Final = 300
SMALL_WIDTH, SMALL_HEIGHT = 256, 84
SMALL_GAP_X, SMALL_GAP_Y = 48, 72
COLUMNS: Final = 3
NAME_MAX: Final = 31
"""Letters of a name on one line; a longer one takes two, and what is too long for these is cut."""
FEW: Final = 100
"""Below so many dossiers a rate jumps from one to the next and says little: its line is not drawn."""
STEPS: Final = (0.5, 1, 2, 5, 10, 20, 25)
GRID_MAX: Final = 6
BUDGET_PERCENT: Final = 1
INKS: Final = (("#0b3d91", ""), ("#a33b00", "2 3"), ("#3d3d3d", "8 3"))
"""Colour and dashes of the large curves, in their order."""
STYLE: Final = (
    "text{font-family:'DejaVu Sans',Arial,sans-serif;fill:#1a1a1a}"
    ".title{font-size:19px;font-weight:bold}.under{font-size:13px;fill:#444}"
    ".axis{font-size:12px;fill:#444}.name{font-size:13px;font-weight:bold}.small{font-size:11px;fill:#444}"
    ".grid{stroke:#ddd;stroke-width:1}.base{stroke:#777;stroke-width:1}"
    ".budget{stroke:#b00020;stroke-width:1.5;stroke-dasharray:7 4;fill:none}.budget-name{font-size:12px;fill:#b00020}"
    ".curve{fill:none;stroke-width:2.5;stroke-linejoin:round}.thin{stroke-width:1.8}"
)


class Words(NamedTuple):
    """What the picture says. `months`: twelve short names. `few`: said of a curve with too few dossiers to be drawn."""

    language: str
    title: str
    under: str
    budget: str
    months: tuple[str, ...]
    few: str


class _Frame(NamedTuple):
    """A place on the page and what its axes run to."""

    left: float
    top: float
    width: float
    height: float
    year: int
    percent_max: float

    def x(self, day: date) -> float:
        """Where a day lies."""
        first = date(self.year, 1, 1)
        return self.left + self.width * (day - first).days / (date(self.year + 1, 1, 1) - first).days

    def y(self, percent: float) -> float:
        """Where a rate lies; a higher one than there is room for, at the top."""
        return self.top + self.height * (1 - min(percent / self.percent_max, 1))


def picture(large: Sequence[Curve], small: Sequence[Curve], words: Words, year: int) -> str:
    """The picture of a year as SVG text: the same curves give the same text."""
    rows = -(-len(small) // COLUMNS)
    below = TOP + HEIGHT + 92
    height = below + rows * (SMALL_HEIGHT + SMALL_GAP_Y) - 24 if rows else TOP + HEIGHT + 48
    percent_max = _highest(large)
    frame = _Frame(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT, year, percent_max)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            f' style="max-width:100%;height:auto" xml:lang="{escape(words.language)}" role="img">'
        ),
        f"<title>{escape(words.title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        _text(LEFT, 34, words.title, "title"),
        _text(LEFT, 58, words.under, "under"),
        *_axes(frame, words),
        *_large(frame, large, words),
    ]
    small_max = _highest(small)
    for place, curve in enumerate(small):
        left = LEFT + place % COLUMNS * (SMALL_WIDTH + SMALL_GAP_X)
        top = below + place // COLUMNS * (SMALL_HEIGHT + SMALL_GAP_Y)
        parts += _small(_Frame(left, top, SMALL_WIDTH, SMALL_HEIGHT, year, small_max), curve, words)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(frame: _Frame, words: Words) -> Iterator[str]:
    step = next((one for one in STEPS if frame.percent_max / one <= GRID_MAX), STEPS[-1])
    right = frame.left + frame.width
    for place in range(int(frame.percent_max / step) + 1):
        y = frame.y(place * step)
        yield _line(frame.left, y, right, y, "grid" if place else "base")
        yield _text(frame.left - 8, y + 4, f"{place * step:g} %", "axis", "end")
    for month, name in enumerate(words.months, 1):
        x = frame.x(date(frame.year, month, 1))
        yield _line(x, frame.y(0), x, frame.y(0) + 5, "base")
        middle = (x + (frame.x(date(frame.year, month + 1, 1)) if month < len(words.months) else right)) / 2
        yield _text(middle, frame.y(0) + 20, name, "axis", "middle")
    y = frame.y(BUDGET_PERCENT)
    yield _line(frame.left, y, right, y, "budget")


def _large(frame: _Frame, curves: Sequence[Curve], words: Words) -> Iterator[str]:
    """The curves with their names at their ends, set apart where these would overlap."""
    right = frame.left + frame.width
    ends = [(frame.y(BUDGET_PERCENT), right, words.budget, "budget-name", "#b00020")]
    for curve, (colour, dashes) in zip(curves, INKS, strict=False):
        drawn = _drawn(curve)
        if not drawn:
            ends.append((frame.y(0), right, f"{curve.name}: {words.few}", "axis", colour))
            continue
        yield _path(frame, drawn, colour, dashes, "curve")
        last = drawn[-1]
        yield f'<circle cx="{frame.x(last.day):.1f}" cy="{frame.y(last.percent):.1f}" r="4" fill="{colour}"/>'
        ends.append((frame.y(last.percent), frame.x(last.day), f"{curve.name} {last.told}", "name", colour))
    lowest = frame.top - 100.0
    for y, x, name, kind, colour in sorted(ends):
        lowest = max(y + 4, lowest + 18)
        yield _text(x + 12, lowest, name, kind, colour=colour)


def _small(frame: _Frame, curve: Curve, words: Words) -> Iterator[str]:
    right = frame.left + frame.width
    lines = _lines(curve.name)
    for place, line in enumerate(lines):
        yield _text(frame.left, frame.top - 8 - 15 * (len(lines) - 1 - place), line, "name")
    yield _line(frame.left, frame.top, right, frame.top, "grid")
    yield _text(right, frame.top + 12, f"{frame.percent_max:g} %", "small", "end")
    yield _line(frame.left, frame.y(0), right, frame.y(0), "base")
    y = frame.y(BUDGET_PERCENT)
    yield _line(frame.left, y, right, y, "budget")
    drawn, last = _drawn(curve), curve.points[-1] if curve.points else None
    if drawn:
        yield _path(frame, drawn, INKS[0][0], "", "curve thin")
    if last is not None:
        told = f"{last.late}/{last.released}"
        told += f" = {last.told}" if drawn else f", {words.few}"
        yield _text(frame.left, frame.top + frame.height + 16, told, "small")


def _lines(name: str) -> list[str]:
    """A name on one line or two."""
    if len(name) <= NAME_MAX:
        return [name]
    place = name.rfind(" ", 0, NAME_MAX)
    first, second = (name[:place], name[place + 1 :]) if place > 0 else (name[:NAME_MAX], name[NAME_MAX:])
    return [first, second if len(second) <= NAME_MAX else f"{second[: NAME_MAX - 1].rstrip()}…"]


def _drawn(curve: Curve) -> list[Point]:
    return [one for one in curve.points if one.released >= FEW]


def _highest(curves: Sequence[Curve]) -> float:
    """A round percentage that all curves stay below."""
    top = max((one.percent for curve in curves for one in _drawn(curve)), default=0.0)
    wanted = max(top * 1.08, 2 * BUDGET_PERCENT)
    step = next((one for one in STEPS if wanted / one <= GRID_MAX), STEPS[-1])
    return min(-(-wanted // step) * step, 100.0)


def _path(frame: _Frame, points: Sequence[Point], colour: str, dashes: str, kind: str) -> str:
    line = " ".join(f"{frame.x(one.day):.1f},{frame.y(one.percent):.1f}" for one in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline class="{kind}" points="{line}" stroke="{colour}"{dashed}/>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start", colour: str = "") -> str:
    filled = f' style="fill:{colour}"' if colour else ""
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{at}{filled}>{escape(words)}</text>'
