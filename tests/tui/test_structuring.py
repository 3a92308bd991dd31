from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import OptionList

from capacity.document import parse
from capacity.editing import with_value
from capacity.errors import DocumentError
from capacity.naming import free
from tests.tui.driving import notices, odd, play, press, shop, told, write
from tests.tui.filing import TEXT
from tui.drawing.canvas import Key
from tui.opening import BEGINNING
from tui.screens.confirm import Confirm
from tui.screens.form import Form
from tui.screens.pick import Pick
from tui.structuring import removal
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp

LOOPED = f"""{BEGINNING}calls = [{{ to = "jobs" }}]

[components.jobs]
kind = "queue"
consumers = "worker"

[components.worker]
kind = "service"
node = "c6i.large"
cpu_time = "5ms"
"""
"""A queue that `web` fills; read by `web` it would never be empty again."""


# A tier is added with the three things that the form asks for, and is selected; undo takes exactly that back.
def test_add_tier() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session.now
        app.selected = Key("tier", "app")
        await press(app, pilot, "a")
        assert isinstance(app.screen, Form)
        await press(app, pilot, "d", "tab")  # database
        await write(app, pilot, "users db")
        await press(app, pilot, "enter")
        tier = app.session.now.document.values["components"]["users db"]
        assert tier["kind"] == "database"
        assert app.session.now.document.values["components"]["app"]["calls"][-1] == {"to": "users db"}
        assert app.selected == Key("tier", "users db")
        assert app.session.now.label == 'add "users db"'
        await press(app, pilot, "u")
        assert app.session.now is before
        assert app.selected == Key("tier", "web"), "what is gone is not selected"

    play(script)


# The name follows the kind until somebody types one.
def test_the_name_follows_the_kind() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "a", "q")
        assert app.screen.query_one("#ask-name").value == "queue"  # type: ignore[attr-defined]
        await press(app, pilot, "tab")
        await write(app, pilot, "mine")
        await press(app, pilot, "up", "c")
        assert app.screen.query_one("#ask-name").value == "mine"  # type: ignore[attr-defined]

    play(script)


# What is wrong is said under its own field, and nothing is done until it is right; Esc leaves everything as it was.
def test_the_error_is_where_it_is() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        await press(app, pilot, "a", "tab")
        await write(app, pilot, "app")
        assert "exists already" in str(app.screen.query_one("#wrong-name").content)  # type: ignore[attr-defined]
        assert not app.screen.query_one("#wrong-kind").display
        await press(app, pilot, "enter")
        assert isinstance(app.screen, Form)
        await write(app, pilot, "  ")
        assert "is no name" in told(app)
        await press(app, pilot, "escape", "A", "tab")
        await write(app, pilot, "5 apples")
        assert "is not a rate" in str(app.screen.query_one("#wrong-rate").content)  # type: ignore[attr-defined]
        assert not app.screen.query_one("#wrong-name").display
        await press(app, pilot, "escape")
        assert app.session is before

    play(script)


# A class is added with its rate and where it enters.
def test_add_class() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, "A")
        await write(app, pilot, "search")
        await press(app, pilot, "tab")
        await write(app, pilot, "7/s")
        await press(app, pilot, "tab", "a", "enter")
        assert app.session.now.document.values["workload"]["classes"]["search"] == {"rate": "7/s", "entry": "app"}
        assert app.selected == Key("class", "search")

    play(script)


# References follow a rename, and so does the count that the plan found.
def test_rename() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "app"))
        before = app.session.now.counts["app"]
        await press(app, pilot, "r")
        assert "web → app" in told(app)
        await write(app, pilot, "앱 server")
        await press(app, pilot, "enter")
        values = app.session.now.document.values
        assert values["components"]["web"]["calls"][0]["to"] == "앱 server"
        assert app.session.now.counts["앱 server"] == before
        assert app.selected == Key("tier", "앱 server")
        app.go(Key("class", "browse"))
        await press(app, pilot, "r")
        await write(app, pilot, "look")
        await press(app, pilot, "enter")
        values = app.session.now.document.values
        assert "look" in values["slo"]["latency"]
        assert "look" in values["components"]["앱 server"]["cpu_time"]

    play(script)


