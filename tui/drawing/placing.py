"""Where the boxes of a layered graph stand from top to bottom, and at which row each edge leaves and enters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.drawing.layers import Layering

PORT: Final = 2
"""The row of a box at which a lone edge meets it, from its top: the same for all, so that chains are straight."""

_SWEEPS: Final = 4
_STIFFNESS: Final = 8.0
"""How much more a long edge resists a bend than a box resists being moved."""


Wire = tuple[int, str]
"""Edges of one item that leave it as one line: all of a kind, or a single one by its number."""

_Port = TypeVar("_Port")


@dataclass(frozen=True)
class Hop:
    """One edge between two neighbouring layers; hops of one item with the same `wire` leave it as one line."""

    chain: int
    start: int
    end: int
    wire: Wire


@dataclass(frozen=True)
class Placement:
    """Tops and heights of items, and the rows at which wires leave them and hops enter them."""

    tops: Mapping[int, int]
    heights: Mapping[int, int]
    gaps: Sequence[Sequence[Hop]]
    """The hops between each layer and the next."""
    leaves: Mapping[tuple[int, Wire], int]
    enters: Mapping[tuple[int, int], int]
    """By chain and the item that is entered."""

    @property
    def height(self) -> int:
        """Rows of the whole."""
        return max((top + self.heights[item] for item, top in self.tops.items()), default=0)


def place(layering: Layering, kinds: Sequence[str], least: Sequence[int]) -> Placement:
    """Return rows for all items: `kinds` tell which edges of a node may share a line, `least` how high a node is.

    A node grows where more edges meet it than it has rows. Nothing overlaps; neighbours stand as level as they can.
    """
    gaps = _hops(layering, kinds)
    position = {item: at for layer in layering.layers for at, item in enumerate(layer)}
    leaving, entering = _ports(gaps, position)
    heights = {}
    for item in position:
        most = max(len(leaving.get(item, ())), len(entering.get(item, ())))
        heights[item] = max(least[item], most + 2) if item < layering.nodes else 1
    leaves = {(item, wire): at for item, wires in leaving.items() for wire, at in _spread(wires, heights[item])}
    enters = {(chain, item): at for item, chains in entering.items() for chain, at in _spread(chains, heights[item])}
    tops = _tops(layering, gaps, heights, leaves, enters)
    return Placement(
        tops,
        heights,
        gaps,
        {(item, wire): tops[item] + at for (item, wire), at in leaves.items()},
        {(chain, item): tops[item] + at for (chain, item), at in enters.items()},
    )


def _hops(layering: Layering, kinds: Sequence[str]) -> list[list[Hop]]:
    layer_of = {item: i for i, layer in enumerate(layering.layers) for item in layer}
    gaps: list[list[Hop]] = [[] for _ in layering.layers[1:]]
    for number, chain in enumerate(layering.chains):
        for start, end in zip(chain.items, chain.items[1:], strict=False):
            alone = chain.backward or start >= layering.nodes
            gaps[layer_of[start]].append(Hop(number, start, end, (number, "") if alone else (-1, kinds[number])))
    return gaps


def _ports(
    gaps: Sequence[Sequence[Hop]], position: Mapping[int, int]
) -> tuple[dict[int, list[Wire]], dict[int, list[int]]]:
    """Return the wires that leave each item and the chains that enter it, each from top to bottom."""
    ends: dict[int, dict[Wire, list[int]]] = {}
    starts: dict[int, list[Hop]] = {}
    for hop in (hop for gap in gaps for hop in gap):
        ends.setdefault(hop.start, {}).setdefault(hop.wire, []).append(position[hop.end])
        starts.setdefault(hop.end, []).append(hop)
    leaving = {item: sorted(ws, key=lambda w: (sum(ws[w]) / len(ws[w]), w)) for item, ws in ends.items()}
    entering = {
        item: [
            hop.chain
            for hop in sorted(hops, key=lambda h: (position[h.start], leaving[h.start].index(h.wire), h.chain))
        ]
        for item, hops in starts.items()
    }
    return leaving, entering


def _spread(ports: Sequence[_Port], height: int) -> list[tuple[_Port, int]]:
    """Return rows for the ports on one side of a box, next to each other around the usual one, inside the frame."""
    first = 0 if height == 1 else max(1, min(min(PORT, height // 2) - (len(ports) - 1) // 2, height - 1 - len(ports)))
    return [(port, first + i) for i, port in enumerate(ports)]


def _tops(
    layering: Layering,
    gaps: Sequence[Sequence[Hop]],
    heights: Mapping[int, int],
    leaves: Mapping[tuple[int, Wire], int],
    enters: Mapping[tuple[int, int], int],
) -> dict[int, int]:
    """Return the top row of every item: sweeps in which each layer moves as near as it can to its neighbours."""
    pulls: dict[int, list[tuple[int, int, float]]] = {}
    for hop in (hop for gap in gaps for hop in gap):
        shift = leaves[hop.start, hop.wire] - enters[hop.chain, hop.end]
        stiffness = _STIFFNESS if max(hop.start, hop.end) >= layering.nodes else 1.0
        pulls.setdefault(hop.end, []).append((hop.start, shift, stiffness))
        pulls.setdefault(hop.start, []).append((hop.end, -shift, stiffness))
    tops: dict[int, int] = {}
    for layer in layering.layers:
        row = 0
        for item in layer:
            tops[item] = row
            row += heights[item] + _space(item, layering.nodes)
    layer_of = {item: i for i, layer in enumerate(layering.layers) for item in layer}
    for sweep in range(2 * _SWEEPS + 1):
        last = sweep == 2 * _SWEEPS
        numbers = range(len(layering.layers))
        for i in numbers if sweep % 2 == 0 else reversed(numbers):
            side = 0 if last else (-1 if sweep % 2 == 0 else 1)
            near = {
                item: [p for p in pulls.get(item, ()) if side == 0 or (layer_of[p[0]] - i) * side > 0]
                for item in layering.layers[i]
            }
            _settle(layering.layers[i], layering.nodes, heights, tops, near)
    least = min(tops.values(), default=0)
    return {item: top - least for item, top in tops.items()}


def _space(item: int, nodes: int) -> int:
    return 1 if item < nodes else 0


def _settle(
    layer: Sequence[int],
    nodes: int,
    heights: Mapping[int, int],
    tops: dict[int, int],
    near: Mapping[int, Sequence[tuple[int, int, float]]],
) -> None:
    """Move one layer to where its items are pulled, in their order and without overlap: pooled adjacent violators."""
    below, row = [], 0
    for at, item in enumerate(layer):
        row += 1 if at and item < nodes <= layer[at - 1] else 0  # a box keeps away from the line above it
        below.append(row)
        row += heights[item] + _space(item, nodes)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many items
    for item, offset in zip(layer, below, strict=True):
        pulled = near[item]
        weight = sum(stiffness for _, _, stiffness in pulled)
        wanted = sum((tops[o] + shift) * s for o, shift, s in pulled) / weight if weight else float(tops[item])
        mean, weight, size = wanted - offset, weight or 0.01, 1
        while pools and pools[-1][0] > mean:
            other, more, items = pools.pop()
            mean, weight, size = (mean * weight + other * more) / (weight + more), weight + more, size + items
        pools.append((mean, weight, size))
    moved = (math.floor(mean + 0.5) for mean, _, size in pools for _ in range(size))
    for item, offset, start in zip(layer, below, moved, strict=True):
        tops[item] = start + offset
