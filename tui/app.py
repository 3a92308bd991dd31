"""The screen: what is shown, and which key does what. Numbers come from a `Scene`, an edit makes a `Session`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from tui.advancing import Advancing
from tui.drawing.canvas import Key
from tui.drawing.picture import picture
from tui.filing import Filing
from tui.finding import Finding
from tui.following import Following
from tui.inspecting import Inspecting
from tui.keys import EVERYWHERE
from tui.preferring import Preferring
from tui.structuring import Structuring
from tui.viewing import Viewing
from tui.widgets.lines import Lines
from tui.widgets.still import StillHorizontal
from tui.widgets.topology import TopologyView
from tui.wiring import Wiring

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.scene import Scene

NARROW = 110
"""Columns below which what stands side by side takes turns."""


AWAITED: Final = [[("… ", "dim"), ("the plan is being found: how many nodes there are is not known yet", "dim")]]
"""What is told of objectives instead of alarms that the counts of the plan would silence a moment later."""


class CapacityApp(Viewing, Filing, Structuring, Wiring, Advancing, Preferring, Finding, Inspecting, Following):
    """One file, being edited."""

    CSS_PATH = "capacity.tcss"
    TITLE = "capacity"
    BINDINGS: ClassVar[list[BindingType]] = [*EVERYWHERE]
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012, textual's own declaration
        (0, "-narrow"),
        (NARROW, "-wide"),
    ]

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Lines(id="status")
        yield Lines(id="objectives")
        yield TopologyView(id="topology")
        with StillHorizontal(id="below"):
            yield from self._panes()
        yield from self._foot()

    def _panes(self) -> ComposeResult:
        """Lay out what stands below the drawing, once there is a session to show."""
        if self.ready:
            from tui.widgets.inspector import Inspector
            from tui.widgets.view_pane import ViewPane

            yield Inspector(self.try_text, id="inspector")
            yield ViewPane(id="view")

    def _foot(self) -> ComposeResult:
        if self.ready:
            from tui.widgets.key_line import KeyLine

            yield KeyLine()

    async def furnish(self) -> None:
        """Add what the first paint did without."""
        await self.query_one("#below").mount(*self._panes())
        await self.screen_stack[0].mount(*self._foot())

    def begin(self, found: Scene) -> None:
        """Show the first numbers at once: they are why somebody came."""
        if self.selected is None:
            first = next(iter(self.session.now.document.topology.components), None)
            self.selected = None if first is None else Key("tier", first)
        self._take(found)
        self.query_one(TopologyView).focus()
        super().begin(found)

    # What follows from what.

    def told(self) -> None:
        """Repaint the top lines."""
        from tui import telling

        parts = [*telling.status(self.session, self.scene, self.baseline), *self.file_status()]
        if self.progress:
            parts.append([(self.progress, "changed")])
        line = [span for part in parts for span in ((" │ ", "dim"), *part)][1:]
        self.query_one("#status", Lines).show([line])
        if self.shown is not None:
            told = telling.objectives(self.shown.evaluation, self.unsurvived, certain=self.certain)
            if self.unanswered:
                told = telling.unanswered(self.unanswered)
            self.query_one("#objectives", Lines).show(AWAITED if self.awaits_counts else told)

    def painted(self) -> None:
        """Repaint the drawing and the inspector."""
        from tui.glance import shape
        from tui.widgets.inspector import Inspector

        shown = self.shown
        if shown is None:
            return
        before = None if self.baseline is None else self.baseline.evaluation
        drawn = picture(shown.topology, shown.evaluation, before)
        if self.awaits_counts:
            drawn = shape(self.session.now.document.values) or drawn
        self.query_one(TopologyView).show(drawn, self.selected, stale=self.unsettled or bool(self.unanswered))
        self.query_one(Inspector).show(self.session, shown, self.selected, self.baseline)

    # What keys and widgets ask for.

    def on_topology_view_selected(self, event: TopologyView.Selected) -> None:
        """Follow the cursor."""
        self.select(event.key)

    def on_topology_view_inspected(self) -> None:
        """Go to the fields of what is selected, if they are there yet; also where those of the whole system were."""
        if not self.ready:
            return
        from tui.widgets.inspector import Inspector

        inspector = self.query_one(Inspector)
        if inspector.whole:
            inspector.show_whole(whole=False)
        inspector.focus_fields()

    def action_load(self, steps: int) -> None:
        """Turn the load up or down; 0 returns to that of the file."""
        self.become(self.session.stepped_load(steps) if steps else replace(self.session, load=1.0))

    def action_scenario(self, steps: int) -> None:
        """Go to the next scenario that this system can meet."""
        known = self.scenarios()
        here = known.index(self.session.scenario) if self.session.scenario in known else 0
        self.become(replace(self.session, scenario=known[(here + steps) % len(known)]))

    def action_undo(self) -> None:
        """Take the last change back."""
        self.become(self.session.undone())

    def action_redo(self) -> None:
        """Make it again."""
        self.become(self.session.redone())

    def action_baseline(self) -> None:
        """Pin what is shown as what to compare with; again, compare with nothing."""
        self.baseline = None if self.baseline is not None else self.scene
        self.told()
        self.found()
