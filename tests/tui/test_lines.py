from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App
from textual.selection import SELECT_ALL

from tui.drawing.text import clean, columns
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.strip import Strip

    from tui.telling import Span

    Told = Sequence[Sequence[Span]]

SIZE = (30, 8)
SPANS = st.tuples(st.text(max_size=20).map(clean), st.sampled_from(["", "dim", "bad", "strong"]))
TOLD = st.lists(st.lists(SPANS, max_size=3), max_size=5)


class Page(App[None]):
    """Nothing but lines."""

    def compose(self) -> ComposeResult:
        """Lay them out."""
        yield Lines()


def screens(*turns: Told) -> list[list[Strip]]:
    """Return what is on the screen after each of several lines."""
    found: list[list[Strip]] = []

    async def main() -> None:
        app = Page()
        async with app.run_test(size=SIZE) as pilot:
            for told in turns:
                app.query_one(Lines).show(told)
                await pilot.pause()
                found.append(app.screen._compositor.render_strips())

    asyncio.run(main())
    return found


# Painting only the lines that differ leaves the same screen as painting them all, whatever stood there before.
@settings(max_examples=12)
@given(TOLD, TOLD)
def test_the_lines_of_before_leave_nothing(before: Told, after: Told) -> None:
    assert screens(before, after)[-1] == screens(after)[-1]


# A line that is too long ends in an ellipsis at the edge of the screen; one that just fits is whole.
def test_what_is_too_long_is_cut() -> None:
    exact, longer = [("a" * 20, "bad"), ("b" * 10, "")], [("a" * 20, "bad"), ("b" * 10, ""), ("c", "")]
    wide = [("서" * 16, "")]
    shown = screens([exact, longer, wide])[0]
    assert shown[0].text == "a" * 20 + "b" * 10
    assert shown[1].text == "a" * 20 + "b" * 9 + "…"
    assert shown[2].text.rstrip() == "서" * 14 + "…"
    assert {columns(strip.text) for strip in shown} == {SIZE[0]}


# What the mouse marks is shown marked, and is copied as text without the styles.
def test_marked_text() -> None:
    async def main() -> None:
        app = Page()
        async with app.run_test(size=SIZE) as pilot:
            lines = app.query_one(Lines)
            lines.show([[("rate ", "dim"), ("120/s", "strong")], [("p99", "")]])
            await pilot.pause()
            plain = lines.render_line(0)
            app.screen.selections = {lines: SELECT_ALL}
            await pilot.pause()
            assert app.screen.get_selected_text() == "rate 120/s\np99"
            assert lines.render_line(0) != plain
            assert lines.render_line(0).text == plain.text

    asyncio.run(main())