# A copy stands beside what it is a copy of, with its count.
def test_copy() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "app"))
        await press(app, pilot, "c", "enter")
        values, counts = app.session.now.document.values["components"], app.session.now.counts
        assert values["app-2"] == values["app"]
        assert counts["app-2"] == counts["app"]

    play(script)


# What refers to a tier is told before it goes, and what cannot be without it as well; No keeps everything.
def test_remove() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        app.go(Key("tier", "fulfilment"))
        await press(app, pilot, "d")
        assert isinstance(app.screen, Confirm)
        assert "tier orders cannot be without it and goes too" in told(app)
        await press(app, pilot, "enter")
        assert app.session is before, "the answer that does no harm has the focus"
        await press(app, pilot, "delete", "y")
        left = app.session.now.document.topology.components
        assert {"fulfilment", "orders"}.isdisjoint(left)
        await press(app, pilot, "u")
        assert app.session.now is before.now

    play(script)


# What nothing valid would be left of is not removed, and why is said.
def test_what_cannot_be_removed() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        app.go(Key("tier", "web"))
        await press(app, pilot, "d")
        assert "all request classes enter here (browse, checkout): have it enter elsewhere first" in notices(app)
        assert app.session is before

    play(script)


# An edge is led elsewhere, one is added, one is taken away; what would be a circle is refused where it is chosen.
def test_rewire() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "app"))
        await press(app, pilot, "w", *"redis", "enter")
        assert isinstance(app.screen, Pick)
        await press(app, pilot, *"web")
        assert "circle" in told(app)
        await press(app, pilot, "enter")
        assert isinstance(app.screen, Pick), "what is refused is not taken"
        await write(app, pilot, "mysql")
        await press(app, pilot, "enter")
        calls = app.session.now.document.values["components"]["app"]["calls"]
        assert [call["to"] for call in calls] == ["mysql", "mysql", "payments", "orders"]
        await press(app, pilot, "w", *"payments", "enter", *"remove", "enter")
        calls = app.session.now.document.values["components"]["app"]["calls"]
        assert [call["to"] for call in calls] == ["mysql", "mysql", "orders"]
        await press(app, pilot, "w", *"add a", "enter", *"redis", "enter")
        assert app.session.now.document.values["components"]["app"]["calls"][-1] == {"to": "redis"}
        app.go(Key("class", "browse"))
        await press(app, pilot, "w", "enter", *"app", "enter")
        assert app.session.now.document.values["workload"]["classes"]["browse"]["entry"] == "app"

    play(script)


# A tier moves onto another one's nodes and off again, onto nodes of the same type.
def test_host() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await press(app, pilot, "w", *"onto", "enter", *"app", "enter")
        assert app.session.now.document.values["components"]["web"]["host"] == "app"
        await press(app, pilot, "w", *"nodes of", "enter")
        tier = app.session.now.document.values["components"]["web"]
        assert "host" not in tier
        assert tier["node"] == "c6i.xlarge"

    play(script)


# The list of where an edge can lead begins where it does lead: Enter alone makes no call that nobody meant.
def test_rewiring_begins_where_it_leads() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        for key, edge, to in (
            (Key("tier", "app"), "redis", "redis"),
            (Key("tier", "redis"), "origin", "mysql"),
            (Key("class", "browse"), "", "web"),
        ):
            app.go(key)
            await press(app, pilot, "w", *edge, "enter")
            listed = app.screen.query_one(OptionList)
            assert listed.highlighted is not None
            line = str(listed.get_option_at_index(listed.highlighted).prompt)
            assert line.startswith(f"→ {to} ")
            assert line.endswith(", as it is")
            assert "✗" not in told(app)
            await press(app, pilot, "enter")
            assert not app.screen.is_modal
            assert app.session is before


