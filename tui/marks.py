"""Marks in a frame that do something when they are clicked: for whoever has the mouse in the hand already."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style


def mark(text: str, action: str) -> Content:
    """Return a text that does an action when it is clicked."""
    return Content.styled(text, Style.from_meta({"@click": action}))
