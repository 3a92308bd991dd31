"""A grid of cells that text, lines and boxes are put on, and the drawing that it becomes: rows of styled runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.drawing.text import columns, is_narrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Span = tuple[str, str]
"""A piece of text and the name of its style, like "bar.over"; an empty name is the plain background."""

Runs = tuple[Span, ...]
"""A row as pieces of text, of which no two neighbours are of one style."""

_CHARACTER, _STYLE = itemgetter(0), itemgetter(1)

UP, DOWN, WEST, EAST = 1, 2, 4, 8

_JOINED: Final = dict(
    enumerate(" ╵╷│╴┘┐┤╶└┌├─┴┬┼"),
)
"""A line character for every union of directions."""

_DASHED: Final = {"│": "╎", "─": "╌"}


class Region(NamedTuple):
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int


class Key(NamedTuple):
    """What is drawn: a tier or a request class, which may have the same name."""

    scope: str
    """"tier" or "class"."""
    name: str


@dataclass(frozen=True)
class DrawnEdge:
    """An edge of a drawing and where its label stands, None where there was no room or nothing to say."""

    start: Key
    end: Key
    label: Region | None


@dataclass(frozen=True)
class Drawing:
    """A finished picture: rows of styled text, each of exactly `width` columns, and what is where."""

    width: int
    height: int
    rows: tuple[Runs, ...]
    regions: Mapping[Key, Region]
    edges: tuple[DrawnEdge, ...]
    form: str
    """"boxes" or "tree"."""

    @property
    def text(self) -> str:
        """The picture without its styles."""
        return "\n".join("".join(part for part, _ in row) for row in self.rows)

    def at(self, x: int, y: int) -> Key | None:
        """Return what is drawn at a cell."""
        for key, region in self.regions.items():
            if region.x <= x < region.x + region.width and region.y <= y < region.y + region.height:
                return key
        return None


@dataclass
class Canvas:
    """Cells to draw on. Grows downwards as needed; never to the right."""

    width: int
    _cells: list[list[Span]] = field(default_factory=list)
    _lines: dict[tuple[int, int], tuple[int, str, bool]] = field(default_factory=dict)

    def put(self, x: int, y: int, text: str, style: str) -> None:
        """Write clean text; the second cell of a wide character is empty, and marks join the character before them."""
        while len(self._cells) <= y:
            self._cells.append([(" ", "")] * self.width)
        row = self._cells[y]
        if is_narrow(text):
            end = min(x + len(text), self.width)
            row[x:end] = [(c, style) for c in text[: max(0, end - x)]]
            return
        last = x
        for c in text:
            wide = columns(c)
            if x + wide > self.width:
                break
            if wide == 0:
                row[last] = (row[last][0] + c, style)
                continue
            row[x] = (c, style)
            if wide == 2:
                row[x + 1] = ("", style)
            last, x = x, x + wide

    def spans(self, x: int, y: int, spans: tuple[Span, ...]) -> None:
        """Write styled pieces one after another."""
        for text, style in spans:
            self.put(x, y, text, style)
            x += columns(text)

    def level(self, y: int, start: int, stop: int, style: str, *, dashed: bool) -> None:
        """Draw a line from the middle of one cell to the middle of another on its right."""
        for x in range(start, stop + 1):
            self._join(x, y, (WEST if x > start else 0) | (EAST if x < stop else 0), style, dashed)

    def upright(self, x: int, start: int, stop: int, style: str, *, dashed: bool) -> None:
        """Draw a line from the middle of one cell to the middle of another below."""
        for y in range(start, stop + 1):
            self._join(x, y, (UP if y > start else 0) | (DOWN if y < stop else 0), style, dashed)

    def _join(self, x: int, y: int, arms: int, style: str, dashed: bool) -> None:  # noqa: FBT001
        known, _, also = self._lines.get((x, y), (0, "", True))
        self._lines[x, y] = known | arms, style, dashed and also

    @property
    def height(self) -> int:
        """Rows, down to the last one in which there is something."""
        self._draw_lines()
        return len(self._cells)

    def rows(self) -> tuple[Runs, ...]:
        """Return every row; lines are below whatever was put in their cells."""
        return tuple(self.runs(y, 0, self.width) for y in range(self.height))

    def runs(self, y: int, start: int, stop: int) -> Runs:
        """Return a part of a row, which may lie below all in which there is something."""
        self._draw_lines()
        row = self._cells[y][start:stop] if y < len(self._cells) else [(" ", "")] * (stop - start)
        return tuple(("".join(map(_CHARACTER, run)), style) for style, run in groupby(row, key=_STYLE))

    def _draw_lines(self) -> None:
        for (x, y), (arms, style, dashed) in self._lines.items():
            while len(self._cells) <= y:
                self._cells.append([(" ", "")] * self.width)
            if self._cells[y][x] == (" ", ""):
                mark = _JOINED[arms]
                self._cells[y][x] = (_DASHED.get(mark, mark) if dashed else mark, style)
        self._lines.clear()


def joined(parts: Iterable[Runs]) -> Runs:
    """Return parts of a row as one."""
    found: list[Span] = []
    for part in parts:
        if found and part and part[0][1] == found[-1][1]:
            text, style = found.pop()
            found += [(text + part[0][0], style), *part[1:]]
        else:
            found += part
    return tuple(found)
