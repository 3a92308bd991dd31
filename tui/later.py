"""What is done once nothing has put it off for a while: at every key it is put off, and hardly ever done."""

from __future__ import annotations

from asyncio import TimerHandle, get_running_loop
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Later:
    """One thing that waits. A timer of the library would be a task for each key, begun and ended for nothing."""

    def __init__(self) -> None:
        self._waiting: TimerHandle | None = None

    def do(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after some seconds of this, the screen's thread, instead of what waits."""
        self.drop()
        self._waiting = get_running_loop().call_later(seconds, what)

    def drop(self) -> None:
        """Do nothing."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
