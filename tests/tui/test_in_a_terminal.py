from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from capacity import saving
from tests.capacity.running import capacity, process
from tests.tui.filing import TEXT, topology
from tests.tui.pseudo_terminal import LIMIT, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OVERRIDE = "components.web.nodes=9"
EDITED = TEXT.replace("nodes = 2", "nodes = 9")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def wait(true: Callable[[], bool]) -> None:
    """Wait until something is true of the files."""
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def kept(path: Path) -> bool:
    """Return whether the edit of these tests is kept."""
    found = saving.recoverable(str(path))
    return found is not None and found.text == EDITED


# Killed at once, the program has the work of a second ago: the next start offers it, and it can be saved.
def test_kill_9_and_recover(tmp_path: Path) -> None:
    path = topology(tmp_path)
    with Terminal("tui", path, "--set", OVERRIDE) as terminal:
        terminal.shows("web")
        wait(lambda: kept(path))
        terminal.signal(signal.SIGKILL)
        assert terminal.ended() == -signal.SIGKILL
    assert path.read_text() == TEXT
    with Terminal("tui", path) as terminal:
        terminal.shows("Unsaved work")
        terminal.shows("recover it")
        terminal.type("r")
        terminal.shows("●")
        terminal.type("\x13")
        terminal.shows("saved")
        terminal.type("q")
        assert terminal.ended() == 0
    assert path.read_text() == EDITED
    assert saving.recoverable(str(path)) is None


# Work is kept within a second of an edit, measured from the key to the file.
def test_work_is_kept_within_a_second(tmp_path: Path) -> None:
    path = topology(tmp_path)
    with Terminal("tui", path, "--set", OVERRIDE) as terminal:
        terminal.shows("web")
        wait(lambda: kept(path))
        terminal.type("u")
        wait(lambda: not kept(path))
        terminal.type("U")
        pressed = time.monotonic()
        wait(lambda: kept(path))
        # On an idle machine this takes half of it; a busy one may not get to it in time, and the limit is then its own.
        assert time.monotonic() - pressed < 1.0 + max(0.0, os.getloadavg()[0] - (os.cpu_count() or 1)) * 0.5


# Told to end, it keeps the work, puts the terminal in order, and says by its exit code what ended it.
def test_terminated(tmp_path: Path) -> None:
    path = topology(tmp_path)
    with Terminal("tui", path, "--set", OVERRIDE) as terminal:
        terminal.shows("●")
        terminal.signal(signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM
        terminal.shows("\x1b[?1049l")
    assert kept(path)


# When its window is closed it ends, and the work is kept.
def test_hung_up(tmp_path: Path) -> None:
    path = topology(tmp_path)
    with Terminal("tui", path, "--set", OVERRIDE) as terminal:
        terminal.shows("●")
        terminal.hang_up()
        assert terminal.ended() == 128 + signal.SIGHUP
    assert kept(path)


# A clean leave leaves nothing behind.
def test_left(tmp_path: Path) -> None:
    path = topology(tmp_path)
    with Terminal("tui", path, "--set", OVERRIDE) as terminal:
        terminal.shows("web")
        terminal.type("q")
        terminal.shows("leave without saving")
        terminal.type("d")
        assert terminal.ended() == 0
    assert path.read_text() == TEXT
    assert not list((tmp_path / "state").rglob("*.json"))


# A wrong file is told as `plan` tells it, before anything is drawn.
def test_a_wrong_file(tmp_path: Path) -> None:
    path = topology(tmp_path, TEXT.replace("nodes = 2", "nodes = 0").replace("web]", "wbe]"))
    told = capacity("plan", path).err
    with Terminal("tui", path) as terminal:
        assert terminal.ended() == 2
        terminal.shows("nothing was computed")
        assert terminal.output.replace("\r\n", "\n") == told


# What only the check finds wrong closes the screen again and is told in the same words, with the same exit code.
def test_a_file_that_looks_right(tmp_path: Path) -> None:
    path = topology(tmp_path, TEXT.replace("nodes = 2", "nodes = 0"))
    told = capacity("plan", path).err
    with Terminal("tui", path) as terminal:
        assert terminal.ended() == 2
        terminal.shows("nothing was computed")
        assert terminal.output.replace("\r\n", "\n").endswith(told)


# Keys that are pressed before there is anything to change are not lost.
def test_keys_of_the_first_moment(tmp_path: Path) -> None:
    path = topology(tmp_path)
    with Terminal("tui", path, "--set", OVERRIDE) as terminal:
        terminal.shows("\x1b[?1049h")
        terminal.type("q")
        terminal.shows("leave without saving")
        terminal.type("d")
        assert terminal.ended() == 0


# What cannot be opened is refused with the cure: no file, standard input, a terminal that cannot draw.
@pytest.mark.parametrize(
    ("file", "term", "cure"),
    [
        ("nowhere/none.toml", "xterm", "there is no folder"),
        ("-", "xterm", "name a file"),
        ("small.toml", "dumb", "TERM"),
    ],
)
def test_what_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, term: str, cure: str
) -> None:
    topology(tmp_path)
    monkeypatch.chdir(tmp_path)
    with Terminal("tui", file, term=term) as terminal:
        assert terminal.ended() == 2
        terminal.shows(cure)


# Without a terminal it says so, instead of drawing into a pipe.
def test_without_a_terminal(tmp_path: Path) -> None:
    ended = process("tui", topology(tmp_path))
    assert ended.returncode == 2
    assert ended.stdout == b""
    assert b"needs a terminal" in ended.stderr
