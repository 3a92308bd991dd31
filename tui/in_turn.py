"""Keys one at a time: the next one goes to what has the focus once the one before has done what it does."""

from __future__ import annotations

import sys
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final

from textual.command import CommandPalette
from textual.events import Key, Paste
from textual.message import Message

from tui.clicks import ClicksInPlace
from tui.escaping import read_both

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.events import Event
    from textual.screen import Screen
    from textual.widget import Widget

_TRIPS: Final = 2
"""Ways through what has the focus up to here: the first follows the key, the second what the widget says of it."""

_TRIPS_OF_COMMANDS: Final = 4
"""Ways through the command palette: its field asks the list, that tells the palette what was chosen, that the app."""

_LOST: Final = 5.0
"""Seconds after which nothing more is waited for, however busy the machine is."""

_LOOKED_EVERY: Final = 0.1
"""Seconds between two looks at whether what had the focus has gone, and the trip with it."""

_ASKED_EVERY: Final = 0.02
"""Seconds between two looks at whether a question is on the screen."""


class Followed(Message):
    """Comes up the way that a key took, behind it."""

    def __init__(self, number: int, trip: int) -> None:
        super().__init__()
        self.number, self.trip = number, trip


class TakesAtOnce:
    """A widget that does at once and by itself all that a printable key does: nothing of it goes further."""


class KeysInTurn(ClicksInPlace):
    """Holds keys back while an earlier one is under way.

    The library hands a key on to what has the focus when the key comes in. Of a burst, all would go to what has it
    before the first of them is looked at: after Enter, the next key belongs somewhere else.
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: deque[Key | Paste] = deque()
        self._number = 0
        """Of keys so far: a trip that comes late is of none that is waited for."""
        self._under_way: float | None = None
        """Since when a key is under way."""
        self._trip_began_in: Widget | None = None
        """What the trip that is under way began in."""
        self._beneath: Screen[object] | None = None
        """The screen that it went to."""

    @property
    def about_to_ask(self) -> bool:
        """Whether a question is on its way to the screen: what is typed now is the answer."""
        return False

    def get_driver_class(self) -> type[Driver]:
        """Return what talks with the terminal: it hears escape and a symbol right behind it as both."""
        found = super().get_driver_class()
        read_both(sys.modules[found.__module__])
        return found

    async def on_event(self, event: Event) -> None:
        """Let a key in when its turn has come, everything else at once."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        waited = bool(self._keys)
        self._keys.extend(self._meant(event))
        if self._under_way is None or monotonic() - self._under_way > _LOST:
            await self._next_key()
        elif not waited:
            self._look_after(self._number)

    def _meant(self, event: Key | Paste) -> list[Key | Paste]:
        """Return the keys that a terminal may have sent as another one, unless that is bound.

        Escape with a letter right behind it comes as alt with that letter; Enter, typed before the terminal was ours,
        as a line feed.
        """
        letter = event.character if isinstance(event, Key) else None
        if isinstance(event, Paste) or letter is None:
            return [event]
        alt = event.key.startswith("alt+") and letter.isprintable()
        if not (alt or event.key == "ctrl+j") or event.key in self.screen.active_bindings:
            return [event]
        return [Key("escape", "\x1b"), Key(letter, letter)] if alt else [Key("enter", "\r")]

    async def on_followed(self, event: Followed) -> None:
        """See that a key has been where it was to go."""
        event.stop()
        await self._arrived(event.number, event.trip)

    async def _next_key(self) -> None:
        if not self._keys or not self.screen_stack:
            self._under_way = None
            return
        self._number, self._under_way = self._number + 1, monotonic()
        if self.about_to_ask:
            number = self._number
            self.set_timer(_ASKED_EVERY, lambda: self._arrived(number, self._trips))
            return
        waiting, self._beneath = len(self._keys) > 1, self.screen
        focused = self.focused or self.screen
        key = self._keys.popleft()
        await super().on_event(key)
        if isinstance(focused, TakesAtOnce) and isinstance(key, Key) and key.is_printable:
            self._trip_began_in = focused
            focused.call_later(self._taken, self._number)
        else:
            self._follow(focused, 1)
        if waiting:
            self._look_after(self._number)

    def _look_after(self, number: int) -> None:
        self.set_timer(_LOOKED_EVERY, lambda: self._looked_after(number))

    async def _looked_after(self, number: int) -> None:
        """Go on where a trip has no way any more."""
        if number != self._number or self._under_way is None:
            return
        gone = self._trip_began_in is None or not self._trip_began_in.is_attached
        if gone or monotonic() - self._under_way > _LOST:
            await self._arrived(number, self._trips)
        else:
            self._look_after(number)

    @property
    def _trips(self) -> int:
        return _TRIPS_OF_COMMANDS if isinstance(self._beneath, CommandPalette) else _TRIPS

    def _follow(self, focused: Widget, trip: int) -> None:
        self._trip_began_in = focused
        focused.post_message(Followed(self._number, trip).set_sender(focused))

    def _taken(self, number: int) -> None:
        """See that a key has been taken where all of it was to be done."""
        if self._keys:
            self.call_later(self._arrived, number, self._trips)
        elif number == self._number:
            self._under_way = None

    async def _arrived(self, number: int, trip: int) -> None:
        if number != self._number or self._under_way is None or not self.screen_stack:
            return  # of an earlier key, or the app has ended meanwhile
        if trip < self._trips:
            self._follow(self.focused or self.screen, trip + 1)
        elif self._keys and self.screen is not self._beneath:
            # A dialog that has just been opened gives the focus away when it is there.
            self._beneath = self.screen
            self.screen.call_after_refresh(self._arrived, number, trip)
        else:
            await self._next_key()
