"""How long a keystroke takes until new numbers are painted, and how long the first paint takes.

    python bench/keystrokes.py

Synthetic edits of a value of examples/shop.toml in an app without a terminal: the share of the planner (checking the
file and evaluating it), and the whole until nothing is left to paint. Beside them, an empty Textual app.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

from capacity.document import load
from capacity.editing import with_value
from tui.app import CapacityApp
from tui.scene import scene, solved_counts
from tui.session import opened

SHOP = str(Path(__file__).parent.parent / "examples" / "shop.toml")
EDITS = 100
PATH = ("components", "app", "cpu_time", "browse")
EMPTY = "from textual.app import App\nmake = App\n"
OURS = (
    "from tui.opening import open_file\nfrom tui.app import CapacityApp\n"
    f"def make():\n    o = open_file({SHOP!r})\n    return CapacityApp(o.session, o)\n"
)
FIRST = "import asyncio\nasync def main():\n    async with make().run_test(size=(160, 50)): pass\nasyncio.run(main())\n"


def told(name: str, seconds: list[float]) -> None:
    """Print median, 99th percentile and least of some times."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    least, middle = ordered[0] * 1e3, statistics.median(ordered) * 1e3
    print(f"{name:42} median {middle:7.1f} ms   p99 {p99 * 1e3:7.1f} ms   min {least:7.1f} ms")


async def edits() -> None:
    """Time edits: ours alone, then with everything that is painted."""
    document = load(SHOP)
    app = CapacityApp(opened(document, solved_counts(document, 1.0)[0]))
    ours, whole = [], []
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause(0.5)
        for i in range(EDITS):
            # Never a value of before, whose answers are remembered.
            one, other = f"{8 + i / 25:.2f}ms", f"{8.02 + i / 25:.2f}ms"
            start = time.perf_counter()
            edited = with_value(app.session.now.document, PATH, one)
            scene(app.session.edited(edited.document, edited.name).question)
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            edited = with_value(app.session.now.document, PATH, other)
            app.become(app.session.edited(edited.document, edited.name))
            while app.scene is None or app.scene.question.version is not app.session.now:  # noqa: ASYNC110, no event
                await asyncio.sleep(0.001)
            await pilot.pause(0)
            whole.append(time.perf_counter() - start)
    told("edit: the planner's share", ours)
    told("edit: until the new numbers are painted", whole)


def first_paint() -> None:
    """Time whole processes up to the first paint."""
    for name, made in (("an empty Textual app, whole process", EMPTY), ("capacity tui shop.toml, whole process", OURS)):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", made + FIRST], check=True)
            times.append(time.perf_counter() - start)
        told(name, times)


if __name__ == "__main__":
    asyncio.run(edits())
    first_paint()
