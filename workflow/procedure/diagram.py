"""The diagram of a procedure as SVG that needs nothing else.

The same revision, language and translation give the same bytes. Nothing is fetched: fonts are those of the reader.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.procedure.describe import limit_text, name_of, text_of
from workflow.procedure.layering import Box, Line, arrange
from workflow.procedure.picture import LEADING, SIZES, Text, height, picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.procedure.describe import Language, Translate
    from workflow.procedure.language import Revision
    from workflow.procedure.picture import Arrow, Node, Picture

MARGIN: Final = 24.0
PADDING: Final = 10.0
"""Between a box's edge and its text."""
LOOP: Final = 24.0
"""How far the arrow of a move that stays reaches out of its state."""
DOT: Final = 26.0
"""Room for the dot before the initial state."""

_STYLE: Final = """
text{font-family:"DejaVu Sans",Verdana,"Noto Sans",Arial,sans-serif;fill:#1a1a1a}
.head{font-size:16px;font-weight:bold}
.title{font-size:13px;font-weight:bold}.plain{font-size:12px}.small{font-size:10.5px;fill:#444}
.state{fill:#f4f8fd;stroke:#2b5c94;stroke-width:1.5}.end{fill:#eef7ee;stroke:#2e7d32}
.pause{fill:#fff6e0;stroke:#a86500;stroke-dasharray:6 3}.gathered{fill:#fff;stroke:#777;stroke-dasharray:2 3}
.final{fill:none;stroke:#2e7d32}
.line{fill:none;stroke:#333;stroke-width:1.3}.back{stroke:#9a3412;stroke-dasharray:7 3}
.paper{fill:#fff}
""".strip()
_HEADS: Final = "".join(
    f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
    f'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{fill}"/></marker>'
    for name, fill in (("down", "#333"), ("up", "#9a3412"))
)


class _Shape(NamedTuple):
    """A node, its place, and half the width of its frame, which is less than the box where a loop or dot is."""

    node: Node
    box: Box
    half: float


def svg(revision: Revision, language: Language, translate: Translate) -> str:
    """The state machine as an SVG document, with a title, a legend, and text that can be searched and copied."""
    drawn = picture(revision, language, translate)
    shapes = [_shape(node) for node in drawn.nodes]
    lines = [Line(arrow.source, arrow.target, _size(arrow.texts)) for arrow in drawn.arrows]
    size = arrange([shape.box for shape in shapes], lines)
    head, notes = (
        list(_head(revision, language, translate)),
        [*drawn.anywhere, *_notes(revision, language, translate)],
    )
    legend = _legend(drawn, lines, translate)
    top = MARGIN + height(head) + 2 * PADDING
    below = top + size[1] + 3 * PADDING
    wide = 2 * MARGIN + max(
        size[0], *(text.width for text in (*head, *notes)), *(LEGEND + t.width for _, t in legend)
    )
    notes_at = below + len(legend) * LEGEND_ROW + PADDING
    high = notes_at + height(notes) + MARGIN
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
                f'viewBox="0 0 {wide:.0f} {high:.0f}" role="img" xml:lang="{language}">'
            ),
            f"<title>{escape(head[0].words)}</title>",
            f"<style>{_STYLE}</style>",
            f"<defs>{_HEADS}</defs>",
            f'<rect class="paper" width="{wide:.0f}" height="{high:.0f}"/>',
            *_texts(head, MARGIN, MARGIN),
            f'<g transform="translate({MARGIN:.0f} {top:.1f})">',
            *_lines(lines, shapes, drawn.arrows),
            *(part for shape in shapes for part in _state(shape)),
            "</g>",
            *_legend_parts(legend, below),
            *_texts(notes, MARGIN, notes_at),
            "</svg>",
            "",
        ]
    )


def _shape(node: Node) -> _Shape:
    half = max(text.width for text in node.texts) / 2 + PADDING
    loops = LOOP + PADDING + max(text.width for text in node.loops) if node.loops else 0.0
    tall = max(height(node.texts) + 1.4 * PADDING, height(node.loops))
    return _Shape(node, Box(half + (DOT if "initial" in node.marks else 0.0), half + loops, tall), half)


