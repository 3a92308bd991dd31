from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import tui.scene
from capacity.examples import folder
from tests.tui.driving import shop, told
from tui.app import CapacityApp
from tui.drawing.draw import draw
from tui.drawing.picture import picture
from tui.glance import glanced
from tui.opening import open_file
from tui.scene import scene
from tui.session import opened
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from pathlib import Path

SHOP = folder() / "shop.toml"
EXAMPLES = sorted(folder().rglob("*.toml"))

FIRST = """
import asyncio, json, sys
from tui.app import CapacityApp
from tui.glance import Reading, glanced

def opened():
    raise SystemExit("nothing may be read before the first paint")

app = CapacityApp(None, reading=Reading(glanced(sys.argv[1]), opened))
found = []

def painted():
    if not found:
        found.extend(sorted(sys.modules))

app.post_display_hook = painted

async def main():
    app._read = lambda: None
    async with app.run_test(size=(160, 50)):
        drawn = app.query_one("#topology").drawing.text
    print(json.dumps([found, drawn]))

asyncio.run(main())
"""
"""Shows the first paint, and tells what was loaded by then and what was drawn."""


# The first paint shows every tier, and is there before anything that works numbers out, asks or explains is loaded.
def test_what_the_first_paint_takes() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST, SHOP], capture_output=True, text=True, check=True)
    loaded, drawn = json.loads(done.stdout.splitlines()[-1])
    heavy = (
        "numpy",
        "scipy",
        "sympy",
        "models",
        "tree_sitter",
        "tui.views",
        "tui.scene",
        "tui.screens.",
        "capacity.document",
    )
    assert not [name for name in loaded if name.startswith(heavy)]
    assert all(name in drawn for name in shop().topology.components)


# A glance sees the boxes, kinds and edges that the check and the evaluation give in the end, of every example.
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_glance_sees_the_topology(path: Path) -> None:
    from capacity.document import load  # noqa: PLC0415

    document = load(str(path))
    found = scene(opened(document, {}).question)
    drawn, glance = picture(found.topology, found.evaluation), glanced(str(path))
    assert glance is not None
    assert glance.name == document.topology.name
    assert [(box.key, box.word, box.kind) for box in glance.picture.boxes] == [
        (box.key, box.word, box.kind) for box in drawn.boxes
    ]
    assert {(e.start, e.end, e.kind) for e in glance.picture.edges} == {(e.start, e.end, e.kind) for e in drawn.edges}


# A glance tells no number that is not in the file: where the plan finds the count, it says that it is not known.
def test_a_glance_makes_no_number_up() -> None:
    glance = glanced(str(SHOP))
    assert glance is not None
    text = draw(glance.picture, 160).text
    assert "…×c6i.xlarge" in text
    assert "%" not in text
    assert "BOTTLENECK" not in text


# What does not look like a topology is left to the check, which says what is wrong.
@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        "[components]",
        "components = 3",
        "[components.a]\nkind = 3",
        '[workload.classes.x]\nentry = "a"',
        '[components.a]\nkind = "service"\n[workload.classes.x]\nentry = ["a"]',
        '[components.a]\nkind = "service"\n[workload.classes]\nx = "a"',
    ],
)
def test_no_glance(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    assert glanced(str(path)) is None
    assert glanced(str(tmp_path / "none.toml")) is None


# While the plan is being found nothing is told that its counts would silence; then its numbers are shown.
def test_counts_that_are_not_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    found, solve = threading.Event(), tui.scene.solved_counts

    def late(*asked: Any) -> Any:
        found.wait(30)
        return solve(*asked)

    opening = open_file(str(SHOP), patience=0.0)
    monkeypatch.setattr(tui.scene, "solved_counts", late)
    app = CapacityApp(opening.session, opening)

    async def run() -> None:
        async with app.run_test(size=(160, 50)) as pilot:
            await pilot.pause()
            drawing = app.query_one(TopologyView)
            assert drawing.drawing is not None
            assert "…×c6i.xlarge" in drawing.drawing.text
            assert "BOTTLENECK" not in drawing.drawing.text
            assert "the plan is being found" in told(app)
            assert "✗" not in told(app)
            found.set()
            while app.solving:
                await pilot.pause(0.02)
            await pilot.pause()
            assert "…×" not in drawing.drawing.text
            assert "p99" in drawing.drawing.text

    asyncio.run(asyncio.wait_for(run(), 60))
