"""A price book of the user's own, in TOML or in CSV. A file is data; nothing in it is ever evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from capacity import sheet
from capacity.decode import Decoder, Rejected
from capacity.errors import DocumentError, Problem, UsageError
from capacity.pricing import BOOK_CURRENCY, NodeType, in_currency
from capacity.reading import STDIN, placed, read, toml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Book:
    """Node types and their prices, as a file of the user's says."""

    source: str
    date: str | None
    """When the prices held, in the words of the file; None: it does not say."""
    currency: str
    node_types: Mapping[str, NodeType]

    def in_currency(self, currency: str) -> Mapping[str, NodeType]:
        """Return the node types for a topology of this currency: in another one, their prices are unknown."""
        return in_currency(self.node_types, self.currency, currency)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a book in TOML may say."""

    date: str | None = None
    currency: str = BOOK_CURRENCY
    node_types: dict[str, NodeType] = {}


def load_book(path: str) -> Book:
    """Return the price book of a path: CSV where it ends so, else TOML.

    Raises DocumentError with all problems of the file.
    """
    if path == STDIN:
        raise UsageError("--prices -: a price book is a file; standard input is for the topology")
    if Path(path).suffix.lower() == ".csv":
        return parse_csv(read(path, "a price book", "a CSV file"), path)
    return parse_toml(read(path, "a price book"), path)


def parse_toml(text: str, source: str) -> Book:
    """Return the book of a TOML text: `date`, `currency`, and [node_types.NAME] with the keys that a topology has."""
    values = toml(text, source)
    decoder = Decoder()
    try:
        file = decoder.struct(_File, values)
    except Rejected:
        raise DocumentError(placed(decoder.problems, text, source, {})) from None
    wrong = [*_amiss(file.node_types, "[node_types.NAME] with vcpus")]
    if wrong:
        raise DocumentError(placed(wrong, text, source, {}))
    return Book(source, file.date, file.currency, file.node_types)


def parse_csv(text: str, source: str) -> Book:
    """Return the book of a CSV text: a row of column names, and one row for each node type."""
    found = sheet.parse(text)
    if not found.problems:
        found.problems += _amiss(
            found.node_types, "a row of column names, name and vcpus among them, and rows below it"
        )
    if found.problems:
        raise DocumentError([problem.placed(source, problem.line, problem.column) for problem in found.problems])
    return Book(source, found.notes.get("date"), found.notes.get("currency", BOOK_CURRENCY), found.node_types)


def _amiss(node_types: Mapping[str, NodeType], needed: str) -> list[Problem]:
    """Return what is wrong with the number of node types."""
    if not node_types:
        return [Problem((), "there is no node type", allowed=needed)]
    if len(node_types) > sheet.MOST_TYPES:
        return [Problem((), "has too many node types", allowed=f"at most {sheet.MOST_TYPES:,}")]
    return []
