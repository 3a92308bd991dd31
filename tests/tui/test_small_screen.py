"""At 80 columns and 24 rows: nothing that one needs is cut, covered, or out of reach of the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import OptionList
from textual.widgets._footer import FooterKey
from textual.widgets._toast import Toast

from tests.tui.driving import play, press
from tui.drawing.canvas import Key
from tui.widgets.field_list import FieldList
from tui.widgets.inspector import Inspector
from tui.widgets.key_line import Hint, KeyLine, fitting
from tui.widgets.lines import Lines
from tui.widgets.topology import TopologyView
from tui.widgets.view_pane import ViewPane

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.widget import Widget

    from tui.app import CapacityApp


def _keys_in_sight(app: CapacityApp) -> set[str]:
    line = app.query_one(KeyLine)
    hints = list(line.query(FooterKey))
    assert all(line.region.contains_region(hint.region) for hint in hints), "a key is cut"
    return {hint.key for hint in hints}


def _focus(app: CapacityApp) -> Widget | None:
    return app.focused


def test_help_is_in_sight_and_no_key_is_cut_wherever_the_focus_is() -> None:
    """The drawing, the fields, a value being typed, a view: at 80 columns every key that is shown is shown whole."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for keys in ((), ("enter",), ("enter",), ("escape", "escape", "1")):
            await press(app, pilot, *keys)
            await pilot.pause(0.1)
            assert _keys_in_sight(app) & {"question_mark", "f1"}, f"after {keys}"
        assert "t" in _keys_in_sight(app)

    play(script)


def test_the_keys_that_matter_least_go_first() -> None:
    """Less room takes away what is told by help anyway; help goes last."""
    known = ("walk.inspect", "history.undo", "file.save", "help", "quit")
    hints = [Hint((one,), (one[0],), one.rpartition(".")[2]) for one in known]
    kept = [tuple(hint.ids[0] for hint in fitting(hints, width)) for width in (43, 42, 34, 26, 10)]
    assert kept[0] == known
    assert kept[1] == ("walk.inspect", "file.save", "help", "quit")
    assert kept[2] == ("walk.inspect", "help", "quit")
    assert kept[3] == ("walk.inspect", "help")
    assert kept[4] == ("help",)


def test_what_is_told_covers_nothing() -> None:
    """A message stands below the panes and above the keys; they make room for it."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.query_one(TopologyView).region.height
        app.notify("one line, two lines, " * 6, title="Something", markup=False)
        await pilot.pause(0.2)
        (toast,) = app.screen.query(Toast)
        drawing = app.query_one(TopologyView).region
        assert toast.region.height == 3
        assert not toast.region.overlaps(drawing)
        assert not toast.region.overlaps(app.query_one(KeyLine).region)
        assert before - drawing.height == 3

    play(script)


def test_closing_a_view_gives_the_keys_back() -> None:
    """A view takes the place of the drawing: closed by its own key or by escape, arrows walk as before."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        for closes in ("1", "escape"):
            await press(app, pilot, "1")
            assert isinstance(_focus(app), ViewPane)
            await press(app, pilot, closes)
            assert isinstance(_focus(app), TopologyView)
        await press(app, pilot, "enter", "v", "3", "enter")
        assert app.view is not None
        assert app.view.id == "cost"
        await press(app, pilot, "escape")
        assert isinstance(_focus(app), FieldList), "back to where one was"

    play(script)


def test_views_are_listed_from_a_field() -> None:
    """A digit in a field begins a value, and says so; v lists the views with their keys."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "enter")
        title = app.query_one(Inspector).query_one("#inspector-title", Lines).text
        assert "a digit begins a value; v lists the views" in title
        await press(app, pilot, "v")
        listed = app.screen.query_one(OptionList)
        assert "4  Failures" in str(listed.get_option_at_index(3).prompt)

    play(script)
