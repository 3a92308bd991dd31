from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, OptionList

from capacity.next_steps import Next, applied, next_steps
from tests.tui.driving import notices, play, press
from tests.tui.viewing import LADDER, answered, everything, notes, read, shown, tables, texts
from tui.screens.pick import Choice, Pick
from tui.steps import at_load, ranked_steps

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp
    from tui.content import Content

BALANCED = f"{LADDER}/4-load-balanced.toml"
LOAD = 1.2


@pytest.fixture(scope="module")
def told() -> Next:
    return next_steps(read(BALANCED), ahead=0)


@pytest.fixture(scope="module")
def later() -> Next:
    return next_steps(at_load(read(BALANCED), LOAD), ahead=0)


@pytest.fixture(scope="module")
def seen() -> Content:
    return answered("next", shown(read(BALANCED), LOAD))


# Steps with a plan are listed in the order of `capacity next`, with their cost, change and what they bring.
def test_steps_are_those_of_next(later: Next, seen: Content) -> None:
    able = [step for step in later.steps if step.feasible]
    assert able
    rows = texts(tables(seen)["Steps with which every objective is met"])
    assert list(rows) == [f"{step.name}:{step.subject}" for step in able]
    for step in able:
        row = rows[f"{step.name}:{step.subject}"]
        assert row[0] == f"{step.monthly:,.2f}"
        assert step.monthly_change is not None
        assert row[1].lstrip("▲▼") in (f"{step.monthly_change:+,.2f}", "=")
        assert row[4] == (", ".join(step.brings) or "nothing here")
        assert row[5:] == [f"{len(step.assumes)}", f"{len(step.risks)}"]
    assert f"Next: {able[0].name}:{able[0].subject}" in notes(seen)


# Everything that a step assumes and risks is said; steps that are not enough say what is still not met.
def test_what_is_assumed_and_risked(later: Next, seen: Content) -> None:
    lines = notes(seen).splitlines()
    for step in later.steps:
        if step.feasible:
            assert {f"assumed: {text}" for text in step.assumes} <= set(lines)
            assert {f"risk: {text}" for text in step.risks} <= set(lines)
        else:
            assert step.fails[0] in everything(seen)
    assert not later.now.feasible
    assert "NO PLAN" in notes(seen)


# Where a plan exists the view says what it costs, and where no step applies it says that.
def test_as_it_is(told: Next) -> None:
    seen = answered("next", shown(read(BALANCED)))
    assert f"every objective is met for {told.now.monthly:,.2f} USD/month" in notes(seen)
    assert "No step" in notes(answered("next", shown(read("examples/starter.toml"))))


async def look(app: CapacityApp, pilot: Pilot[None], *typed: str) -> None:
    """Ask for the steps, type something in the same breath, and wait until all of that is done."""
    await press(app, pilot, "n", *typed)
    while any(not worker.is_finished for worker in app.workers):
        await pilot.pause(0.02)
    await pilot.pause()


# A step is chosen from a list and is one edit with its name; undo takes back exactly that, redo brings it again.
def test_a_step_is_an_edit_to_undo() -> None:
    document = read(BALANCED)

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session.now
        await look(app, pilot)
        assert isinstance(app.screen, Pick)
        assert app.progress == ""
        await press(app, pilot, *"global", "enter")
        assert app.session.now.label == "global-cache:db"
        assert app.session.past == (before,)
        new = set(app.session.now.document.topology.components) - set(document.topology.components)
        assert [app.session.now.document.values["components"][name]["kind"] for name in new] == ["cache"]
        assert app.session.now.document.values == applied(document, "global-cache:db").document.values
        assert "risk:" in notices(app)
        after = app.session.now
        await press(app, pilot, "u")
        assert app.session.now is before
        await press(app, pilot, "U")
        assert app.session.now is after

    play(script, document)


# A step that costs as much as nothing is told by a word, not by a sum of zeros.
def test_no_change_of_the_cost() -> None:
    told = [step.brings for step in ranked_steps(read("examples/shop.toml"), 1.0, lambda _: None)]
    assert any(text.endswith(", at no more cost") for text in told)
    assert not any("+0.00" in text for text in told)


# Under another load a step that only then applies can be taken, and the file keeps the rates that it has.
def test_a_step_under_another_load() -> None:
    document = read(BALANCED)

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.become_under(load=LOAD)
        await look(app, pilot)
        await press(app, pilot, *"read-replicas", "enter")
        now = app.session.now.document
        assert app.session.now.label == "read-replicas:db"
        assert now.load_factor == 1
        assert now.values["workload"] == document.values["workload"]
        assert now.topology.workload.classes["browse"].rate == document.topology.workload.classes["browse"].rate

    play(script, document)


# Esc leaves everything as it was; where no step applies, that is said in the list, which stays: what is typed meanwhile goes nowhere else.
def test_nothing_taken() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        await press(app, pilot, "n", "escape")
        assert app.session is before

    play(script, read(BALANCED))

    async def nothing(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        await look(app, pilot, *"nrepl", "enter")
        assert isinstance(app.screen, Pick)
        assert "no step applies at this load" in str(app.screen.query_one(OptionList).get_option_at_index(0).prompt)
        await press(app, pilot, *"d]", "enter")
        assert app.screen.is_modal
        await press(app, pilot, "escape")
        assert not app.screen.is_modal
        assert app.session is before

    play(nothing, read("examples/starter.toml"))


# What is typed before the steps are found narrows them, and does nothing to the drawing; Enter takes the best of them.
def test_typed_before_the_steps_are_found() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session
        await look(app, pilot, *"global]")
        assert isinstance(app.screen, Pick)
        assert app.screen.query_one(Input).value == "global]"
        await press(app, pilot, "backspace")
        assert app.screen.query_one(OptionList).option_count == 1
        assert app.session is before
        await press(app, pilot, "escape")
        await look(app, pilot, *"global", "enter")
        assert app.session.now.label == "global-cache:db"
        assert not app.screen.is_modal

    play(script, read(BALANCED))


# Enter before there is anything to choose from waits for what was named, and takes nothing where nothing was.
def test_enter_before_the_choices_are_there() -> None:
    choices = [Choice("one", "", 1), Choice("two", "", 2)]

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        for typed, taken in (("two", 2), ("", None), ("none such", None)):
            chosen: list[int | None] = []
            picker: Pick[int] = Pick("Which?", (), awaited="looking…")
            app.push_screen(picker, chosen.append)
            await press(app, pilot, *(("space" if key == " " else key) for key in typed), "enter")
            picker.tell("still looking…")
            await press(app, pilot, "down")
            assert chosen == []
            picker.offer(choices, none="nothing")
            await pilot.pause()
            assert chosen == ([] if taken is None else [taken])
            await press(app, pilot, "escape")

    play(script)


# What is looked for is dropped when the file changes meanwhile, and when it is asked to stop.
def test_a_late_list_is_dropped() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.action_next_step()
        app.become_under(load=3.0)
        await press(app, pilot)
        assert not app.screen.is_modal
        await press(app, pilot, "n", "escape")
        assert not app.screen.is_modal
        assert app.progress == ""

    play(script, read(BALANCED))


# Where nothing is tight, no step is offered, and it is said at which load one would be.
def test_a_calm_system_is_told_when() -> None:
    calm = answered("next", shown(read("examples/starter.toml")))
    found = next_steps(read("examples/starter.toml"), ahead=0)
    assert found.now.carries is not None
    assert "nothing is tight enough for a step yet" in notes(calm)
    assert f"to {found.now.carries:g}x, where it ends" in notes(calm)
