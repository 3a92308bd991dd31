"""Edits of single values: from one valid document to another, and what the edit is called.

Every edit goes through the same checks as a file. What would not be valid raises DocumentError, with the problems that
concern the edited field first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from capacity.document import Document, from_values
from capacity.errors import DocumentError, KeyPath, Problem, ascii_quoted, printable, show_path
from capacity.fields import annotation, only_text
from capacity.literals import toml_value
from capacity.reading import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_BARE: Final = re.compile(r"\d[\d_]*(?:\.\d+)?")
_UNIT: Final = re.compile(r".*\d(\s*[^\d\s._eE+-][^\d]*)")

_MOST_SHOWN: Final = 24
"""Characters of a value in the name of an edit."""


class Edited(NamedTuple):
    """What an edit makes: the new document, and what a list of edits to undo calls it."""

    document: Document
    name: str


def with_value(document: Document, path: KeyPath, value: Any) -> Edited:
    """Return the document with another value at a key path.

    A text is read as TOML, and is a string where it is none, or where the field takes nothing else. Raises
    DocumentError where the value does not fit, or the path leads through what is no table.
    """
    new = read_value(document.values, path, value) if isinstance(value, str) else value
    old = value_at(document.values, path)
    name = f"{short(path)} = {shown(new)}" if old is None else f"{short(path)} {shown(old)} → {shown(new)}"
    return edited(document, placed_at(document.values, path, new), name, path)


def without_value(document: Document, path: KeyPath) -> Edited:
    """Return the document without a key or an item of a list, so that its default holds."""
    if value_at(document.values, path) is None:
        raise DocumentError([Problem(path, "is not there: nothing to remove", at_key=True)])
    return edited(document, removed_at(document.values, path), f"remove {short(path)}", path)


def read_value(values: Mapping[str, Any], path: KeyPath, text: str) -> Any:
    """Return the value that a typed text stands for at a key path."""
    hint = annotation(values, path)
    try:
        return read_text(text, text_only=hint is not None and only_text(hint))
    except ValueError as error:
        raise DocumentError([Problem(path, "is no value", ascii_quoted(text), "a value as in TOML")]) from error


def read_text(text: str, *, text_only: bool) -> Any:
    """Return the value that a typed text stands for, a string where a field takes nothing else; raises ValueError."""
    text.encode()
    try:
        found = literal(text.strip())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return text.strip() if text_only and not isinstance(found, str) else found


def in_unit_of(text: str, before: str) -> str:
    """Return a bare number with the unit of a value as it was written before: "12" after "9ms" is "12ms".

    Any other text is returned as it is; so is all after a value without a unit.
    """
    unit = _UNIT.fullmatch(before.strip())
    return f"{text.strip()}{unit[1]}" if unit and _BARE.fullmatch(text.strip()) else text


def edited(document: Document, values: dict[str, Any], name: str, path: KeyPath = ()) -> Edited:
    """Return the document with other values, checked like a file; problems at or below `path` come first."""
    try:
        found = from_values(values, document.source, document.load_factor, document.book, document.parts)
    except DocumentError as error:
        here = [p for p in error.problems if p.path[: len(path)] == path]
        raise DocumentError([*here, *(p for p in error.problems if p not in here)]) from None
    return Edited(found, name)


def value_at(values: Any, path: KeyPath) -> Any:
    """Return the value at a key path, None where there is none."""
    for key in path:
        inside = isinstance(values, list) and isinstance(key, int) and 0 <= key < len(values)
        if not inside and not (isinstance(values, dict) and key in values):
            return None
        values = values[key]
    return values


def placed_at(values: Any, path: KeyPath, value: Any, above: KeyPath = ()) -> Any:
    """Return a copy of values with one at a key path; what is not on the path is shared with the original.

    `above` is the path of `values` themselves, for the error where the path leads through what is no table.
    """
    if not path:
        return value
    key, rest, here = path[0], path[1:], (*above, path[0])
    if isinstance(values, dict) and isinstance(key, str):
        return {**values, key: placed_at(values.get(key, {}), rest, value, here)}
    if isinstance(values, list) and isinstance(key, int) and 0 <= key < len(values):
        return [placed_at(part, rest, value, here) if i == key else part for i, part in enumerate(values)]
    raise DocumentError([Problem((*above, *path), "is not in a table", allowed="the path of a field")])


def removed_at(values: Any, path: KeyPath) -> Any:
    """Return a copy of values without what is at a key path."""
    parent = value_at(values, path[:-1])
    if isinstance(parent, dict):
        return placed_at(values, path[:-1], {key: part for key, part in parent.items() if key != path[-1]})
    return placed_at(values, path[:-1], [part for i, part in enumerate(parent) if i != path[-1]])


def short(path: KeyPath) -> str:
    """Return a key path without what goes without saying: the tier's or the class's name and what follows."""
    for start in (("components",), ("workload", "classes")):
        if path[: len(start)] == start and len(path) > len(start):
            path = path[len(start) :]
    return show_path(path)


def shown(value: Any) -> str:
    """Return a value for a list of edits: short, printable, in quotes only where it is more than one word."""
    if isinstance(value, str):
        word = value and not any(c.isspace() for c in value) and '"' not in value and len(value) <= _MOST_SHOWN
        return printable(value) if word else ascii_quoted(value, _MOST_SHOWN)
    text = printable(toml_value(value))
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
