"""Two calm themes of our own: what is fine keeps quiet, so that what is not is seen."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

USUAL: Final = "capacity"

FEW_COLOURS: Final = "ansi-dark"
"""Where the terminal has 16 colours, those that it calls red and green are better than what comes nearest to ours."""

THEMES: Final = (
    Theme(
        name=USUAL,
        dark=True,
        primary="#6f9fd8",
        secondary="#86a3b8",
        accent="#6cc5c0",
        success="#7fb685",
        warning="#e0b354",
        error="#e8706a",
        foreground="#d7dce2",
        background="#14181d",
        surface="#1b2027",
        panel="#2a313a",
        # Given, not derived: a share of white is brighter than the text itself where there are few colours.
        variables={"text-muted": "#8b95a1", "primary-background": "#232b35"},
    ),
    Theme(
        name="capacity-light",
        dark=False,
        primary="#2f63a8",
        secondary="#4d6a80",
        accent="#0b7a75",
        success="#2f7d3b",
        warning="#9a6500",
        error="#b3261e",
        foreground="#1d232a",
        background="#f7f8f9",
        surface="#eef0f2",
        panel="#dde2e7",
        # What stands out against a dark ground by being lighter must be darker here: derived, it was pale on white.
        variables={
            "text-muted": "#5d6873",
            "primary-background": "#dbe4ee",
            "primary-lighten-1": "#2f63a8",
            "primary-lighten-2": "#2f63a8",
            "primary-lighten-3": "#1f4f92",
        },
    ),
)
