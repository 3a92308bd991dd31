"""A file on the screen of a test: opened, edited and looked at without a terminal, within a time limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from capacity.editing import with_value
from tui.app import CapacityApp
from tui.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

TEXT = """\
# a shop
name = "small" # its name

[workload.classes.page]
rate = "10/s"   # of a quiet day
entry = "web"

[components.web]   # the only tier
kind = "service"
node = "c6i.large"
nodes = 2
cpu_time = "1ms"
"""
"""A topology with comments and layout of its own."""

NODES = ("components", "web", "nodes")

LIMIT = 30.0
"""Seconds after which a test on a busy machine is taken for hanging."""


def topology(folder: Path, text: str = TEXT) -> Path:
    """Return a file with a topology."""
    path = folder / "small.toml"
    path.write_text(text)
    return path


def run(path: Path, act: Callable[[CapacityApp, Pilot[None]], Awaitable[None]], *overrides: str) -> CapacityApp:
    """Open a file, act on the app, and return it once it has ended."""
    opening = open_file(str(path), overrides, patience=LIMIT)
    app = CapacityApp(opening.session, opening)

    async def acted() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(asyncio.wait_for(acted(), LIMIT))
    return app


def edit(app: CapacityApp, path: tuple[str | int, ...], value: Any) -> None:
    """Change one value."""
    app.edit(with_value(app.session.now.document, path, value))


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait for something to become true; the time limit of the run is the limit here."""
    while not true():
        await pilot.pause(0.02)


async def answered(pilot: Pilot[None], screen: type, *keys: str) -> None:
    """Wait for a question and answer it, and for it to be gone."""
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, screen))
    asking = app.screen
    await pilot.pause()
    await pilot.press(*keys)
    await until(pilot, lambda: app.screen is not asking)


def said(app: CapacityApp) -> str:
    """Return everything that was told in passing."""
    return "\n".join(found.message for found in app._notifications)