def _size(texts: Sequence[Text]) -> tuple[float, float]:
    return max(text.width for text in texts) + 6, height(texts) + 2


def _lines(lines: Sequence[Line], shapes: Sequence[_Shape], arrows: Sequence[Arrow]) -> Iterator[str]:
    """Every line with its arrow head; then, above all lines, the labels."""
    ports = _ports(lines, shapes)
    for number, line in enumerate(lines):
        yield _line(line, ports[number, True], ports[number, False])
    for line, arrow in zip(lines, arrows, strict=True):
        if (holder := line.carrier) is not None:
            x, y = holder.x - holder.left, holder.y
            yield (
                f'<rect class="paper" x="{x:.1f}" y="{y:.1f}" width="{2 * holder.left:.1f}" '
                f'height="{holder.height:.1f}"/>'
            )
            yield from _texts(arrow.texts, holder.x, y + 1, "middle")


def _ports(lines: Sequence[Line], shapes: Sequence[_Shape]) -> dict[tuple[int, bool], float]:
    """Where each line meets its upper box's lower edge (True) and its lower box's upper edge (False): spread over
    the frame in the order of where the lines go."""
    meetings: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for number, line in enumerate(lines):
        upper, lower = (line.target, line.source) if line.upward else (line.source, line.target)
        meetings.setdefault((upper, True), []).append((line.chain[1].x, number))
        meetings.setdefault((lower, False), []).append((line.chain[-2].x, number))
    found: dict[tuple[int, bool], float] = {}
    for (index, lower_edge), ends in meetings.items():
        shape = shapes[index]
        for place, (_, number) in enumerate(sorted(ends), 1):
            found[number, lower_edge] = shape.box.x - shape.half + 2 * shape.half * place / (len(ends) + 1)
    return found


def _line(line: Line, from_x: float, to_x: float) -> str:
    """A line through its place holders: straight inside a layer, bent between two."""
    first, last = line.chain[0], line.chain[-1]
    x, y = from_x, first.y + first.height
    path = f"M{x:.1f} {y:.1f}" + _straight(y, first.bottom)
    y = first.bottom
    for holder in line.chain[1:]:
        to = to_x if holder is last else holder.x
        middle = (y + holder.top) / 2
        path += f"C{x:.1f} {middle:.1f} {to:.1f} {middle:.1f} {to:.1f} {holder.top:.1f}"
        x, y = to, holder.y if holder is last else holder.bottom
        path += _straight(holder.top, y)
    if line.upward:
        return f'<path class="line back" d="{path}" marker-start="url(#up)"/>'
    return f'<path class="line" d="{path}" marker-end="url(#down)"/>'


def _straight(y: float, to: float) -> str:
    """A stretch straight down; nothing where it has no length, since a head takes its direction from the end."""
    return f"V{to:.1f}" if to - y > 0.1 else ""  # noqa: PLR2004 - less than is written


def _state(shape: _Shape) -> Iterator[str]:
    node, box, half = shape
    marks = [mark for mark in ("end", "pause", "gathered") if mark in node.marks]
    x, y, right, tall = box.x - half, box.y, box.x + half, box.height
    yield f"<g><title>{escape(node.key)}</title>" if node.key else "<g>"
    yield (
        f'<rect class="{" ".join(["state", *marks])}" x="{x:.1f}" y="{y:.1f}" width="{2 * half:.1f}" '
        f'height="{tall:.1f}" rx="7"/>'
    )
    if "final" in node.marks:
        yield (
            f'<rect class="final" x="{x + 3:.1f}" y="{y + 3:.1f}" width="{2 * half - 6:.1f}" '
            f'height="{tall - 6:.1f}" rx="5"/>'
        )
    middle = y + tall / 2
    if "initial" in node.marks:
        yield f'<circle cx="{x - DOT + 6:.1f}" cy="{middle:.1f}" r="5" fill="#1a1a1a"/>'
        yield f'<path class="line" d="M{x - DOT + 11:.1f} {middle:.1f}H{x - 1:.1f}" marker-end="url(#down)"/>'
    yield from _texts(node.texts, box.x, middle - height(node.texts) / 2, "middle")
    if node.loops:
        yield (
            f'<path class="line" d="M{right:.1f} {middle - 7:.1f}C{right + LOOP:.1f} {middle - 14:.1f} '
            f'{right + LOOP:.1f} {middle + 14:.1f} {right + 1:.1f} {middle + 7:.1f}" marker-end="url(#down)"/>'
        )
        yield from _texts(node.loops, right + LOOP, middle - height(node.loops) / 2)
    yield "</g>"


