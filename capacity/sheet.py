"""Node types in CSV, cell by cell: the csv module would read them as well, but does not say where a cell stands."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from capacity.decode import nearest
from capacity.errors import KeyPath, Problem, ascii_quoted
from capacity.pricing import MOST_VCPUS, NodeType
from capacity.units import BANDWIDTH, BYTES, MONEY, PER_SECOND, POSITIVE, Unit, UnitError
from capacity.units import parse as in_range

MOST_PROBLEMS: Final = 1000
"""After so many problems a file is read no further: it is no price book at all."""

MOST_TYPES: Final = 2000
"""Twice what the largest cloud sells; of more the rest is not read."""

MOST_CELLS: Final = 100
"""Columns of a row; ours are a dozen."""

NOTES: Final = ("currency", "date")
"""What a comment may say of the whole book."""

_CELL: Final = re.compile(r'[ \t]*+(?:"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"[ \t]*+(?=,|$)|(?P<bare>(?!")[^,]*+))')
"""Possessive throughout: a line of millions of quotes is read once."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Column(NamedTuple):
    """A column of numbers: the field that it fills, what one of it is worth in base units, and what it may hold."""

    field: str
    worth: float
    unit: Unit
    allowed: str


_AMOUNT: Final = "an amount per hour, at least 0, or nothing where it is unknown"
NUMBERS: Final = {
    "memory_gib": Column("memory", 1024.0**3, BYTES, "a number of GiB, at least 0, or nothing where it is unknown"),
    "network_mbps": Column("network", 1e6 / 8, BANDWIDTH, "a number of Mbit/s above 0, or nothing where it is unknown"),
    "disk_iops": Column(
        "disk_iops", 1.0, PER_SECOND, "a number per second, at least 0, or nothing where it is unknown"
    ),
    "speed": Column("speed", 1.0, POSITIVE, "a number from 0.0001 to 10,000, or nothing for 1"),
    "on_demand_hourly": Column("price", 1.0, MONEY, _AMOUNT),
    "reserved_1y_hourly": Column("reserved_1y", 1.0, MONEY, _AMOUNT),
    "reserved_3y_hourly": Column("reserved_3y", 1.0, MONEY, _AMOUNT),
    "spot_hourly": Column("spot", 1.0, MONEY, _AMOUNT),
}
NEEDED: Final = ("name", "vcpus")
COLUMNS: Final = (*NEEDED, "family", *NUMBERS)

_WHOLE: Final = f"a whole number from 1 to {MOST_VCPUS:,}"


class Cell(NamedTuple):
    """A cell's text, without the space around it and without quotes, and its place, both counted from 1."""

    text: str
    line: int
    column: int


@dataclass
class Sheet:
    """What was read of a file, right or wrong."""

    node_types: dict[str, NodeType] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    header: list[str] | None = None
    """The names of the columns; what is no column of ours is not read further."""
    lines: dict[str, int] = field(default_factory=dict)
    """Where each name stands first."""

    def note(self, cell: Cell, path: KeyPath, message: str, found: str | None, allowed: str, **more: Any) -> None:
        """Note a problem at a cell."""
        self.problems.append(Problem(path, message, found, allowed, **more).placed("", cell.line, cell.column))


def parse(text: str) -> Sheet:
    """Return the node types of a CSV text by name, with what its comments say of all of them, and its problems."""
    sheet = Sheet()
    for number, line in enumerate(text.split("\n"), 1):
        if len(sheet.problems) >= MOST_PROBLEMS or len(sheet.node_types) > MOST_TYPES:
            break
        if not line.strip(" \t\r,"):
            continue
        if line.lstrip().startswith("#"):
            _comment(sheet, line, number)
            continue
        cells = _cells(sheet, line.rstrip("\r"), number)
        if sheet.header is not None:
            _row(sheet, sheet.header, cells)
        elif cells:
            _header(sheet, cells)
        else:
            break  # without the names of the columns the rest says nothing
    return sheet


def _cells(sheet: Sheet, line: str, number: int) -> list[Cell]:
    """Return the cells of a line; none where it is no line of CSV, which is noted."""
    cells: list[Cell] = []
    at = 0
    while at <= len(line):
        match = _CELL.match(line, at)
        if match is None:
            place = Cell("", number, line.index('"', at) + 1)
            sheet.note(
                place, (), "is not CSV", "a quote", 'cells like "…" that end on their line, "" for a quote inside'
            )
            return []
        quoted, bare = match["quoted"], match["bare"]
        written = bare.strip() if quoted is None else quoted.replace('""', '"').strip()
        start = match.start("bare") if quoted is None else match.start("quoted") - 1
        cells.append(Cell(written, number, start + 1))
        at = match.end() + 1
        if len(cells) > MOST_CELLS:
            sheet.note(cells[-1], (), "is one cell too many", None, f"at most {MOST_CELLS} cells in a row")
            return []
    return cells


