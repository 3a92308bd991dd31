"""Two states of one file: what differs, said by key path; and the two made one, with a choice for each conflict."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from capacity.differences import (
    Added,
    Changed,
    Difference,
    ItemInserted,
    ItemRemoved,
    Removed,
    Renamed,
    differences,
)
from capacity.document import from_values
from capacity.editing import placed_at, removed_at, short, shown, value_at
from capacity.merging import ABSENT, Conflict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from capacity.document import Document
    from capacity.errors import KeyPath
    from tui.session import Version

MOST_TOLD: Final = 500
"""Differences that are listed; of more the number says enough."""


def told(old: dict[str, Any], new: dict[str, Any], planned: Mapping[KeyPath, int] = MappingProxyType({})) -> list[str]:
    """Return a line for each difference from old to new values; `planned` are counts that old leaves to the plan."""
    found = [_line(old, step, planned) for step in differences(old, new)]
    more = len(found) - MOST_TOLD
    return found if more <= 0 else [*found[:MOST_TOLD], f"and {more:,} more"]


def planned(version: Version) -> dict[KeyPath, int]:
    """Return the counts that the file of a version leaves to the plan, by where they would stand."""
    tiers = version.document.topology.components
    return {
        ("components", name, field): count
        for name, count in version.counts.items()
        if name in tiers and (field := tiers[name].counted) is not None
    }


def _line(old: dict[str, Any], step: Difference, planned: Mapping[KeyPath, int]) -> str:
    match step:
        case Changed(path, value):
            return f"{short(path)}  {shown(value_at(old, path))} → {shown(value)}"
        case Renamed(path, name):
            return f"{short(path)}  renamed to {shown(name)}"
        case Removed(path):
            return f"{short(path)}  removed (was {shown(value_at(old, path))})"
        case Added(path, value):
            what = f"{planned[path]} → " if path in planned else "new: "
            return f"{short(path)}  {what}{shown(value)}"
        case ItemRemoved(path, position):
            return f"{short((*path, position))}  removed (was {shown(value_at(old, (*path, position)))})"
        case ItemInserted(path, position, value):
            return f"{short((*path, position))}  new: {shown(value)}"


def side(value: Any) -> str:
    """Return what one side of a conflict has."""
    return "nothing" if value is ABSENT else shown(value)


def settled(values: dict[str, Any], conflicts: Collection[Conflict], theirs: Collection[KeyPath]) -> dict[str, Any]:
    """Return merged values with their side of the conflicts at the paths of `theirs`, and mine at all others."""
    for conflict in conflicts:
        if conflict.path in theirs:
            if conflict.theirs is ABSENT:
                values = removed_at(values, conflict.path)
            else:
                values = placed_at(values, conflict.path, conflict.theirs)
    return values


def checked(values: dict[str, Any], like: Document) -> Document:
    """Return the document of merged values; raises DocumentError where the two together make no topology."""
    return from_values(values, like.source, like.load_factor, like.book)
