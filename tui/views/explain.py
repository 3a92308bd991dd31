"""Where the numbers of a tier, or of a request class, come from: formulas with their symbols, then with its numbers."""

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
    """Return what `capacity explain` says of what is selected, all metrics in full, at the load on the screen."""
    # SymPy is slow to import: it comes when somebody asks.
    from capacity.explain_report import sections
    from capacity.explaining import explain, explain_class

    scene = asked.scene
    topology, scenario = pinned(scene.topology, scene.counts), scene.question.scenario
    if asked.tier is not None:
        found = explain(topology, asked.tier, None, scenario, tick)
    elif asked.request_class is not None:
        found = explain_class(topology, asked.request_class, None, scenario, tick)
    else:
        return Content((Note("Select a tier or a request class: formulas are of one of them.", "dim"),))
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
