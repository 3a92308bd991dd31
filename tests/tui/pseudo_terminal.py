"""The program in a terminal of its own: a pseudo terminal that a test types into, reads, and takes away."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

LIMIT = 40.0
"""Seconds after which a program on a busy machine is taken for hanging."""


class Terminal:
    """Runs the program; whatever happens, it is gone at the end of a `with`."""

    def __init__(self, *arguments: object, term: str = "xterm-256color") -> None:
        self.output = ""
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.environ["TERM"] = term
            os.execv(sys.executable, [sys.executable, "-m", "capacity", *map(str, arguments)])  # noqa: S606
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._code is None:
            self.signal(signal.SIGKILL)
            self.ended()
        with suppress(OSError):
            os.close(self.screen)

    def type(self, keys: str) -> None:
        """Press keys; what was written before does not count for what is waited for next."""
        self.output = ""
        os.write(self.screen, keys.encode())

    def shows(self, text: str) -> None:
        """Wait until something is written."""
        end = time.monotonic() + LIMIT
        while text not in self.output:
            assert time.monotonic() < end, f"{text!r} does not come: {self.output[-3000:]!r}"
            self._read()

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.process, number)

    def ended(self) -> int:
        """Return the exit code, or minus the signal that ended the program."""
        end = time.monotonic() + LIMIT
        while self._code is None:
            assert time.monotonic() < end, "the program does not end"
            self._read()
            found, status = os.waitpid(self.process, os.WNOHANG)
            if found:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def hang_up(self) -> None:
        """Take the terminal away, as closing its window does."""
        os.close(self.screen)

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            ready, _, _ = select.select([self.screen], [], [], 0.05)
            if ready:
                self.output += os.read(self.screen, 65536).decode(errors="replace")
                return
        time.sleep(0.01)
