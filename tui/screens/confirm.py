"""A question before something that takes more along than was pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Static

from tui.drawing.text import clean
from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget


class Confirm(Dialog[bool]):
    """Says what will happen, line by line; the answer is True for yes, None or False for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n", "answer(False)", "No"),
        Binding("left,up", "app.focus_previous", "Other answer", show=False),
        Binding("right,down", "app.focus_next", "Other answer", show=False),
    ]
    DEFAULT_CSS = """
    Confirm .lines { height: auto; max-height: 12; margin: 1 0; }
    Confirm Horizontal { height: auto; align-horizontal: right; }
    Confirm Button { margin-left: 2; }
    """
    AUTO_FOCUS = "#no"

    def __init__(self, title: str, lines: Sequence[str], yes: str, no: str = "Keep") -> None:
        super().__init__(title, "y yes · n no · Esc back")
        self._lines, self._yes, self._no = lines, yes, no

    def inside(self) -> Iterable[Widget]:
        """Return the lines and the two answers."""
        yield VerticalScroll(*(Static(clean(line), markup=False) for line in self._lines), classes="lines")
        yield Horizontal(
            Button(self._yes, id="yes", variant="error", compact=True),
            Button(self._no, id="no", compact=True),
        )

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001, called by its binding
        """Take the answer."""
        self.dismiss(answer)
