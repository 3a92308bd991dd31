"""How long a keystroke takes while a long view is worked out beside the screen.

    python bench/beside.py

With Forecast open on examples/shop.toml: keys that walk through the fields while it is worked out once, and keys typed
into a value, each of which makes it start anew. Each is told until what follows is painted, in time as a person has it
and in time of the screen's thread on the processor.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from keystrokes import PATH, SHOP, Nowhere, told, typed

from capacity.document import load
from tui.app import CapacityApp
from tui.drawing.canvas import Key as CursorKey
from tui.scene import solved_counts
from tui.session import opened
from tui.widgets.field_list import FieldList
from tui.widgets.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Callable

WALKS, EDITS = int(os.environ.get("WALKS", "60")), int(os.environ.get("EDITS", "100"))
PAUSE = 0.1
"""Seconds between two keys."""
VIEW = os.environ.get("VIEW", "forecast")


async def run() -> None:
    """Open the view, walk, then type."""
    document = load(SHOP)
    app = CapacityApp(opened(document, solved_counts(document, 1.0)[0]))
    app.driver_class = Nowhere
    running = asyncio.create_task(app.run_async(size=(160, 50)))
    await asyncio.sleep(3)
    app.go(CursorKey("tier", "app"))
    await asyncio.sleep(0.5)
    fields = app.query_one(FieldList)
    fields.focus()
    fields.go_to(PATH)
    app.action_view(VIEW)
    await asyncio.sleep(PAUSE)
    walks = await keys(app, ["down", "up"] * (WALKS // 2), lambda: fields.cursor)
    waited = not answered(app)
    fields.action_edit()
    await asyncio.sleep(PAUSE)
    field = app.query_one(ValueInput)

    def again(i: int) -> None:
        field.value = f"{8 + i % 40 / 10:.1f}"
        field.cursor_position = len(field.value)

    edits = await keys(
        app,
        [str(1 + i % 9) for i in range(EDITS)],
        lambda: app.session.now if app.scene is None else app.scene.question.version,
        again,
    )
    app.exit()
    await running
    told(f"a key that walks, {'' if waited else 'NOT '}all the while", [clock for clock, _ in walks])
    told("  of the processor", [used for _, used in walks])
    told("a key typed into a value", [clock for clock, _ in edits])
    told("  of the processor", [used for _, used in edits])


def answered(app: CapacityApp) -> bool:
    """Return whether the view has its answer."""
    return not any(worker.group == "view" and not worker.is_finished for worker in app.workers)


async def keys(
    app: CapacityApp, pressed: list[str], stands: Callable[[], object], before: Callable[[int], None] = lambda _: None
) -> list[tuple[float, float]]:
    """Return what each key took."""
    times = []
    for i, key in enumerate(pressed):
        before(i)
        await asyncio.sleep(PAUSE)
        times.append(await typed(app, key, stands))
    return times


if __name__ == "__main__":
    asyncio.run(run())
