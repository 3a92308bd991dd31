from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown

from capacity.axes import Axis
from capacity.plot import lone_places
from capacity.units import digits, show_seconds
from tests.tui.asking import SHOP, answered, seen, view
from tests.tui.driving import notices, play, press
from tests.tui.terminal import driven
from tui.content import Cell, Chart, Content, Mark, Note, Series, Table
from tui.widgets.blocks import TextBlock
from tui.widgets.chart import ChartBlock, Plot
from tui.widgets.view_pane import ViewPane

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp

SIZES = [(160, 50), (120, 36), (80, 24)]
X, Y = Axis("load", digits), Axis("p99", show_seconds, log=True)


class Showing(App[None]):
    """One pane and nothing else."""

    def compose(self) -> ComposeResult:
        """Give it the screen."""
        yield ViewPane()

    def screen_text(self) -> list[str]:
        """Return what is to be read."""
        width, height = self.size
        strips = self.screen._compositor.render_strips(self.size)
        return ["".join(segment.text for segment in strip).ljust(width) for strip in strips][:height]


async def shown(pilot: Pilot[None], *blocks: Note | Table | Chart) -> ViewPane:
    """Show blocks, as a view's answer."""
    pane = pilot.app.query_one(ViewPane)
    pane.show(view("latency"), Content(blocks), stale=False, progress="")
    pane.focus()
    await pilot.pause()
    await pilot.pause()
    return pane


def chart(*series: tuple[str, list[tuple[float, float]]], marks: tuple[Mark, ...] = (), height: int = 14) -> Chart:
    return Chart("Curve", X, Y, tuple(Series(name, tuple(points)) for name, points in series), marks, height)


CURVE = [(load / 10, 0.01 * 1.3**load) for load in range(1, 30)]


# A real answer is shown whole at every size: title, question, every row, legend, units along both axes.
@pytest.mark.parametrize("size", SIZES)
@driven
async def test_an_answer_is_shown(size: tuple[int, int]) -> None:
    app = Showing()
    async with app.run_test(size=size) as pilot:
        pane = await shown(pilot, *answered("latency", seen(SHOP)).blocks)
        top = "\n".join(app.screen_text())
        assert "Latency" in top
        assert "How fast is it, and who takes the time?" in top
        assert "browse" in top
        assert "59.4 ms" in top
        pane.scroll_end(animate=False)
        await pilot.pause()
        bottom = "\n".join(app.screen_text())
        for text in ("⠒A⠒ browse", "⠒B⠒ checkout", "100 ms", "0.1%", "browse p99 limit", "↑ share", "→ time"):
            assert text in bottom
        assert pane.max_scroll_x == 0


# Charts that have hardly anything to show, or hardly any room, are drawn or explained; nothing ever fails.
@pytest.mark.parametrize("width", [1, 3, 8, 16, 23, 24, 30, 80])
@pytest.mark.parametrize(
    "points",
    [[(1.0, 0.1)], [(1.0, 0.1), (2.0, 0.1)], [(1.0, 0.1), (1.0, 0.1)], [(0.0, 0.0)], [(1.0, 1e-9), (1e9, 1e6)], CURVE],
)
@driven
async def test_charts_survive(points: list[tuple[float, float]], width: int) -> None:
    app = Showing()
    async with app.run_test(size=(width, 24)) as pilot:
        await shown(pilot, chart(("one", points), ("other", points[:1]), marks=(Mark(1.0, "here"),), height=1))
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        assert app.query(Plot)


# A chart without a point is a sentence.
@driven
async def test_a_chart_without_points_is_a_sentence() -> None:
    app = Showing()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, chart(("empty", [])))
        assert not app.query(ChartBlock)
        assert any("Curve: there is nothing to draw" in line for line in app.screen_text())


# A single point is seen.
@driven
async def test_a_single_point_is_drawn() -> None:
    app = Showing()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, chart(("one", [(2.0, 0.1)])))
        assert "●" in "".join(app.screen_text())


