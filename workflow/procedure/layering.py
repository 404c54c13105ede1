"""A layered layout: where boxes, labels and lines of a state machine go so that nothing covers anything else.

The steps are the usual ones: break the loops, give each box the longest way from the start as its layer, put a
place holder into every layer a line crosses (one of them holds the line's label), order each layer by the
barycentre of its neighbours, then shift all towards their neighbours as far as the widths allow. Every tie falls
to the order given, so the same input gives the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP: Final = 26.0
"""Least distance between two things in one layer."""
PART_GAP: Final = 60.0
"""Distance between parts of a picture that no line holds together."""
LAYER_GAP: Final = 34.0
"""Distance between two layers, in which lines bend."""
ORDER_SWEEPS: Final = 16
SHIFT_SWEEPS: Final = 120
SETTLING_SWEEPS: Final = 20
OVERSHOOT: Final = 1.8
"""How far beyond its place a box is moved at first: long chains straighten in fewer sweeps so."""


@dataclass(slots=True)
class Box:
    """A thing with a size. `left` and `right` reach from its middle line; `x` is that line, `y` its upper edge.

    `top` and `bottom` are those of its layer: a line bends only between two layers, never inside one.
    """

    left: float
    right: float
    height: float
    x: float = 0.0
    y: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    above: list[Box] = field(default_factory=list)
    below: list[Box] = field(default_factory=list)
    holds_line: bool = False


@dataclass(slots=True)
class Line:
    """A line from box to box by index. `label` is its text's size; `chain` the boxes it goes by, from the upper
    to the lower end; `upward`: it leads from the lower to the upper one. `carrier` holds the label."""

    source: int
    target: int
    label: tuple[float, float]
    chain: list[Box] = field(default_factory=list)
    upward: bool = False
    carrier: Box | None = None


def arrange(boxes: Sequence[Box], lines: Sequence[Line]) -> tuple[float, float]:
    """Places boxes and lines; the width and height they take. Lines from a box to itself are not its business.

    What no line holds together is placed side by side.
    """
    wide = high = 0.0
    for part in _parts(len(boxes), lines):
        inside = [line for line in lines if line.source in part]
        size = _arrange_part(boxes, part, inside)
        for box in [boxes[i] for i in part] + [holder for line in inside for holder in line.chain[1:-1]]:
            box.x += wide + (PART_GAP if wide else 0.0)
        wide += size[0] + (PART_GAP if wide else 0.0)
        high = max(high, size[1])
    return wide, high


def _parts(count: int, lines: Sequence[Line]) -> list[list[int]]:
    """The boxes by what hangs together, each in its order."""
    part = list(range(count))
    for line in lines:
        old, new = sorted((part[line.source], part[line.target]), reverse=True)
        part = [new if one == old else one for one in part]
    return [[i for i in range(count) if part[i] == one] for one in dict.fromkeys(part)]


def _arrange_part(boxes: Sequence[Box], part: Sequence[int], lines: Sequence[Line]) -> tuple[float, float]:
    place = {box: index for index, box in enumerate(part)}
    ends = [(place[line.source], place[line.target]) for line in lines]
    within = [boxes[index] for index in part]
    _turn_loops(len(part), lines, ends)
    layers = _layers(within, lines, ends)
    _order(layers)
    _shift(layers)
    return _settle(layers)


def _turn_loops(count: int, lines: Sequence[Line], ends: Sequence[tuple[int, int]]) -> None:
    """Marks as upward each line that closes a loop, found depth first from the first box on."""
    leaving: list[list[tuple[Line, int]]] = [[] for _ in range(count)]
    for line, (source, target) in zip(lines, ends, strict=True):
        leaving[source].append((line, target))
    done, open_ = [False] * count, [False] * count
    for start in range(count):
        stack = [] if done[start] else [(start, iter(leaving[start]))]
        while stack:
            here, rest = stack[-1]
            open_[here] = done[here] = True
            following = next(rest, None)
            if following is None:
                open_[here] = False
                stack.pop()
            elif open_[following[1]]:
                following[0].upward = True
            elif not done[following[1]]:
                stack.append((following[1], iter(leaving[following[1]])))


def _layers(boxes: Sequence[Box], lines: Sequence[Line], ends: Sequence[tuple[int, int]]) -> list[list[Box]]:
    """The boxes by layer (every second one, so that a label fits between two), lines filled with place holders."""
    downward = [(t, s) if line.upward else (s, t) for line, (s, t) in zip(lines, ends, strict=True)]
    ranks = _ranks(len(boxes), downward)
    layers: list[list[Box]] = [[] for _ in range(2 * max(ranks) + 1)]
    for index, box in enumerate(boxes):
        layers[2 * ranks[index]].append(box)
    for line, (upper, lower) in zip(lines, downward, strict=True):
        between = range(2 * ranks[upper] + 1, 2 * ranks[lower])
        labelled = between[-1] if line.upward else between[0]
        holders = []
        for rank in between:
            width, height = line.label if rank == labelled else (0.0, 0.0)
            holders.append(Box(width / 2, width / 2, height, holds_line=True))
            layers[rank].append(holders[-1])
        line.carrier = holders[between.index(labelled)]
        line.chain = [boxes[upper], *holders, boxes[lower]]
        for one, other in pairwise(line.chain):
            one.below.append(other)
            other.above.append(one)
    return layers


def _ranks(count: int, downward: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way to each box along lines that lead down."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in downward:
        before[lower].append(upper)
        after[upper].append(lower)
    ranks, waiting = [0] * count, [len(b) for b in before]
    ready = [index for index in range(count) if not before[index]]
    for here in ready:
        for other in after[here]:
            ranks[other] = max(ranks[other], ranks[here] + 1)
            waiting[other] -= 1
            if waiting[other] == 0:
                ready.append(other)
    return ranks


def _order(layers: list[list[Box]]) -> None:
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers)
    for sweep in range(ORDER_SWEEPS):
        downward = sweep % 2 == 0
        for layer, fixed in _pairs(layers, downward=downward):
            place = {id(box): index for index, box in enumerate(fixed)}
            keyed = [
                (_mean([place[id(n)] for n in (box.above if downward else box.below)], index), index, box)
                for index, box in enumerate(layer)
            ]
            layer[:] = [box for _, _, box in sorted(keyed, key=lambda one: one[:2])]
        crossed = _crossings(layers)
        if crossed < fewest:
            fewest, best = crossed, [list(layer) for layer in layers]
    layers[:] = best


def _pairs(layers: list[list[Box]], *, downward: bool) -> Iterable[tuple[list[Box], list[Box]]]:
    """Each layer with the one before it on the way down, or after it on the way up."""
    if downward:
        return zip(layers[1:], layers, strict=False)
    return zip(reversed(layers[:-1]), reversed(layers), strict=False)


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(layers: list[list[Box]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place = {id(box): index for index, box in enumerate(lower)}
        ends = [place[id(other)] for box in upper for other in sorted(box.below, key=lambda b: place[id(b)])]
        total += sum(1 for i, a in enumerate(ends) for b in ends[i + 1 :] if b < a)
    return total


def _shift(layers: list[list[Box]]) -> None:
    for layer in layers:
        x = 0.0
        for box in layer:
            box.x = x + box.left
            x += box.left + box.right + GAP
    for sweep in range(SHIFT_SWEEPS):
        order = layers if sweep % 2 == 0 else list(reversed(layers))
        reach = OVERSHOOT if sweep < SHIFT_SWEEPS - SETTLING_SWEEPS else 1.0
        for layer in order:
            _towards_neighbours(layer, reach)


def _towards_neighbours(layer: list[Box], reach: float) -> None:
    """Moves each box to the middle of its neighbours as nearly as order and distances allow (least squares)."""
    offsets, at = [], 0.0
    for index, box in enumerate(layer):
        at += 0.0 if index == 0 else layer[index - 1].right + GAP + box.left
        offsets.append(at)
    blocks: list[tuple[float, float, int]] = []
    for box, offset in zip(layer, offsets, strict=True):
        middle = _mean([n.x for n in (*box.above, *box.below)], box.x)
        wanted = box.x + reach * (middle - box.x) - offset
        weight = 4.0 if box.holds_line else 1.0
        blocks.append((wanted, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (x1, w1, n1), (x2, w2, n2) = blocks[-2], blocks[-1]
            blocks[-2:] = [((x1 * w1 + x2 * w2) / (w1 + w2), w1 + w2, n1 + n2)]
    places = [x for x, _, count in blocks for _ in range(count)]
    for box, offset, place in zip(layer, offsets, places, strict=True):
        box.x = place + offset


def _settle(layers: list[list[Box]]) -> tuple[float, float]:
    """Moves everything into the positive quarter and gives each layer its height."""
    leftmost = min(box.x - box.left for layer in layers for box in layer)
    y = 0.0
    for layer in layers:
        height = max((box.height for box in layer), default=0.0)
        for box in layer:
            box.x -= leftmost
            box.y = y + (height - box.height) / 2
            box.top, box.bottom = y, y + height
        y += height + LAYER_GAP
    return max(box.x + box.right for layer in layers for box in layer), y - LAYER_GAP
