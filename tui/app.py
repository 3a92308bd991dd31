"""The screen: what is shown, and which key does what. Numbers come from a `Scene`, an edit makes a `Session`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.widgets import Footer
from textual.worker import get_current_worker

from capacity.scenarios import SCENARIOS, events
from tui import telling
from tui.drawing.canvas import Key
from tui.drawing.picture import picture
from tui.keys import EVERYWHERE
from tui.scene import Scene, scene
from tui.views import Asked, View, views
from tui.widgets.inspector import Inspector
from tui.widgets.lines import Lines
from tui.widgets.topology import TopologyView
from tui.widgets.view_pane import ViewPane

if TYPE_CHECKING:
    from textual.binding import BindingType

    from tui.session import Question, Session

NARROW = 110
"""Columns below which what stands side by side takes turns."""


class CapacityApp(App[None]):
    """One file, being edited."""

    CSS_PATH = "capacity.tcss"
    TITLE = "capacity"
    BINDINGS: ClassVar[list[BindingType]] = [*EVERYWHERE]
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012, textual's own declaration
        (0, "-narrow"),
        (NARROW, "-wide"),
    ]

    scene: var[Scene | None] = var(None)
    baseline: var[Scene | None] = var(None)
    selected: var[Key | None] = var(None)
    view: var[View | None] = var(None)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Lines(id="status")
        yield Lines(id="objectives")
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield TopologyView(id="topology")
                yield ViewPane(id="view")
            yield Inspector(id="inspector")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the first numbers at once: they are why somebody came."""
        for view in views():
            self.bind(view.key, f"view('{view.id}')", description=view.title, show=False)
        self._found(scene(self.session.question))
        self.query_one(TopologyView).focus()
        first = next(iter(self.session.now.document.topology.components), None)
        if first is not None:
            self.selected = Key("tier", first)

    # What follows from what.

    def become(self, session: Session) -> None:
        """Go on with another session: the one way in which anything changes. Evaluated beside the screen."""
        self.session = session
        self._say()
        self.run_worker(partial(self._evaluate, session.question), group="scene", exclusive=True, thread=True)

    def _evaluate(self, question: Question) -> None:
        worker, found = get_current_worker(), scene(question)
        if not worker.is_cancelled:
            self.call_from_thread(self._found, found)

    def _found(self, found: Scene) -> None:
        self.scene = found
        self._say()
        self._draw()
        self._ask()

    def watch_selected(self) -> None:
        """Show another box."""
        if self.scene is not None:
            self._draw()
            self._ask()

    def watch_view(self) -> None:
        """Open or close the pane of views."""
        self.set_class(self.view is not None, "-viewing")
        self._ask()

    def _say(self) -> None:
        found = self.scene
        parts = telling.status(self.session, found, self.baseline)
        line = [span for part in parts for span in ((" │ ", "dim"), *part)][1:]
        self.query_one("#status", Lines).show([line])
        if found is not None:
            self.query_one("#objectives", Lines).show(telling.objectives(found.evaluation))

    def _draw(self) -> None:
        if self.scene is None:
            return
        before = None if self.baseline is None else self.baseline.evaluation
        drawn = picture(self.scene.topology, self.scene.evaluation, before)
        self.query_one(TopologyView).show(drawn, self.selected)
        self.query_one(Inspector).show(self.session, self.scene, self.selected, self.baseline)

    def _ask(self) -> None:
        """Have the open view answered, unless it has been for this very question."""
        view, found = self.view, self.scene
        if view is None or found is None:
            return
        tier = self.selected.name if self.selected is not None and self.selected.scope == "tier" else None
        request_class = self.selected.name if self.selected is not None and self.selected.scope == "class" else None
        pane = self.query_one(ViewPane)
        pane.show(view, None, stale=True, progress="")
        asked = Asked(found, tier, request_class, self.baseline)
        self.run_worker(partial(self._answer, view, asked), name="view", group="view", exclusive=True, thread=True)

    def _answer(self, view: View, asked: Asked) -> None:
        worker = get_current_worker()

        def tick(done: int) -> None:
            if worker.is_cancelled:
                raise Outdated
            if done % 20 == 0:
                self.call_from_thread(self.query_one(ViewPane).show, view, None, stale=True, progress=f"{done}")

        try:
            content = view.answer(asked, tick)
        except Outdated:
            return
        if not worker.is_cancelled:
            self.call_from_thread(self.query_one(ViewPane).show, view, content, stale=False, progress="")

    # What keys and widgets ask for.

    def on_topology_view_selected(self, event: TopologyView.Selected) -> None:
        """Follow the cursor."""
        self.selected = event.key

    def on_topology_view_inspected(self) -> None:
        """Go to the fields."""
        self.query_one(Inspector).focus_fields()

    def action_load(self, steps: int) -> None:
        """Turn the load up or down; 0 returns to that of the file."""
        self.become(self.session.stepped_load(steps) if steps else replace(self.session, load=1.0))

    def action_scenario(self, steps: int) -> None:
        """Go to the next scenario that this system can meet."""
        if self.scene is None:
            return
        system = self.scene.search.system
        known: list[str | None] = [
            None,
            *(n for n in SCENARIOS if n != "normal" and any(True for _ in events(system, n))),
        ]
        here = known.index(self.session.scenario) if self.session.scenario in known else 0
        self.become(replace(self.session, scenario=known[(here + steps) % len(known)]))

    def action_view(self, name: str) -> None:
        """Open a view, or close it by the same key."""
        found = next(view for view in views() if view.id == name)
        self.view = None if self.view is found else found

    def action_undo(self) -> None:
        """Take the last change back."""
        self.become(self.session.undone())

    def action_redo(self) -> None:
        """Make it again."""
        self.become(self.session.redone())

    def action_baseline(self) -> None:
        """Pin what is shown as what to compare with; again, compare with nothing."""
        self.baseline = None if self.baseline is not None else self.scene
        self._say()
        self._draw()


class Outdated(Exception):  # noqa: N818
    """Nobody waits for the answer any more."""
