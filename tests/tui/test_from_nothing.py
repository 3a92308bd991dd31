from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capacity.document import load
from capacity.errors import UsageError
from tests.tui.driving import press
from tui.app import CapacityApp
from tui.opening import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


# A file that is not there, or empty, opens as a small system that is not saved yet; nothing is written before it is.
@pytest.mark.parametrize("text", [None, "", "\n  \n"])
def test_a_new_file(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "new.toml"
    if text is not None:
        path.write_text(text)
    opening = open_file(str(path))
    assert opening.session.dirty
    assert list(opening.session.now.document.topology.components) == ["web"]
    assert (path.read_text() if path.exists() else None) == text


# ctrl+s writes it, and from then on it is a file like any other.
def test_a_new_file_is_saved(tmp_path: Path) -> None:
    import asyncio  # noqa: PLC0415, only this test drives by itself

    path = tmp_path / "new.toml"
    opening = open_file(str(path))
    app = CapacityApp(opening.session, opening)

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await save(pilot)

    async def save(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await press(app, pilot, "ctrl+s")

    asyncio.run(run())
    assert list(load(str(path)).topology.components) == ["web"]
    assert not app.session.dirty


# A folder that does not exist is told before the screen comes.
def test_a_file_in_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        open_file(str(tmp_path / "nowhere" / "new.toml"))
