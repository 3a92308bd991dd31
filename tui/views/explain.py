"""Where the numbers of a tier come from: formulas with their symbols, then with this tier's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.variants import pinned
from tui.blocks import of_section
from tui.content import Content, Note
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.views import Asked


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return what `capacity explain` says of the selected tier, all metrics in full, at the load on the screen."""
    # SymPy is slow to import: it comes when somebody asks.
    from capacity.explain_report import sections
    from capacity.explaining import explain

    if asked.tier is None:
        return Content((Note("Select a tier: formulas are of one tier.", "dim"),))
    scene = asked.scene
    topology = pinned(scene.topology, scene.counts)
    found = explain(topology, asked.tier, None, scene.question.scenario, tick)
    blocks = [block for section in sections(found, whole=True) for block in of_section(section)]
    return Content(tuple(blocks))


VIEW = View(
    "explain",
    "0",
    "Explain",
    "Where does this number come from?",
    answer,
    of_tier=True,
    work="the formulas with this tier's numbers, and their derivatives",
)
