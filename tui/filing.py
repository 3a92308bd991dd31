"""Files: saving, leaving, what changed on disk, what a crash left behind, exporting, copying."""

from __future__ import annotations

from tui.base import SessionApp


class Filing(SessionApp):
    """What is done with the file as a whole."""
