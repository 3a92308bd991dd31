"""The mouse, as a person uses it: what is clicked is what is meant, also at 80 columns, and also twice in a row."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from textual.containers import VerticalScroll
from textual.events import MouseDown, MouseEvent, MouseScrollDown, MouseUp
from textual.widgets import Input, OptionList

from tests.tui.driving import play, press, write
from tui.drawing.canvas import Key
from tui.screens.choice import Choice
from tui.screens.form import Form
from tui.screens.help import Help
from tui.screens.jump import Jump
from tui.screens.pick import Pick
from tui.widgets.field_list import FieldList
from tui.widgets.topology import TopologyView
from tui.widgets.value_input import ValueInput
from tui.widgets.view_pane import ViewPane

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
_CLOCK = count(1.0, 10.0)
"""When somebody clicks, in seconds: whether two clicks are one double click is not to depend on the machine."""

_BETWEEN = 0.2
"""Seconds between the two halves of a double click."""

WEB, APP = Key("tier", "web"), Key("tier", "app")


def send(app: CapacityApp, kind: type[MouseEvent], x: int, y: int, *, button: int = 0, at: float = 0.0) -> None:
    """Have the terminal tell of the mouse, at a time."""
    told = kind(
        None, x=x, y=y, delta_x=0, delta_y=1 - button, button=button, screen_x=x, screen_y=y,
        shift=False, meta=False, ctrl=False,
    )  # fmt: skip
    told.time = at
    app.post_message(told)


async def click(app: CapacityApp, pilot: Pilot[None], x: int, y: int, times: int = 1) -> None:
    """Press and let go, after a while; of a double click the second half comes when the first has done what it does."""
    began = next(_CLOCK)
    for number in range(times):
        for kind in (MouseDown, MouseUp):
            send(app, kind, x, y, button=1, at=began + number * _BETWEEN)
        await pilot.pause()
        await pilot.pause()
    await press(app, pilot)
    await pilot.pause()


def place(app: CapacityApp, text: str) -> tuple[int, int]:
    """Return where a text stands on the screen."""
    width, height = app.size
    for y, strip in enumerate(app.screen._compositor.render_strips(app.size)[:height]):
        x = "".join(segment.text for segment in strip).ljust(width).find(text)
        if x >= 0:
            return x, y
    raise AssertionError(f"{text} is not in sight")


async def click_on(app: CapacityApp, pilot: Pilot[None], text: str, times: int = 1) -> None:
    """Click the first character of a text."""
    await click(app, pilot, *place(app, text), times)


@SIZES
def test_an_entry_that_is_clicked_is_chosen_once(size: tuple[int, int]) -> None:
    """Also by a double click, whose second half is not for what lies beneath the list."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for times in (1, 2):
            app.go(WEB)
            await press(app, pilot, "slash")
            await click_on(app, pilot, "courier     external", times)
            assert not app.screen.is_modal
            assert app.selected == Key("tier", "courier")
            assert isinstance(app.focused, TopologyView), "nothing beneath the list was opened"
        await press(app, pilot, "v")
        await click_on(app, pilot, "Cost   ", 2)
        assert app.view is not None
        assert app.view.id == "cost"
        await press(app, pilot, "escape", "y")
        await click_on(app, pilot, "every number of", 2)
        assert not app.screen.is_modal
        assert app.selected == Key("tier", "courier")

    play(script, size=size)


