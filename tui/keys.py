"""The keys that work everywhere or on the drawing, each with a stable id by which it can be bound to another key."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

_LOAD: Final = Binding.Group("Load", compact=True)

EVERYWHERE: Final = [
    Binding("left_square_bracket", "load(-1)", "Load -", id="load.less", tooltip="Less load", group=_LOAD),
    Binding("right_square_bracket", "load(1)", "Load +", id="load.more", tooltip="More load", group=_LOAD),
    Binding("backslash", "load(0)", "Load ×1", id="load.one", tooltip="The load of the file", show=False),
    Binding("x", "scenario(1)", "Scenario", id="scenario.next", tooltip="The next scenario: what fails"),
    Binding("X", "scenario(-1)", "Scenario back", id="scenario.previous", show=False, tooltip="The one before"),
    Binding("s", "solve", "Solve", id="plan.solve", tooltip="Let the plan find the counts that the file leaves out"),
    Binding(
        "n",
        "next_step",
        "Next step",
        id="next.apply",
        show=False,
        tooltip="Take a step of a growing architecture into the file",
    ),
    Binding(
        "b", "baseline", "Baseline", show=False, id="baseline.pin", tooltip="Compare with the numbers as they are now"
    ),
    Binding("u,ctrl+z", "undo", "Undo", id="history.undo", tooltip="Take the last change back"),
    Binding("U,ctrl+y", "redo", "Redo", id="history.redo", show=False, tooltip="Make it again"),
    Binding("H", "history", "History", id="history.list", show=False, tooltip="Every change; go to any of them"),
    Binding("ctrl+s", "save", "Save", id="file.save", tooltip="Write the file, comments kept"),
    Binding("S,f12", "save_as", "Save as", id="file.save_as", show=False, tooltip="Write under another name"),
    Binding("R,f5", "reload", "Reload", id="file.reload", show=False, tooltip="Merge or reload what changed on disk"),
    Binding(
        "e", "export", "Export", id="file.export", tooltip="Write the plan as TOML, JSON, Markdown or SVG", show=False
    ),
    Binding("y", "copy", "Copy", id="copy", tooltip="Copy a value, a table or the command line", show=False),
    Binding("slash", "find", "Find", show=False, id="find", tooltip="Go to a tier or a class"),
    Binding("g", "jump", "Jump", id="jump", tooltip="Go anywhere by one key", show=False),
    Binding("v", "list_views", "Views", id="view.list", tooltip="Every view, to choose one"),
    Binding(
        "m", "maximize", "Maximise", id="view.maximize", tooltip="The view over the whole screen, and back", show=False
    ),
    Binding(
        "ctrl+p",
        "command_palette",
        "Commands",
        id="commands",
        tooltip="Everything that can be done, by name",
        priority=True,
        show=False,
    ),
    Binding("question_mark,f1", "help", "Help", id="help", tooltip="What can be done here"),
    Binding("q", "leave", "Quit", id="quit", tooltip="Leave; asks before anything is lost"),
]

ON_DRAWING: Final = [
    Binding("a", "app.new_tier", "Add", id="tier.add", tooltip="Add a tier"),
    Binding("A", "app.new_class", "Add class", id="class.add", show=False, tooltip="Add a request class"),
    Binding(
        "d,delete",
        "app.remove",
        "Remove",
        id="selected.remove",
        show=False,
        tooltip="Remove the selected tier or class",
    ),
    Binding("r", "app.rename", "Rename", id="selected.rename", show=False, tooltip="Rename it, wherever it is named"),
    Binding("c", "app.duplicate", "Copy", id="selected.copy", show=False, tooltip="A second one like it"),
    Binding(
        "w",
        "app.rewire",
        "Rewire",
        id="selected.rewire",
        show=False,
        tooltip="Whom it calls, who calls it, where it is",
    ),
    Binding("p", "app.pin", "Pin count", id="tier.pin", show=False, tooltip="Fix its count, or leave it to the plan"),
]
"""What is done with whole tiers and classes: with the drawing in focus, since letters are text elsewhere."""