# A call that the caller makes already, for the same classes, is refused with words, led elsewhere or added.
def test_no_call_is_made_twice() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "app"))
        await press(app, pilot, "w", *"payments", "enter", *"mysql")
        assert "app calls mysql already, for the same request classes" in told(app)
        await press(app, pilot, "enter")
        assert isinstance(app.screen, Pick), "what is refused is not taken"
        await press(app, pilot, "escape", "escape")
        app.go(Key("tier", "web"))
        await press(app, pilot, "w", *"add a", "enter", *"app")
        assert "web calls app already" in told(app)
        await press(app, pilot, "enter")
        assert not app.session.past

    play(script)


# A count is pinned at what it is, and freed again without a change of numbers.
def test_pin() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        count = app.session.now.counts["app"]
        app.go(Key("tier", "app"))
        await press(app, pilot, "p")
        assert app.session.now.document.values["components"]["app"]["nodes"] == count
        assert "app" not in app.session.now.counts
        await press(app, pilot, "p")
        assert "nodes" not in app.session.now.document.values["components"]["app"]
        assert app.session.now.counts["app"] == count

    play(script)


# Undoing what a scenario is about leads back to normal operation, not into the ground.
def test_a_scenario_whose_subject_goes() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.become_under(scenario="node:redis")
        await press(app, pilot)
        app.go(Key("tier", "redis"))
        await press(app, pilot, "d", "y")
        assert app.session.scenario is None
        assert app.scene is not None
        assert "redis" not in app.scene.topology.components

    play(script)


# Names are text: markup in them is shown, and wide ones neither break a dialog nor the edit.
def test_odd_names() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "[bold]db"))
        for key in ("r", "c", "w", "d", "a", "A", "slash", "H"):
            await press(app, pilot, key)
            assert len(app.screen_stack) == 2, key
            await press(app, pilot, "escape")
        await press(app, pilot, "d")
        assert "[bold]db (call) goes" in told(app)

    play(script, odd())


# A free name is not taken, whatever is.
def test_free_name() -> None:
    assert free("db", ["db", "db-2", "db-3"]) == "db-4"
    assert free("db", []) == "db"


# A class takes nothing along but what is only about it.
def test_removing_a_class_asks_nothing() -> None:
    edited, lines = removal(shop(), Key("class", "checkout"))
    assert lines == []
    assert "checkout" not in edited.document.values["slo"]["latency"]


# The only tier, and the only class, say that they are; what to do about it is said as well.
def test_the_only_one_cannot_be_removed() -> None:
    only = parse(TEXT, "small.toml")
    for key in (Key("tier", "web"), Key("class", "page")):
        with pytest.raises(DocumentError) as error:
            removal(only, key)
        assert "is the only " in str(error.value)
        assert "add another first" in str(error.value)


# A form complains about nothing before anything is done in it: a name is taken by what is to be renamed.
def test_a_form_opens_without_complaint() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.go(Key("tier", "web"))
        await press(app, pilot, "r")
        assert "✗" not in told(app)
        await press(app, pilot, "enter")
        assert not app.screen.is_modal, "as it was: nothing to do"
        await press(app, pilot, "r")
        await write(app, pilot, "app")
        assert "✗" in told(app)
        await press(app, pilot, "escape")
        assert not app.session.past

    play(script)


# Where an edit leaves no numbers, those of before are dimmed, and it is said for as long as that holds.
def test_numbers_of_before_are_told_as_such() -> None:
    looped = parse(LOOPED, "looped.toml")

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        drawing = app.query_one(TopologyView)
        app.edit(with_value(looped, ("components", "jobs", "consumers"), "web"))
        await press(app, pilot)
        assert "no numbers for this, those of before are shown" in told(app)
        assert "multiplies" in told(app)
        assert drawing._stale
        await press(app, pilot, "u")
        assert "no numbers" not in told(app)
        assert not drawing._stale

    play(script, looped)


# What a search for counts said is gone when the next one begins: two verdicts on two loads would stand side by side.
def test_a_new_search_takes_back_what_the_last_one_said() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for load in (10.0, 20.0):
            app.become_under(load=load)
            await press(app, pilot, "s")
            assert notices(app).count("No plan is feasible") == 1

    play(script)
