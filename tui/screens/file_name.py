"""A file's name, typed over a sensible one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from capacity.errors import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult


class FileName(ModalScreen[str]):
    """Gives the name, and nothing where it was not wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", id="file_name.back")]
    DEFAULT_CSS = """
    FileName { align: center middle; }
    FileName > Vertical { width: 76; max-width: 96%; height: auto; background: $surface; border: round $primary;
                          padding: 0 1; }
    FileName #asked { text-style: bold; }
    FileName #keys { color: $text-muted; }
    """

    def __init__(self, asked: str, likely: str) -> None:
        super().__init__()
        self.asked, self.likely = asked, likely

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical():
            yield Static(printable(self.asked), id="asked", markup=False)
            yield Input(self.likely, id="name", select_on_focus=False)
            yield Static("enter takes it, escape goes back", id="keys", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the name."""
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_back(self) -> None:
        """Go back without one."""
        self.dismiss("")
