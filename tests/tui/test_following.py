from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from capacity.outcomes import with_uptime_of
from tests.tui.driving import counts_of, play, press, shop, told
from tui.scene import followed_up, scene
from tui.session import opened
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from typing import Any

    import pytest
    from textual.pilot import Pilot

    from tui.app import CapacityApp

LIMIT = 60.0
"""Seconds after which what was waited for is taken never to come, on however busy a machine."""


# Of a system that is the same, the availability of before is its own; what is not in both is left as it is.
def test_the_availability_of_before() -> None:
    found = scene(opened(shop(), counts_of(shop())).question)
    wanted, known = found.topology.slo.availability, followed_up(found).evaluation
    assert with_uptime_of(found.evaluation, known, wanted) == known
    assert with_uptime_of(known, found.evaluation, wanted) is known
    fewer = msgspec.structs.replace(known, classes={}, tiers={})
    assert with_uptime_of(found.evaluation, fewer, wanted).classes == found.evaluation.classes


# An objective that is another one now is not judged by what was wanted before.
def test_another_objective_is_not_judged_yet() -> None:
    found = scene(opened(shop(), counts_of(shop())).question)
    known = followed_up(found).evaluation
    for wanted in (None, 0.5):
        shown = with_uptime_of(found.evaluation, known, wanted)
        assert not [goal for c in shown.classes.values() for goal in c.slo if goal.name == "availability"]


# Who is not answered is never up: nothing that was said of it before is taken over.
def test_who_is_not_answered_has_no_verdict_of_before() -> None:
    found = scene(opened(shop(), counts_of(shop())).question)
    known, wanted = followed_up(found).evaluation, found.topology.slo.availability
    silent = {name: msgspec.structs.replace(c, p99_s=None) for name, c in found.evaluation.classes.items()}
    shown = with_uptime_of(msgspec.structs.replace(found.evaluation, classes=silent), known, wanted)
    assert [goal for c in known.classes.values() for goal in c.slo if goal.name == "availability"]
    assert not [goal for c in shown.classes.values() for goal in c.slo if goal.name == "availability"]


async def until_known(app: CapacityApp, pilot: Pilot[Any]) -> None:
    """Wait for the availability of what is shown."""
    for _ in range(int(LIMIT / 0.01)):
        if app.scene is not None and app.scene.evaluation.lifetimes is not None:
            break
        await asyncio.sleep(0.01)
    await pilot.pause()


# While the availability of an edit is worked out, that of before is shown: no verdict goes and comes back, and no box.
def test_a_verdict_stands_until_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(app: CapacityApp, pilot: Pilot[Any]) -> None:
        await until_known(app, pilot)
        drawing = app.query_one(TopologyView).drawing
        assert drawing is not None
        assert "availability ?" in str(drawing.rows)
        monkeypatch.setattr("tui.following.QUIET", LIMIT)
        before = app.scene
        await press(app, pilot, "right_square_bracket")
        assert app.scene is not None
        assert app.scene is not before
        assert app.scene.evaluation.lifetimes is None
        assert app.shown is not None
        assert app.shown.evaluation.lifetimes is not None
        assert not app.certain
        assert "… every objective" in told(app)
        after = app.query_one(TopologyView).drawing
        assert after is not None
        assert "availability ?" in str(after.rows)
        monkeypatch.setattr("tui.following.QUIET", 0.0)
        await press(app, pilot, "left_square_bracket")
        await until_known(app, pilot)
        assert app.shown.evaluation is app.scene.evaluation
        assert app.certain
        assert "… every objective" not in told(app)

    play(script, size=(160, 50))


# In a scenario nobody asks for availability, and none of normal operation is shown.
def test_no_availability_in_a_scenario() -> None:
    async def script(app: CapacityApp, pilot: Pilot[Any]) -> None:
        await until_known(app, pilot)
        await press(app, pilot, "x")
        assert app.session.scenario is not None
        assert app.shown is app.scene

    play(script, size=(160, 50))
