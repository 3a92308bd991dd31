"""The keys that work everywhere, each with a stable id by which it can be bound to another key."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

EVERYWHERE: Final = [
    Binding("left_square_bracket", "load(-1)", "Load -", key_display="[", id="load.less", tooltip="Less load"),
    Binding("right_square_bracket", "load(1)", "Load +", key_display="]", id="load.more", tooltip="More load"),
    Binding(
        "backslash", "load(0)", "Load ×1", key_display="\\", id="load.one", tooltip="The load of the file", show=False
    ),
    Binding("x", "scenario(1)", "Scenario", id="scenario.next", tooltip="The next scenario: what fails"),
    Binding("X", "scenario(-1)", "Scenario back", id="scenario.previous", show=False),
    Binding("s", "solve", "Solve", id="plan.solve", tooltip="Let the plan find the counts that the file leaves out"),
    Binding("b", "baseline", "Baseline", id="baseline.pin", tooltip="Compare with the numbers as they are now"),
    Binding("u,ctrl+z", "undo", "Undo", id="history.undo", tooltip="Take the last change back"),
    Binding("U,ctrl+y", "redo", "Redo", id="history.redo", show=False, tooltip="Make it again"),
    Binding("ctrl+s", "save", "Save", id="file.save", tooltip="Write the file, comments kept"),
    Binding("S,f12", "save_as", "Save as", id="file.save_as", show=False, tooltip="Write under another name"),
    Binding("R,f5", "reload", "Reload", id="file.reload", show=False, tooltip="Merge or reload what changed on disk"),
    Binding(
        "e", "export", "Export", id="file.export", tooltip="Write the plan as TOML, JSON, Markdown or SVG", show=False
    ),
    Binding("y", "copy", "Copy", id="copy", tooltip="Copy a value, a table or the command line", show=False),
    Binding("slash", "find", "Find", key_display="/", id="find", tooltip="Go to a tier or a class"),
    Binding("g", "jump", "Jump", id="jump", tooltip="Go anywhere by one key", show=False),
    Binding(
        "m", "maximize", "Maximise", id="view.maximize", tooltip="The view over the whole screen, and back", show=False
    ),
    Binding("f1,question_mark", "help", "Help", key_display="?", id="help", tooltip="What can be done here"),
    Binding("q", "leave", "Quit", id="quit", tooltip="Leave; asks before anything is lost"),
]
