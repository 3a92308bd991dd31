from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capacity.sensitivity import Sensitivity, sensitivity
from capacity.sweep_report import FELT, short
from tests.tui.viewing import answered, everything, notes, read, shown, tables, texts, view
from tui.views import Asked

if TYPE_CHECKING:
    from tui.content import Content
    from tui.scene import Scene

STARTER = "examples/starter.toml"


@pytest.fixture(scope="module")
def scene() -> Scene:
    return shown(read(STARTER, 'components.app.cpu_time="8ms..12ms..20ms"'))


@pytest.fixture(scope="module")
def told(scene: Scene) -> Sensitivity:
    return sensitivity(scene.topology)


@pytest.fixture(scope="module")
def seen(scene: Scene) -> Content:
    return answered("sensitivity", scene)


# Inputs stand in the order of `capacity sensitivity`, with its elasticity of every output.
def test_elasticities_are_those_of_sensitivity(told: Sensitivity, seen: Content) -> None:
    felt = [one for one in told.inputs if one.weight >= FELT]
    rows = texts(tables(seen)["What to measure better"])
    assert list(rows) == [short(one.key) for one in felt]
    for one in felt:
        found = rows[short(one.key)][1:-1]
        expected = [one.effects[output].elasticity for output in told.outputs]
        # Two decimals are shown.
        assert [float(text) for text in found] == [pytest.approx(value, abs=0.0051) for value in expected]


# A number with a range says what it leaves open; without any, how to write one.
def test_ranges(told: Sensitivity, seen: Content) -> None:
    ranged = next(one for one in told.inputs if one.low is not None)
    moved = [
        effect for effect in ranged.effects.values() if effect.span is not None and effect.span[0] != effect.span[1]
    ]
    rows = tables(seen)["What is not known exactly"].rows
    assert {row[0].text for row in rows} == {short(ranged.key)}
    assert len(rows) == len(moved) > 0
    assert "8ms..20ms" in notes(answered("sensitivity", shown(read(STARTER))))


# What has hardly any effect, or none, is named and not hidden; nothing undefined is shown.
def test_what_does_not_matter(told: Sensitivity, seen: Content) -> None:
    for key in (*told.without_effect, *(one.key for one in told.inputs if one.weight < FELT)):
        assert short(key) in notes(seen)
    assert not {"nan", "inf", "None"} & set(everything(seen).split())


# The counts are those on the screen, not those of a plan for the load.
def test_with_the_counts_on_the_screen() -> None:
    found = shown(read(STARTER), 1.3)
    here = sensitivity(found.topology, today=found.counts).outputs
    assert here["p99 of page"] == found.evaluation.classes["page"].p99_s
    assert here != sensitivity(found.topology).outputs


# An overloaded system has no p99, says so, and nothing is undefined.
def test_overloaded() -> None:
    seen = answered("sensitivity", shown(read(STARTER), 4.0))
    assert "p99 of page never" in notes(seen)
    assert not {"nan", "inf", "None"} & set(everything(seen).split())


# It ends as soon as nobody waits for it.
def test_it_can_be_stopped(scene: Scene) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def tick(done: int) -> None:
        if done >= 2:
            raise Stop

    with pytest.raises(Stop):
        view("sensitivity").answer(Asked(scene, None), tick)
