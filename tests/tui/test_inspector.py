from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from textual.worker import WorkerCancelled

from capacity.document import load
from tests.planner.systems import document, file, service
from tui.app import CapacityApp
from tui.drawing.canvas import Key
from tui.session import Session, opened
from tui.widgets.field_list import FieldList
from tui.widgets.inspector import Inspector
from tui.widgets.lines import Lines
from tui.widgets.topology import TopologyView
from tui.widgets.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

ROOT = Path(__file__).parents[2]
COUNTS = {"web": 3, "app": 11, "redis": 2, "mysql": 1, "fulfilment": 6}
LARGE, SMALL = (160, 50), (80, 24)


def shop() -> Session:
    return opened(load(str(ROOT / "examples" / "shop.toml")), COUNTS)


def run(
    act: Callable[[CapacityApp, Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = LARGE,
    begin: Session | None = None,
    at: str = "app",
) -> None:
    async def main() -> None:
        app = CapacityApp(begin or shop())
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.select(Key("tier", at))
            await pilot.press("enter")
            await settled(pilot)
            await act(app, pilot)

    asyncio.run(main())


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    while workers := list(pilot.app.workers):
        for worker in workers:
            with suppress(WorkerCancelled):  # a later evaluation takes the place of an earlier one
                await worker.wait()
        await pilot.pause()


async def go(app: CapacityApp, pilot: Pilot[None], label: str) -> None:
    fields = app.query_one(FieldList)
    fields.go_to(next(row.path for row in fields.rows if row.label == label))
    await pilot.pause()


def labels(app: CapacityApp) -> list[str]:
    return [version.label for version in (*app.session.past, app.session.now)]


def p99(app: CapacityApp) -> float:
    found = app.scene.evaluation.tiers["app"].response.p99_s if app.scene is not None else None
    assert found is not None
    return found


def line(app: CapacityApp, place: int) -> str:
    return app.query_one(FieldList).render_line(place).text


# A value is evaluated at every keystroke that parses, the whole stretch is one undo, and the numbers follow.
@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_typing(size: tuple[int, int]) -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = p99(app)
        await go(app, pilot, "cpu_time.browse")
        await pilot.press("enter", *"12ms")
        await settled(pilot)
        assert p99(app) > before
        assert app.query_one(ValueInput).has_focus
        await pilot.press("enter")
        await settled(pilot)
        assert labels(app) == ["opened", "app.cpu_time.browse 9ms → 12ms"]
        assert app.query_one(FieldList).has_focus
        await pilot.press("u")
        await settled(pilot)
        assert labels(app) == ["opened"]
        assert p99(app) == before

    run(act, size)


# A key is never painted before its numbers: what is typed, its row and the evaluation change in one repaint.
def test_a_key_is_painted_with_its_numbers() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        seen: list[tuple[str, object]] = []

        def painted() -> None:
            if app.scene is not None:
                values = app.scene.question.version.document.values
                seen.append((app.query_one(ValueInput).value, values["components"]["app"]["cpu_time"]["browse"]))

        await go(app, pilot, "cpu_time.browse")
        await pilot.press("enter", *"9.0")
        await settled(pilot)
        app.took = 0.0  # however slow this machine is: evaluations run in place
        app.post_display_hook = painted  # type: ignore[method-assign]
        await pilot.press("5")
        await settled(pilot)
        assert ("9.05", "9.05ms") in seen
        assert {text for text, value in seen if value != f"{text}ms"} == set()

    run(act)


# Where an evaluation takes longer than a frame, the key is seen before the numbers that follow from it.
def test_a_key_does_not_wait_for_slow_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        work_out, held = app._scene, Event()
        await go(app, pilot, "cpu_time.browse")
        await pilot.press("enter", *"9.0")
        await settled(pilot)
        before = p99(app)
        monkeypatch.setattr(app, "_scene", lambda question: (held.wait(10), work_out(question))[1])
        app.took = 1.0
        await pilot.press("9")
        await pilot.pause()
        assert app.query_one(ValueInput).value == "9.09"
        assert "9.09ms" in line(app, app.query_one(FieldList).cursor)
        assert p99(app) == before
        held.set()
        await settled(pilot)
        assert p99(app) > before

    run(act)


# What cannot be read keeps the last good numbers, dims them and says why beside the field; Esc brings all back.
def test_what_cannot_be_read() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = p99(app)
        await go(app, pilot, "cpu_time.browse")
        await pilot.press(*"12")
        await settled(pilot)
        good = p99(app)
        await pilot.press(*"parsecs")
        await settled(pilot)
        assert good > before
        assert p99(app) == good
        assert app.unsettled
        assert "is not a time" in line(app, app.query_one(FieldList).cursor)
        await pilot.press("enter")
        await settled(pilot)
        assert app.query_one(ValueInput).has_focus
        await pilot.press("escape")
        await settled(pilot)
        assert not app.unsettled
        assert labels(app) == ["opened"]
        assert p99(app) == before
        assert "is not" not in line(app, app.query_one(FieldList).cursor)

    run(act)


# The input lies exactly over the value that it replaces.
@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_where_one_types(size: tuple[int, int]) -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "threads")
        await pilot.press("enter")
        await pilot.pause()
        fields, region = app.query_one(FieldList), app.query_one(ValueInput).region
        assert region == fields.cell()
        shown = line(app, region.y - fields.content_region.y)
        assert shown[region.x - fields.content_region.x :].startswith("200")

    run(act, size)


# A count that was left to the plan is told with what the plan had found, over several steps as over one.
def test_stepping_a_count_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.amending.SOON", 600.0)  # a slow machine is no reason for another undo

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        count = app.session.now.counts["app"]
        await go(app, pilot, "nodes")
        await pilot.press("plus", "plus")
        await settled(pilot)
        assert labels(app) == ["opened", f"app.nodes {count} (plan) → {count + 2}"]

    run(act)


# Steps that follow each other are one undo, from the value before the first: 1.45, 1.5, 1.6 and back to 1.5.
def test_stepping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.amending.SOON", 600.0)  # a slow machine is no reason for another undo

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "variability")
        await pilot.press("plus", "plus", "equals_sign", "minus")
        await settled(pilot)
        assert labels(app) == ["opened", "app.variability 1.4 → 1.5"]
        await go(app, pilot, "balancing")
        await pilot.press("right")
        await settled(pilot)
        assert labels(app)[-1] == "app.balancing least_connections → round_robin"

    run(act)


