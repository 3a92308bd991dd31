"""The app, driven as a person would: keys go in, and what is on the screen and in the session comes out."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

from textual.widgets import Static

from capacity.document import load, parse
from capacity.examples import folder
from tui.app import CapacityApp
from tui.scene import solved_counts
from tui.session import opened
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from capacity.document import Document
    from capacity.system import Counts

    Play = Callable[[CapacityApp, Pilot[None]], Awaitable[None]]

SHOP = str(folder() / "shop.toml")

ODD = """
[workload.classes."[red]x[/]"]
rate = "10/s"
entry = "데이터😀"

[components."데이터😀"]
kind = "service"
node = "c6i.large"
cpu_time = "1ms"
calls = [{ to = "[bold]db" }]

[components."[bold]db"]
kind = "external"
latency = "5ms"
"""
"""Names that are markup, wide, or not letters at all."""


@cache
def shop() -> Document:
    return load(SHOP)


def counts_of(document: Document) -> Counts:
    """Return the counts of the plan, worked out once."""
    return _shop_counts() if document is shop() else solved_counts(document, 1.0)[0]


@cache
def _shop_counts() -> Counts:
    return solved_counts(shop(), 1.0)[0]


def odd() -> Document:
    return parse(ODD, "odd.toml")


def play(script: Play, document: Document | None = None, size: tuple[int, int] = (80, 24)) -> CapacityApp:
    """Run a script against the app and return it."""
    used = document or shop()
    app = CapacityApp(opened(used, counts_of(used)))

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await script(app, pilot)

    asyncio.run(run())
    return app


async def press(app: CapacityApp, pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, and wait for what follows from them; a worker that asks somebody is done when its question stands."""
    await pilot.press(*keys)
    while any(not worker.is_finished for worker in app.workers):
        await asyncio.sleep(0.005)
        if app.screen.is_modal:
            break
    await pilot.pause()


async def write(app: CapacityApp, pilot: Pilot[Any], text: str) -> None:
    """Type a text over what a field holds."""
    await press(app, pilot, "home", "shift+end", "delete", *text)


def told(app: CapacityApp) -> str:
    """Return all text of the top screen that stands in plain lines."""
    plain = [line.text for line in app.screen.query(Lines) if line.display]
    return "\n".join([*plain, *(str(line.content) for line in app.screen.query(Static) if line.display)])


def notices(app: CapacityApp) -> str:
    """Return what was said in notifications."""
    return "\n".join(f"{notice.title} {notice.message}" for notice in app._notifications)
