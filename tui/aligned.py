"""A table as lines of styled text, aligned by the columns that each text takes on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tui.drawing.text import clean, columns, left, right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.content import Style, Table

_NARROWEST: Final = 6
"""Columns below which no cell is shortened: a number cut is no number."""

_WIDEST_GAP: Final = 2


class Span(NamedTuple):
    """A text and how it is shown."""

    text: str
    style: Style


def aligned(table: Table, width: int) -> list[list[Span]]:
    """Return the header and the rows as lines, of at most `width` columns where the words can be cut to that.

    The gap goes first, then words lose their ends, the longest first; the last column of words is wrapped instead.
    """
    texts = [[clean(name) for name in table.columns], *([clean(cell.text) for cell in row] for row in table.rows)]
    styles: list[Sequence[Style]] = [
        ["dim"] * len(table.columns),
        *([cell.style for cell in row] for row in table.rows),
    ]
    widths = [max(columns(row[i]) for row in texts) for i in range(len(table.columns))]
    gap = _gap(widths, width)
    _shrink(widths, width - gap * (len(widths) - 1), table)
    lines = []
    for row, style in zip(texts, styles, strict=True):
        for part in _wrapped(row, widths, table):
            fitted = [
                Span((left if i in table.left else right)(text, widths[i]), style[i]) for i, text in enumerate(part)
            ]
            lines.append([span for each in fitted for span in (Span(" " * gap, ""), each)][1:])
    return lines


def _gap(widths: Sequence[int], width: int) -> int:
    return _WIDEST_GAP if sum(widths) + _WIDEST_GAP * (len(widths) - 1) <= width else 1


def _shrink(widths: list[int], room: int, table: Table) -> None:
    """Make columns of words narrower until all fit; the last one first, since it goes on below itself."""
    last = len(widths) - 1
    if last in table.left:
        least = min(widths[last], 4 * _NARROWEST)
        widths[last] = max(least, widths[last] - max(0, sum(widths) - room))
    while sum(widths) > room:
        longest = max((i for i in table.left if i < len(widths)), key=lambda i: widths[i], default=None)
        if longest is None or widths[longest] <= _NARROWEST:
            return
        widths[longest] -= 1


def _wrapped(row: Sequence[str], widths: Sequence[int], table: Table) -> list[list[str]]:
    """Return a row as one or more, as its last words are too many for their column."""
    last = len(row) - 1
    if last not in table.left or columns(row[last]) <= widths[last]:
        return [list(row)]
    pieces = wrapped(row[last], widths[last])
    return [[*row[:-1], pieces[0]], *([*([""] * last), piece] for piece in pieces[1:])]


def wrapped(text: str, width: int) -> list[str]:
    """Return clean text as lines of at most `width` columns, broken between words where that is possible."""
    lines, current = [], ""
    for whole in text.split():
        word = whole
        if current and columns(current) + 1 + columns(word) > width:
            lines.append(current)
            current = ""
        while columns(word) > max(width, 2):
            kept = 1
            while columns(word[: kept + 1]) <= max(width, 2):
                kept += 1
            lines.append(word[:kept])
            word = word[kept:]
        current = f"{current} {word}" if current else word
    return [*lines, current]


def separated(table: Table) -> str:
    """Return a table as text for a spreadsheet: cells with tabs between them, the header first."""
    rows = [table.columns, *(tuple(cell.text for cell in row) for row in table.rows)]
    return "\n".join("\t".join(clean(text) for text in row) for row in rows) + "\n"
