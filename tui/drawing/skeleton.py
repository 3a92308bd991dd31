"""Everything of a drawing but what stands in its boxes: lines, arrows and labels, and where the boxes go.

Remembered by the layout and the edges, since an edit of one tier mostly leaves every rate as it was: then nothing is
painted anew but boxes, and of these only those in which something changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.drawing.canvas import Canvas, DrawnEdge, Region, Runs, joined
from tui.drawing.routing import LEFT
from tui.drawing.text import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.drawing.changes import Change
    from tui.drawing.layers import Layering
    from tui.drawing.picture import Edge
    from tui.drawing.placing import Placement, Wire
    from tui.drawing.routing import Gap

_ARROWS: Final = {True: ("►", "◄"), False: ("▻", "◅")}
"""Heads to the right and to the left, of edges that are waited for and of others."""

Label = tuple[str, "Change"]
"""What is written on an edge, and how it changed."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Everything that depends on the graph and on the heights of its boxes, and on no number in them."""

    layering: Layering
    placement: Placement
    wires: tuple[tuple[tuple[int, Wire], ...], ...]
    """For each gap, its wires as item and line."""
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Fit:
    """A layout with the columns of its layers and gaps, and the labels of its edges."""

    layout: Layout
    narrow: bool
    labels: tuple[Label, ...]
    layers: tuple[int, ...]
    gaps: tuple[int, ...]


class Slot(NamedTuple):
    """A row of a box, the first being 0."""

    box: int
    row: int


@dataclass(frozen=True)
class Skeleton:
    """The rows of a drawing with slots for the rows of its boxes; boxes by their number in the picture."""

    width: int
    rows: tuple[tuple[Runs | Slot, ...], ...]
    regions: tuple[Region, ...]
    ports: tuple[tuple[int, ...], ...]
    """The rows of each box at which edges leave it."""
    edges: tuple[DrawnEdge, ...]

    def filled(self, boxes: Sequence[Sequence[Runs]]) -> tuple[Runs, ...]:
        """Return the rows with those of the boxes in their slots."""
        return tuple(
            joined([boxes[part.box][part.row] if isinstance(part, Slot) else part for part in row]) for row in self.rows
        )


@lru_cache(maxsize=32)
def skeleton(fit: Fit, edges: tuple[Edge, ...]) -> Skeleton:
    """Return what is drawn around the boxes."""
    layout, placement = fit.layout, fit.layout.placement
    nodes = layout.layering.nodes
    canvas = Canvas(sum(fit.layers) + sum(fit.gaps))
    regions: dict[int, Region] = {}
    labels: dict[int, Region | None] = {}
    chain_of = {item: chain for chain, item in placement.enters if item >= nodes}
    x = 0
    for i, layer in enumerate(layout.layering.layers):
        for item in layer:
            region = Region(x, placement.tops[item], fit.layers[i], placement.heights[item])
            if item < nodes:
                regions[item] = region
            else:
                edge = edges[chain_of[item]]
                canvas.level(region.y, x - 1, x + region.width, _style(edge), dashed=not edge.waited_for)
        x += fit.layers[i]
        if i < len(fit.gaps):
            labels |= _paint_gap(canvas, edges, fit, i, x)
            x += fit.gaps[i]
    leaving: dict[int, list[int]] = {}
    for (item, _), row in placement.leaves.items():
        leaving.setdefault(item, []).append(row - placement.tops[item])
    return Skeleton(
        canvas.width,
        _rows(canvas, regions),
        tuple(regions[box] for box in range(nodes)),
        tuple(tuple(leaving.get(box, ())) for box in range(nodes)),
        tuple(DrawnEdge(edge.start, edge.end, labels.get(n)) for n, edge in enumerate(edges)),
    )


def _rows(canvas: Canvas, regions: dict[int, Region]) -> tuple[tuple[Runs | Slot, ...], ...]:
    slots: dict[int, list[tuple[Region, Slot]]] = {}
    for box, region in regions.items():
        for row in range(region.height):
            slots.setdefault(region.y + row, []).append((region, Slot(box, row)))
    found: list[tuple[Runs | Slot, ...]] = []
    for y in range(max(canvas.height, max(slots, default=-1) + 1)):
        parts: list[Runs | Slot] = []
        x = 0
        for region, slot in sorted(slots.get(y, ())):
            parts += [canvas.runs(y, x, region.x), slot]
            x = region.x + region.width
        found.append((*parts, canvas.runs(y, x, canvas.width)))
    return tuple(found)


def _style(edge: Edge) -> str:
    return "edge" if edge.waited_for else "edge.async"


def _paint_gap(canvas: Canvas, edges: tuple[Edge, ...], fit: Fit, number: int, x: int) -> dict[int, Region | None]:
    """Draw the lines of the gap that begins at column `x`, their heads and labels; return where the labels are."""
    placement, gap, end = fit.layout.placement, fit.layout.gaps[number], x + fit.gaps[number] - 1
    hops = placement.gaps[number]
    of_wire = {(hop.start, hop.wire): edges[hop.chain] for hop in hops}
    wired = [of_wire[wire] for wire in fit.layout.wires[number]]
    for level in gap.levels:
        edge = wired[level.wire]
        start = x - 1 if level.start == LEFT else x + 1 + level.start
        stop = end + 1 if level.stop is None else x + 1 + level.stop
        canvas.level(level.row, start, stop, _style(edge), dashed=not edge.waited_for)
    for upright in gap.uprights:
        edge = wired[upright.wire]
        canvas.upright(x + 1 + upright.column, upright.top, upright.bottom, _style(edge), dashed=not edge.waited_for)
    drawn: dict[int, Region | None] = {}
    for hop in hops:
        chain, edge = fit.layout.layering.chains[hop.chain], edges[hop.chain]
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