def _comment(sheet: Sheet, line: str, number: int) -> None:
    """Read `# currency: EUR` and `# date: 2026-11`; other comments are for people."""
    key, colon, value = line.lstrip().lstrip("#").partition(":")
    key, value = key.strip().lower(), value.rstrip("\r\t ,").strip()  # a spreadsheet fills comments up with commas
    if key not in NOTES or not colon:
        return
    cell = Cell(value, number, line.index("#") + 1)
    if not value:
        sheet.note(
            cell, (key,), "has no value", "nothing", f"like # {key}: {'EUR' if key == 'currency' else '2026-11'}"
        )
    elif key in sheet.notes:
        sheet.note(cell, (key,), "is said twice", ascii_quoted(value), "once", at_key=True)
    else:
        sheet.notes[key] = value


def _header(sheet: Sheet, cells: list[Cell]) -> None:
    sheet.header = [cell.text for cell in cells]
    seen: set[str] = set()
    for cell in cells:
        if cell.text not in COLUMNS:
            near = nearest(cell.text[:60], COLUMNS)
            allowed = ", ".join(COLUMNS)
            sheet.note(cell, (), "unknown column", ascii_quoted(cell.text), allowed, nearest=near, at_key=True)
        elif cell.text in seen:
            sheet.note(cell, (), "duplicate column", ascii_quoted(cell.text), "each column once", at_key=True)
        seen.add(cell.text)
    for name in NEEDED:
        if name not in seen:
            allowed = f"a row of column names, {' and '.join(NEEDED)} among them"
            sheet.note(cells[0], (), f"{name} is missing", None, allowed)


def _row(sheet: Sheet, header: list[str], cells: list[Cell]) -> None:
    if not cells:
        return
    row = dict(zip(header, cells, strict=False))
    nothing = Cell("", cells[-1].line, cells[-1].column)
    name = row.get("name", nothing)
    where = (name.text,) if name.text else ()
    if "name" in header:
        _name(sheet, name)
    fields: dict[str, Any] = {"family": row["family"].text or None} if "family" in row else {}
    if "vcpus" in header:
        fields["vcpus"] = _vcpus(sheet, (*where, "vcpus"), row.get("vcpus", nothing))
    for column in NUMBERS:
        if column in row and row[column].text:
            fields[NUMBERS[column].field] = _number(sheet, (*where, column), row[column], NUMBERS[column])
    more = next((cell for cell in cells[len(header) :] if cell.text), None)
    if more is not None:
        sheet.note(more, where, "is in no column", ascii_quoted(more.text), f"{len(header)} cells, as in the first row")
    if not sheet.problems:
        sheet.node_types[name.text] = NodeType(**fields)


def _name(sheet: Sheet, cell: Cell) -> None:
    if not cell.text:
        sheet.note(cell, ("name",), "has no value", "nothing", "the name of a node type")
    elif cell.text in sheet.lines:
        allowed = f"each name once; it stands in line {sheet.lines[cell.text]} as well"
        sheet.note(cell, (), "duplicate name", ascii_quoted(cell.text), allowed)
    else:
        sheet.lines[cell.text] = cell.line


def _vcpus(sheet: Sheet, path: KeyPath, cell: Cell) -> int | None:
    number = _read(cell.text)
    if not cell.text:
        sheet.note(cell, path, "has no value", "nothing", _WHOLE)
    elif number is None or not number.is_integer():
        sheet.note(cell, path, "is not a whole number", ascii_quoted(cell.text), _WHOLE)
    elif not 1 <= number <= MOST_VCPUS:
        sheet.note(cell, path, "is out of range", ascii_quoted(cell.text), _WHOLE)
    else:
        return int(number)
    return None


def _number(sheet: Sheet, path: KeyPath, cell: Cell, column: Column) -> float | None:
    """Return the number of a cell in base units; None where it is none, which is noted."""
    number = _read(cell.text)
    if number is None:
        sheet.note(cell, path, "is not a number", ascii_quoted(cell.text), column.allowed)
        return None
    try:
        return in_range(number * column.worth, column.unit)
    except UnitError:
        sheet.note(cell, path, "is out of range", ascii_quoted(cell.text), column.allowed)
        return None


def _read(text: str) -> float | None:
    """Return a plain decimal number; None for a unit, a separator of thousands, a range, an infinity."""
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None
