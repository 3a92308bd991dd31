"""What the schema says of one place in a file: its type, unit and range, and whether it may be left out."""

from __future__ import annotations

import types
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from capacity.components import kinds
from capacity.components.base import Tier
from capacity.decode import hints_of
from capacity.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capacity.errors import KeyPath


def annotation(values: Mapping[str, Any], path: KeyPath) -> Any:
    """Return the annotation of a field of the schema by its key path, None where the schema knows none.

    `values` are those of the file: they say which kind a tier is of.
    """
    tier = values.get("components", {}).get(path[1]) if len(path) > 1 and path[0] == "components" else None
    return _at(path, str(tier.get("kind")) if isinstance(tier, dict) else None)


@lru_cache(maxsize=4096)
def _at(path: KeyPath, kind: str | None) -> Any:
    """Return the annotation at a key path, which leads into a tier of this kind if into any."""
    hint: Any = Topology
    for key in path:
        hint = _inside(hint, kind, key)
    return hint


def options(hint: Any) -> list[Any]:
    """Return the alternatives of an annotation without None."""
    if get_origin(hint) in (Union, types.UnionType):
        return [option for option in get_args(hint) if option is not type(None)]
    return [hint]


def words(hint: Any) -> list[str]:
    """Return the fixed choices of a field, none where it has none."""
    return [str(word) for option in options(hint) if get_origin(option) is Literal for word in get_args(option)]


def plain(hint: Any) -> Any:
    """Return the one alternative that is neither a table nor a list nor fixed choices, None where there is none."""
    kept = [option for option in options(hint) if get_origin(option) not in (dict, list, Literal)]
    return kept[0] if kept else None


def only_text(hint: Any) -> bool:
    """Whether nothing but a string can stand here, so that text needs no quotes."""
    bases = [
        get_args(o)[0] if get_origin(o) is Annotated else str if get_origin(o) is Literal else o for o in options(hint)
    ]
    return bool(bases) and all(base is str for base in bases)


def _inside(hint: Any, kind: str | None, key: str | int) -> Any:
    for option in options(hint):
        origin = get_origin(option)
        if origin is dict and isinstance(key, str):
            return get_args(option)[1]
        if origin is list and isinstance(key, int):
            return get_args(option)[0]
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return _field(option, kind, key)
    return None


def _field(struct: type[msgspec.Struct], kind: str | None, key: str | int) -> Any:
    if issubclass(struct, Tier):
        known = kinds()
        if key == "kind":
            return Literal[tuple(known)]
        struct = struct if kind is None else known.get(kind, struct)
    return hints_of(struct).get(str(key))
