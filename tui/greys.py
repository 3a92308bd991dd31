"""NO_COLOR with the colours of the terminal itself: those are numbers, of which no shade of grey is known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter, Monochrome, monochrome_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.color import Color


class Greys(LineFilter):
    """Shades of grey; of what a terminal has a number for, its own two colours, reversed where there was a ground.

    The filter of the library takes every such number for black, so that all is black on black.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without colours."""
        return [Segment(text, None if style is None else _grey(style), control) for text, style, control in segments]


def in_greys(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """Return filters with ours where the one of the library was."""
    return [Greys() if isinstance(each, Monochrome) else each for each in filters]


@lru_cache(maxsize=1024)
def _grey(style: Style) -> Style:
    """Return a style in grey."""
    if all(colour is None or colour.triplet is not None for colour in (style.color, style.bgcolor)):
        return monochrome_style(style)
    plain = style + _OF_THE_TERMINAL
    ground = style.bgcolor is not None and not style.bgcolor.is_default
    return plain + Style(reverse=not style.reverse) if ground else plain


_OF_THE_TERMINAL: Final = Style.from_color(RichColor.default(), RichColor.default())
