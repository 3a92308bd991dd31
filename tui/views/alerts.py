"""What to watch: the thresholds at which something breaks, and at which it is still early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.alerts import alerts
from capacity.alerts_report import sections
from capacity.variants import pinned
from tui.blocks import of_section
from tui.content import Content, Note
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.views import Asked


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the thresholds of `capacity alerts`, with the counts and at the load on the screen."""
    found = alerts(pinned(asked.scene.topology, asked.scene.counts), tick=tick)
    blocks = [block for section in sections(found) for block in of_section(section)]
    rules = Note("As Prometheus rules: `capacity alerts FILE --format prometheus`.", "dim")
    return Content((*blocks, rules))


VIEW = View(
    "alerts",
    "f7",
    "Alerts",
    "What tells us in time?",
    answer,
    of_scenario=False,
    work="the load at which each limit is reached",
)
