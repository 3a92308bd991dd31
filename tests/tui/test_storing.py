from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from textual.widgets import OptionList

from capacity import saving
from capacity.document import from_values, load
from tests.tui.filing import NODES, TEXT, answered, edit, run, said, topology, until
from tui.reconciling import planned, told
from tui.screens.choice import Choice
from tui.screens.conflicts import Conflicts
from tui.screens.file_name import FileName
from tui.session import Version

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import CapacityApp

RATE = ("workload", "classes", "page", "rate")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


# Saving changes what was edited and no other byte; the dirty mark goes, and so does the kept work.
def test_save(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        assert app.session.dirty
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    app = run(path, act)
    assert path.read_text() == TEXT.replace("nodes = 2", "nodes = 7")
    assert "saved" in said(app)
    assert saving.recoverable(str(path)) is None


# Edits, saves, undoing all of it and saving again gives back the bytes of the beginning.
def test_undoing_everything_gives_the_same_bytes(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        for count in (3, 4):
            edit(app, NODES, count)
            edit(
                app, ("components", "web"), {"kind": "service", "node": "c6i.large", "cpu_time": "2ms", "nodes": count}
            )
            await pilot.press("ctrl+s")
            await until(pilot, lambda: not app.session.dirty)
        assert path.read_text() != TEXT
        while app.session.past:
            app.action_undo()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert path.read_text() == TEXT


# An override of the command line is the first edit: seen as unsaved, undone, and never written by itself.
def test_an_override_is_an_edit(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, _: Pilot[None]) -> None:
        assert app.session.dirty
        assert app.session.now.label == "--set components.web.nodes=5"
        app.action_undo()
        assert not app.session.dirty

    run(path, act, "components.web.nodes=5")
    assert path.read_text() == TEXT


# A change on disk is noticed while the program runs, told, and shown in the top line.
def test_a_change_on_disk_is_noticed(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        path.write_text(TEXT.replace("10/s", "11/s"))
        app._look()
        await until(pilot, lambda: app.changed_on_disk)
        assert app.file_status() == [[("changed on disk", "bad")]]

    app = run(path, act)
    assert said(app).count("changed on disk") == 1


# Changes on both sides become one: their comment and value, my value; what is merged is not saved before I save it.
def test_merge(tmp_path: Path) -> None:
    path = topology(tmp_path)
    theirs = TEXT.replace("10/s", "11/s").replace("a quiet", "any")

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        path.write_text(theirs)
        await pilot.press("ctrl+s")
        await answered(pilot, Choice, "m")
        await until(pilot, lambda: app.session.now.label == "merge with disk")
        assert path.read_text() == theirs
        assert app.session.dirty
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert path.read_text() == theirs.replace("nodes = 2", "nodes = 7")


# Where both changed the same value, each is chosen by its key path; going back changes nothing.
@pytest.mark.parametrize(("keys", "count", "rate"), [("d", 7, "12/s"), ("td", 8, "13/s"), (" d", 8, "12/s")])
def test_conflicts_are_chosen_one_by_one(tmp_path: Path, keys: str, count: int, rate: str) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        edit(app, RATE, "12/s")
        path.write_text(TEXT.replace("nodes = 2", "nodes = 8").replace("10/s", "13/s"))
        before = app.session
        await pilot.press("ctrl+s")
        await answered(pilot, Choice, "m")
        await answered(pilot, Conflicts, "escape")
        assert app.session is before
        await pilot.press("ctrl+s")
        await answered(pilot, Choice, "m")
        await until(pilot, lambda: isinstance(app.screen, Conflicts))
        shown = app.screen
        assert isinstance(shown, Conflicts)
        at = [c.path for c in shown.conflicts].index(NODES)
        await pilot.press(*["down"] * at, *(key.replace(" ", "space") for key in keys))
        await until(pilot, lambda: app.session.now.label == "merge with disk")
        values = app.session.now.document.values
        assert values["components"]["web"]["nodes"] == count
        assert values["workload"]["classes"]["page"]["rate"] == rate

    run(path, act)


# Which side is kept is told by a mark, not by colour alone; ctrl+s among the sides saves what comes of it.
def test_conflicts_are_marked_and_saved(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        path.write_text(TEXT.replace("nodes = 2", "nodes = 8"))
        await pilot.press("ctrl+s")
        await answered(pilot, Choice, "m")
        await until(pilot, lambda: isinstance(app.screen, Conflicts))
        listed = app.screen.query_one(OptionList)
        assert "(●) mine 7" in str(listed.get_option_at_index(0).prompt)
        assert "( ) theirs 8" in str(listed.get_option_at_index(0).prompt)
        await pilot.press("t")
        assert "( ) mine 7" in str(listed.get_option_at_index(0).prompt)
        assert "(●) theirs 8" in str(listed.get_option_at_index(0).prompt)
        await pilot.press("m", "ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert path.read_text() == TEXT.replace("nodes = 2", "nodes = 7")


# Reloading takes what is on disk, and undo brings back what was here.
def test_reload(tmp_path: Path) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        path.write_text(TEXT.replace("nodes = 2", "nodes = 8"))
        await pilot.press("R")
        await answered(pilot, Choice, "r")
        await until(pilot, lambda: not app.session.dirty)
        assert app.session.now.document.values["components"]["web"]["nodes"] == 8
        app.action_undo()
        assert app.session.dirty
        assert app.session.now.document.values["components"]["web"]["nodes"] == 7

    run(path, act)


# Overwriting keeps a copy of what somebody else wrote, also of what is no topology at all.
@pytest.mark.parametrize("theirs", [TEXT.replace("10/s", "11/s"), "no topology ["])
def test_overwrite_keeps_a_copy(tmp_path: Path, theirs: str) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        path.write_text(theirs)
        await pilot.press("ctrl+s")
        await answered(pilot, Choice, "o")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert path.read_text() == TEXT.replace("nodes = 2", "nodes = 7")
    assert (tmp_path / "small.toml.bak").read_text() == theirs


# A file that cannot be written is told, nothing is lost, and another name can be given; from then on that is the file.
def test_a_read_only_file(tmp_path: Path) -> None:
    path, other = topology(tmp_path), tmp_path / "other.toml"
    path.chmod(0o444)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert isinstance(app.screen, Choice)
        assert "read-only" in app.screen.asked
        await answered(pilot, Choice, "n")
        await answered(pilot, FileName, "ctrl+a", "ctrl+k", *str(other), "enter")
        await until(pilot, lambda: not app.session.dirty)
        assert app.file is not None
        assert app.file.path == str(other)

    run(path, act)
    assert path.read_text() == TEXT
    assert other.read_text() == TEXT.replace("nodes = 2", "nodes = 7")


# A folder that has vanished is told as what it is, and the work stays unsaved.
def test_a_vanished_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = topology(folder)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        path.unlink()
        folder.rmdir()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Choice) and "is gone from disk" in app.screen.asked)
        await answered(pilot, Choice, "o")
        await until(pilot, lambda: isinstance(app.screen, Choice) and "cannot be written" in app.screen.asked)
        await answered(pilot, Choice, "c")
        assert app.session.dirty

    run(path, act)


# A full disk leaves the old file whole and the work here.
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = topology(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        monkeypatch.setattr("os.fsync", full)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert isinstance(app.screen, Choice)
        assert "No space left" in app.screen.asked
        await answered(pilot, Choice, "c")
        assert app.session.dirty

    run(path, act)
    assert path.read_text() == TEXT


# Leaving with unsaved work asks: staying stays, discarding leaves the file as it was, saving saves.
@pytest.mark.parametrize(("key", "count"), [("d", 2), ("s", 7)])
def test_leaving_asks(tmp_path: Path, key: str, count: int) -> None:
    path = topology(tmp_path)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        edit(app, NODES, 7)
        await pilot.press("q")
        await answered(pilot, Choice, "c")
        assert not app.left
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.pause()
        await pilot.press(key)
        await until(pilot, lambda: app.left)

    run(path, act)
    assert path.read_text() == TEXT.replace("nodes = 2", f"nodes = {count}")
    assert saving.recoverable(str(path)) is None


# Without unsaved work nothing is asked.
def test_leaving_without_changes(tmp_path: Path) -> None:
    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await pilot.press("q")
        await until(pilot, lambda: app.left)

    run(topology(tmp_path), act)


# Work of an earlier session is offered with what differs, comes back as an edit, and is unsaved until it is saved.
def test_recover(tmp_path: Path) -> None:
    path = topology(tmp_path)
    kept = TEXT.replace("nodes = 2", "nodes = 9 # many")
    saving.keep(str(path), kept, saving.fingerprint(str(path)), TEXT)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert isinstance(app.screen, Choice)
        assert list(app.screen.about) == ["web.nodes  2 → 9"]
        await answered(pilot, Choice, "r")
        await until(pilot, lambda: app.session.now.label == "recovered")
        assert app.session.dirty
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert path.read_text() == kept
    assert saving.recoverable(str(path)) is None


# Recovered work meets a file that was changed since: both changes are in the outcome.
def test_recover_into_a_changed_file(tmp_path: Path) -> None:
    path = topology(tmp_path)
    saving.keep(str(path), TEXT.replace("nodes = 2", "nodes = 9"), saving.fingerprint(str(path)), TEXT)
    path.write_text(TEXT.replace("10/s", "11/s"))

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await answered(pilot, Choice, "r")
        await until(pilot, lambda: app.session.dirty)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert path.read_text() == TEXT.replace("nodes = 2", "nodes = 9").replace("10/s", "11/s")


# Discarding, asked about twice, forgets the work; leaving without a decision keeps it for the next start.
@pytest.mark.parametrize(("keys", "kept"), [("dy", False), ("q", True), ("dcq", True)])
def test_not_recovering(tmp_path: Path, keys: str, kept: bool) -> None:  # noqa: FBT001
    path = topology(tmp_path)
    saving.keep(str(path), TEXT.replace("nodes = 2", "nodes = 9"), saving.fingerprint(str(path)), TEXT)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        for key in keys[:-1]:
            await answered(pilot, Choice, key)
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.pause()
        await pilot.press(keys[-1])
        await until(pilot, lambda: app._exit or not app.undecided)
        app.keep_now()

    run(path, act)
    assert (saving.recoverable(str(path)) is not None) == kept


# Differences are said by key path, in one line each.
def test_differences_are_told(tmp_path: Path) -> None:
    old = load(str(topology(tmp_path))).values
    new = load(str(topology(tmp_path)), ["components.web.nodes=3", "components.web.threads=50"]).values
    assert told(old, new) == ["web.nodes  2 → 3", "web.threads  new: 50"]
    assert told(new, old) == ["web.nodes  3 → 2", "web.threads  removed (was 50)"]
    left_out = tomllib.loads(TEXT.replace("nodes = 2\n", ""))
    free = from_values(left_out, "small.toml")
    counts = planned(Version(free, {"web": 6}, "opened"))
    assert told(left_out, new, counts)[0] == "web.nodes  6 → 3", "a count that the plan had found"
