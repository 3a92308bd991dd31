"""The other side of `tui.elsewhere`: a process that does what it is asked, one thing after the other."""

from __future__ import annotations

import os
import pickle
import time
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

OFTEN: Final = 0.1
"""Seconds between two words on how far something is."""

MANNERS: Final = 5
"""How much less of the processor it asks for than the screen, where there is not enough for both."""


class Stopped(Exception):  # noqa: N818
    """Nobody waits any more."""


def serve(line: int) -> None:
    """Answer what comes over a line until that closes."""
    if hasattr(os, "nice"):
        os.nice(MANNERS)
    with Connection(line) as connection:
        _Service(connection).go_on()


class _Service:
    """Hears in one thread, so that it can be stopped, and works in the other."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._asked: SimpleQueue[tuple[int, bytes]] = SimpleQueue()
        self._stopped = 0
        """The last thing that nobody waits for any more."""

    def go_on(self) -> None:
        """Load what nearly all work takes, then work."""
        Thread(target=self._listen, daemon=True).start()
        from tui.views import views

        views()
        self._say("ready", None)
        while True:
            self._answer(*self._asked.get())

    def _listen(self) -> None:
        try:
            while True:
                number, asked = pickle.loads(self._line.recv_bytes())  # noqa: S301, from the process that started this one
                if asked is None:
                    self._stopped = number
                else:
                    self._asked.put((number, asked))
        except (EOFError, OSError):
            os._exit(0)  # the screen has ended, and whatever is being worked out is of no use

    def _answer(self, number: int, asked: bytes) -> None:
        said = 0.0

        def tick(far: int) -> None:
            nonlocal said
            if self._stopped == number:
                raise Stopped
            if time.monotonic() - said >= OFTEN:
                said = time.monotonic()
                self._say("far", far)

        try:
            work, given = pickle.loads(asked)  # noqa: S301, as above
            answer = pickle.dumps(("answer", work(*given, tick)), pickle.HIGHEST_PROTOCOL)
        except Stopped:
            self._say("stopped", None)
        except Exception:  # noqa: BLE001, whatever it is, whoever asks meets it again and says so
            self._say("failed", None)
        else:
            self._send(answer)

    def _say(self, word: str, value: Any) -> None:
        self._send(pickle.dumps((word, value)))

    def _send(self, said: bytes) -> None:
        try:
            self._line.send_bytes(said)
        except OSError:
            os._exit(0)