# Where there is too little room for a chart it says what to do instead.
@driven
async def test_a_narrow_chart_says_so() -> None:
    app = Showing()
    async with app.run_test(size=(26, 24)) as pilot:
        await shown(pilot, chart(("one", CURVE)))
        told = " ".join(" ".join(line.strip(" │▁▂▃▄▅▆▇█") for line in app.screen_text()).split())
        assert "too little room for a chart: t shows it as a table" in told


# `t` shows every chart as a table, with the same points and marks, and back.
@driven
async def test_every_chart_has_a_table_twin() -> None:
    app = Showing()
    async with app.run_test(size=(80, 60)) as pilot:
        one = chart(("p99", CURVE), marks=(Mark(1.0, "you are here"),))
        pane = await shown(pilot, Note("first"), one)
        assert app.query(ChartBlock)
        await pilot.press("t")
        await pilot.pause()
        assert not app.query(ChartBlock)
        assert any("138 ms" in line and "you are here" in line for line in app.screen_text())
        assert pane.table_text().count("\n") == len(CURVE) + 1
        await pilot.press("t")
        await pilot.pause()
        assert app.query(ChartBlock)


# What is copied is the table that has the focus, else the first.
@driven
async def test_the_focused_table_is_copied() -> None:
    tables = [Table(name, ("Tier",), ((Cell(f"row of {name}"),),)) for name in ("first", "second")]
    app = Showing()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await shown(pilot, Note("words"), *tables)
        assert pane.table_text() == "Tier\nrow of first\n"
        await pilot.press("tab", "tab")
        assert pane.table_text() == "Tier\nrow of second\n"
        await shown(pilot, Note("only words"))
        assert pane.table_text() == ""


# Without colour, lines are told apart by letters that the legend explains, and marks by their names.
@driven
async def test_lines_are_told_apart_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Showing()
    async with app.run_test(size=(100, 30)) as pilot:
        slower = [(x, 3 * y) for x, y in CURVE]
        await shown(pilot, chart(("mean", CURVE), ("p99", slower), marks=(Mark(1.5, "you are here"),)))
        lines = app.screen_text()
        legend = next(i for i, line in enumerate(lines) if "⠒A⠒ mean" in line and "⠒B⠒ p99" in line)
        drawn = "".join(lines[legend + 1 :])
        assert drawn.count("A") == 2
        assert drawn.count("B") == 2
        assert "you are here" in drawn


# Letters stand where the other lines are not, however close these come.
def test_letters_stand_apart() -> None:
    crossing = [[(x / 50, x / 50) for x in range(51)], [(x / 50, 1 - x / 50) for x in range(51)]]
    for number, line in enumerate(crossing):
        for x, y in lone_places(crossing, number, (0.0, 1.0), (0.0, 1.0)):
            assert (x, y) in line
            assert abs(x - 0.5) > 0.3
    same = [crossing[0], crossing[0]]
    assert lone_places(same, 0, (0, 1), (0, 1)) != lone_places(same, 1, (0, 1), (0, 1))


# Names are text, whatever is in them: no markup, no control characters, wide ones in their columns.
@driven
async def test_names_are_only_text() -> None:
    name = "[red]データ[/red]"
    app = Showing()
    async with app.run_test(size=(100, 30)) as pilot:
        table = Table(name, (name,), ((Cell(name),),))
        curve = chart((name, CURVE), ("b\x1b[0m", CURVE), marks=(Mark(0.5, name),))
        await shown(pilot, Note(name), table, curve)
        lines = app.screen_text()
        assert sum(line.count(name) for line in lines) >= 5
        assert not any("\x1b" in line for line in lines)


