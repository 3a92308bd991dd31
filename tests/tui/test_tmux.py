from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from capacity.document import load
from capacity.examples import folder

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT = 60.0
"""Seconds for anything to come: a machine that is busy with other things must not fail it."""


class Tmux:
    """A terminal of its own, on a server of its own."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.socket, self.folder = name, folder
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(folder)}
        self._run("new-session", "-d", "-x", "160", "-y", "50", *command, environment=environment)

    def _run(self, *words: str, environment: dict[str, str] | None = None) -> str:
        tmux = shutil.which("tmux")
        assert tmux is not None, "this test drives a real terminal: install tmux"
        line = [tmux, "-L", self.socket, *words]
        done = subprocess.run(line, check=False, capture_output=True, text=True, env=environment, cwd=self.folder)
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys at the speed of a person."""
        for key in keys:
            self._run("send-keys", key)
            time.sleep(0.2)

    @property
    def screen(self) -> str:
        """What is on the screen."""
        return self._run("capture-pane", "-p")

    def see(self, text: str) -> None:
        """Wait until a text is on the screen."""
        end = time.monotonic() + WAIT
        while text not in self.screen:
            assert time.monotonic() < end, f"{text!r} does not come:\n{self.screen}"
            time.sleep(0.1)

    def close(self) -> None:
        """End the terminal and all that runs in it."""
        self._run("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Tmux]:
    shutil.copy(Path(str(folder())) / "shop.toml", tmp_path / "shop.toml")
    opened = Tmux(f"capacity-{os.getpid()}", [sys.executable, "-m", "capacity", "tui", "shop.toml"], tmp_path)
    yield opened
    opened.close()


# A person opens the shop in a real terminal, makes the application slower, sees what follows, undoes, makes it again,
# saves, and leaves: the file has the change and all its comments.
@pytest.mark.slow
def test_from_opening_to_saving(terminal: Tmux, tmp_path: Path) -> None:
    before = (tmp_path / "shop.toml").read_text(encoding="utf-8")
    terminal.see("2,843 USD/month")
    terminal.press("Right", "Enter")
    terminal.see("cpu_time.browse")
    terminal.press("Down", "Down", "Enter", "BSpace", "BSpace", "BSpace", "1", "4", "m", "s", "Enter", "Escape")
    terminal.see("70%")
    terminal.press("4")
    terminal.see("What may happen")
    terminal.press("4", "u")
    terminal.see("47%")
    terminal.press("U")
    terminal.see("70%")
    terminal.press("C-s")
    terminal.see("saved")
    terminal.press("q")
    after = (tmp_path / "shop.toml").read_text(encoding="utf-8")
    assert after == before.replace('browse = "9ms"', 'browse = "14ms"')
    assert load(str(tmp_path / "shop.toml")).topology.name == "shop"
