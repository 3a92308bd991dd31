from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.style import Style
from textual.app import App
from textual.color import Color

from tests.tui.terminal import driven
from tui.themes import THEMES
from tui.widgets.colours import styles_over

if TYPE_CHECKING:
    from textual.theme import Theme

READABLE = 4.5
"""The ratio of contrast that WCAG 2.1 (1.4.3, level AA) asks for."""

WORDS = (
    "class",
    "class.over",
    "selected",
    "dim",
    "load.busy",
    "load.over",
    "changed",
    "good",
    "bad",
    "warn",
    "field.was",
)
"""Styles that words have, on the background."""


def luminance(colour: Color) -> float:
    shares = [part / 255 for part in colour.rgb]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


# Words can be read in both of our themes, the light one included.
@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@driven
async def test_words_can_be_read(theme: Theme) -> None:
    app: App[object] = App()
    app.register_theme(theme)
    async with app.run_test() as pilot:
        app.theme = theme.name
        await pilot.pause()
        background = Color.parse(app.theme_variables["background"])
        for name in WORDS:
            colour = styles_over(app, Style())[name].color
            assert colour is not None
            assert colour.triplet is not None
            assert contrast(background, Color(*colour.triplet)) >= READABLE, name
