from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tui.driving import play, press
from tui.drawing.canvas import Key
from tui.widgets.still import Still

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp


# What is kept of a widget is what it would be painted as, whatever has been done: typed, walked, opened, turned on.
def test_kept_is_as_painted_anew() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "app"))
        seen = 0
        for keys in (
            "j", "enter", "down down 1", "2", "enter", "tab", "escape", "1", "tab", "escape", "b", "plus", "c", "u", "o",
            "j", "escape", "enter 9 9 9 9", "x", "escape", "escape", "v", "escape", "u", "r x", "escape",
        ):  # fmt: skip
            await press(app, pilot, *keys.split())
            if app.session.load == 1:
                app.theme = "capacity" if app.theme != "capacity" else "textual-light"
                await pilot.pause()
            for widget in app.screen_stack[0].query("*").results(Still):
                if widget.region and widget._kept is not None:
                    (crop, size, _), kept = widget._kept
                    seen += 1
                    if size == widget.outer_size:
                        before = [list(strip) for strip in kept]
                        widget._kept = None
                        assert [list(strip) for strip in widget.render_lines(crop)] == before, (keys, widget)
            await pilot.pause()
        assert seen > 100

    play(script, size=(160, 50))
