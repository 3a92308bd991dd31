"""Pictures for the tests, without any evaluation behind them, and a reader that follows lines as an eye would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from rich.cells import cell_len

from tui.drawing.canvas import Key
from tui.drawing.changes import NONE, Change
from tui.drawing.picture import Box, Edge, Fact, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.drawing.canvas import Drawing

KINDS: Final = ("service", "cache", "database", "queue", "external")
WIDE: Final = "데이터베이스漢字😀[red]éabc-_."


def box(name: str, kind: str = "service", *, bottleneck: bool = False, change: Change = NONE) -> Box:
    users = kind == "class"
    return Box(
        key=Key("class" if users else "tier", name),
        name=name,
        word={"external": "partner", "class": "users"}.get(kind, kind),
        kind=kind,
        where=Fact("" if users else "3×c6i.large"),
        utilization=None if users else 0.5,
        load=Fact("" if users else "50%", NONE if users else change),
        resource="cores",
        ceiling=0.75,
        severity="calm",
        bottleneck=bottleneck,
        facts=(Fact("p99 12 ms", change), Fact("all met" if users else "wait 3 ms")),
        rate=Fact("10/s"),
    )


def graph(nodes: Sequence[Box], links: Sequence[tuple[int, int]], rate: float = 120.0) -> Picture:
    edges = []
    for a, b in dict.fromkeys(links):
        kind = {"queue": "consumes", "cache": "miss"}.get(
            nodes[a].kind, "async" if nodes[b].kind == "queue" else "call"
        )
        edges.append(Edge(nodes[a].key, nodes[b].key, kind, rate))
    return Picture(tuple(nodes), tuple(edges))


@st.composite
def pictures(draw: st.DrawFn, most: int = 60) -> Picture:
    """Return any graph of tiers, some behind request classes, with circles, skips and tiers that nothing reaches."""
    count = draw(st.integers(1, most))
    names = draw(st.lists(st.text(WIDE, min_size=1, max_size=20), min_size=count, max_size=count, unique=True))
    users = draw(st.integers(0, min(4, count - 1)))
    tightest = draw(st.integers(0, count - 1))
    changes = st.sampled_from([NONE, Change("▲+12 ms", "worse")] if draw(st.booleans()) else [NONE])
    nodes = [
        box(
            name,
            "class" if i < users else draw(st.sampled_from(KINDS)),
            bottleneck=i == tightest >= users,
            change=draw(changes),
        )
        for i, name in enumerate(names)
    ]
    tiers = st.integers(users, count - 1)
    links = [(i, draw(tiers)) for i in range(users)]
    more = draw(st.lists(st.tuples(tiers, tiers), max_size=draw(st.sampled_from([3, count, 2 * count]))))
    links += [(a, b) for a, b in more if a != b]
    return graph(nodes, links)


def cells(drawing: Drawing) -> list[list[tuple[str, str]]]:
    """Return the drawing as one character and its style for each column; a wide character is followed by an empty one."""
    grid = []
    for row in drawing.rows:
        line: list[tuple[str, str]] = []
        for text, style in row:
            for c in text:
                line += [(c, style), ("", style)] if cell_len(c) == 2 else [(c, style)]
        grid.append(line)
    return grid


# From which sides a line runs into each character: the eye's alphabet, written down apart from the drawing's.
_ARMS: Final = {
    "─": "we", "╌": "we", "│": "ns", "╎": "ns", "┌": "es", "┐": "ws", "└": "ne", "┘": "nw",
    "├": "nes", "┤": "nws", "┬": "wes", "┴": "nwe", "┼": "nwes",
}  # fmt: skip
_STEP: Final = {"n": (0, -1), "s": (0, 1), "w": (-1, 0), "e": (1, 0)}
_BACK: Final = {"n": "s", "s": "n", "w": "e", "e": "w"}


def followed(drawing: Drawing) -> set[tuple[Key, Key]]:
    """Return which box leads to which, by following the lines from the right side of every box; crosses go straight."""
    grid = cells(drawing)
    found = set()
    for key, region in drawing.regions.items():
        for y in range(region.y, region.y + region.height):
            x = region.x + region.width
            if x >= drawing.width or not grid[y][x][1].startswith("edge"):
                continue
            backward = grid[y][x][0] in "◄◅"
            for end, arrives in _ends(drawing, grid, x, y):
                assert backward != arrives, (key, end)
                found.add((end, key) if backward else (key, end))
    return found


def _ends(drawing: Drawing, grid: list[list[tuple[str, str]]], x: int, y: int) -> list[tuple[Key, bool]]:
    """Return the boxes at whose left side a line ends that starts at a cell and leads east, and whether with a head."""
    ends, waiting, seen = [], [(x, y, "w")], set()
    while waiting:
        x, y, came = waiting.pop()
        if (x, y, came) in seen:
            continue
        seen.add((x, y, came))
        mark, style = grid[y][x]
        at = drawing.at(x, y)
        if at is not None:
            region = drawing.regions[at]
            assert came == "w", f"a line runs into {at} from {came}"
            assert x == region.x, f"a line runs through {at}"
            ends.append((at, grid[y][x - 1][0] in "►▻"))
            continue
        assert style.startswith("edge") or style == "label", (x, y, mark, style)
        arms = "we" if style == "label" or mark in "►▻◄◅" else _ARMS[mark]
        assert came in arms, f"a line breaks off at {x}, {y}: {mark} from {came}"
        onward = _BACK[came] if mark == "┼" else arms.replace(came, "")
        waiting += [(x + _STEP[to][0], y + _STEP[to][1], _BACK[to]) for to in onward]
    return ends
