from __future__ import annotations

import ast
import asyncio
import gc
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING

from tui.steady import Tidying

if TYPE_CHECKING:
    import pytest

PROGRAM = """
import asyncio, gc, os, sys
from tests.tui.driving import counts_of, shop
from textual.drivers.headless_driver import HeadlessDriver
from tui.app import CapacityApp
from tui.session import opened

class Terminal(HeadlessDriver):
    is_headless = property(lambda self: {headless})

usual = gc.get_freeze_count(), gc.get_threshold()[0], sys.getswitchinterval()

async def main():
    app = CapacityApp(opened(shop(), counts_of(shop())))
    app.driver_class = Terminal
    running = asyncio.create_task(app.run_async(size=(160, 50)))
    for _ in range(500):
        await asyncio.sleep(0.02)
        if gc.get_freeze_count() or (app.scene is not None and {headless} and app.is_running):
            break
    await asyncio.sleep(0.2)
    os.write(1, repr([usual, (gc.get_freeze_count(), gc.get_threshold()[0], sys.getswitchinterval())]).encode())
    app.exit()
    await running
asyncio.run(main())
"""


def told(*, headless: bool) -> list[tuple[float, float, float]]:
    """Return what is frozen, the threshold and the seconds of a switch, at first and once the numbers stand."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(headless=headless)], check=True, capture_output=True, timeout=120
    )
    found: list[tuple[float, float, float]] = ast.literal_eval(done.stdout.decode())
    return found


# In a terminal, what stays is left out of collections and threads let go soon; as a part of another program, nothing.
def test_only_a_program_of_its_own_is_set_up() -> None:
    usual, (frozen, threshold, interval) = told(headless=False)
    assert frozen > 10_000
    assert threshold > usual[1]
    assert interval < usual[2]
    before, after = told(headless=True)
    assert after == before


class Held:
    """Something that only the collection of garbage frees: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


# Garbage is looked for a moment after the numbers, and not while further keys come in.
def test_garbage_is_looked_for_between_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    async def keys() -> tuple[bool, bool]:
        tidying = Tidying()
        held = [weakref.ref(Held()) for _ in range(5_000)]
        for _ in range(5):
            tidying.soon()
            await asyncio.sleep(0.001)
        at_once = held[0]() is None
        for _ in range(6_000):
            if held[0]() is None:
                break
            await asyncio.sleep(0.01)
        return at_once, held[-1]() is None

    monkeypatch.setattr("tui.steady._PAINTED", 0.2)
    gc.disable()  # by itself
    try:
        assert asyncio.run(keys()) == (False, True)
    finally:
        gc.enable()


# After a longer quiet all is looked through, where enough has grown old; a key before that puts it off.
def test_the_old_is_looked_through_when_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    monkeypatch.setattr("tui.steady._PAINTED", 0.0)
    monkeypatch.setattr("tui.steady._QUIET", 0.05)
    monkeypatch.setattr("tui.steady.gc.get_count", lambda: (10, 0, 100))
    monkeypatch.setattr("tui.steady.gc.collect", lambda generation=2: collected.append(generation))

    async def quiet() -> None:
        Tidying().soon()
        await asyncio.sleep(0.5)

    asyncio.run(quiet())
    assert collected == [2]
