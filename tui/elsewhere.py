"""Work that takes long, done by processes of its own: in a thread it shares the interpreter with the keys, which wait.

A thread asks and waits; it hears how far the work is, and may leave: what is asked is then stopped. Where no process
can be started, or one ends before its time, the work is done in the thread that asks. A process ends when this one
does, however that ends: it hears the line between them close.
"""

from __future__ import annotations

import sys
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    Tick = Callable[[int], None]

T = TypeVar("T")
P = ParamSpec("P")

MOST: Final = 2
"""Processes at a time: a long view is no reason to wait for the plan."""

OFTEN: Final = 0.05
"""Seconds between two looks at whether anybody still waits."""

GRACE: Final = 1.0
"""Seconds that a process has for stopping what nobody waits for, before another takes its place."""

PATIENCE: Final = 0.3
"""Seconds after which how far an answer is says more than it flickers."""

TOLD: Final = 0.25
"""Seconds between two tellings of it."""

_BEGIN: Final = "import sys; sys.path[:] = sys.argv[2:]; from tui.serving import serve; serve(int(sys.argv[1]))"


class Outdated(Exception):  # noqa: N818
    """Nobody waits for the answer any more."""


class _Undone(Exception):  # noqa: N818
    """A process did not do the work."""


class Elsewhere:
    """The processes. Until `open`, and where that cannot be, all work is done in the thread that asks for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hands: list[_Hand] = []
        self._most = 0
        self._closed = False

    @property
    def processes(self) -> list[int]:
        """The ids of the processes."""
        return [hand.process.pid for hand in self._hands]

    def open(self) -> None:
        """Start the first process, which then loads what work takes."""
        with self._lock:
            if not self._hands and not self._closed:
                self._most = MOST
                self._start()

    def close(self) -> None:
        """End every process: they hold nothing that anybody would miss."""
        with self._lock:
            self._closed, self._most = True, 0
            for hand in self._hands:
                hand.kill()
            self._hands.clear()

    def ask(self, work: Callable[Concatenate[Any, ...], T], *given: Any, tick: Tick, short: bool = False) -> T:
        """Return `work(*given, tick)`; `tick` hears how far it is, and ends it by raising.

        `work` is a function that a module has by its name; it, what is given and the answer travel as pickles. What
        takes `short` is done here rather than waited with until a process has begun or is free.
        """
        hand = self._idle() if short else self._free(tick)
        if hand is None:
            return work(*given, tick)
        try:
            return hand.ask((work, given), tick)  # type: ignore[no-any-return]
        except _Undone:
            if self._closed:
                raise Outdated from None
        finally:
            self._released(hand)
        return work(*given, tick)

    def _free(self, tick: Tick) -> _Hand | None:
        """Return a process that has nothing to do, once there is one; None where there are none at all."""
        while True:
            with self._lock:
                if self._closed:
                    raise Outdated
                idle = [hand for hand in self._hands if not hand.busy]
                hand = next((hand for hand in idle if hand.done()), None)
                full = hand is None and len(self._hands) == self._most
                for useless in [hand for hand in idle if hand.lost or (full and hand.stubborn)]:
                    self._end(useless)
                if not self._most:
                    return None
                if hand is None and len(self._hands) < self._most:
                    hand = self._start()
                if hand is not None:
                    hand.busy = True
                    return hand
            tick(0)
            time.sleep(OFTEN)

    def _idle(self) -> _Hand | None:
        """Return a process that has begun and has nothing to do, if there is one."""
        with self._lock:
            hand = next((hand for hand in self._hands if not hand.busy and hand.done() and hand.ready), None)
            if hand is not None:
                hand.busy = True
            return hand

    def _start(self) -> _Hand | None:
        try:
            self._hands.append(_Hand())
        except (OSError, ValueError):
            self._most = len(self._hands)
            return None
        return self._hands[-1]

    def _released(self, hand: _Hand) -> None:
        with self._lock:
            hand.busy = False
            if hand.lost and hand in self._hands:
                self._end(hand)

    def _end(self, hand: _Hand) -> None:
        hand.kill()
        self._hands.remove(hand)
        if not hand.ready:
            self._most = 0  # one that could not even begin: no other would


class _Hand:
    """One process, and the line to it. Raises OSError where none can be started."""

    def __init__(self) -> None:
        import subprocess
        from multiprocessing.connection import Pipe

        self.busy = self.ready = self.lost = False
        self._number, self._stopped = 0, 0.0
        line: tuple[Connection, Connection] = Pipe()
        self._line, theirs = line
        with theirs:
            end = theirs.fileno()
            program = [sys.executable, "-P", "-c", _BEGIN, str(end), *sys.path]
            nothing = subprocess.DEVNULL
            # A process group of its own: what is typed at the terminal to interrupt the screen is none of its business.
            self.process = subprocess.Popen(
                program, stdin=nothing, stdout=nothing, stderr=nothing, pass_fds=[end], process_group=0
            )

    @property
    def stubborn(self) -> bool:
        """Whether it goes on with what it was told to stop."""
        return bool(self._stopped) and time.monotonic() - self._stopped > GRACE

    def done(self) -> bool:
        """Return whether it is through with what it was told to stop."""
        try:
            while (self._stopped or not self.ready) and self._line.poll():
                self._hear()
        except _Undone:
            return False
        return not self._stopped and not self.lost

    def ask(self, asked: tuple[Callable[..., Any], tuple[Any, ...]], tick: Tick) -> Any:
        """Have a call answered; raises _Undone where that fails, whatever the reason."""
        import pickle

        try:
            told = pickle.dumps(asked, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError):
            raise _Undone from None
        self._number += 1
        try:
            self._line.send((self._number, told))
        except OSError:
            self.lost = True
            raise _Undone from None
        far = 0
        while True:
            word, value = self._hear() if self._waiting() else ("far", far)
            if word == "answer":
                return value
            if word in ("failed", "stopped"):
                raise _Undone
            far = value if word == "far" else far
            try:
                tick(far)
            except BaseException:
                self._stop()
                raise

    def kill(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        if not self.busy:
            self._line.close()

    def _waiting(self) -> bool:
        try:
            return self._line.poll(OFTEN)
        except OSError:
            self.lost = True
            raise _Undone from None

    def _hear(self) -> tuple[str, Any]:
        """Return the next word; one that says how something ended ends what was to be stopped."""
        try:
            heard: tuple[str, Any] = self._line.recv()
        except (EOFError, OSError):
            self.lost = True
            raise _Undone from None
        self.ready = True
        if heard[0] in ("answer", "failed", "stopped"):
            self._stopped = 0.0
        return heard

    def _stop(self) -> None:
        self._stopped = time.monotonic()
        try:
            self._line.send((self._number, None))
        except OSError:
            self.lost = True


def telling(left: Callable[[], bool], tell: Callable[[int, float], None]) -> Callable[[int], None]:
    """Return what work calls as it goes: it ends what nobody waits for, and tells how far it is, but not too often.

    `tell` hears how many systems are solved, and for how many seconds that has lasted.
    """
    began = time.monotonic()
    due = began + PATIENCE

    def tick(done: int) -> None:
        nonlocal due
        if left():
            raise Outdated
        now = time.monotonic()
        if now >= due:
            due = now + TOLD
            tell(done, now - began)

    return tick
