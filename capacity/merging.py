"""Two edits of one file made one: what only one side changed is taken; what both changed differently is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from capacity.errors import KeyPath

ABSENT: Final = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()
"""The value of a key that is not there."""


@dataclass(frozen=True)
class Conflict:
    """A key that both sides changed, each in its own way; ABSENT where a side has none."""

    path: KeyPath
    base: Any
    mine: Any
    theirs: Any


def merged(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> tuple[dict[str, Any], tuple[Conflict, ...]]:
    """Return the values with the changes of both sides, and the conflicts, of which `mine` stands in the values.

    A list is one value, unless all three are lists of equally many tables. What comes out need not be a topology: a
    call of one side may lead to a tier that the other removed.
    """
    conflicts: list[Conflict] = []
    found: dict[str, Any] = _merged(base, mine, theirs, (), conflicts)
    return found, tuple(conflicts)


def same(one: Any, other: Any) -> bool:
    """Whether two values of a file are written alike: 1, 1.0 and true differ, the order of keys does not matter."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and repr(one) == repr(other)


def _merged(base: Any, mine: Any, theirs: Any, path: KeyPath, conflicts: list[Conflict]) -> Any:
    if same(mine, theirs) or same(base, theirs):
        return mine
    if same(base, mine):
        return theirs
    if isinstance(mine, dict) and isinstance(theirs, dict):
        before = base if isinstance(base, dict) else {}
        keys = [*mine, *(key for key in theirs if key not in mine)]
        parts = {
            key: _merged(
                before.get(key, ABSENT), mine.get(key, ABSENT), theirs.get(key, ABSENT), (*path, key), conflicts
            )
            for key in keys
        }
        return {key: part for key, part in parts.items() if part is not ABSENT}
    if _tables(base) and _tables(mine) and _tables(theirs) and len(base) == len(mine) == len(theirs):
        return [_merged(*parts, (*path, i), conflicts) for i, parts in enumerate(zip(base, mine, theirs, strict=True))]
    conflicts.append(Conflict(path, base, mine, theirs))
    return mine


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, dict) for part in value)
