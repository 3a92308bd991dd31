from __future__ import annotations

import ast
import subprocess
import sys

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
