"""Changes of the structure: tiers and classes that come, go, are renamed and rewired; ways to go to one."""

from __future__ import annotations

from tui.base import SessionApp


class Structuring(SessionApp):
    """What is done with tiers and classes as a whole."""
