"""The open view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll

if TYPE_CHECKING:
    from tui.content import Content
    from tui.views import View


class ViewPane(VerticalScroll):
    """Shows what a view has to say."""

    def show(self, view: View, content: Content | None, *, stale: bool, progress: str) -> None:
        """Show an answer, or that one is being worked on."""
