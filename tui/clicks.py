"""Clicks that belong to what was there before: the second of a double click on what the first one took away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.errors import NoWidget
from textual.events import MouseDown, MouseUp

if TYPE_CHECKING:
    from textual.events import Event
    from textual.geometry import Offset
    from textual.widget import Widget


class ClicksInPlace(App[None]):
    """Drops a press right after another in the same place that has put something else there.

    Whoever clicks an entry of a list twice means the entry, and not what is beneath the list.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pressed: tuple[Widget | None, Offset, float] | None = None
        """What was pressed last, where, and when."""
        self._dropped = False
        """Whether the button is down for nothing."""

    async def on_event(self, event: Event) -> None:
        """Let everything in but the rest of a double click."""
        if isinstance(event, MouseDown) and not event.is_forwarded:
            self._dropped = self._left_over(event)
        if not (self._dropped and isinstance(event, MouseDown | MouseUp) and not event.is_forwarded):
            await super().on_event(event)

    def _left_over(self, event: MouseDown) -> bool:
        place = event.screen_offset
        before, where, when = self._pressed or (None, None, 0.0)
        try:
            here, _ = self.get_widget_at(*place)
        except NoWidget:
            here = None
        left = where == place and event.time - when <= self.CLICK_CHAIN_TIME_THRESHOLD and here is not before
        self._pressed = before if left else here, place, when if left else event.time
        return left
