"""What has to be done to the values of a file to make them other values, one small step for each."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from capacity.merging import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.errors import KeyPath

_ALIKE: Final = 0.5
"""The share of a table's entries that must have stayed for it to be taken for the same table by another name."""


@dataclass(frozen=True)
class Changed:
    """Another value at a place that has one."""

    path: KeyPath
    value: Any


@dataclass(frozen=True)
class Renamed:
    """Another name for the last part of a path."""

    path: KeyPath
    name: str


@dataclass(frozen=True)
class Removed:
    """A key that is no more."""

    path: KeyPath


@dataclass(frozen=True)
class Added:
    """A new key, and the key that it comes after, None for the first."""

    path: KeyPath
    value: Any
    after: str | None


@dataclass(frozen=True)
class ItemRemoved:
    """An item of a list that is no more."""

    path: KeyPath
    position: int


@dataclass(frozen=True)
class ItemInserted:
    """A new item of a list, before the one that now stands at `position`."""

    path: KeyPath
    position: int
    value: Any


Difference = Changed | Renamed | Removed | Added | ItemRemoved | ItemInserted


def differences(old: Any, new: Any, path: KeyPath = ()) -> Iterator[Difference]:
    """Yield the steps from old to new values. All paths are of the old values: after a step, ask again."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _of_tables(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(old, new, path)
    elif not same(old, new):
        yield Changed(path, new)


def _of_tables(old: dict[str, Any], new: dict[str, Any], path: KeyPath) -> Iterator[Difference]:
    names = _renamed(old, new)
    for key, value in old.items():
        if key in new:
            yield from differences(value, new[key], (*path, key))
        elif key in names:
            yield Renamed((*path, key), names[key])
        else:
            yield Removed((*path, key))
    before: str | None = None
    for key, value in new.items():
        if key not in old and key not in names.values():
            yield Added((*path, key), value, before)
        before = key


def _renamed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """Return the new names of keys: of equal values first, then of tables that have not changed much."""
    gone, come = [key for key in old if key not in new], [key for key in new if key not in old]
    found: dict[str, str] = {}
    for least in (1.0, _ALIKE):
        for key in gone:
            likely = [name for name in come if name not in found.values() and _alike(old[key], new[name]) >= least]
            if key not in found and likely:
                found[key] = max(likely, key=lambda name: _alike(old[key], new[name]))
    return found


def _alike(old: Any, new: Any) -> float:
    if same(old, new):
        return 1.0
    if not isinstance(old, dict) or not isinstance(new, dict):
        return 0.0
    kept = sum(key in new and same(value, new[key]) for key, value in old.items())
    return min(0.99, kept / max(len(old), len(new)))


def _of_lists(old: list[Any], new: list[Any], path: KeyPath) -> Iterator[Difference]:
    match = SequenceMatcher(None, [repr(item) for item in old], [repr(item) for item in new], autojunk=False)
    for _, first, last, start, stop in match.get_opcodes():
        both = min(last - first, stop - start)
        for i in range(both):
            yield from differences(old[first + i], new[start + i], (*path, first + i))
        for i in range(first + both, last):
            yield ItemRemoved(path, i)
        for i in range(start + both, stop):
            yield ItemInserted(path, first + both, new[i])
