"""Make docs/screen.svg: the terminal interface on examples/shop.toml as it really looks.

python docs/screen.py
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from capacity.document import load
from tui.app import CapacityApp
from tui.scene import solved_counts
from tui.session import opened

FOLDER = Path(__file__).parent
KEYS = ("right", "b", "right_square_bracket", "right_square_bracket", "1")
"""What is pressed before the picture: to app, pin a baseline, 20 % more load, the latency view."""


async def picture() -> str:
    """Return the screen as SVG."""
    document = load(str(FOLDER.parent / "examples" / "shop.toml"))
    app = CapacityApp(opened(document, solved_counts(document, 1.0)[0]))
    async with app.run_test(size=(160, 46)) as pilot:
        for key in KEYS:
            await pilot.press(key)
            while any(not worker.is_finished for worker in app.workers):  # noqa: ASYNC110, textual has no event for this
                await asyncio.sleep(0.01)
        await pilot.pause(0.5)
        drawn = app.export_screenshot(title="capacity tui examples/shop.toml")
    # A picture in a repository fetches no fonts; spaces that every renderer keeps.
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL).replace("Fira Code", "monospace")


if __name__ == "__main__":
    (FOLDER / "screen.svg").write_text(asyncio.run(picture()), encoding="utf-8")
