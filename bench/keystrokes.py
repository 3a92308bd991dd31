"""How long a keystroke takes until new numbers are painted, and how long the first paint takes.

    python bench/keystrokes.py

Keys typed into a field of a system of twelve tiers (bench/twelve.toml), in an app that writes what a terminal would get
to nowhere: some in a burst, others after a pause in which what is looked at beside the screen begins. Each is told in
time as a person has it and in time of the screen's thread on the processor: the whole, and of it the planner's share
(the evaluation), ours (reading the value, drawing, our lines) and Textual's (passing the key on, laying out, painting).
Beside them, an empty Textual app that echoes a key. Then whole processes up to the first paint, to the first numbers,
and those of an empty Textual app; all as an installed program, compiled.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key
from textual.widgets import Input

from capacity.document import load
from tui.app import CapacityApp
from tui.drawing.canvas import Key as CursorKey
from tui.scene import solved_counts
from tui.session import opened
from tui.widgets.field_list import FieldList
from tui.widgets.inspector import Inspector
from tui.widgets.lines import Lines
from tui.widgets.topology import TopologyView
from tui.widgets.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.strip import Strip

    from tui.inspection import Row

SHOP = str(Path(__file__).parent.parent / "examples" / "shop.toml")
TWELVE = str(Path(__file__).parent / "twelve.toml")
EDITS = int(os.environ.get("EDITS", "2000"))
ECHOES = 300
SLOW = 0.3
"""The share of the edits that come after a pause."""
BURST, PAUSE = 0.06, 0.25
"""Seconds between two keys; follow-ups begin 0.1 s after the last."""
STARTS = 5
LONGEST = 3.0
"""Seconds after which a key has changed nothing that can be seen: where numbers follow a frame later, they may not."""
PATH = ("components", "app", "cpu_time", "browse")

EMPTY = "from textual.app import App\nmake, numbers = App, lambda app: True\n"
OURS = f"""
def opened():
    from tui.opening import open_file
    return open_file({SHOP!r})
from tui.glance import Reading, glanced
glance = glanced({SHOP!r})
from tui.app import CapacityApp
def make():
    return CapacityApp(None, reading=Reading(glance, opened))
def numbers(app):
    return app.scene is not None
"""
FIRST = """
import asyncio, json, os, sys, time
app, found = make(), {}
def painted():
    if "first" not in found and app.screen.size:
        found["first"] = time.time(), time.process_time()
    elif "numbers" not in found and numbers(app):
        found["numbers"] = time.time(), time.process_time()
app.post_display_hook = painted
async def main():
    async with app.run_test(size=(160, 50)):
        while "numbers" not in found:
            app.screen.refresh()
            await asyncio.sleep(0.002)
    os.write(1, json.dumps(found).encode())
    os._exit(0)
asyncio.run(main())
"""


class Nowhere(HeadlessDriver):
    """A terminal that forgets what is written, but for when something new first was."""

    stands: ClassVar[staticmethod[[], object]] = staticmethod(lambda: None)
    """What the screen is of at the moment."""
    stale: ClassVar[object] = None
    """What it was of before the key."""
    painted: ClassVar[asyncio.Future[float] | None] = None

    @property
    def is_headless(self) -> bool:
        """Everything is done that a terminal needs."""
        return False

    def write(self, data: str) -> None:
        """Note the first paint of something new; the few bytes that begin and end one are none."""
        if len(data) > 40 and self.painted is not None and not self.painted.done() and self.stands() is not self.stale:
            self.painted.set_result(time.perf_counter())


class Echo(App[None]):
    """What Textual takes to show a key."""

    def compose(self) -> ComposeResult:
        """Lay an input out."""
        yield Input()


def told(name: str, seconds: list[float]) -> None:
    """Print median, 99th percentile and least of some times."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    least, middle = ordered[0] * 1e3, statistics.median(ordered) * 1e3
    write = sys.__stdout__.write if sys.__stdout__ is not None else print
    write(f"{name:52} median {middle:7.1f} ms   p99 {p99 * 1e3:7.1f} ms   min {least:7.1f} ms\n")


async def typed(app: App[None], text: str, stands: Callable[[], object]) -> tuple[float, float]:
    """Type a key; return the seconds until what follows is painted, of the clock and of this thread."""
    assert app._driver is not None  # noqa: S101, SLF001
    Nowhere.stands, Nowhere.stale = staticmethod(stands), stands()
    Nowhere.painted = asyncio.get_running_loop().create_future()
    clock, used = time.perf_counter(), time.thread_time()
    app._driver.send_message(Key(text, text if len(text) == 1 else None))  # noqa: SLF001
    return await asyncio.wait_for(Nowhere.painted, LONGEST) - clock, time.thread_time() - used


