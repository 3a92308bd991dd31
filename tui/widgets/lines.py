"""A few lines of styled text that are cut, never wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from tui.widgets.colours import style_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.telling import Span


class Lines(Static):
    """Shows lines of spans."""

    DEFAULT_CSS = """
    Lines { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self._lines: tuple[tuple[Span, ...], ...] = ()

    def show(self, lines: Sequence[Sequence[Span]]) -> None:
        """Show other lines; what is around them moves only if they are more or fewer."""
        before, self._lines = self._lines, tuple(tuple(line) for line in lines)
        if self._lines != before:
            self._write(layout=len(self._lines) != len(before))

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        super().notify_style_update()
        if self._lines:
            self._write(layout=False)

    def _write(self, *, layout: bool) -> None:
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        for number, line in enumerate(self._lines):
            if number:
                text.append("\n")
            for part, style in line:
                text.append(part, style_of(self.app, style))
        self.update(text, layout=layout)
