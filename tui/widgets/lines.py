"""A few lines of styled text that are cut, never wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.telling import Span


class Lines(Static):
    """Shows lines of spans; the names of their styles are component classes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"lines--{name}" for name in ("name", "dirty", "changed", "dim", "money", "worse", "better", "good", "bad")
    }

    def show(self, lines: Sequence[Sequence[Span]]) -> None:
        """Show other lines."""
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        for number, line in enumerate(lines):
            if number:
                text.append("\n")
            for part, style in line:
                name = f"lines--{style.replace('.', '-')}"
                known = name in self.COMPONENT_CLASSES
                text.append(part, self.get_component_rich_style(name, partial=True) if known else Style())
        self.update(text)