async def echoes() -> None:
    """Time the keys of an empty app."""
    app, times = Echo(), []
    app.driver_class = Nowhere
    running = asyncio.create_task(app.run_async(size=(160, 50)))
    await asyncio.sleep(0.5)
    field = app.query_one(Input)
    for _ in range(ECHOES):
        times.append(await typed(app, "1", lambda: field.value))
        field.value = ""
        await asyncio.sleep(0.02)
    app.exit()
    await running
    told("a key in an empty Textual app", [clock for clock, _ in times])
    told("  of the processor", [used for _, used in times])


class Ours:
    """The seconds of the screen's thread that go into what is ours, without the planner."""

    def __init__(self, app: CapacityApp) -> None:
        self.seconds = self.planner = 0.0
        inspector = app.query_one(Inspector)
        tried = inspector._tried  # noqa: SLF001

        def trying(row: Row, text: str) -> None:
            before, began = app.scene, time.thread_time()
            tried(row, text)
            self.planner = app.took if app.scene is not before else 0.0
            self.seconds += time.thread_time() - began - self.planner

        inspector._tried = trying  # noqa: SLF001
        lined: list[TopologyView | FieldList | Lines] = [app.query_one(TopologyView), app.query_one(FieldList)]
        for widget in (*lined, *app.query(Lines)):
            widget.render_line = self._timed(widget.render_line)

    def _timed(self, line: Callable[[int], Strip]) -> Callable[[int], Strip]:
        def timed(y: int) -> Strip:
            began = time.thread_time()
            found = line(y)
            self.seconds += time.thread_time() - began
            return found

        return timed


async def edits(count: int, pause: float, name: str) -> None:
    """Time keys typed into a value, each with everything that is painted."""
    document = load(TWELVE)
    app = CapacityApp(opened(document, solved_counts(document, 1.0)[0]))
    app.driver_class = Nowhere
    running = asyncio.create_task(app.run_async(size=(160, 50)))
    await asyncio.sleep(1.5)
    app.go(CursorKey("tier", "app"))
    await asyncio.sleep(0.5)
    app.query_one(FieldList).focus()
    app.query_one(FieldList).go_to(PATH)
    await asyncio.sleep(0.2)
    app.query_one(FieldList).action_edit()
    await asyncio.sleep(0.2)
    field, ours = app.query_one(ValueInput), Ours(app)
    shares: dict[str, list[float]] = {}
    unseen = 0
    for i in range(count):
        field.value = f"{8 + i % 40 / 10:.1f}"
        field.cursor_position = len(field.value)
        await asyncio.sleep(pause)
        ours.seconds = ours.planner = 0.0
        try:
            clock, used = await typed(
                app, str(1 + i % 9), lambda: app.session.now if app.scene is None else app.scene.question.version
            )
        except TimeoutError:
            unseen += 1
            continue
        rest = used - ours.seconds - ours.planner
        for share, seconds in (
            (f"a key {name}, until its numbers are painted", clock),
            ("  of the processor", used),
            ("    the planner's share: the evaluation", app.took),
            ("    ours: reading the value, drawing, lines", ours.seconds),
            ("    Textual's: passing on, laying out, painting", rest),
        ):
            shares.setdefault(share, []).append(seconds)
    app.exit()
    await running
    for share, times in shares.items():
        told(share, times)
    if unseen:
        told(f"  {unseen} of {count} keys changed nothing to be seen", [LONGEST])


def first_paints() -> None:
    """Time whole processes up to the first paint and the first numbers, one of each kind after the other."""
    import json  # noqa: PLC0415

    kinds = {"an empty Textual app": EMPTY, "capacity tui shop.toml": OURS}
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as compiled:
        around = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        around.pop("PYTHONDONTWRITEBYTECODE", None)
        for turn in range(STARTS + 1):
            for name, made in kinds.items():
                start = time.time()
                done = subprocess.run(
                    [sys.executable, "-c", made + FIRST], check=True, capture_output=True, text=True, env=around
                )
                if turn == 0:
                    continue  # this one compiled
                for what, (clock, used) in json.loads(done.stdout).items():
                    if what == "first" or made is OURS:
                        found.setdefault(f"{name}: {what} paint", []).append(clock - start)
                        found.setdefault(f"{name}: {what} paint, of the processor", []).append(used)
    for name, times in found.items():
        told(name, times)


if __name__ == "__main__":
    asyncio.run(echoes())
    slow = int(EDITS * SLOW)
    asyncio.run(edits(EDITS - slow, BURST, "in a burst"))
    asyncio.run(edits(slow, PAUSE, "after a pause"))
    first_paints()
