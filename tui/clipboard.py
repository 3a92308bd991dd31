"""What is copied, and what can honestly be said about where it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity.results import to_builtins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capacity.results import Evaluation
    from tui.drawing.canvas import Key

LARGE: Final = 74_994
"""Bytes of which the base64 form reaches 100,000 characters: more than that, many terminals drop without a word."""


def numbers(evaluation: Evaluation, selected: Key) -> str:
    """Return every number of a tier or request class, one per line: its dotted name, a tab, the value in base units."""
    values = to_builtins(evaluation)["classes" if selected.scope == "class" else "tiers"].get(selected.name, {})
    lines = [f"{path}\t{value}" for path, value in _flat(values)]
    return "\n".join([selected.name, *lines]) + "\n"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from _flat(part, f"{path}.{i}")
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else value


def told(text: str, environment: Mapping[str, str]) -> str:
    """Return what happened to a copied text: it was sent; whether a terminal takes it, none of them says."""
    size, many = len(text), "" if len(text) == 1 else "s"
    said = f"copied by OSC 52 to the terminal: {size:,} character{many}"
    if len(text.encode()) > LARGE:
        return f"{said}; that is more than many terminals accept: export it with e instead"
    if environment.get("TERM_PROGRAM") == "Apple_Terminal":
        return f"{said}; macOS Terminal ignores OSC 52: export with e, or use another terminal"
    if environment.get("STY"):
        return f"{said}; GNU screen does not pass it on"
    if environment.get("TMUX"):
        return f"{said}; tmux passes it on where `set-clipboard` is on"
    return f"{said}; no terminal says whether it took them"
