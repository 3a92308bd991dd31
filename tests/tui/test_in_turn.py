"""Keys that come faster than anything can be done about them go where a patient typist's would."""

from __future__ import annotations

from contextlib import chdir
from typing import TYPE_CHECKING

from textual.events import Key as Pressed
from textual.events import Paste
from textual.widgets import Input

from tests.tui.driving import play, press
from tests.tui.filing import NODES, TEXT, edit, run, said, topology, until
from tui import preferences
from tui.drawing.canvas import Key
from tui.screens.form import Form
from tui.widgets.field_list import FieldList

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import CapacityApp


def _burst(app: CapacityApp, *keys: str) -> None:
    """Have keys come in before any of them is looked at."""
    for key in keys:
        app.post_message(Pressed(key, key if len(key) == 1 else {"plus": "+", "right_square_bracket": "]"}.get(key)))


async def _done(app: CapacityApp, pilot: Pilot[None]) -> None:
    """Wait until every key has done what it does, on however busy a machine."""
    await pilot.pause()
    while app._keys or app._under_way is not None:
        await pilot.pause(0.02)
    await press(app, pilot)


def test_after_enter_the_next_keys_of_a_burst_walk_and_step() -> None:
    """Enter keeps a value; what follows in the same breath is not written into it, but moves and steps below."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await press(app, pilot, "enter")
        fields = app.query_one(FieldList)
        fields.go_to(("components", "web", "cpu_time"))
        below = fields.rows[fields.cursor + 1].path
        before = len(app.session.past)
        _burst(app, "9", "enter", "j", "plus")
        await _done(app, pilot)
        assert app.session.now.document.values["components"]["web"]["cpu_time"] == "9ms"
        assert fields.row is not None
        assert fields.row.path == below
        assert len(app.session.past) == before + 2, "the field below took its step"
        assert app.focused is fields

    play(script)


def test_all_digits_of_a_burst_are_taken_before_what_follows() -> None:
    """Digits go no further than the field that takes them in; what comes behind them waits for each all the same."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await press(app, pilot, "enter")
        app.query_one(FieldList).go_to(("components", "web", "cpu_time"))
        await press(app, pilot, "enter")
        _burst(app, "1", "2", "5", "enter", "plus")
        await _done(app, pilot)
        typed = app.session.past[-1].document.values["components"]["web"]["cpu_time"]
        assert typed == "125ms", "kept with all its digits"
        assert app.session.now.document.values["components"]["web"]["cpu_time"] != typed, "and stepped after that"
        assert app.focused is app.query_one(FieldList)

    play(script)


def test_there_and_back_in_one_burst() -> None:
    """From the drawing into the fields, down two, and back to walk on: as if typed slowly."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await pilot.pause()
        _burst(app, "enter", "j", "j", "escape", "j")
        await _done(app, pilot)
        assert app.query_one(FieldList).cursor == 0, "the fields are those of another tier"
        assert app.focused is app.query_one("#topology")
        assert app.selected == Key("tier", "app")

    play(script)


def test_a_burst_into_a_dialog_is_typed_there() -> None:
    """What is typed right after the key that opens a dialog stands in its field, pasted text as well."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await pilot.pause()
        _burst(app, "r", "a", "b")
        app.post_message(Paste("c"))
        _burst(app, "d")
        await pilot.pause()
        for _ in range(200):
            await pilot.pause(0.02)
            if app.screen.is_modal and app.screen.query_one(Input).value == "abcd":
                break
        else:
            raise AssertionError("what was typed is not in the field")
        _burst(app, "enter", "u")
        await _done(app, pilot)
        assert "web" in app.session.now.document.topology.components, "renamed, and taken back"
        assert [version.label for version in app.session.future] != []

    play(script)


def test_escape_with_a_letter_right_behind_it_is_both() -> None:
    """A terminal sends escape and a letter as it sends alt with that letter: out of the field, and the next tier."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await press(app, pilot, "enter")
        app.post_message(Pressed("alt+j", "j"))
        await _done(app, pilot)
        assert app.focused is app.query_one("#topology")
        assert app.selected == Key("tier", "app")
        await press(app, pilot, "r")
        app.post_message(Pressed("alt+shift+a", "A"))
        await _done(app, pilot)
        assert isinstance(app.screen, Form), "the dialog that A opens, where that of r was"
        assert app.screen.query_one(Input).value == "requests"

    play(script)


def test_alt_with_a_letter_that_is_bound_is_that() -> None:
    """Somebody who binds alt with a letter gets it."""
    preferences.folder().mkdir(parents=True)
    (preferences.folder() / "keys.toml").write_text('load.more = "alt+m"\n')

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "enter")
        app.post_message(Pressed("alt+m", "m"))
        await _done(app, pilot)
        assert app.session.load > 1
        assert isinstance(app.focused, FieldList)

    play(script)


def test_a_line_feed_is_enter() -> None:
    """Enter that was typed while the program was loading comes as a line feed, and leads into the fields."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.post_message(Pressed("ctrl+j", "\n"))
        await _done(app, pilot)
        assert isinstance(app.focused, FieldList)

    play(script)


def test_keys_wait_for_a_question_about_the_file(tmp_path: Path) -> None:
    """Whether a file has changed is looked up on disk; the answer that is typed meanwhile goes to the question."""
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 3)
        path.write_text(TEXT.replace('"10/s"', '"20/s"'))
        _burst(app, "ctrl+s", "m", "right_square_bracket")
        await _done(app, pilot)
        assert "merged" in said(app)
        assert app.session.load > 1, "what comes after the answer goes to the drawing"
        _burst(app, "e", "t", "home", "x", "enter")
        await _done(app, pilot)
        await until(pilot, lambda: "wrote xsmall.plan.toml" in said(app))

    with chdir(tmp_path):
        run(path.relative_to(tmp_path), act)


def test_what_follows_a_command_goes_to_what_it_opens() -> None:
    """The palette takes more turns than a field to say what was chosen."""

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await pilot.pause()
        _burst(app, "ctrl+p", *"Rename", "enter", *"abc")
        await until(pilot, lambda: isinstance(app.screen, Form))
        await _done(app, pilot)
        assert app.screen.query_one(Input).value == "abc"

    play(script)
