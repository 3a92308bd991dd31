"""Paragraphs and tables on the screen, as wide as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style as RichStyle
from rich.text import Text
from textual.widget import Widget

from tui.aligned import aligned, wrapped
from tui.content import Passage, Table
from tui.drawing.text import clean, columns

if TYPE_CHECKING:
    from textual.geometry import Size


class TextBlock(Widget):
    """Paragraphs or a table; a table can be focused, to be copied."""

    DEFAULT_CSS = """
    TextBlock { height: auto; width: auto; min-width: 100%; margin-bottom: 1; }
    TextBlock > .block--title { text-style: bold; }
    TextBlock:focus > .block--title { text-style: bold reverse; }
    TextBlock > .block--good { color: $text-success; }
    TextBlock > .block--bad { color: $text-error; text-style: bold; }
    TextBlock > .block--warn { color: $text-warning; }
    TextBlock > .block--dim { text-style: dim; }
    TextBlock > .block--strong { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"block--{name}" for name in ("title", "good", "bad", "warn", "dim", "strong")
    }

    def __init__(self, block: Passage | Table) -> None:
        super().__init__()
        self.block = block
        self.can_focus = isinstance(block, Table)
        self._lines: tuple[int, list[list[tuple[str, str]]]] | None = None

    def show(self, block: Passage | Table) -> None:
        """Show another block; what is around it moves only if it takes another room."""
        if block == self.block:
            return
        width = self.content_size.width
        before = self._room(width)
        self.block, self._lines = block, None
        self.can_focus = isinstance(block, Table)
        self.refresh(layout=before != self._room(width))

    def _room(self, width: int) -> tuple[int, int]:
        """Return the columns and rows that are needed."""
        lines = self.lines(width)
        return max(sum(columns(part) for part, _ in line) for line in lines), len(lines)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return all the width there is, or more for a table of numbers that need it: the pane scrolls."""
        if isinstance(self.block, Passage):
            return container.width
        return max(container.width, self._room(container.width)[0])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines at a width."""
        return len(self.lines(width))

    def render(self) -> Text:
        """Return the lines at the width that there is."""
        text = Text(no_wrap=True, overflow="crop", end="")
        for number, line in enumerate(self.lines(self.content_size.width)):
            text.append("\n" if number else "")
            for part, style in line:
                text.append(part, self._style(style))
        return text

    def lines(self, width: int) -> list[list[tuple[str, str]]]:
        """Return the spans of every line."""
        if self._lines is None or self._lines[0] != width:
            block = self.block
            if isinstance(block, Passage):
                found = _paragraphs(block, max(width, 1))
            else:
                title = [(clean(block.title), "title")]
                found = [title, *([(span.text, str(span.style)) for span in line] for line in aligned(block, width))]
            self._lines = width, found
        return self._lines[1]

    def _style(self, name: str) -> RichStyle:
        known = f"block--{name}" in self.COMPONENT_CLASSES
        return self.get_component_rich_style(f"block--{name}", partial=True) if known else RichStyle()


def _paragraphs(passage: Passage, width: int) -> list[list[tuple[str, str]]]:
    """Return the lines of paragraphs, an empty one between any two."""
    found: list[list[tuple[str, str]]] = []
    for number, note in enumerate(passage.notes):
        found += [[("", "")]] if number else []
        found += [[(line, str(note.style))] for line in wrapped(clean(note.text), width)]
    return found
