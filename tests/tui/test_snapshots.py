"""Whole screens as text, at the sizes that people have. What changes on them is seen before it is accepted.

After a change that is meant: `CAPACITY_SNAPSHOTS=write pytest tests/tui/test_snapshots.py`, and look at the difference
in `tests/tui/snapshots/` before it is committed.
"""

from __future__ import annotations

import asyncio
import os
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.tui.driving import play, press
from tui import following
from tui.widgets import inspector

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.strip import Strip

    from tui.app import CapacityApp

SIZES: Final = ((80, 24), (120, 36), (160, 50))

SCREENS: Final = {
    "opened": ("", ""),
    "overloaded": ("] ] ] ]", "backslash"),
    "zone-lost": ("x x x", "X X X"),
    "typing-what-does-not-parse": ("enter enter home shift+end a", "escape escape escape"),
    "latency": ("1", "1"),
    "scaling": ("2", "2"),
    "cost": ("3", "3"),
    "failures": ("4", "m"),
    "maximised-failures": ("", "m 4"),
    "cache": ("5", "5"),
    "replication": ("6", "6"),
    "adding-a-tier": ("a", "escape"),
    "renaming": ("r", "escape"),
    "finding": ("slash m y", "escape"),
    "help": ("question_mark", "escape"),
    "baseline": ("b enter plus plus escape", ""),
}
"""What is on the screen, the keys that lead to it, and those that lead on from it."""

SCROLLED: Final = dict.fromkeys(map(ord, "▁▂▃▄▅▆▇"), " ")
"""The ends of scroll bars, which stand a frame later than what they belong to."""

FOLDER: Final = Path(__file__).with_name("snapshots")


@pytest.fixture(autouse=True)
def _usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show what a terminal with all colours shows, wherever the tests run, and wait for nobody who types on."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setattr(inspector, "_PATIENCE", 0.001)
    monkeypatch.setattr(following, "QUIET", 0.001)


async def settled(app: CapacityApp, pilot: Pilot[None]) -> list[Strip]:
    """Return the lines of the screen once nothing changes any more."""
    found: list[Strip] = []
    before = None
    while text(found) != before:
        before = text(found)
        await press(app, pilot)
        await asyncio.sleep(0.05)
        await press(app, pilot)
        found = app.screen._compositor.render_strips(app.size)
    return found


def walk(size: tuple[int, int]) -> dict[str, list[Strip]]:
    """Return the lines of every screen."""
    found: dict[str, list[Strip]] = {}

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for name, (there, back) in SCREENS.items():
            await press(app, pilot, *there.split())
            found[name] = await settled(app, pilot)
            await press(app, pilot, *back.split())

    play(script, size=size)
    return found


def text(strips: list[Strip]) -> str:
    """Return what is read, without the blanks at the ends of lines, and without where scroll bars end."""
    return "\n".join(strip.text.translate(SCROLLED).rstrip() for strip in strips) + "\n"


def differences(found: dict[str, list[Strip]], size: tuple[int, int]) -> str:
    """Return what is on screens, and what was when somebody last looked at them, where that is not the same."""
    lines: list[str] = []
    for name, strips in found.items():
        path = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
        accepted = path.read_text(encoding="utf-8") if path.exists() else ""
        lines += unified_diff(
            accepted.splitlines(), text(strips).splitlines(), f"{path.name} as accepted", "as it is", lineterm=""
        )
    return "\n".join(lines)


# Every screen shows what it showed when somebody last looked at it.
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_screens(size: tuple[int, int]) -> None:
    found = walk(size)
    if os.environ.get("CAPACITY_SNAPSHOTS") == "write":
        for name, strips in found.items():
            (FOLDER / f"{name}-{size[0]}x{size[1]}.txt").write_text(text(strips), encoding="utf-8")
    assert not differences(found, size)


# Without colours the same is read, and nothing is coloured: what matters is told by words and signs.
def test_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    found = walk(SIZES[1])
    assert not differences(found, SIZES[1])
    styles = [style for strips in found.values() for strip in strips for _, style, _ in strip if style]
    for colour in (colour for style in styles for colour in (style.color, style.bgcolor) if colour):
        assert colour.is_default or len(set(colour.get_truecolor())) == 1, colour
