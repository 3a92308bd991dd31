"""Sections and results to text: a terminal's 80 columns, Markdown, CSV, JSON, TOML. The same bytes everywhere."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.results import to_builtins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capacity.results import Evaluation
    from capacity.section import Section

WIDTH: Final = 80
"""Columns that every terminal has; the text does not depend on the one that it is shown in."""

_NARROWEST: Final = 6


def text(sections: Sequence[Section]) -> str:
    """Return sections as plain text of at most 80 columns."""
    blocks = []
    for section in sections:
        lines = wrapped(section.title, "", "  ") if section.title else []
        lines += _table(section.rows, section.right)
        for note in section.notes:
            lines += _wrapped(note)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def markdown(sections: Sequence[Section]) -> str:
    """Return sections as Markdown."""
    blocks = []
    for i, section in enumerate(sections):
        if section.title:
            blocks.append(f"{'#' if i == 0 else '##'} {_escaped(section.title)}")
        if section.rows:
            head, *rows = [[_escaped(cell) for cell in row] for row in section.rows]
            rule = ["---:" if i in section.right else "---" for i in range(len(head))]
            blocks.append("\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows)))
        if section.notes:
            blocks.append("\n".join(f"- {_escaped(note.strip())}" for note in section.notes))
    return "\n\n".join(blocks) + "\n"


def json(value: object) -> str:
    """Return JSON with two spaces of indent; never NaN nor infinity, which the results do not hold."""
    plain = msgspec.to_builtins(value, enc_hook=float)
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def csv_rows(value: object) -> str:
    """Return every number of a result as one row: the dotted path to it, and the value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("path", "value"))
    writer.writerows(_flat(msgspec.to_builtins(value, enc_hook=float)))
    return buffer.getvalue()


def csv_table(rows: Iterable[Sequence[object]]) -> str:
    """Return rows, the names of their columns first."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def csv_of(evaluation: Evaluation) -> str:
    """Return every number of an evaluation as one row: scope, name, metric, value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("scope", "name", "metric", "value"))
    values = to_builtins(evaluation)
    for scope in ("classes", "tiers", "scenarios"):
        for name, part in values[scope].items():
            for metric, value in _flat(part):
                writer.writerow((scope, name, metric, value))
    for metric, value in _flat(values["cost"]):
        writer.writerow(("cost", "", metric, value))
    writer.writerow(("plan", values["name"], "feasible", values["feasible"]))
    return buffer.getvalue()


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from _flat(part, f"{path}.{i}")
    else:
        yield path, "" if value is None else value


def _table(rows: Sequence[Sequence[str]], right: frozenset[int]) -> list[str]:
    """Return aligned columns; where they do not fit, the widest are shortened with an ellipsis."""
    if not rows:
        return []
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    while sum(widths) + 2 * (len(widths) - 1) > WIDTH and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    lines = []
    for row in rows:
        cells = [_fitted(cell, widths[i], right=i in right) for i, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines


def width(cell: str) -> int:
    """Return the columns that a text takes: East Asian wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell)


def _fitted(cell: str, wanted: int, *, right: bool) -> str:
    if width(cell) > wanted:
        while width(cell) > wanted - 1:
            cell = cell[:-1]
        cell += "…"
    space = " " * (wanted - width(cell))
    return space + cell if right else cell + space


def _wrapped(note: str) -> list[str]:
    """Return a note as indented lines, counted in columns and not in characters."""
    indent = " " * (2 + len(note) - len(note.lstrip()))
    return wrapped(note.strip(), indent, indent + "  ")


def wrapped(line: str, first: str = "", rest: str = "") -> list[str]:
    """Return words as lines of at most 80 columns; a word that is longer stands alone, cut where it has to be."""
    lines, current = [], first
    for whole in line.split():
        word = whole
        if width(current) + width(word) > WIDTH and current.strip():
            lines.append(current.rstrip())
            current = rest
        while width(current) + width(word) > WIDTH:
            cut = WIDTH - width(current)
            while width(word[:cut]) > WIDTH - width(current):
                cut -= 1
            lines.append(current + word[:cut])
            word, current = word[cut:], rest
        current += word + " "
    return [*lines, current.rstrip()]


def _escaped(cell: str) -> str:
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        cell = cell.replace(mark, "\\" + mark)
    return cell
