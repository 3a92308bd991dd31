"""What the numbers say of what is selected, in the colours of its bars and changes."""

from __future__ import annotations

from typing import ClassVar

from tui.widgets.lines import Lines


class Findings(Lines):
    """Lines of what the numbers say, as many as there are."""

    DEFAULT_CSS: ClassVar[str] = """
    Findings { height: auto; width: 1fr; }
    """
