"""The blocks that views are made of, from what the planner says: amounts as the reports write them, names cleaned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.units import digits, show_percent, show_seconds
from tui.content import Block, Cell, Note, Style, Table
from tui.drawing.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capacity.section import Section

UNKNOWN = Cell("unknown", "warn")


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell | str]], left: Iterable[int] = (0,)
) -> Table:
    """Return a table; texts become plain cells."""
    cells = tuple(tuple(c if isinstance(c, Cell) else Cell(c) for c in row) for row in rows)
    return Table(title, tuple(columns), cells, frozenset(left))


def of_section(section: Section) -> Iterator[Block]:
    """Yield a section of a report: its table, whose first row names the columns, and its notes."""
    if section.rows:
        columns, *rows = section.rows
        left = set(range(len(columns))) - section.right
        yield table(section.title, columns, rows, left)
    elif section.title:
        yield Note(section.title, "strong")
    yield from (Note(text) for text in section.notes)


def seconds(value: float | None) -> Cell:
    """Return a time; an overload leaves none."""
    return Cell("never", "bad") if value is None else Cell(time(value))


def time(value: float) -> str:
    """Return a time as the reports write it."""
    return "0" if value < 5e-10 else show_seconds(value)


def share(value: float | None) -> Cell:
    """Return a share, or that it is not known."""
    return UNKNOWN if value is None else Cell(percent(value))


def percent(value: float) -> str:
    """Return a share; what is less than a millionth is no longer told apart from nothing."""
    if value < 1e-6:
        return "0%"
    return f"{value * 100:.2g}%" if value < 1e-3 else show_percent(value)


def money(value: float | None) -> Cell:
    """Return an amount, or that it is unknown."""
    return UNKNOWN if value is None else Cell(f"{value:,.2f}")


def whole_money(value: float) -> str:
    """Return an amount as it stands along an axis."""
    return f"{value:,.0f}"


def times(value: float) -> str:
    """Return a multiple."""
    return f"{digits(value)}x"


def per_second(value: float) -> str:
    """Return a rate."""
    return f"{digits(value)}/s"


def change(value: float | None) -> Cell:
    """Return how much more something costs than before: more is worse."""
    if value is None:
        return UNKNOWN
    if abs(value) < 0.005:
        return Cell("=", "dim")
    style: Style = "bad" if value > 0 else "good"
    return Cell(f"{'▲' if value > 0 else '▼'}{value:+,.2f}", style)


def bar(part: float | None, width: int = 20) -> str:
    """Return a share as a bar."""
    return "" if part is None else "█" * round(min(max(part, 0.0), 1.0) * width)


def name(text: str) -> str:
    """Return a name of the file as it may be drawn."""
    return clean(text)
