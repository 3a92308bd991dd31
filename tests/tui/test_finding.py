from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.widgets import Input, OptionList, Static

from tests.tui.driving import notices, odd, play, press, told
from tui.bound import bound_views
from tui.commands import Commands
from tui.drawing.canvas import Key
from tui.preferences import folder
from tui.screens.help import Help
from tui.screens.jump import Jump
from tui.screens.pick import Pick
from tui.solving import differences
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp


# The list narrows as one types, the best first; Enter selects in the drawing.
def test_find() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "slash", *"ORD")
        listed = app.screen.query_one(OptionList)
        assert str(listed.get_option_at_index(0).prompt).startswith("orders")
        await press(app, pilot, "enter")
        assert app.selected == Key("tier", "orders")
        assert app.query_one(TopologyView).selected == Key("tier", "orders")
        await press(app, pilot, "slash", *"zzzz", "enter")
        assert "nothing of this name" in told(app)
        await press(app, pilot, "escape", "slash", *"browse", "enter")
        assert app.selected == Key("class", "browse")

    play(script)


# A wide name is found by itself, and one that is markup is shown as it is.
def test_find_odd_names() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "slash", "데", "enter")
        assert app.selected == Key("tier", "데이터😀")
        await press(app, pilot, "slash", "left_square_bracket", "b", "o")
        listed = app.screen.query_one(OptionList)
        assert str(listed.get_option_at_index(0).prompt).startswith("[bold]db")
        await press(app, pilot, "enter")
        assert app.selected == Key("tier", "[bold]db")

    play(script, odd())


# Every box has a letter of its own, its key goes there; Esc goes nowhere.
def test_jump() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        drawing = app.query_one(TopologyView).drawing
        assert drawing is not None
        await press(app, pilot, "g")
        assert isinstance(app.screen, Jump)
        letters = [str(label.content).strip() for label in app.screen.query(Static)]
        assert len(letters) == len(set(letters)) >= len(drawing.regions)
        before = app.selected
        await press(app, pilot, "escape")
        assert app.selected == before
        for place, key in enumerate(drawing.regions):
            await press(app, pilot, "g", letters[place])
            assert app.selected == key

    play(script, size=(160, 50))


# The help lists every id that can be bound, with the keys that it has now.
def test_help() -> None:
    (folder()).mkdir(parents=True)
    (folder() / "keys.toml").write_text('plan.solve = "S"\n')

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for key in ("question_mark", "f1"):
            await press(app, pilot, key)
            assert isinstance(app.screen, Help)
            shown = told(app)
            assert all(f" {one.id} " in shown for one in [*app.bound(), *bound_views({})] if one.node in (None, app))
            assert " tier.add " in shown
            assert re.search(r"S +plan\.solve", shown)
            await press(app, pilot, "escape")

    play(script)


# The list of changes goes to any of them, and back, exactly.
def test_history() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for _ in range(3):
            app.go(Key("tier", "app"))
            await press(app, pilot, "c", "enter")
        every = app.session.versions
        assert [version.label for version in every] == [
            "opened",
            "copy app to app-2",
            "copy app to app-3",
            "copy app to app-4",
        ]
        await press(app, pilot, "H", "up", "up", "enter")
        assert app.session.now is every[1]
        assert app.session.versions == every
        await press(app, pilot, "H", "end", "down", "down", "enter")
        assert app.session.now is every[3]

    play(script)


# Solving at the load that is shown is one step that can be undone; solved again, it says that nothing changes.
def test_solve() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session.now
        await press(app, pilot, "s")
        assert "already" in notices(app)
        await press(app, pilot, "right_square_bracket", "s")
        assert app.session.now.label.startswith("solve: app 11 → 12")
        assert app.progress == ""
        await press(app, pilot, "u")
        assert app.session.now is before

    play(script)


# Where no plan is feasible, the counts meet the rest, and what stands in the way is said.
def test_solve_what_cannot_be() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "right_square_bracket", "right_square_bracket", "right_square_bracket", "s")
        assert "No plan is feasible" in notices(app)
        assert "courier" in notices(app)
        assert "What would help: components.courier.rate_limit" in notices(app)

    play(script)


# A change made while the plan is looked for makes its answer void.
def test_a_late_solution_is_dropped() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.become_under(load=3.0)
        app.action_solve()
        app.become_under(load=1.0)
        await press(app, pilot)
        assert [version.label for version in app.session.versions] == ["opened"]
        assert app.progress == ""

    play(script)


# What a solution changes is told tier by tier.
def test_differences() -> None:
    assert differences({"app": 9, "db": 1}, {"app": 11, "db": 1, "web": 3}) == "app 9 → 11, web 3"


# The palette has every action, tier, class, load, scenario and theme, and names with brackets are text.
def test_commands() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        provider = Commands(app.screen)
        hits = [hit async for hit in provider.discover()]
        names = [hit.text or "" for hit in hits]
        assert names.count("Go to [bold]db") == 1
        for name in (
            "Theme: nord",
            "Load ×1.5",
            "Scenario: normal",
            "Go to 데이터😀",
            "Undo: take the last change back",
        ):
            assert names.count(name) == 1, name
        assert all(str(hit.prompt) == hit.text for hit in hits)
        found = [hit.text async for hit in provider.search("[bold]")]
        assert "Go to [bold]db" in found
        await press(app, pilot, "ctrl+p", *"go to [bold", "enter")
        await press(app, pilot)
        assert app.selected == Key("tier", "[bold]db")

    play(script, odd())


# The palette is about what is beneath a dialog, so it does not open over one.
def test_no_palette_over_a_dialog() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "slash", "ctrl+p")
        assert isinstance(app.screen, Pick)
        assert app.screen.query_one(Input).has_focus

    play(script)


# Enter pressed twice before the first was worked off chooses once.
def test_two_enters_at_once() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "slash", "r", "e", "d")
        await pilot.press("enter", "enter")
        await press(app, pilot)
        assert app.selected == Key("tier", "redis")

    play(script)
