"""The drawing of a topology for a width: boxes from left to right where they fit, else a tree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui.drawing.graph import draw_boxes
from tui.drawing.tree import draw_tree

if TYPE_CHECKING:
    from tui.drawing.canvas import Drawing, Key
    from tui.drawing.picture import Picture

_PLAIN: Final = {
    "-": "─╴╶", "=": "═━", "~": "╌╍", "|": "│╵╷┃▕▏├┤╟┠", ":": "╎┇┊", "H": "║", "+": "┌┐└┘┬┴┼┏┓┗┛", "/": "╭╯",
    "\\": "╮╰", "%": "╔╗╚╝", "[": "╞┣", "]": "╡╪┫╋", ">": "►▻▸", "<": "◄◅", "#": "█▉▊▋▌▍▎", ".": "░·…", "x": "×",
    "^": "▲↑", "v": "▼",
}  # fmt: skip
_ASCII: Final = {ord(mark): plain for plain, marks in _PLAIN.items() for mark in marks}


def draw(picture: Picture, width: int, selected: Key | None = None, *, ascii_only: bool = False) -> Drawing:
    """Return a picture drawn within `width` columns (at least 1); with `ascii_only` its lines and marks are ASCII.

    Pure and deterministic. The layout is remembered by the shape of the graph, so that new numbers cost only paint.
    """
    drawing = draw_boxes(picture, width, selected) or draw_tree(picture, width, selected)
    if not ascii_only:
        return drawing
    rows = tuple(tuple((text.translate(_ASCII), style) for text, style in row) for row in drawing.rows)
    return replace(drawing, rows=rows)
