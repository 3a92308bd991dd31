"""The fields of what is selected, to be changed; its limits, its latency, and why it has this many nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll

if TYPE_CHECKING:
    from tui.drawing.canvas import Key
    from tui.scene import Scene
    from tui.session import Session


class Inspector(VerticalScroll):
    """Shows one tier or request class."""

    def show(self, session: Session, scene: Scene, selected: Key | None, baseline: Scene | None) -> None:
        """Show what is selected, with its numbers."""

    def focus_fields(self) -> None:
        """Go to the first field."""
