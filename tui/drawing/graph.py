"""Boxes from left to right: the layout of a picture, fitted into a width, and painted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tui.drawing import boxes
from tui.drawing.canvas import Canvas, Drawing, DrawnEdge, Key, Region
from tui.drawing.changes import NONE, Change
from tui.drawing.layers import Layering, Link, layering
from tui.drawing.picture import rate
from tui.drawing.placing import Placement, Wire, place
from tui.drawing.routing import LEFT, Gap, route
from tui.drawing.text import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.drawing.picture import Edge, Picture

_ARROWS: Final = {True: ("►", "◄"), False: ("▻", "◅")}
"""Heads to the right and to the left, of edges that are waited for and of others."""

Label = tuple[str, Change]
"""What is written on an edge, and how it changed."""

_SPARE: Final = 2
"""Columns that a gap gets on top where there is room."""


@dataclass(frozen=True)
class _Layout:
    """Everything that depends on the graph and on the heights of its boxes, and on no number in them."""

    layering: Layering
    placement: Placement
    wires: tuple[tuple[tuple[int, Wire], ...], ...]
    """For each gap, its wires as item and line."""
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class _Fit:
    """A layout with the columns of its layers and gaps, and the labels of its edges."""

    layout: _Layout
    narrow: bool
    labels: tuple[Label, ...]
    layers: tuple[int, ...]
    gaps: tuple[int, ...]


def draw_boxes(picture: Picture, width: int, selected: Key | None = None) -> Drawing | None:
    """Return the picture as boxes within `width` columns, None where they do not fit however narrow they are."""
    number = {box.key: i for i, box in enumerate(picture.boxes)}
    links = tuple((number[edge.start], number[edge.end]) for edge in picture.edges)
    kinds = tuple("solid" if edge.waited_for else "dashed" for edge in picture.edges)
    worded, plain, short, shortest = _labels(picture.edges)
    for narrow, tight, labels in (
        (False, False, worded),
        (False, False, plain),
        (True, False, plain),
        (True, False, short),
        (True, True, short),
        *(((True, True, shortest), (True, True, tuple((text, NONE) for text, _ in short))) if picture.compared else ()),
    ):
        heights = tuple(boxes.height(box, narrow=narrow, compared=picture.compared) for box in picture.boxes)
        layout = _laid_out(links, kinds, heights)
        fit = _fitted(picture, layout, labels, width, narrow=narrow, tight=tight)
        if fit is not None:
            return _painted(picture, fit, selected)
    return None


@lru_cache(maxsize=64)
def _laid_out(links: tuple[Link, ...], kinds: tuple[str, ...], heights: tuple[int, ...]) -> _Layout:
    layers = layering(len(heights), links)
    placement = place(layers, kinds, heights)
    wires, gaps = [], []
    for hops in placement.gaps:
        rows: dict[tuple[int, Wire], list[int]] = {}
        for hop in hops:
            rows.setdefault((hop.start, hop.wire), []).append(placement.enters[hop.chain, hop.end])
        wires.append(tuple(rows))
        gaps.append(route([(placement.leaves[wire], tuple(targets)) for wire, targets in rows.items()]))
    return _Layout(layers, placement, tuple(wires), tuple(gaps))


def _labels(edges: Sequence[Edge]) -> list[tuple[Label, ...]]:
    """Return the labels of the edges, from the longest that say the most to the shortest."""
    plain = tuple((rate(edge.rate), edge.change) for edge in edges)
    worded = tuple(
        (f"{text} misses" if edge.kind == "miss" and text else text, change)
        for edge, (text, change) in zip(edges, plain, strict=True)
    )
    short = tuple((rate(edge.rate, short=True), edge.change) for edge in edges)
    return [worded, plain, short, tuple((text, Change(change.text[:1], change.trend)) for text, change in short)]


def _wide(label: Label) -> int:
    text, change = label
    return columns(text) + (columns(change.text) + 1 if change.text else 0)


def _fitted(
    picture: Picture, layout: _Layout, labels: tuple[Label, ...], width: int, *, narrow: bool, tight: bool
) -> _Fit | None:
    """Return the widths of layers and gaps, or None; what is too wide is taken from the widest layers first."""
    longest = [0] * len(layout.gaps)
    for gap, hops in enumerate(layout.placement.gaps):
        for hop in hops:
            if hop.end < layout.layering.nodes:
                longest[gap] = max(longest[gap], _wide(labels[hop.chain]))
    gaps = [(3 if tight else 4) + routed.columns + text for routed, text in zip(layout.gaps, longest, strict=True)]
    needs = [
        [
            boxes.widths(picture.boxes[item], narrow=narrow, tight=tight)
            for item in layer
            if item < layout.layering.nodes
        ]
        for layer in layout.layering.layers
    ]
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
    return _Fit(layout, narrow, labels, tuple(layers), tuple(gap + spare for gap in gaps))


def _painted(picture: Picture, fit: _Fit, selected: Key | None) -> Drawing:
    layout, placement = fit.layout, fit.layout.placement
    nodes = layout.layering.nodes
    canvas = Canvas(sum(fit.layers) + sum(fit.gaps))
    regions: dict[Key, Region] = {}
    drawn: dict[int, Region | None] = {}
    leaving: dict[int, list[int]] = {}
    for (item, _), row in placement.leaves.items():
        leaving.setdefault(item, []).append(row - placement.tops[item])
    chain_of = {item: chain for chain, item in placement.enters if item >= nodes}
    x = 0
    for i, layer in enumerate(layout.layering.layers):
        for item in layer:
            region = Region(x, placement.tops[item], fit.layers[i], placement.heights[item])
            if item < nodes:
                box = picture.boxes[item]
                regions[box.key] = region
                ports, chosen = tuple(leaving.get(item, ())), box.key == selected
                cells = boxes.painted(box, region.width, region.height, ports, narrow=fit.narrow, selected=chosen)
                canvas.stamp(region.x, region.y, cells)
            else:
                edge = picture.edges[chain_of[item]]
                canvas.level(region.y, x - 1, x + region.width, _style(edge), dashed=not edge.waited_for)
        x += fit.layers[i]
        if i < len(fit.gaps):
            drawn |= _paint_gap(canvas, picture, fit, i, x)
            x += fit.gaps[i]
    edges = tuple(DrawnEdge(edge.start, edge.end, drawn.get(n)) for n, edge in enumerate(picture.edges))
    rows = canvas.rows()
    return Drawing(canvas.width, len(rows), rows, regions, edges, "boxes")


def _style(edge: Edge) -> str:
    return "edge" if edge.waited_for else "edge.async"


def _paint_gap(canvas: Canvas, picture: Picture, fit: _Fit, number: int, x: int) -> dict[int, Region | None]:
    """Draw the lines of the gap that begins at column `x`, their heads and labels; return where the labels are."""
    placement, gap, end = fit.layout.placement, fit.layout.gaps[number], x + fit.gaps[number] - 1
    hops = placement.gaps[number]
    of_wire = {(hop.start, hop.wire): picture.edges[hop.chain] for hop in hops}
    edges = [of_wire[wire] for wire in fit.layout.wires[number]]
    for level in gap.levels:
        edge = edges[level.wire]
        start = x - 1 if level.start == LEFT else x + 1 + level.start
        stop = end + 1 if level.stop is None else x + 1 + level.stop
        canvas.level(level.row, start, stop, _style(edge), dashed=not edge.waited_for)
    for upright in gap.uprights:
        edge = edges[upright.wire]
        canvas.upright(x + 1 + upright.column, upright.top, upright.bottom, _style(edge), dashed=not edge.waited_for)
    drawn: dict[int, Region | None] = {}
    for hop in hops:
        chain, edge = fit.layout.layering.chains[hop.chain], picture.edges[hop.chain]
        right, left = _ARROWS[edge.waited_for]
        if chain.backward and hop.start == chain.items[0]:
            canvas.put(x, placement.leaves[hop.start, hop.wire], left, _style(edge))
        if hop.end == chain.items[-1]:
            row, (label, change) = placement.enters[hop.chain, hop.end], fit.labels[hop.chain]
            text = f"{label} {change.text}" if change.text else label
            if not chain.backward:
                canvas.put(end, row, right, _style(edge))
            place = Region(end - 1 - columns(text), row, columns(text), 1)
            canvas.spans(place.x, place.y, ((label, "label"), (text[len(label) :], f"change.{change.trend}")))
            drawn[hop.chain] = place if label else None
    return drawn
