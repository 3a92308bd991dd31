"""A file's name, typed over a sensible one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.widget import Widget


class FileName(Dialog[str]):
    """Gives the name, and an empty one where it was not wanted."""

    LEFT_FROM_OUTSIDE = False

    def __init__(self, asked: str, likely: str) -> None:
        super().__init__(asked, "Enter takes it · Esc back")
        self.likely = likely

    def inside(self) -> Iterable[Widget]:
        """Return where to type it."""
        yield Input(self.likely, id="name", select_on_focus=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the name."""
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Go back without one."""
        self.dismiss("")
