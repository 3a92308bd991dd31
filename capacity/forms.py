"""The fields of a tier or a table of the file as somebody who edits it needs them: what each takes, and what it means.

Everything comes from the structs that read the file: types, units, choices, defaults, and the text beneath a field.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from capacity.units import Unit

if TYPE_CHECKING:
    from capacity.errors import KeyPath

FieldKind = Literal["quantity", "whole", "choice", "switch", "text", "name", "names", "calls"]


@dataclass(frozen=True)
class Field:
    """One value that a file may give: its key path below the table that it belongs to, and what it takes."""

    path: KeyPath
    kind: FieldKind
    description: str
    required: bool
    default: object = None
    unit: Unit | None = None
    """For a quantity."""
    choices: tuple[str, ...] = ()
    """For a choice, or words that may stand for a quantity or a number."""
    refers: str | None = None
    """For a name: of what."""
    least: int | None = None
    most: int | None = None
    per_class: bool = False
    """Whether a table with a value for each request class may stand here as well."""

    @cached_property
    def name(self) -> str:
        """The path as it is written."""
        return ".".join(str(part) for part in self.path)


@cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the fields of a struct in its order, those of nested tables with the path that leads there."""
    told, hints = described(kind), typing.get_type_hints(kind, include_extras=True)
    found: list[Field] = []
    for field in msgspec.structs.fields(kind):
        hint, path = hints[field.name], (field.name,)
        parts = [part for part in _parts(hint) if part is not type(None)]
        nested = next((part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)), None)
        if nested is not None:
            found += [_below(inner, path) for inner in fields_of(nested)]
            continue
        default = field.default if field.default is not msgspec.NODEFAULT else None
        one = _field(path, parts, told.get(field.name, ""), required=field.required, default=default)
        found += [one] if one is not None else []
    return tuple(found)


@cache
def described(kind: type) -> dict[str, str]:
    """Return the text beneath each field of a struct, its ancestors' included."""
    found: dict[str, str] = {}
    for ancestor in reversed(kind.__mro__):
        if not issubclass(ancestor, msgspec.Struct) or ancestor is msgspec.Struct:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(ancestor))).body
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for line, after in pairwise(body):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                text = (
                    after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
                )
                if isinstance(text, str):
                    found[line.target.id] = " ".join(text.split())
    return found


def _below(field: Field, path: KeyPath) -> Field:
    # What a table needs where it is given is no need of the table above.
    return replace(field, path=(*path, *field.path), required=False)


def _parts(hint: Any) -> list[Any]:
    return list(get_args(hint)) if get_origin(hint) in (Union, types.UnionType) else [hint]


def _field(path: KeyPath, parts: list[Any], told: str, *, required: bool, default: object) -> Field | None:
    choices = tuple(str(choice) for part in parts if get_origin(part) is Literal for choice in get_args(part))
    plain = Field(path, "text", told, required, default, choices=choices)
    for part in parts:
        if get_origin(part) is list:
            return _listed(plain, get_args(part)[0])
        if get_origin(part) is Annotated:
            found = _annotated(plain, part)
            if found is not None:
                return replace(found, per_class=any(get_origin(part) is dict for part in parts))
    if bool in parts:
        return replace(plain, kind="switch")
    if choices:
        return replace(plain, kind="choice")
    return plain if str in parts else None


def _listed(plain: Field, part: Any) -> Field:
    if isinstance(part, type) and issubclass(part, msgspec.Struct):
        return replace(plain, kind="calls")
    choices = tuple(str(choice) for choice in get_args(part)) if get_origin(part) is Literal else ()
    return replace(plain, kind="names", choices=choices, refers=_refers(part))


def _annotated(plain: Field, part: Any) -> Field | None:
    base, meta = get_args(part)
    unit = (meta.extra or {}).get("unit")
    if isinstance(unit, Unit):
        return replace(plain, kind="quantity", unit=unit)
    if _refers(part):
        return replace(plain, kind="name", refers=_refers(part))
    return replace(plain, kind="whole", least=meta.ge, most=meta.le) if base is int else None


def _refers(hint: Any) -> str | None:
    if get_origin(hint) is not Annotated:
        return None
    refers = (get_args(hint)[1].extra or {}).get("refers")
    return None if refers is None else str(refers)