def _texts(texts: Sequence[Text], x: float, y: float, anchor: str = "start") -> Iterator[str]:
    for text in texts:
        y += SIZES[text.style] * LEADING
        base = y - SIZES[text.style] * (LEADING - 1)
        yield (
            f'<text class="{text.style}" x="{x:.1f}" y="{base:.1f}" text-anchor="{anchor}">'
            f"{escape(text.words, quote=False)}</text>"
        )


def _head(revision: Revision, language: Language, translate: Translate) -> Iterator[Text]:
    yield Text(f"{name_of(revision.name, revision.procedure, language)} ({revision.procedure})", "head")
    said = translate("Revision {revision}").format(revision=revision.revision)
    figures = {
        "sample": translate("sample figures, not approved"),
        "statutory": translate("figures of the law"),
        "approved": translate("approved figures"),
    }[revision.figures]
    approval = f" · {revision.approval.document} · {revision.approval.decision}" if revision.approval else ""
    yield Text(f"{said} · {figures}{approval}", "small")


def _notes(revision: Revision, language: Language, translate: Translate) -> Iterator[Text]:
    """The limits declared by name, one line each."""
    for name, limit in revision.limits.items():
        shown = f"{name_of(limit.name, name, language)}: {limit_text(revision, limit, translate)}"
        basis = text_of(limit.basis, language)
        yield Text(f"{shown} ({basis})" if basis else shown, "small")


LEGEND: Final = 44.0
LEGEND_ROW: Final = 22.0


def _legend(drawn: Picture, lines: Sequence[Line], translate: Translate) -> list[tuple[str, Text]]:
    """What the signs that this diagram uses mean."""
    marks = {mark for node in drawn.nodes for mark in node.marks}
    said = [
        ("initial", "initial" in marks, translate("where a dossier begins")),
        ("state", True, translate("a state: its name, the role that holds it, the limit of one stay")),
        ("pause", "pause" in marks, translate("the clock is paused here")),
        ("end", "end" in marks, translate("a dossier may end here (double frame: it always does)")),
        ("back", any(line.upward for line in lines), translate("sent back")),
        (
            "loop",
            bool(drawn.anywhere) or any(node.loops for node in drawn.nodes),
            translate("the dossier stays in its state"),
        ),
        (
            "task",
            any(t.words.startswith("⇄") for n in drawn.nodes for t in n.texts),
            translate("other agencies are asked"),
        ),
    ]
    return [(sign, Text(words, "small")) for sign, shown, words in said if shown]


def _legend_parts(legend: Sequence[tuple[str, Text]], y: float) -> Iterator[str]:
    for sign, text in legend:
        middle = y + LEGEND_ROW / 2 - 2
        yield _sign(sign, MARGIN, middle)
        yield from _texts([text], MARGIN + LEGEND, middle - 0.62 * SIZES["small"] * LEADING)
        y += LEGEND_ROW


def _sign(sign: str, x: float, y: float) -> str:
    match sign:
        case "initial":
            return f'<circle cx="{x + 15:.1f}" cy="{y:.1f}" r="5" fill="#1a1a1a"/>'
        case "back":
            return f'<path class="line back" d="M{x:.1f} {y:.1f}H{x + 30:.1f}" marker-start="url(#up)"/>'
        case "loop":
            ends = (
                f"M{x + 6:.1f} {y - 5:.1f}C{x + 30:.1f} {y - 10:.1f}",
                f"{x + 30:.1f} {y + 10:.1f} {x + 7:.1f} {y + 5:.1f}",
            )
            return f'<path class="line" d="{" ".join(ends)}" marker-end="url(#down)"/>'
        case "task":
            return f'<text class="plain" x="{x + 9:.1f}" y="{y + 4:.1f}">⇄</text>'
        case _:
            return f'<rect class="state {sign}" x="{x:.1f}" y="{y - 8:.1f}" width="30" height="16" rx="5"/>'