# A press on a value and a drag scrub it, a step for two columns: 1.45, 1.5, 1.6, 1.7; one undo takes all of it back.
def test_scrubbing() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        fields = app.query_one(FieldList)
        await go(app, pilot, "variability")
        place = fields.cell().translate((-fields.region.x, -fields.region.y))
        await pilot.mouse_down(fields, offset=(place.x + 1, place.y))
        for step in range(1, 9):
            await pilot.hover(fields, offset=(place.x + 1 + step, place.y))
        await pilot.mouse_up(fields, offset=(place.x + 9, place.y))
        await settled(pilot)
        assert labels(app) == ["opened", "app.variability 1.4 → 1.7"]
        await pilot.press("u")
        assert labels(app) == ["opened"]

    run(act)


# A double click types.
def test_double_click() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        fields = app.query_one(FieldList)
        await pilot.double_click(fields, offset=(30, 2))
        await pilot.pause()
        assert app.query_one(ValueInput).has_focus
        assert fields.cursor == 2

    run(act)


# A count left to the plan is pinned as it is, and given back as it was; a step pins the next one.
def test_pinning() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "nodes")
        assert "11 auto" in line(app, 1)
        await pilot.press("p")
        await settled(pilot)
        assert app.session.now.document.values["components"]["app"]["nodes"] == 11
        assert "auto" not in line(app, 1)
        await pilot.press("p")
        await settled(pilot)
        assert "nodes" not in app.session.now.document.values["components"]["app"]
        assert "11 auto" in line(app, 1)
        await pilot.press("minus")
        await settled(pilot)
        assert app.session.now.document.values["components"]["app"]["nodes"] == 10

    run(act)


# A field is left out by a key, unless the file needs it.
def test_leaving_out() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "threads")
        await pilot.press("delete")
        await settled(pilot)
        assert "threads" not in app.session.now.document.values["components"]["app"]
        await go(app, pilot, "node")
        await pilot.press("delete")
        await settled(pilot)
        assert labels(app) == ["opened", "remove app.threads"]
        assert "✗" in line(app, app.query_one(FieldList).cursor)

    run(act)


# On a small screen the fields take the place of the drawing, and Esc gives it back; on a large one both stand.
@pytest.mark.parametrize(("size", "both"), [(LARGE, True), (SMALL, False)])
def test_room(size: tuple[int, int], both: bool) -> None:  # noqa: FBT001 - a parameter of a test
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        assert app.query_one(FieldList).has_focus
        assert app.query_one(FieldList).size.height >= 8
        assert (app.query_one(TopologyView).size.height > 0) == both
        await pilot.press("tab", "escape")  # from the findings, which are scrolled when one is there
        await pilot.pause()
        assert app.query_one(TopologyView).has_focus
        assert app.query_one(TopologyView).size.height > 0

    run(act, size)


# The whole system's fields are one key away, and are edited in the same way.
def test_the_whole_system() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await pilot.press("o")
        await go(app, pilot, "slo.utilization")
        await pilot.press(*"60", "enter")
        await settled(pilot)
        assert app.session.now.document.topology.slo.utilization == pytest.approx(0.6, abs=1e-12)  # decimal to binary
        await pilot.press("o")
        assert app.query_one(Inspector).key == Key("tier", "app")

    run(act)


# Enter in the drawing leads to the fields of what is selected there, also where those of the system were shown last.
def test_from_the_system_back_to_what_is_selected() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await pilot.press("o", "escape")
        assert app.query_one(Inspector).key is None
        await pilot.press("enter")
        await pilot.pause()
        assert app.query_one(Inspector).key == Key("tier", "app")
        assert isinstance(app.focused, FieldList)

    run(act)


# Why there are so many nodes is found beside the screen, and says what decides.
def test_why() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        for _ in range(40):
            await pilot.pause(0.1)
            if "decides" in app.query_one("#findings", Lines).text:
                break
        assert "zone lost: app cores ← decides" in app.query_one("#findings", Lines).text

    run(act)


# Names that look like markup are shown as they are, and stepping between them works.
def test_markup_is_text() -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        text = "\n".join(line(app, i) for i in range(12))
        assert "[red]" in text
        assert "[bold]" in app.query_one("#inspector-title", Lines).text
        await pilot.press("plus", "1", "escape")
        await settled(pilot)
        assert app.is_running

    values = file({"[bold]": service(0.001, calls=[{"to": "[red]"}]), "[red]": service(0.001)}, 10)
    first = next(iter(values["workload"]["classes"].values()))
    first["entry"] = "[bold]"
    run(act, begin=opened(document(values), {}), at="[bold]")
