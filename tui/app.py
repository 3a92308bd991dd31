"""The screen: what is shown, and which key does what. Numbers come from a `Scene`, an edit makes a `Session`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.containers import Horizontal
from textual.worker import get_current_worker

from tui.advancing import Advancing
from tui.base import Outdated
from tui.drawing.canvas import Key
from tui.drawing.picture import picture
from tui.filing import Filing
from tui.finding import Finding
from tui.following import Following
from tui.inspecting import Inspecting
from tui.keys import EVERYWHERE
from tui.preferring import Preferring
from tui.structuring import Structuring
from tui.widgets.lines import Lines
from tui.widgets.topology import TopologyView
from tui.wiring import Wiring

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.glance import Reading
    from tui.opening import Opening
    from tui.scene import Scene
    from tui.session import Session
    from tui.views import Asked, View

NARROW = 110
"""Columns below which what stands side by side takes turns."""


AWAITED: Final = [[("… ", "dim"), ("the plan is being found: how many nodes there are is not known yet", "dim")]]
"""What is told of objectives instead of alarms that the counts of the plan would silence a moment later."""


class CapacityApp(Filing, Structuring, Wiring, Advancing, Preferring, Finding, Inspecting, Following):
    """One file, being edited."""

    CSS_PATH = "capacity.tcss"
    TITLE = "capacity"
    BINDINGS: ClassVar[list[BindingType]] = [*EVERYWHERE]
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012, textual's own declaration
        (0, "-narrow"),
        (NARROW, "-wide"),
    ]

    def __init__(
        self, session: Session | None, opening: Opening | None = None, *, reading: Reading | None = None
    ) -> None:
        super().__init__(session, opening, reading=reading)
        self.view: View | None = None

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Lines(id="status")
        yield Lines(id="objectives")
        yield TopologyView(id="topology")
        with Horizontal(id="below"):
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

    def outdate(self) -> None:
        """Stop what is worked out for a session that is no longer shown, the answer of a view as well."""
        super().outdate()
        self.workers.cancel_group(self, "view")

    def told(self) -> None:
        """Repaint the top lines."""
        from tui import telling

        parts = [*telling.status(self.session, self.scene, self.baseline), *self.file_status()]
        if self.progress:
            parts.append([(self.progress, "changed")])
        line = [span for part in parts for span in ((" │ ", "dim"), *part)][1:]
        self.query_one("#status", Lines).show([line])
        if self.scene is not None:
            told = telling.objectives(self.scene.evaluation, self.unsurvived)
            self.query_one("#objectives", Lines).show(AWAITED if self.awaits_counts else told)

    def found(self) -> None:
        """Repaint the drawing, the inspector and the view."""
        self.painted()
        self._ask()

    def painted(self) -> None:
        """Repaint the drawing and the inspector."""
        from tui.glance import shape
        from tui.widgets.inspector import Inspector

        if self.scene is None:
            return
        before = None if self.baseline is None else self.baseline.evaluation
        drawn = picture(self.scene.topology, self.scene.evaluation, before)
        if self.awaits_counts:
            drawn = shape(self.session.now.document.values) or drawn
        self.query_one(TopologyView).show(drawn, self.selected, stale=self.unsettled)
        self.query_one(Inspector).show(self.session, self.scene, self.selected, self.baseline)

    def _ask(self) -> None:
        """Have the open view answered."""
        from tui.views import Asked
        from tui.widgets.view_pane import ViewPane

        if self.view is None or self.scene is None:
            return
        scope, name = self.selected or (None, None)
        asked = Asked(self.scene, name if scope == "tier" else None, name if scope == "class" else None, self.baseline)
        self.query_one(ViewPane).show(self.view, None, stale=True, progress="")
        self.run_worker(
            partial(self._answer, self.view, asked), group="view", description="answer", exclusive=True, thread=True
        )

    def _answer(self, view: View, asked: Asked) -> None:
        from tui.widgets.view_pane import ViewPane

        worker, pane = get_current_worker(), self.query_one(ViewPane)

        def tick(done: int) -> None:
            if worker.is_cancelled:
                raise Outdated
            if done and done % 20 == 0:
                self.call_from_thread(pane.show, view, None, stale=True, progress=f"{done} systems solved")

        try:
            content = view.answer(asked, tick)
        except Outdated:
            return
        if not worker.is_cancelled:
            self.call_from_thread(pane.show, view, content, stale=False, progress="")

    # What keys and widgets ask for.

    def on_topology_view_selected(self, event: TopologyView.Selected) -> None:
        """Follow the cursor."""
        self.select(event.key)

    def on_topology_view_inspected(self) -> None:
        """Go to the fields, if they are there yet."""
        if not self.ready:
            return
        from tui.widgets.inspector import Inspector

        self.query_one(Inspector).focus_fields()

    def action_load(self, steps: int) -> None:
        """Turn the load up or down; 0 returns to that of the file."""
        self.become(self.session.stepped_load(steps) if steps else replace(self.session, load=1.0))

    def action_scenario(self, steps: int) -> None:
        """Go to the next scenario that this system can meet."""
        known = self.scenarios()
        here = known.index(self.session.scenario) if self.session.scenario in known else 0
        self.become(replace(self.session, scenario=known[(here + steps) % len(known)]))

    def action_view(self, name: str) -> None:
        """Open a view, or close it by the same key."""
        from tui.views import views
        from tui.widgets.view_pane import ViewPane

        found = next(view for view in views() if view.id == name)
        self.view = None if self.view is found else found
        self.set_class(self.view is not None, "-viewing")
        # Whatever is hidden now must not keep the focus: keys would go nowhere.
        if self.view is None:
            if self.focused is None or self.query_one(ViewPane) in self.focused.ancestors_with_self:
                self._back()
        elif self.screen_stack[0].has_class("-narrow") or self.has_class("-maximized-view"):
            self.query_one(ViewPane).focus()
        self._ask()

    def open_view(self, name: str) -> None:
        """Open a view; one that is open stays."""
        if self.view is None or self.view.id != name:
            self.action_view(name)

    def action_close_view(self) -> None:
        """Close the open view and go back to the drawing."""
        if self.view is not None:
            self.action_view(self.view.id)
        self._back()

    def _back(self) -> None:
        """Go to what is seen where a view was."""
        from tui.widgets.inspector import Inspector

        if self.has_class("-inspecting") and self.screen_stack[0].has_class("-narrow"):
            self.query_one(Inspector).focus_fields()
        else:
            self.query_one(TopologyView).focus()

    def action_maximize(self) -> None:
        """Give the view the whole screen, and take it back."""
        if self.view is None:
            self.notify("no view is open: v lists them, 1 to 0 open one", markup=False)
        else:
            from tui.widgets.view_pane import ViewPane

            self.toggle_class("-maximized-view")
            self.query_one(ViewPane).focus()

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
