"""A part of any report, as terminals and Markdown print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Section:
    """A heading, a table (whose first row names its columns) and notes below it, any of which may be empty."""

    title: str
    rows: Sequence[Sequence[str]] = ()
    right: frozenset[int] = frozenset()
    """Columns whose cells are numbers."""
    notes: Sequence[str] = ()
