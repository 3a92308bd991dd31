from __future__ import annotations

import base64
import shlex
from typing import TYPE_CHECKING

import pytest

from capacity.editing import edited
from tests.capacity.running import EXAMPLES, capacity
from tests.tui.filing import LIMIT, NODES, TEXT, answered, edit, run, said, topology, until
from tui import clipboard
from tui.commandline import evaluate_command, plan_command
from tui.exporting import EXPORTS, default_name
from tui.opening import open_file
from tui.screens.choice import Choice
from tui.screens.file_name import FileName
from tui.widgets.field_list import FieldList

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import CapacityApp


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("TMUX", "STY", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)


# An export is what the command writes for the same file and load, byte for byte.
@pytest.mark.parametrize("form", ["toml", "json", "markdown", "csv"])
def test_an_export_is_what_the_command_writes(tmp_path: Path, form: str) -> None:
    path = topology(tmp_path, (EXAMPLES / "starter.toml").read_text())
    export = next(export for export in EXPORTS if export.form == form)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.action_load(1)
        await pilot.press("e")
        await answered(pilot, Choice, export.key)
        await answered(pilot, FileName, "enter")
        await until(pilot, lambda: "wrote" in said(app))

    run(path, act)
    target = tmp_path / f"by-command{export.ending}"
    assert capacity("plan", path, "--load", "1.1x", "--format", form, "-o", target).code in (0, 1)
    assert (tmp_path / default_name("small.toml", export.ending)).read_bytes() == target.read_bytes()


# The picture is of the screen without the question that was asked for it.
def test_the_screen_as_a_picture(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await pilot.press("e")
        await answered(pilot, Choice, "v")
        await answered(pilot, FileName, "enter")
        await until(pilot, lambda: "wrote" in said(app))

    run(path, act)
    svg = (tmp_path / "small.svg").read_text()
    assert svg.startswith("<svg")
    assert "web" in svg
    assert "Export" not in svg


# What is no result of ours is replaced only when somebody says so, and the topology itself never.
def test_an_export_replaces_nothing_by_surprise(tmp_path: Path) -> None:
    path = topology(tmp_path)
    target = tmp_path / "small.plan.json"
    target.write_text("mine")

    async def export(pilot: Pilot[None], *name: str) -> None:
        await pilot.press("e")
        await answered(pilot, Choice, "j")
        await answered(pilot, FileName, *name, "enter")

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await export(pilot)
        await answered(pilot, Choice, "c")
        assert target.read_text() == "mine"
        await until(pilot, lambda: not app._talking)
        await export(pilot, "ctrl+a", "ctrl+k", *str(path))
        await until(pilot, lambda: "is the input" in said(app))
        await until(pilot, lambda: not app._talking)
        await export(pilot)
        await answered(pilot, Choice, "r")
        await until(pilot, lambda: "wrote" in said(app))

    run(path, act)
    assert target.read_text().startswith('{\n  "schema_version"')
    assert path.read_text() == TEXT


# What is copied goes to the terminal by OSC 52, and what is said of it is true.
def test_copying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = topology(tmp_path)
    written: list[str] = []

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        edit(app, NODES, 7)
        await pilot.press("y")
        await answered(pilot, Choice, "p")
        await until(pilot, lambda: bool(said(app)))

    app = run(path, act)
    sent = next(text for text in written if text.startswith("\x1b]52;c;"))
    text = base64.b64decode(sent.removeprefix("\x1b]52;c;").removesuffix("\a")).decode()
    assert text == f"capacity plan {shlex.quote(str(path))} --set components.web.nodes=7"
    assert f"{len(text)} characters" in said(app)
    assert "no terminal says whether it took them" in said(app)


# With a field in focus its value can be copied; without one that is not offered.
def test_the_selected_value(tmp_path: Path) -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        assert app._value() is None
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, FieldList))
        fields = app.focused
        assert isinstance(fields, FieldList)
        await until(pilot, lambda: fields.row is not None)
        while fields.row is not None and fields.row.path != NODES:
            await pilot.press("down")
        await pilot.press("y")
        await answered(pilot, Choice, "v")
        await until(pilot, lambda: app.clipboard == "2")

    run(topology(tmp_path), act)


# Where it is known that a terminal, or what stands between, takes nothing, that is said.
def test_what_is_known_of_the_terminal_is_said() -> None:
    assert "macOS Terminal ignores" in clipboard.told("x", {"TERM_PROGRAM": "Apple_Terminal"})
    assert "set-clipboard" in clipboard.told("x", {"TMUX": "/tmp/tmux"})  # noqa: S108, nothing is written there
    assert "1 character;" in clipboard.told("x", {})
    assert "more than many terminals accept" in clipboard.told("x" * (clipboard.LARGE + 1), {})


# The command that is copied prints the numbers that the screen shows, for edits of every kind, load and scenario.
def test_the_equivalent_command_shows_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (EXAMPLES / "starter.toml").read_text()
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    path = topology(folder, text)
    monkeypatch.chdir(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        tier = next(iter(app.session.now.document.topology.components))
        edit(app, ("components", tier, "cpu_time"), "2.5ms")
        edit(app, ("slo", "utilization"), "65%")
        edit(app, ("slo", "availability"), 0.99)
        app.action_load(3)
        app.action_scenario(1)
        asked = app.session.question
        await until(pilot, lambda: app.scene is not None and app.scene.question == asked)

    app = run(path, act)
    assert app.file is not None
    assert app.scene is not None
    command = evaluate_command(app.session, app.file)
    assert command.complete
    ended = capacity(*shlex.split(command.text)[1:], "--json")
    assert ended.code == 0
    for name, tier in app.scene.evaluation.tiers.items():
        assert ended.json["tiers"][name]["utilization"] == tier.utilization
        assert ended.json["tiers"][name]["response"]["p99_s"] == tier.response.p99_s


# Where overrides cannot say it (what was removed), the line says so itself.
def test_what_overrides_cannot_say(tmp_path: Path) -> None:
    opening = open_file(str(topology(tmp_path)), patience=LIMIT)
    values = opening.on_disk.values
    values = {**values, "name": 'quote " and = sign', "slo": {"utilization": "50%"}}
    more = opening.session.edited(edited(opening.on_disk, values, "more").document, "more")
    found = plan_command(more, opening.file)
    assert found.complete
    fewer = edited(opening.on_disk, {key: part for key, part in values.items() if key != "name"}, "fewer").document
    assert not plan_command(opening.session.edited(fewer, "fewer"), opening.file).complete


# The numbers of a tier are lines of name, tab and value, and hold no NaN.
def test_numbers_of_a_tier(tmp_path: Path) -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.scene is not None)

    app = run(topology(tmp_path), act)
    assert app.scene is not None
    assert app.selected is not None
    lines = clipboard.numbers(app.scene.evaluation, app.selected).splitlines()
    assert lines[0] == "web"
    assert "nodes\t2" in lines
    assert all(line.count("\t") == 1 and "nan" not in line for line in lines[1:])
