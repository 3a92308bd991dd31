"""What the numbers say of what is selected, in the colours of its bars and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from tui.flowing import STYLES
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.events import Resize


class Findings(Lines):
    """Lines of what the numbers say."""

    class Widened(Message):
        """There are more or fewer columns than before."""

    COMPONENT_CLASSES: ClassVar[set[str]] = Lines.COMPONENT_CLASSES | {
        f"lines--{name.replace('.', '-')}" for name in STYLES
    }
    DEFAULT_CSS: ClassVar[str] = """
    Findings { height: auto; width: 1fr; }
    Findings > .lines--strong { text-style: bold; }
    Findings > .lines--warn, Findings > .lines--load-busy { color: $warning; }
    Findings > .lines--load-over, Findings > .lines--load-overloaded { color: $error; text-style: bold; }
    Findings > .lines--bar-calm { color: $success; }
    Findings > .lines--bar-busy { color: $warning; }
    Findings > .lines--bar-over, Findings > .lines--bar-overloaded { color: $error; }
    Findings > .lines--bar-empty { color: $foreground 20%; }
    Findings > .lines--bar-post { color: $foreground 50%; }
    Findings > .lines--change-better { color: $success; }
    Findings > .lines--change-worse { color: $error; }
    Findings > .lines--change-changed { color: $text-accent; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self._width = 0

    def on_resize(self, event: Resize) -> None:
        """Have the lines told again where they may be longer or have to be shorter."""
        if event.size.width != self._width:
            self._width = event.size.width
            self.post_message(self.Widened())
