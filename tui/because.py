"""Why a tier has as many nodes as it has, where the plan finds the count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.reasons import reasons_of
from capacity.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.results import Why
    from tui.drawing.canvas import Key
    from tui.scene import Scene


@dataclass(frozen=True)
class Because:
    """Why a tier has so many nodes: None while it is being worked out, nothing where something is not met."""

    whys: tuple[Why, ...] | None = None
    met: bool = True


def because(scene: Scene, tier: str, tick: Callable[[int], None]) -> Because:
    """Return what asks for the nodes of a tier whose count the plan finds; takes some tenths of a second."""
    search = Search.of(scene.search.system, tick)
    if next(search.conflicts(scene.counts), None) is not None:
        return Because((), met=False)
    return Because(tuple(reasons_of(search, scene.counts, tier)))


def asks_why(scene: Scene, selected: Key | None) -> str | None:
    """Return the tier that is selected if its count is left to the plan."""
    if selected is None or selected.scope != "tier":
        return None
    system = scene.search.system
    return selected.name if system.takes_nodes(selected.name) and selected.name not in system.given() else None
