"""What a view has to say, as frozen values that know no terminal: notes, tables, charts.

Every text is plain text, whatever is in it. A style is a word ("good", "bad", "dim", "strong", "") that the screen
turns into a colour; a chart has a table twin, for those who cannot see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from capacity.axes import Axis

Style = Literal["", "good", "bad", "warn", "dim", "strong"]


class Cell(NamedTuple):
    """A text in a table."""

    text: str
    style: Style = ""


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str
    style: Style = ""


@dataclass(frozen=True)
class Passage:
    """Paragraphs that follow each other: on the screen one widget, however many there are."""

    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Table:
    """Rows under titles; numbers stand on the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left: frozenset[int] = frozenset({0})
    """Columns of words."""


@dataclass(frozen=True)
class Series:
    """A line; points that are not known are left out."""

    name: str
    points: tuple[tuple[float, float], ...]


class Mark(NamedTuple):
    """A place along the horizontal axis with a name: "you are here"."""

    at: float
    name: str


@dataclass(frozen=True)
class Chart:
    """Lines over a common axis."""

    title: str
    across: Axis
    up: Axis
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    height: int = 14

    def twin(self) -> Table:
        """Return the same as a table: a row for each place along the axis that any line knows."""
        places = sorted({x for line in self.series for x, _ in line.points})
        known = [dict(line.points) for line in self.series]
        near = {mark.at: mark.name for mark in self.marks}
        rows = []
        for x in places:
            values = [Cell(self.up.show(line[x])) if x in line else Cell("-", "dim") for line in known]
            rows.append((Cell(self.across.show(x)), *values, Cell(near.get(x, ""))))
        columns = (self.across.label, *(line.name for line in self.series), "")
        return Table(self.title, columns, tuple(rows), frozenset({len(columns) - 1}))


Block = Note | Table | Chart


@dataclass(frozen=True)
class Content:
    """What a view shows, from top to bottom."""

    blocks: tuple[Block, ...] = field(default=())
