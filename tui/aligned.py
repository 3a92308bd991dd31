"""A table as lines of styled text, aligned by the columns that each text takes on a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.drawing.text import clean, columns, left, right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.content import Style, Table

_NARROWEST: Final = 6
"""Columns below which no column of words goes; one of numbers is never broken: a number cut is no number."""

_JOINED: Final = re.compile(r"(?<=[-_./:])")
"""Where a name is broken rather than anywhere."""

_WIDEST_GAP: Final = 2


class Span(NamedTuple):
    """A text and how it is shown."""

    text: str
    style: Style


def aligned(table: Table, width: int) -> list[list[Span]]:
    """Return the header and the rows as lines, of at most `width` columns where words can be broken to that.

    The gap goes first, then the last words go on below themselves, then titles of numbers, then the longest words.
    """
    texts = [[clean(name) for name in table.columns], *([clean(cell.text) for cell in row] for row in table.rows)]
    styles: list[Sequence[Style]] = [
        ["dim"] * len(table.columns),
        *([cell.style for cell in row] for row in table.rows),
    ]
    widths = [max(columns(row[i]) for row in texts) for i in range(len(table.columns))]
    gap = _gap(widths, width)
    _shrink(widths, width - gap * (len(widths) - 1), texts, table)
    lines = []
    for number, (row, style) in enumerate(zip(texts, styles, strict=True)):
        for part in _wrapped(row, widths, table, heading=number == 0):
            fitted = [
                Span((left if i in table.left else right)(text, widths[i]), style[i]) for i, text in enumerate(part)
            ]
            lines.append([span for each in fitted for span in (Span(" " * gap, ""), each)][1:])
    return lines


def _gap(widths: Sequence[int], width: int) -> int:
    return _WIDEST_GAP if sum(widths) + _WIDEST_GAP * (len(widths) - 1) <= width else 1


def _shrink(widths: list[int], room: int, texts: Sequence[Sequence[str]], table: Table) -> None:
    """Make columns narrower until all fit: no further than their longest words, and then those of words only."""
    last, every = len(widths) - 1, range(len(widths))
    if last in table.left:
        least = min(widths[last], 4 * _NARROWEST)
        widths[last] = max(least, widths[last] - max(0, sum(widths) - room))
    words = [max(_longest(row[i]) for row in texts) for i in every]
    numbers = [max([_longest(texts[0][i]), *(columns(row[i]) for row in texts[1:])]) for i in every]
    for least_of in (
        {i: numbers[i] for i in every if i not in table.left},
        {i: min(words[i], widths[i]) for i in every if i in table.left},
        {i: min(_NARROWEST, widths[i]) for i in every if i in table.left},
    ):
        while sum(widths) > room:
            longest = max((i for i, least in least_of.items() if widths[i] > least), key=widths.__getitem__, default=-1)
            if longest < 0:
                break
            widths[longest] -= 1


def _longest(text: str) -> int:
    return max((columns(piece) for word in text.split() for piece in _pieces(word)), default=0)


def _pieces(word: str) -> list[str]:
    """Return the parts of a name, each with what it is joined to the next by."""
    return [piece for piece in _JOINED.split(word) if piece]


def _wrapped(row: Sequence[str], widths: Sequence[int], table: Table, *, heading: bool) -> list[list[str]]:
    """Return a row as one or more, where words are too many for their column."""
    if all(columns(text) <= wide for text, wide in zip(row, widths, strict=True)):
        return [list(row)]
    pieces = [wrapped(t, widths[i]) if heading or i in table.left else [t] for i, t in enumerate(row)]
    high = max(map(len, pieces))
    return [[found[i] if i < len(found) else "" for found in pieces] for i in range(high)]


def wrapped(text: str, width: int) -> list[str]:
    """Return clean text as lines of at most `width` columns, broken where words or parts of names end, if possible."""
    lines, current = [], ""
    for word in text.split():
        apart = " " if current else ""
        for part in [word] if columns(word) <= width else _pieces(word):
            if current and columns(current + apart + part) > width:
                lines.append(current)
                current = apart = ""
            rest = part
            while columns(rest) > max(width, 2):
                kept = 1
                while columns(rest[: kept + 1]) <= max(width, 2):
                    kept += 1
                lines.append(rest[:kept])
                rest = rest[kept:]
            current, apart = current + apart + rest, ""
    return [*lines, current]


def separated(table: Table) -> str:
    """Return a table as text for a spreadsheet: cells with tabs between them, the header first."""
    rows = [table.columns, *(tuple(cell.text for cell in row) for row in table.rows)]
    return "\n".join("\t".join(clean(text) for text in row) for row in rows) + "\n"
