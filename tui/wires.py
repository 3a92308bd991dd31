"""What leads where: every place in the file that joins a tier or a class to a tier, in words, and where it may lead.

Pure; the screens that show it are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity import rewiring
from capacity.editing import value_at
from capacity.forms import fields_of
from tui.drawing.canvas import Key

if TYPE_CHECKING:
    from capacity.document import Document
    from capacity.errors import KeyPath


@dataclass(frozen=True)
class Wire:
    """One field that names a tier."""

    path: KeyPath
    owner: Key
    what: str
    to: str

    @property
    def call(self) -> int | None:
        """The position among the calls of its owner, None for what is no call."""
        return next((key for key in self.path if isinstance(key, int)), None)

    @property
    def text(self) -> str:
        """From where to where."""
        return f"{self.owner.name} → {self.to}"


def wires(document: Document, key: Key) -> list[Wire]:
    """Return what leads from a tier or a class, then what leads to it."""
    if key.scope == "class":
        path: KeyPath = ("workload", "classes", key.name, "entry")
        return [wire(document, path)]
    around = [wire(document, path) for path in rewiring.referrers(document, key.name)]
    return [*_from(document, key), *(found for found in around if found.owner != key)]


def can_call(document: Document, name: str) -> bool:
    """Return whether the kind of a tier makes calls."""
    kind = type(document.topology.components[name])
    return any(field.kind == "calls" for field in fields_of(kind))


def wire(document: Document, path: KeyPath) -> Wire:
    """Return the field at a key path that names a tier, in words."""
    to = str(value_at(document.values, path))
    if path[0] == "workload":
        return Wire(path, Key("class", str(path[2])), "entry of the class", to)
    owner, field = Key("tier", str(path[1])), str(path[2])
    told = {"host": "host: whose nodes it lives on", "origin": "origin: asked on a miss", "consumers": "consumers"}
    return Wire(path, owner, _call(document, path) if field == "calls" else told.get(field, field), to)


def _call(document: Document, path: KeyPath) -> str:
    call = value_at(document.values, path[:-1])
    count = f" ×{call['count']}" if "count" in call else ""
    classes = f" by {', '.join(call['classes'])}" if "classes" in call else ""
    return f"call{count}{classes}"


def _from(document: Document, key: Key) -> list[Wire]:
    kind = type(document.topology.components[key.name])
    values = document.values["components"][key.name]
    found = []
    for field in fields_of(kind):
        if field.kind == "calls":
            paths = [
                ("components", key.name, *field.path, i, "to") for i in range(len(value_at(values, field.path) or ()))
            ]
            found += [wire(document, path) for path in paths]
        elif field.kind == "name" and field.refers == "tier" and value_at(values, field.path) is not None:
            found.append(wire(document, ("components", key.name, *field.path)))
    return found
