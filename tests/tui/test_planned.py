"""A plan that was exported and is edited: its numbers say that they are out of date, and nothing in the file is lost."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import tomli_w

from capacity.document import load
from capacity.plan import plan, to_toml
from tests.tui.filing import NODES, edit, run, said, topology, until
from tui.planned import MARK, marked, out_of_date

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import CapacityApp

COMMENT = "# 2026-01: agreed with finance"


def _exported(tmp_path: Path) -> Path:
    path = topology(tmp_path)
    document = load(str(path))
    text = tomli_w.dumps(to_toml(document, plan(document.topology)))
    path.write_text(text.replace("[plan]\n", f"[plan] {COMMENT}\n"))
    return path


# An edit makes the numbers of a plan old: the top line says so, and the file once it is saved; undone, neither does.
def test_an_edited_plan_is_out_of_date(tmp_path: Path) -> None:
    path = _exported(tmp_path)
    before = path.read_text()

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        old = [("[plan] out of date", "changed")]
        assert old not in app.file_status()
        edit(app, NODES, 7)
        assert old in app.file_status()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)
        assert "its [plan] is out of date and says so" in said(app)
        saved = path.read_text()
        values = tomllib.loads(saved)
        assert values["plan"].pop(MARK).startswith("the topology was edited since")
        assert values["components"]["web"].pop("nodes") == 7
        same = tomllib.loads(before)
        del same["components"]["web"]["nodes"]
        assert values == same
        assert COMMENT in saved
        await pilot.press("u", "ctrl+s")
        await until(pilot, lambda: not app.session.dirty)
        assert old not in app.file_status()

    run(path, act)
    assert path.read_text() == before


# A file without a plan, and a [plan] of somebody's own, are written as they are.
def test_what_is_no_plan_of_ours_is_left_alone() -> None:
    for text in ("a = 1\n", "a = 1\n[plan]\nnote = 'mine'\n"):
        values = tomllib.loads(text)
        assert not out_of_date(values)
        assert marked(text, values) == text
