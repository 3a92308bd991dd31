"""The command `capacity tui`: from a path to a running screen, and from its end to an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from capacity.errors import UsageError
from tui.glance import Reading, glanced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.books import Book
    from tui.opening import Opening


def run(file: str, overrides: Sequence[str], load: float, book: Book | None, prices: str | None) -> int:
    """Show a file until its user leaves; return the exit code.

    Raises DocumentError for a file that is no topology, UsageError where there is no terminal.
    """
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise UsageError(f"tui needs a terminal for input and output; without one: capacity plan {file}")
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError(f"tui needs a terminal that can move its cursor, TERM says it cannot: capacity plan {file}")

    def opened() -> Opening:
        from tui.opening import open_file

        return open_file(file, overrides, load, book=book, prices=prices)

    glance = glanced(file)
    # What does not even look like a topology is told without a screen; whatever else is wrong closes the screen again.
    opening, reading = (opened(), None) if glance is None else (None, Reading(glance, opened))

    from tui.app import CapacityApp

    app = CapacityApp(None if opening is None else opening.session, opening, reading=reading)
    try:
        app.run()
    finally:
        app.elsewhere.close()
    if app.refused is not None:
        raise app.refused
    if not app.left:
        app.keep_now()
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0
