"""Which layer each node of a graph stands in, and in which order: longest paths, then barycentres. Knows no sizes."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

Link = tuple[int, int]

_SWEEPS: Final = 8


@dataclass(frozen=True)
class Chain:
    """One edge as items from left to right: its ends, and a dummy in every layer that it skips.

    Of a `backward` edge, which would lead to the left, the items run from its end to its start.
    """

    items: tuple[int, ...]
    backward: bool


@dataclass(frozen=True)
class Layering:
    """Layers from left to right, each from top to bottom; items from `nodes` on are dummies. A chain for each edge."""

    nodes: int
    layers: tuple[tuple[int, ...], ...]
    chains: tuple[Chain, ...]

    @property
    def crossings(self) -> int:
        """How many pairs of edges cross between layers."""
        return _crossings(self.layers, _neighbours(self.chains))


@lru_cache(maxsize=64)
def layering(nodes: int, links: tuple[Link, ...]) -> Layering:
    """Return nodes 0 to `nodes` - 1 in layers such that every link leads to the right, but those that close a circle.

    Links from a node to itself are not allowed. Deterministic: ties keep the order of the nodes.
    Source: Sugiyama, Tagawa and Toda 1981: circles broken, longest paths, dummies, barycentre sweeps.
    """
    backward = _closing(nodes, links)
    forward = tuple((b, a) if i in backward else (a, b) for i, (a, b) in enumerate(links))
    layer_of = _longest_paths(nodes, forward)
    layers: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    for node, layer in enumerate(layer_of):
        layers[layer].append(node)
    chains, items = [], nodes
    for i, (a, b) in enumerate(forward):
        skipped = range(layer_of[a] + 1, layer_of[b])
        dummies = tuple(range(items, items + len(skipped)))
        for dummy, layer in zip(dummies, skipped, strict=True):
            layers[layer].append(dummy)
        items += len(dummies)
        chains.append(Chain((a, *dummies, b), i in backward))
    return Layering(nodes, _ordered(layers, tuple(chains)), tuple(chains))


def _closing(nodes: int, links: tuple[Link, ...]) -> set[int]:
    """Return the links that close a circle, found by depth-first search in the order of the nodes."""
    leaving: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    entered = [0] * nodes
    for i, (a, b) in enumerate(links):
        leaving[a].append((i, b))
        entered[b] += 1
    found: set[int] = set()
    state = [0] * nodes  # 1: on the way here, 2: done
    for start in sorted(range(nodes), key=lambda node: entered[node] > 0):
        path = [(start, iter(leaving[start]))] if state[start] == 0 else []
        state[start] = state[start] or 1
        while path:
            node, rest = path[-1]
            step = next(rest, None)
            if step is None:
                state[node] = 2
                path.pop()
            elif state[step[1]] == 1:
                found.add(step[0])
            elif state[step[1]] == 0:
                state[step[1]] = 1
                path.append((step[1], iter(leaving[step[1]])))
    return found


def _longest_paths(nodes: int, links: tuple[Link, ...]) -> list[int]:
    """Return for each node of a graph without circles the most links that lead to it."""
    leaving: list[list[int]] = [[] for _ in range(nodes)]
    waiting = [0] * nodes
    for a, b in links:
        leaving[a].append(b)
        waiting[b] += 1
    layer_of = [0] * nodes
    ready = [node for node in range(nodes) if waiting[node] == 0]
    for node in ready:
        for to in leaving[node]:
            layer_of[to] = max(layer_of[to], layer_of[node] + 1)
            waiting[to] -= 1
            if waiting[to] == 0:
                ready.append(to)
    return layer_of


Neighbours = tuple[dict[int, list[int]], dict[int, list[int]]]
"""Of each item those to its left, and those to its right."""


def _neighbours(chains: tuple[Chain, ...]) -> Neighbours:
    left: dict[int, list[int]] = {}
    right: dict[int, list[int]] = {}
    for chain in chains:
        for a, b in zip(chain.items, chain.items[1:], strict=False):
            right.setdefault(a, []).append(b)
            left.setdefault(b, []).append(a)
    return left, right


def _ordered(layers: list[list[int]], chains: tuple[Chain, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the layers in the order with the fewest crossings that the sweeps came by."""
    left, right = neighbours = _neighbours(chains)
    order = tuple(tuple(layer) for layer in layers)
    best, fewest = order, _crossings(order, neighbours)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        rows = list(order)
        down = sweep % 2 == 0
        for i in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            fixed = {item: at for at, item in enumerate(rows[i - 1 if down else i + 1])}
            rows[i] = _by_barycentre(rows[i], left if down else right, fixed)
        order = tuple(rows)
        found = _crossings(order, neighbours)
        if found < fewest:
            best, fewest = order, found
    return best


def _by_barycentre(layer: tuple[int, ...], neighbours: dict[int, list[int]], fixed: dict[int, int]) -> tuple[int, ...]:
    """Return a layer sorted by the mean position of each item's neighbours; who has none keeps its place."""
    wanted = {}
    for at, item in enumerate(layer):
        near = neighbours.get(item, ())
        wanted[item] = sum(fixed[other] for other in near) / len(near) if near else float(at)
    return tuple(sorted(layer, key=lambda item: wanted[item]))


def _crossings(layers: tuple[tuple[int, ...], ...], neighbours: Neighbours) -> int:
    """Return how many pairs of links between neighbouring layers are in opposite orders at their ends."""
    _, right = neighbours
    total = 0
    for upper, lower in itertools.pairwise(layers):
        at = {item: i for i, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = sorted(at[to] for to in right.get(item, ()))
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