# An older answer stays while a new one is looked for, and is dimmed when that lasts; another view's answer goes at once.
@driven
async def test_an_old_answer_is_dimmed_and_another_views_is_gone() -> None:
    app = Showing()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await shown(pilot, Note("an answer"))
        pane.show(view("latency"), None, stale=True, progress="40")
        await pilot.pause(0.3)
        assert pane.has_class("-stale")
        assert any("an answer" in line for line in app.screen_text())
        assert any("Latency □ × · 40 …" in line for line in app.screen_text())
        await shown(pilot, Note("the next"))
        assert not pane.has_class("-stale")
        pane.show(view("failures"), None, stale=True, progress="")
        await pilot.pause()
        assert not any("the next" in line for line in app.screen_text())
        assert any("Failures" in line for line in app.screen_text())


# Keys that keep coming do not keep an old answer bright.
@driven
async def test_an_old_answer_is_dimmed_under_a_held_key() -> None:
    app = Showing()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await shown(pilot, Note("an answer"))
        for _ in range(200):
            pane.show(view("latency"), None, stale=True, progress="")
            await pilot.pause(0.02)
            if pane.has_class("-stale"):
                break
        assert pane.has_class("-stale")


# An answer of the same shape is shown in the widgets that are there: nothing flickers while a number is typed.
@driven
async def test_widgets_are_kept_for_answers_of_the_same_shape() -> None:
    app = Showing()
    async with app.run_test(size=(80, 30)) as pilot:
        await shown(pilot, Note("before"), chart(("one", CURVE)))
        before = [*app.query(TextBlock), *app.query(ChartBlock)]
        await shown(pilot, Note("after"), chart(("another", CURVE[:3])))
        assert [*app.query(TextBlock), *app.query(ChartBlock)] == before
        assert any("after" in line for line in app.screen_text())


# Hundreds of paragraphs are one widget, each with its own style and an empty line before the next.
@driven
async def test_paragraphs_that_follow_each_other_are_one_widget() -> None:
    app = Showing()
    async with app.run_test(size=(80, 30)) as pilot:
        many = [Note(f"paragraph {number}", "bad" if number == 1 else "") for number in range(300)]
        await shown(pilot, *many, chart(("one", CURVE)), Note("last"))
        first, last = app.query(TextBlock)
        assert len(first.lines(78)) == 599
        assert first.lines(78)[:3] == [[("paragraph 0", "")], [("", "")], [("paragraph 1", "bad")]]
        assert last.lines(78) == [[("last", "")]]
        assert any("paragraph 3" in line for line in app.screen_text())


# The wheel over a chart scrolls the pane, and keys that the drawing library knows do nothing there.
@driven
async def test_a_chart_leaves_wheel_and_keys_to_the_pane() -> None:
    app = Showing()
    async with app.run_test(size=(80, 12)) as pilot:
        pane = await shown(pilot, chart(("one", CURVE), ("two", CURVE)), Note("below " * 100))
        plot = app.query_one(Plot)
        assert not plot.focusable
        ends = plot._x_min, plot._x_max
        await pilot._post_mouse_events([MouseScrollDown], ChartBlock, offset=(20, 6), button=0)
        await pilot.pause(0.3)
        assert pane.scroll_y > 0
        assert (plot._x_min, plot._x_max) == ends


# A view that is all tables says so where somebody wants its charts as tables.
def test_a_view_without_charts_says_so() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "4", "t")
        assert "nothing here is a chart" in notices(app)
        assert not app.query_one(ViewPane).twin

    play(script)


# A view has its whole frame, corners included, beside the fields and over the whole screen.
def test_a_view_has_all_corners() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "m")
        assert "no view is open" in notices(app)
        await press(app, pilot, "4")
        for _ in range(2):
            region = app.query_one(ViewPane).region
            rows = app.screen._compositor.render_strips(app.size)
            ends = [(x, y) for y in (region.y, region.bottom - 1) for x in (region.x, region.right - 1)]
            assert "".join(rows[y].crop(x, x + 1).text for x, y in ends) == "╭╮╰╯"
            await press(app, pilot, "m")
            assert app.focused is app.query_one(ViewPane), "keys scroll what fills the screen"

    play(script, size=(160, 50))
