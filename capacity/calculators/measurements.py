"""A CSV file of two columns of numbers: read with the place of whatever is wrong in it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from capacity.errors import DocumentError, Problem, ascii_quoted
from capacity.units import UnitError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.units import Unit

MOST_ROWS: Final = 100_000


def pairs(
    text: str, source: str, first: tuple[str, Unit], second: tuple[str, Unit], called: tuple[str, ...] = ()
) -> list[tuple[float, float]]:
    """Return the rows of a CSV text as pairs of numbers; a first row of words names its columns and is passed over.

    Columns are divided by commas, semicolons or tabs; empty lines and those after # are passed over; a number may carry
    its unit. `first` and `second` are what the columns are and their units; they may come in the other order, if the
    first row says so: `called` are words for what is second. Raises DocumentError with every problem, each with its
    line and column.
    """
    found: list[tuple[float, float]] = []
    problems: list[Problem] = []
    rows = list(_rows(text, source))
    turned = bool(rows) and _turned([cell for _, cell in rows[0][1]], called)
    for i, (line, cells) in enumerate(rows):
        if i == 0 and not any(_number(cell) for _, cell in cells):
            continue
        if len(cells) != 2:
            allowed = f"two, {first[0]} and {second[0]}"
            problems.append(Problem((), "wrong number of columns", str(len(cells)), allowed).placed(source, line, 1))
            continue
        values: list[float] = []
        for (column, cell), (what, unit) in zip(cells, (second, first) if turned else (first, second), strict=True):
            try:
                values.append(parse(_plain(cell), unit))
            except UnitError as error:
                problem = Problem((), f"not {what}", ascii_quoted(cell), error.allowed)
                problems.append(problem.placed(source, line, column))
        if len(values) == 2:
            found.append((values[1], values[0]) if turned else (values[0], values[1]))
    if len(rows) > MOST_ROWS:
        problems.append(Problem((), "too many rows", f"{len(rows):,}", f"at most {MOST_ROWS:,}", source=source))
    if problems:
        raise DocumentError(problems)
    return found


def _rows(text: str, source: str) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield the lines that hold something: their number, and their cells with the column at which each begins."""
    lines = text.splitlines()
    body = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    divider = next((mark for mark in ("\t", ";", ",") if body and mark in body[0]), ",")
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found = next(csv.reader([line], delimiter=divider))
        except csv.Error as error:
            raise DocumentError([Problem((), f"not CSV: {error}").placed(source, number, 1)]) from error
        cells, column = [], 1
        for cell in found:
            indent = len(cell) - len(cell.lstrip())
            cells.append((column + indent, cell.strip()))
            column += len(cell) + 1
        yield number, cells


def _turned(heading: list[str], called: tuple[str, ...]) -> bool:
    """Whether a row of two words names the second quantity first."""
    named = [any(word in cell.lower() for word in called) for cell in heading]
    return named == [True, False] and not any(_number(cell) for cell in heading)


def _plain(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _number(cell: str) -> bool:
    """Whether a cell begins as a number does, be it a wrong one: then it is no heading."""
    return cell[:1].isdigit() or cell[:1] in ("+", "-", ".")
