"""NO_COLOR in any theme: nothing is painted in a colour, and nothing in the colour that is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tests.tui.driving import play
from tui.greys import Greys
from tui.themes import FEW_COLOURS, USUAL

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp


def _grey(style: Style) -> Style:
    ((_, found, _),) = Greys().apply([Segment("text", style)], Color(0, 0, 0))
    assert found is not None
    return found


# A colour that the terminal has a number for leaves its default; a ground of such a colour is told by reversing.
def test_colours_of_the_terminal() -> None:
    found = _grey(Style(color="red", bold=True))
    assert found.color is not None
    assert found.color.is_default
    assert found.bold
    assert not found.reverse
    assert _grey(Style(color="white", bgcolor="blue")).reverse
    assert not _grey(Style(color="white", bgcolor="blue", reverse=True)).reverse
    assert not _grey(Style(color="default", bgcolor="default")).reverse
    assert _grey(Style(meta={"here": 1}, color="red")).meta == {"here": 1}


# A colour that is known becomes the grey of its brightness.
def test_colours_that_are_known() -> None:
    found = _grey(Style(color="#ff0000", bgcolor="#000000"))
    assert found.color is not None
    assert found.color.triplet is not None
    assert len(set(found.color.triplet)) == 1
    assert sum(found.color.triplet) > 0


@pytest.mark.parametrize("theme", [USUAL, FEW_COLOURS, "ansi-light"])
def test_nothing_is_painted_in_the_colour_behind_it(theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every letter on the screen stands out, in the themes of 16 colours as well."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.theme = theme
        await pilot.pause()
        segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
        words = [(text, style) for text, style, _ in segments if text.strip() and style is not None]
        assert len(words) > 50
        for text, style in words:
            same = style.color is not None and style.color == style.bgcolor and not style.color.is_default
            assert not same, text
            for colour in (style.color, style.bgcolor):
                grey = colour is None or colour.is_default or (colour.triplet and len(set(colour.triplet)) == 1)
                assert grey, (text, colour)

    play(script)
