"""Every key that does something, with its stable id: for the help, the command palette, and for rebinding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.binding import Binding
from textual.keys import format_key

from tui.views import views

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.dom import DOMNode


class Bound(NamedTuple):
    """One thing that a key does."""

    id: str
    keys: tuple[str, ...]
    title: str
    told: str
    action: str
    node: DOMNode | None = None
    """What has it; None for the app."""


def bound_in(node: DOMNode, keymap: Mapping[str, str]) -> list[Bound]:
    """Return what the keys of a widget or the app do, by the bindings that its classes declare and their new keys."""
    found: dict[str, Bound] = {}
    for ancestor in type(node).__mro__:
        for binding in ancestor.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id and binding.id not in found:
                keys = tuple(key.strip() for key in keymap.get(binding.id, binding.key).split(","))
                found[binding.id] = Bound(binding.id, keys, binding.description, binding.tooltip, binding.action, node)
    return list(found.values())


def bound_views(keymap: Mapping[str, str]) -> list[Bound]:
    """Return what opens each view."""
    return [
        Bound(name, (keymap.get(name, view.key),), view.title, view.question, f"view('{view.id}')")
        for view in views()
        for name in [view_binding(view.id)]
    ]


def view_binding(view: str) -> str:
    """Return the id of the binding that opens a view."""
    return f"view.{view}"


def shown_keys(keys: Iterable[str]) -> str:
    """Return keys as they are printed on a keyboard."""
    return " ".join(_shown(key) for key in keys)


def _shown(key: str) -> str:
    *modifiers, last = key.split("+")
    return "".join("^" if m == "ctrl" else f"{m}+" for m in modifiers) + (format_key(last) if last else "+")
