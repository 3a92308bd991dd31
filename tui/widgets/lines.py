"""A few lines of styled text that are cut, never wrapped; of new ones only those that differ are painted."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.drawing.text import columns, cut
from tui.widgets.colours import styles_over
from tui.widgets.still import Still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.selection import Selection

    from tui.telling import Span


class Lines(Still):
    """Shows lines of spans."""

    DEFAULT_CSS = """
    Lines { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self._lines: tuple[tuple[Span, ...], ...] = ()

    @property
    def text(self) -> str:
        """What is shown, without its styles."""
        return "\n".join("".join(part for part, _ in line) for line in self._lines)

    def show(self, lines: Sequence[Sequence[Span]]) -> None:
        """Show other lines; what is around them moves only if they are more or fewer."""
        before, self._lines = self._lines, tuple(tuple(line) for line in lines)
        if len(self._lines) != len(before):
            self.clear_cached_dimensions()
            self.refresh(layout=True)
            return
        changed = [y for y, (was, now) in enumerate(zip_longest(before, self._lines)) if was != now]
        if changed:
            width = self.size.width
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the columns of the longest line."""
        return max((sum(columns(part) for part, _ in line) for line in self._lines), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """Return a line, cut where there is no room for more of it."""
        room = width = self.size.width
        base = self.visual_style.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, base)
        segments, line, styles = [], self._lines[y], styles_over(self.app, base)
        whole = sum(columns(part) for part, _ in line) <= room
        for part, style in line:
            # An ellipsis takes the last column of a line that is too long, also where a part ends there.
            text = part if whole or columns(part) < room else cut(f"{part} ", room)
            segments.append(Segment(text, styles[style]))
            room -= columns(text)
            if room <= 0:
                break
        if room > 0:
            segments.append(Segment(" " * room, base))
        return self._marked(Strip(segments, width), y).apply_offsets(0, y)

    def _marked(self, strip: Strip, y: int) -> Strip:
        """Return a line with what the mouse has marked of it."""
        span = None if self.text_selection is None else self.text_selection.get_span(y)
        if span is None:
            return strip
        start, end = span[0], strip.cell_length if span[1] == -1 else span[1]
        style = self.screen.get_component_rich_style("screen--selection")
        before, marked, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end)
        return Strip.join([before, Strip(Segment.apply_style(marked, post_style=style)), after])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that the mouse has marked."""
        return selection.extract(self.text), "\n"

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        super().notify_style_update()
        self.refresh()
