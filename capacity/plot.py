"""Lines over common axes as text: dots of Braille, told apart by letters, with limits across and marks upright.

Pure: a function of values to rows of characters, the same wherever they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_uppercase
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from capacity.axes import place, span, ticks
from capacity.render import WIDTH, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.axes import Axis

HEIGHT: Final = 14
"""Rows of the lines."""

_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of a Braille character: two columns of four dots, downwards."""

_MOST_LABEL: Final = 14


class Line(NamedTuple):
    """Values by place; None where there is no value, which interrupts the line."""

    name: str
    points: tuple[tuple[float, float | None], ...]


class Mark(NamedTuple):
    """A value of an axis with a name: a limit of the upright one, a turn of the other."""

    at: float
    name: str


@dataclass(frozen=True)
class Plot:
    """Lines over common axes; `ticks` are the texts below an axis of words, by place: nothing is between words."""

    title: str
    across: Axis
    up: Axis
    lines: tuple[Line, ...]
    limits: tuple[Mark, ...] = ()
    marks: tuple[Mark, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass
class _Grid:
    """Cells of dots, with characters over them."""

    columns: int
    rows: int
    over: dict[tuple[int, int], str] = field(default_factory=dict)
    under: dict[tuple[int, int], str] = field(default_factory=dict)
    _dots: dict[tuple[int, int], int] = field(default_factory=dict)

    def dot(self, x: int, y: int) -> None:
        """Set one dot, counted from the upper left; each cell has two by four."""
        cell = x // 2, y // 4
        self._dots[cell] = self._dots.get(cell, 0) | _DOTS[x % 2][y % 4]

    def stroke(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Set the dots from one to another."""
        steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1]))) + 1
        for i in range(steps + 1):
            share = i / steps
            self.dot(*(round(a + (b - a) * share) for a, b in zip(start, end, strict=True)))

    def write(self, x: int, y: int, text: str) -> None:
        """Write over whatever is there, as far as there is room."""
        for i, character in enumerate(text):
            if x + i < self.columns:
                self.over[x + i, y] = character

    def row(self, y: int) -> str:
        """Return one row."""
        found = []
        for cell in ((x, y) for x in range(self.columns)):
            dots = self._dots.get(cell)
            found.append(self.over.get(cell) or (chr(0x2800 + dots) if dots else self.under.get(cell, " ")))
        return "".join(found)


def drawn(plot: Plot, columns: int = WIDTH, rows: int = HEIGHT) -> list[str]:
    """Return the rows of a plot: its title, what is along its axes, its legend, the lines in their axes."""
    lines = [[(place(plot.across, x), None if y is None else place(plot.up, y)) for x, y in p] for _, p in plot.lines]
    known = [[(x, y) for x, y in line if x is not None and y is not None] for line in lines]
    marks = [(x, m.name) for m in plot.marks if (x := place(plot.across, m.at)) is not None]
    limits = [(y, m.name) for m in plot.limits if (y := place(plot.up, m.at)) is not None]
    low, high = span(plot.across, [*(x for line in lines for x, _ in line if x is not None), *(x for x, _ in marks)])
    bottom, top = span(plot.up, [*(y for line in known for _, y in line), *(y for y, _ in limits)])
    beside = ticks(plot.up, bottom, top, rows, across=False)
    margin = min(max((width(text) for _, text in beside), default=0), _MOST_LABEL)
    grid = _Grid(columns - margin - 2, rows)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - low) / (high - low) * (grid.columns * 2 - 1), (top - y) / (top - bottom) * (rows * 4 - 1)

    for line in () if plot.ticks else lines:
        _draw(grid, [None if x is None or y is None else at(x, y) for x, y in line])
    _rule(grid, [(round(at(low, y)[1]) // 4, name) for y, name in limits], [round(at(x, 0)[0]) // 2 for x, _ in marks])
    if len(known) > 1 or plot.ticks:
        for number, points in enumerate(known):
            for x, y in points if plot.ticks else lone_places(known, number, (low, high), (bottom, top)):
                right, down = at(x, y)
                grid.write(round(right) // 2, round(down) // 4, letter(number))
    _name(grid, [(round(at(x, 0)[0]) // 2, name) for x, name in marks])
    labels = {round(at(low, y)[1]) // 4: text for y, text in beside}
    body = [_beside(labels.get(y), margin) + grid.row(y) for y in range(rows)]
    below = list(plot.ticks) or ticks(plot.across, low, high, grid.columns, across=True)
    return [*_head(plot, columns), *body, *_below([(round(at(x, 0)[0]) // 2, t) for x, t in below], margin, columns)]


def _draw(grid: _Grid, points: Sequence[tuple[float, float] | None]) -> None:
    for first, second in pairwise(points):
        if first is not None and second is not None:
            grid.stroke(first, second)
    for point in points:
        if point is not None:
            grid.dot(*(round(part) for part in point))


def _rule(grid: _Grid, limits: Sequence[tuple[int, str]], marks: Sequence[int]) -> None:
    """Draw limits across and marks upright, below whatever is in their cells; a limit is named at its left."""
    for y, _ in limits:
        grid.under |= {(x, y): "┄" for x in range(grid.columns)}
    for x in marks:
        grid.under |= {(x, y): "┊" for y in range(grid.rows)}
    for y, name in limits:
        grid.write(1, y, f" {name} ")


def _name(grid: _Grid, marks: Sequence[tuple[int, str]]) -> None:
    """Write the name of every mark beside it, each a row lower than the one before."""
    for i, (x, name) in enumerate(marks):
        y = i % grid.rows
        text = f" {name} "
        after = x + 1 + width(text) <= grid.columns
        grid.write(x + 1 if after else max(0, x - width(text)), y, text if after else text[: max(x, 0)])


def _head(plot: Plot, columns: int) -> list[str]:
    named = [f"{letter(i)} {line.name}" for i, line in enumerate(plot.lines)]
    legend = "   ".join(named) if len(named) > 1 or plot.ticks else ""
    axes = f"↑ {plot.up.label}{', logarithmic' if plot.up.log else ''}"
    axes += f"   → {plot.across.label}{', logarithmic' if plot.across.log else ''}"
    return [_cut(text, columns) for text in (plot.title, axes, legend) if text]


def _beside(label: str | None, margin: int) -> str:
    text = _cut(label or "", margin)
    return " " * (margin - width(text)) + text + (" ┤" if label else " │")


def _below(places: Sequence[tuple[int, str]], margin: int, columns: int) -> list[str]:
    """Return the axis below with its texts, each in the middle below its place, but never beyond the ends."""
    room = columns - margin - 2
    ruler, texts, used = ["─"] * room, [" "] * columns, 0
    for x, text in places:
        start = min(max(margin + 2 + x - width(text) // 2, used), columns - width(text))
        if start < used or not 0 <= x < room:
            continue
        ruler[x] = "┬"
        texts[start : start + width(text)] = list(text) + [""] * (width(text) - len(text))
        used = start + width(text) + 1
    return [" " * margin + " └" + "".join(ruler), "".join(texts).rstrip()]


def _cut(text: str, columns: int) -> str:
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def lone_places(
    lines: Sequence[Sequence[tuple[float, float]]], number: int, across: tuple[float, float], up: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return where a line is marked with its letter: in each of its halves, where it is farthest from the others.

    Not at its very ends, where the frame is.
    """
    low, size = np.array([across[0], up[0]]), np.array([across[1] - across[0], up[1] - up[0]])
    own = (np.array(lines[number]).reshape(-1, 2) - low) / size
    others = [(np.array(line).reshape(-1, 2) - low) / size for i, line in enumerate(lines) if i != number and line]
    if len(own) == 0:
        return []
    far = np.full(len(own), 1.0)
    for other in others:
        far = np.minimum(far, np.abs(own[:, None, :] - other[None, :, :]).max(axis=2).min(axis=1))
    # Where lines are the same all along, each still has a place of its own.
    far += 1e-6 * np.cos(np.arange(len(own)) + number)
    edge, half = len(own) // 10, len(own) // 2
    first, second = slice(edge, half), slice(half, len(own) - edge)
    chosen = {part.start + int(np.argmax(far[part])) for part in (first, second) if part.stop > part.start}
    return [lines[number][i] for i in sorted(chosen)]


def letter(number: int) -> str:
    """Return the letter of a line."""
    return ascii_uppercase[number % len(ascii_uppercase)]
