"""Boxes from left to right: the layout of a picture, fitted into a width, and painted."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tui.drawing import boxes
from tui.drawing.canvas import Drawing
from tui.drawing.changes import NONE, Change
from tui.drawing.layers import layering
from tui.drawing.picture import rate
from tui.drawing.placing import place
from tui.drawing.routing import route
from tui.drawing.skeleton import Fit, Layout, skeleton
from tui.drawing.text import columns

if TYPE_CHECKING:
    from tui.drawing.canvas import Key
    from tui.drawing.layers import Link
    from tui.drawing.picture import Edge, Picture
    from tui.drawing.placing import Wire
    from tui.drawing.skeleton import Label

Widths = tuple[tuple[int, int], ...]
"""The columns that each box needs at least, and those in which it shows everything."""

_SPARE: Final = 2
"""Columns that a gap gets on top where there is room."""


def draw_boxes(picture: Picture, width: int, selected: Key | None = None) -> Drawing | None:
    """Return the picture as boxes within `width` columns, None where they do not fit however narrow they are."""
    number = {box.key: i for i, box in enumerate(picture.boxes)}
    links = tuple((number[edge.start], number[edge.end]) for edge in picture.edges)
    kinds, (worded, plain, short, shortest) = _told(picture.edges)
    needs: dict[tuple[bool, bool], Widths] = {}
    for narrow, tight, labels in (
        (False, False, worded),
        (False, False, plain),
        (True, False, plain),
        (True, False, short),
        (True, True, short),
        *(((True, True, shortest), (True, True, tuple((text, NONE) for text, _ in short))) if picture.compared else ()),
    ):
        if (narrow, tight) not in needs:
            heights = tuple(boxes.height(box, narrow=narrow, compared=picture.compared) for box in picture.boxes)
            layout = _laid_out(links, kinds, heights)
            needs[narrow, tight] = tuple(boxes.widths(box, narrow=narrow, tight=tight) for box in picture.boxes)
        fit = _fitted(layout, labels, needs[narrow, tight], width, narrow=narrow, tight=tight)
        if fit is not None:
            return _painted(picture, fit, selected)
    return None


@lru_cache(maxsize=64)
def _laid_out(links: tuple[Link, ...], kinds: tuple[str, ...], heights: tuple[int, ...]) -> Layout:
    layers = layering(len(heights), links)
    placement = place(layers, kinds, heights)
    wires, gaps = [], []
    for hops in placement.gaps:
        rows: dict[tuple[int, Wire], list[int]] = {}
        for hop in hops:
            rows.setdefault((hop.start, hop.wire), []).append(placement.enters[hop.chain, hop.end])
        wires.append(tuple(rows))
        gaps.append(route([(placement.leaves[wire], tuple(targets)) for wire, targets in rows.items()]))
    return Layout(layers, placement, tuple(wires), tuple(gaps))


@lru_cache(maxsize=16)
def _told(edges: tuple[Edge, ...]) -> tuple[tuple[str, ...], list[tuple[Label, ...]]]:
    """Return the kinds of lines of the edges; and their labels, from the longest that say the most to the shortest."""
    kinds = tuple("solid" if edge.waited_for else "dashed" for edge in edges)
    plain = tuple((rate(edge.rate), edge.change) for edge in edges)
    worded = tuple(
        (f"{text} misses" if edge.kind == "miss" and text else text, change)
        for edge, (text, change) in zip(edges, plain, strict=True)
    )
    short = tuple((rate(edge.rate, short=True), edge.change) for edge in edges)
    shortest = tuple((text, Change(change.text[:1], change.trend)) for text, change in short)
    return kinds, [worded, plain, short, shortest]


def _wide(label: Label) -> int:
    text, change = label
    return columns(text) + (columns(change.text) + 1 if change.text else 0)


@lru_cache(maxsize=64)
def _fitted(
    layout: Layout, labels: tuple[Label, ...], boxes: Widths, width: int, *, narrow: bool, tight: bool
) -> Fit | None:
    """Return the widths of layers and gaps, or None; what is too wide is taken from the widest layers first."""
    longest = [0] * len(layout.gaps)
    for gap, hops in enumerate(layout.placement.gaps):
        for hop in hops:
            if hop.end < layout.layering.nodes:
                longest[gap] = max(longest[gap], _wide(labels[hop.chain]))
    gaps = [(3 if tight else 4) + routed.columns + text for routed, text in zip(layout.gaps, longest, strict=True)]
    needs = [[boxes[item] for item in layer if item < layout.layering.nodes] for layer in layout.layering.layers]
    if not needs:
        return None
    least = [max(low for low, _ in layer) for layer in needs]
    layers = [max(high for _, high in layer) for layer in needs]
    room = width - sum(gaps)
    if sum(least) > room:
        return None
    while sum(layers) > room:
        widest = max(range(len(layers)), key=lambda i: (layers[i] > least[i], layers[i]))
        layers[widest] -= 1
    spare = min(_SPARE, (room - sum(layers)) // len(gaps)) if gaps else 0
    return Fit(layout, narrow, labels, tuple(layers), tuple(gap + spare for gap in gaps))


def _painted(picture: Picture, fit: Fit, selected: Key | None) -> Drawing:
    bare = skeleton(fit, picture.edges)
    filled = [
        boxes.painted(box, region.width, region.height, ports, narrow=fit.narrow, selected=box.key == selected)
        for box, region, ports in zip(picture.boxes, bare.regions, bare.ports, strict=True)
    ]
    rows = bare.filled(filled)
    regions = {box.key: region for box, region in zip(picture.boxes, bare.regions, strict=True)}
    return Drawing(bare.width, len(rows), rows, regions, bare.edges, "boxes")
