"""What is painted as it was: at every key the library asks each widget on the screen for all of its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual.containers import Container, Horizontal, VerticalScroll
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.filter import LineFilter
    from textual.geometry import Region, Size
    from textual.strip import Strip

    _Asked = tuple[Region, Size, Sequence[LineFilter]]


class Still(Widget):
    """Gives the lines of before for the same part of itself, until it is to be refreshed or looks otherwise.

    It stands behind the other classes of a widget, since the first one tells which styles are inherited.
    """

    _kept: tuple[_Asked, list[Strip]] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part."""
        asked = crop, self.outer_size, self.get_line_filters()
        if self._kept is None or self._kept[0] != asked:
            self._kept = asked, super().render_lines(crop)
        return self._kept[1]

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Have parts of it painted anew, or all."""
        self._kept = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Take the colours of another theme, or of another state."""
        self._kept = None
        super().notify_style_update()


class StillContainer(Container, Still):
    """A container whose own ground is painted once."""


class StillHorizontal(Horizontal, Still):
    """The same from left to right."""


class StillScroll(VerticalScroll, Still):
    """The same from top to bottom, as far as one likes."""
