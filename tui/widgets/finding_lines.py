"""What the numbers say of what is selected, in the colours of its bars and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.events import Resize


class Findings(Lines):
    """Lines of what the numbers say, as many as there are."""

    class Widened(Message):
        """There are more or fewer columns than before."""

    DEFAULT_CSS: ClassVar[str] = """
    Findings { height: auto; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self._width = 0

    def on_resize(self, event: Resize) -> None:
        """Have the lines told again where they may be longer or have to be shorter."""
        if event.size.width != self._width:
            self._width = event.size.width
            self.post_message(self.Widened())