@SIZES
def test_a_click_on_a_key_of_the_key_line_opens_and_stays(size: tuple[int, int]) -> None:
    """The second half of a double click does not close what the first one opened."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await click_on(app, pilot, "Views", 2)
        assert isinstance(app.screen, Pick)

    play(script, size=size)


@SIZES
def test_a_click_beside_a_dialog_leaves_it_unless_that_loses_what_was_typed(size: tuple[int, int]) -> None:
    """Lists, questions and help are left, forms stay; the word in the frame leaves any of them."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(WEB)
        for key, screen in (("v", Pick), ("y", Choice), ("question_mark", Help)):
            for text in ("", "Esc back"):
                await press(app, pilot, key)
                assert isinstance(app.screen, screen)
                await (click_on(app, pilot, text) if text else click(app, pilot, 0, 0))
                assert not app.screen.is_modal
                assert app.selected == WEB
        await press(app, pilot, "r", "x")
        await click(app, pilot, 0, 0)
        assert isinstance(app.screen, Form)
        assert app.screen.query_one(Input).value == "x"
        await click_on(app, pilot, "Esc back")
        assert not app.screen.is_modal
        assert app.session.past == ()

    play(script, size=size)


@SIZES
def test_the_caret_goes_where_a_text_is_clicked(size: tuple[int, int]) -> None:
    """In a form and in a value."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(WEB)
        await press(app, pilot, "r")
        await write(app, pilot, "abcd")
        x, y = place(app, "abcd")
        await click(app, pilot, x + 2, y)
        await press(app, pilot, "X")
        assert app.screen.query_one(Input).value == "abXcd"
        await press(app, pilot, "escape", "enter")
        app.query_one(FieldList).go_to(("components", "web", "cpu_time"))
        await pilot.pause()
        await click_on(app, pilot, "0.8ms", 2)
        field = app.query_one(ValueInput)
        assert field.display
        await write(app, pilot, "12ms")
        await click(app, pilot, field.region.x + 1, field.region.y)
        await press(app, pilot, "5", "enter")
        assert app.session.now.document.values["components"]["web"]["cpu_time"] == "152ms"

    play(script, size=size)


@SIZES
def test_the_wheel_scrolls_what_is_longer_than_its_room(size: tuple[int, int]) -> None:
    """A list of choices, the help, and a view."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        async def scrolled(widget: OptionList | VerticalScroll) -> bool:
            for _ in range(3):
                send(app, MouseScrollDown, widget.region.x + 2, widget.region.y + 2)
            await pilot.pause(0.3)
            return bool(widget.scroll_offset.y)

        await press(app, pilot, "question_mark")
        assert await scrolled(app.screen.query_one("Help VerticalScroll", VerticalScroll))
        await press(app, pilot, "escape")
        for _ in range(20):
            app.action_pin()
        await press(app, pilot, "H")
        assert await scrolled(app.screen.query_one(OptionList))
        await press(app, pilot, "escape", "3")
        assert await scrolled(app.query_one(ViewPane))

    play(script, size=size)


def test_a_view_is_made_larger_and_closed_by_its_marks() -> None:
    """Once for a double click; at 80 columns it has the screen already, and no mark for that."""

    async def wide(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "3")
        await click_on(app, pilot, "□", 2)
        assert app.query_one(ViewPane).region.width == app.size.width
        await click_on(app, pilot, "□")
        assert app.query_one(ViewPane).region.width < app.size.width
        x, y = place(app, "─ Cost □ ×")
        await click(app, pilot, x + 9, y, 2)
        assert app.view is None
        assert app.selected == WEB
        assert isinstance(app.focused, TopologyView)

    async def narrow(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "3")
        x, y = place(app, "─ Cost ×")
        await click(app, pilot, x + 7, y)
        assert app.view is None

    play(wide, size=(160, 50))
    play(narrow)


@SIZES
def test_a_letter_that_is_clicked_is_gone_to(size: tuple[int, int]) -> None:
    """As its key goes there; a click elsewhere goes back."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(WEB)
        await press(app, pilot, "g")
        assert isinstance(app.screen, Jump)
        letter = next(one for one, target in app.screen._targets.items() if target.value == APP)
        target = app.screen._targets[letter]
        await click(app, pilot, target.x + 1, target.y)
        assert not app.screen.is_modal
        assert app.selected == APP
        await press(app, pilot, "g")
        await click(app, pilot, 0, 0)
        assert not app.screen.is_modal
        assert app.selected == APP

    play(script, size=size)
