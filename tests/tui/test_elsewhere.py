from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from capacity.errors import UsageError
from tests.tui.viewing import ROOT, everything, read, shown
from tui.elsewhere import MOST, Elsewhere, Outdated
from tui.exporting import exported
from tui.scene import followed_up, solved
from tui.steps import ranked_steps
from tui.views import Asked, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STARTER = "examples/starter.toml"
LIMIT = 60.0
"""Seconds after which what was waited for is taken never to come, on however busy a machine."""

PARENT = """
import os, signal
from tests.tui.test_elsewhere import counting, gone
from threading import Thread
from tui.elsewhere import Elsewhere
elsewhere = Elsewhere()
elsewhere.open()
def tick(far):
    if far:
        os.write(1, f"{elsewhere.processes[0]}\\n".encode())
        {end}
elsewhere.ask(counting, tick=tick)
"""


def who(_: Callable[[int], None]) -> int:
    """Return the process that does it."""
    return os.getpid()


def counting(tick: Callable[[int], None]) -> None:
    """Go on for ever."""
    far = 0
    while True:
        tick(far := far + 1)
        time.sleep(0.001)


def deaf(_: Callable[[int], None]) -> None:
    """Go on for ever without looking whether anybody waits."""
    time.sleep(1e6)


def refused(_: Callable[[int], None]) -> None:
    raise UsageError(f"in {os.getpid()}")


def ending(_: Callable[[int], None]) -> int:
    """End the process, unless it is the one that asks."""
    if os.getppid() == int(os.environ["ASKS"]):
        os._exit(1)
    return os.getpid()


def unpicklable(_: Callable[[int], None]) -> Callable[[], int]:
    return lambda: 1 + 1


def ignored(_: int) -> None:
    pass


@contextmanager
def started() -> Iterator[Elsewhere]:
    elsewhere = Elsewhere()
    elsewhere.open()
    try:
        yield elsewhere
    finally:
        elsewhere.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def gone(process: int) -> bool:
    """Return whether a process runs no more."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], check=False, capture_output=True, text=True)
    return state.stdout.strip()[:1] in ("", "Z")


def left_at_once(elsewhere: Elsewhere, work: Callable[[Callable[[int], None]], None]) -> None:
    """Ask, and wait no longer once the process is at it."""

    def tick(_: int) -> None:
        if any(hand.busy and hand.ready for hand in elsewhere._hands):
            raise Outdated

    with pytest.raises(Outdated):
        elsewhere.ask(work, tick=tick)


# Before it is opened work is done by who asks; then by one process, and the same one again.
def test_who_does_it() -> None:
    elsewhere = Elsewhere()
    assert elsewhere.ask(who, tick=ignored) == os.getpid()
    with started() as elsewhere:
        first = elsewhere.ask(who, tick=ignored)
        assert first != os.getpid()
        assert elsewhere.ask(who, tick=ignored) == first
        assert elsewhere.processes == [first]


# The answers of every view, of a follow-up, of the plan and of the steps are the same from another process.
def test_the_same_answers() -> None:
    document = read(STARTER, 'workload.growth="10%/month"', "forecast.months=1")
    found = shown(document)
    with started() as elsewhere:

        def there(work: Callable[..., Any], *given: Any) -> Any:
            return elsewhere._hands[0].ask((work, given), ignored)  # raises where it would be done here instead

        for view in views():
            asked = Asked(found, "app", None, found)
            assert everything(there(view.answer, asked)) == everything(view.answer(asked, ignored)), view.id
        assert there(followed_up, found) == followed_up(found)
        assert there(solved, document, 1.0) == solved(document, 1.0)
        assert there(ranked_steps, document, 1.0) == ranked_steps(document, 1.0, ignored)
        given = (ROOT / STARTER).read_text(), document, 1.0, "json"
        assert there(exported, *given) == exported(*given, ignored)


# What nobody waits for any more is stopped, and the process is there for the next that asks.
def test_stopped() -> None:
    with started() as elsewhere:
        left_at_once(elsewhere, counting)
        (process,) = elsewhere.processes
        until(elsewhere._hands[0].done)
        assert elsewhere.ask(who, tick=ignored) == process


# What does not stop when told to does not keep others from being answered, and its process is ended in the end.
def test_deaf_work_is_ended() -> None:
    with started() as elsewhere:
        for _ in range(MOST):
            left_at_once(elsewhere, deaf)
        deaf_ones = elsewhere.processes
        assert len(deaf_ones) == MOST
        assert elsewhere.ask(who, tick=ignored) not in [os.getpid(), *deaf_ones]
        assert any(gone(process) for process in deaf_ones)


# What takes short is done here until a process has begun, and by that then; where all are busy it is done here as well.
def test_short_work_does_not_wait() -> None:
    with started() as elsewhere:
        assert elsewhere.ask(who, tick=ignored, short=True) == os.getpid()
        (process,) = elsewhere.processes
        until(lambda: elsewhere._hands[0].done() and elsewhere._hands[0].ready)
        assert elsewhere.ask(who, tick=ignored, short=True) == process
        left_at_once(elsewhere, deaf)
        assert elsewhere.ask(who, tick=ignored, short=True) == os.getpid()


# An error is met where somebody asks, as if it had happened there; the process goes on.
def test_errors_are_met_here() -> None:
    with started() as elsewhere:
        with pytest.raises(UsageError, match=f"in {os.getpid()}"):
            elsewhere.ask(refused, tick=ignored)
        assert elsewhere.ask(unpicklable, tick=ignored)() == 2
        assert elsewhere.ask(who, tick=ignored) == elsewhere.processes[0]


# When a process ends in the middle, the work is done here, and the next by another process.
def test_an_ended_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKS", str(os.getpid()))
    with started() as elsewhere:
        (first,) = elsewhere.processes
        assert elsewhere.ask(ending, tick=ignored) == os.getpid()
        assert elsewhere.ask(who, tick=ignored) not in (first, os.getpid())


# Where no process can be started, or it does not even begin, work is done here; it is not tried again and again.
@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", ""])
def test_without_processes(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with started() as elsewhere:
        for _ in range(2):
            assert elsewhere.ask(who, tick=ignored) == os.getpid()
        assert elsewhere.processes == []
        assert elsewhere._most == 0


# One that ended before anybody asked is none either.
def test_ended_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with started() as elsewhere:
        for hand in elsewhere._hands:
            hand.process.wait()
        assert elsewhere.ask(who, tick=ignored) == os.getpid()
        assert elsewhere.processes == []


# Closed, nothing runs any more, and who still waits learns that it waits for nothing.
def test_closed() -> None:
    with started() as elsewhere:
        (process,) = elsewhere.processes
        ends: list[BaseException] = []

        def wait() -> None:
            try:
                elsewhere.ask(deaf, tick=ignored)
            except Outdated as end:
                ends.append(end)

        waiting = Thread(target=wait)
        waiting.start()
        until(lambda: elsewhere._hands[0].busy)
        elsewhere.close()
        waiting.join(LIMIT)
        assert len(ends) == 1
        assert gone(process)
        assert not elsewhere._hands


# However the program ends, killed included, the processes that worked for it end as well, in the middle of work.
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)"])
def test_none_outlives_the_program(end: str) -> None:
    ended = subprocess.run([sys.executable, "-c", PARENT.replace("{end}", end)], check=False, capture_output=True)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    process = int(ended.stdout.split()[0])
    until(lambda: gone(process))
