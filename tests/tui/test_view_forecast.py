from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capacity.forecast import Forecast, forecast
from capacity.units import digits
from tests.tui.viewing import answered, charts, everything, notes, read, shown, tables, texts, view
from tui.views import Asked

if TYPE_CHECKING:
    from tui.content import Content
    from tui.scene import Scene

STARTER = "examples/starter.toml"
GROWING = ('workload.growth="10%/month"', "forecast.months=6", "forecast.start=2026-11-20")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return shown(read(STARTER, *GROWING))


@pytest.fixture(scope="module")
def told(scene: Scene) -> Forecast:
    return forecast(scene.topology, 6)


@pytest.fixture(scope="module")
def seen(scene: Scene) -> Content:
    return answered("forecast", scene)


# What breaks, when, at which load and during what is what `capacity forecast` says, the first of it in one sentence.
def test_breaks_are_those_of_forecast(told: Forecast, seen: Content) -> None:
    assert told.breaks
    rows = [[cell.text for cell in row] for row in tables(seen)["First to break with today's nodes"].rows]
    # The table leaves out what stands in brackets: of how much a limit is a share. The sentence has it whole.
    limits = [b.constraint.partition(" (")[0] for b in told.breaks]
    assert rows == [
        [b.when, f"{digits(round(b.load, 2))}x", b.name, limit, b.during]
        for b, limit in zip(told.breaks, limits, strict=True)
    ]
    first = told.breaks[0]
    assert f"First: {first.name}, {first.when}: {first.constraint}, {first.during}." in notes(seen)


# The charts hold cost and load of every month, marked where something breaks first; the table has the counts.
def test_months_are_those_of_forecast(told: Forecast, seen: Content) -> None:
    assert all(month.feasible for month in told.months)
    (cost,), (load,) = charts(seen)["Cost by month"].series, charts(seen)["Load by month"].series
    assert cost.points == tuple((k, month.monthly) for k, month in enumerate(told.months, 1))
    assert load.points == tuple((k, month.load) for k, month in enumerate(told.months, 1))
    names = [month.month for month in told.months]
    for mark in charts(seen)["Cost by month"].marks:
        broken = {f"{b.name} breaks" for b in told.breaks if b.when.startswith(names[int(mark.at) - 1])}
        assert set(mark.name.split(", ")) == broken
    rows = texts(tables(seen)["Plan by month"])
    assert [rows[month.month][1:4] for month in told.months] == [
        [str(month.counts[tier]) for tier in ("web", "app", "db")] for month in told.months
    ]
    assert [row[0].text for row in charts(seen)["Cost by month"].twin().rows] == names


# Where no plan exists any more, the day, the constraint and the mend are told, and such months have a line of their own.
def test_walls() -> None:
    found = shown(read(STARTER, 'workload.growth="40%/month"', "forecast.months=2", "components.app.max_nodes=4"))
    told, seen = forecast(found.topology, 2), answered("forecast", found)
    assert told.walls
    for wall in told.walls:
        assert f"{wall.when}, at {digits(round(wall.load, 2))}x the load: {wall.constraint}" in notes(seen)
        assert all(f"mend: {mend}" in notes(seen) for mend in wall.mends)
    lines = {line.name: [k for k, _ in line.points] for line in charts(seen)["Cost by month"].series}
    assert lines["the cheapest plan"] == [k for k, month in enumerate(told.months, 1) if month.feasible]
    assert lines["no plan: what meets the rest"] == [k for k, month in enumerate(told.months, 1) if not month.feasible]
    assert any("nodes help no more" in mark.name for mark in charts(seen)["Load by month"].marks)
    assert not {"nan", "inf", "None"} & set(everything(seen).split())


# A file that does not say how it goes on is told how to say so, and what holds today; no months are made up.
def test_nothing_grows() -> None:
    seen = answered("forecast", shown(read(STARTER)))
    assert 'growth = "6%/month"' in notes(seen)
    assert "Today's nodes are enough" in notes(seen)
    assert not charts(seen)


# An event alone is a future as well.
def test_an_event_is_a_future() -> None:
    sale = 'forecast.events=[{ date = "2026-12-01", factor = 3 }]'
    seen = answered("forecast", shown(read(STARTER, sale, "forecast.start=2026-11-20", "forecast.months=3")))
    assert "2026-12-01" in notes(seen)
    assert charts(seen)


# Today's counts are those on the screen, also where a plan for the load would take more of them.
def test_today_is_what_is_on_the_screen() -> None:
    found = shown(read(STARTER, *GROWING, "forecast.months=1"), 1.5)
    first = forecast(found.topology, 1, today=found.counts).breaks[0]
    assert first.day == 0
    seen = answered("forecast", found)
    assert f"today's counts: web {found.counts['web']}, app {found.counts['app']}" in notes(seen)
    assert f"First: {first.name}, 2026-11-20" in notes(seen)


# It ends as soon as nobody waits for it.
def test_it_can_be_stopped(scene: Scene) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def tick(done: int) -> None:
        if done >= 3:
            raise Stop

    with pytest.raises(Stop):
        view("forecast").answer(Asked(scene, None), tick)
