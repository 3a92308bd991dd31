"""Two programs on one file: each keeps its own work, sees the other, and is offered only what was left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from capacity import saving
from capacity.claims import Claim, running
from tests.tui.filing import NODES, TEXT, answered, edit, run, said, topology, until
from tui.screens.choice import Choice

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import CapacityApp

HOLDING = "import sys, time; from capacity.claims import Claim; Claim(sys.argv[1], sys.argv[2]).take(); print(1, flush=True); time.sleep(60)"  # fmt: skip


# A claim is seen by others while it is held, also from another process, and no longer once that was killed.
def test_a_claim_ends_with_its_program(tmp_path: Path) -> None:
    path = str(topology(tmp_path))
    mine = Claim(path)
    mine.take()
    assert running(path) == [mine.owner]
    assert mine.others() == []
    with subprocess.Popen([sys.executable, "-c", HOLDING, path, "77-x"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert mine.others() == [77]
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert mine.others() == []
    mine.release()
    assert running(path) == []
    assert list(saving.recovery_file(path).parent.glob("*.lock")) == []


# What several sessions keep stands side by side; the latest that nobody works on is what is offered.
def test_each_session_keeps_its_own(tmp_path: Path) -> None:
    path = str(topology(tmp_path))
    for age, owner in ((30, ""), (20, "1-a"), (10, "2-b")):
        saving.keep(path, TEXT + f"# {owner}", None, None, owner)
        then = time.time() - age
        os.utime(saving.recovery_file(path, owner), (then, then))
    latest = saving.recoverable(path)
    assert latest is not None
    assert (latest.owner, latest.text) == ("2-b", TEXT + "# 2-b")
    second = saving.recoverable(path, ["2-b"])
    assert second is not None
    assert second.owner == "1-a"
    saving.discard(path, "1-a")
    left = [saving.recovery_file(path, owner).exists() for owner in ("", "1-a", "2-b")]
    assert left == [True, False, True]


# A second editor says that there is a first one, is not offered the work in it, and leaves it where it is.
def test_a_second_editor(tmp_path: Path) -> None:
    path = topology(tmp_path)
    first = Claim(str(path), f"{os.getpid()}-first")
    first.take()
    saving.keep(str(path), TEXT.replace("nodes = 2", "nodes = 9"), saving.fingerprint(str(path)), TEXT, first.owner)

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        assert not app.screen.is_modal
        assert f"open in another editor as well (process {os.getpid()})" in said(app)
        assert [("also open elsewhere", "bad")] in app.file_status()
        edit(app, NODES, 5)
        assert app.claim is not None
        own = saving.recovery_file(str(path), app.claim.owner)
        await until(pilot, own.exists)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty and not own.exists())
        first.release()
        await until(pilot, lambda: app.file_status() == [])

    run(path, act)
    assert saving.recovery_file(str(path), first.owner).exists()


# Of two that were killed, the later work is offered first, and the earlier once that is discarded.
def test_what_two_left_behind(tmp_path: Path) -> None:
    path = topology(tmp_path)
    for age, owner, nodes in ((20, "1-a", 7), (10, "2-b", 8)):
        saving.keep(str(path), TEXT.replace("nodes = 2", f"nodes = {nodes}"), None, TEXT, owner)
        then = time.time() - age
        os.utime(saving.recovery_file(str(path), owner), (then, then))

    async def act(app: CapacityApp, pilot: Pilot[None]) -> None:
        await answered(pilot, Choice, "d")
        await answered(pilot, Choice, "c")
        assert saving.recoverable(str(path)) is not None, "asked again, and not discarded"
        await answered(pilot, Choice, "d")
        await answered(pilot, Choice, "y")
        await answered(pilot, Choice, "r")
        await until(pilot, lambda: app.session.dirty)
        assert app.session.now.document.values["components"]["web"]["nodes"] == 7
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.session.dirty)

    run(path, act)
    assert saving.recoverable(str(path)) is None
