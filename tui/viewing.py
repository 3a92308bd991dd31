"""The open view: asked when what it depends on changes, worked out elsewhere, shown with how far it is."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual.worker import get_current_worker

from tui.arriving import Arriving
from tui.elsewhere import Outdated, telling
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.content import Content
    from tui.glance import Reading
    from tui.opening import Opening
    from tui.session import Question, Session
    from tui.views import Asked, View


QUIET: Final = 0.2
"""Seconds without another change before a view is asked again that took longer than `SHORT`: every key would only
throw away what was begun for the one before."""

SHORT: Final = 0.3
"""Seconds that an answer may have taken to be asked for again at every key."""


class Viewing(Arriving):
    """What is shown beside the drawing when somebody asks for it."""

    def __init__(
        self, session: Session | None, opening: Opening | None = None, *, reading: Reading | None = None
    ) -> None:
        super().__init__(session, opening, reading=reading)
        self.view: View | None = None
        self._about: tuple[Any, ...] | None = None
        """What the open view was asked about last, of that on which its answer depends."""
        self._before: dict[str, tuple[int, float]] = {}
        """How many systems each view solved the last time, and in how many seconds: about as many as it will again."""
        self._soon: Timer | None = None

    def outdate(self) -> None:
        """Stop what is worked out for a session that is no longer shown, the answer of a view as well."""
        super().outdate()
        if self._about is not None and self._about != self._matters(self.session.question):
            self._drop()

    def found(self) -> None:
        """Have the open view answered, unless all that it depends on is as it was."""
        from tui.widgets.view_pane import ViewPane

        self.painted()
        if self.view is None or self.scene is None or self._about == self._matters(self.scene.question):
            return
        _, took = self._before.get(self.view.id, (0, SHORT))
        if took < SHORT:
            self._ask()
        else:
            self._drop()
            self.query_one(ViewPane).show(self.view, None, stale=True, progress="")
            self._soon = self.set_timer(QUIET, self._ask)

    def _drop(self) -> None:
        """Stop what the open view is being asked, or is about to be."""
        self._about = None
        self.workers.cancel_group(self, "view")
        if self._soon is not None:
            self._soon.stop()
            self._soon = None

    def _ask(self) -> None:
        """Have the open view answered."""
        from tui.views import Asked
        from tui.widgets.view_pane import ViewPane

        if self.view is None or self.scene is None:
            return
        self._drop()
        self._about = self._matters(self.scene.question)
        scope, name = self.selected or (None, None)
        asked = Asked(self.scene, name if scope == "tier" else None, name if scope == "class" else None, self.baseline)
        self.query_one(ViewPane).show(self.view, None, stale=True, progress="")
        self.run_worker(
            partial(self._answer, self.view, asked, self._about),
            group="view",
            description="answer",
            exclusive=True,
            thread=True,
        )

    def _matters(self, question: Question) -> tuple[Any, ...] | None:
        """Return what the answer of the open view depends on."""
        view = self.view
        if view is None:
            return None
        scope, name = self.selected or (None, None)
        known = question.version.document, question.version.counts, question.load
        baseline = None if self.baseline is None else self.baseline.question
        scenario = question.scenario if view.of_scenario else None
        selected = name if scope in (("tier",) if view.of_tier else ("class",) if view.of_class else ()) else None
        return view.id, *known, scenario, selected, baseline

    def _answer(self, view: View, asked: Asked, about: tuple[Any, ...] | None) -> None:
        from tui.widgets.view_pane import ViewPane

        worker, pane = get_current_worker(), self.query_one(ViewPane)
        began, solved = time.monotonic(), 0

        def tell(done: int, seconds: float) -> None:
            nonlocal solved
            solved = max(solved, done)
            said = progress(done, self._before.get(view.id, (0, 0.0))[0], seconds)
            self.call_from_thread(pane.show, view, None, stale=True, progress=said)

        try:
            content = self.elsewhere.ask(view.answer, asked, tick=telling(lambda: worker.is_cancelled, tell))
        except Outdated:
            return
        if not worker.is_cancelled:
            self._before[view.id] = solved, time.monotonic() - began
            self.call_from_thread(self._answered, view, about, content)

    def _answered(self, view: View, about: tuple[Any, ...] | None, content: Content) -> None:
        from tui.widgets.view_pane import ViewPane

        if view is self.view and about is self._about:  # nothing has changed since it was asked
            self.query_one(ViewPane).show(view, content, stale=False, progress="")

    # What keys ask for.

    def action_view(self, name: str) -> None:
        """Open a view, or close it by the same key."""
        from tui.views import views
        from tui.widgets.view_pane import ViewPane

        found = next(view for view in views() if view.id == name)
        self.view = None if self.view is found else found
        self.set_class(self.view is not None, "-viewing")
        # Whatever is hidden now must not keep the focus: keys would go nowhere.
        if self.view is None:
            self._drop()
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


def progress(done: int, before: int, seconds: float) -> str:
    """Return how far an answer is; of as many as the last time, if it took that long before."""
    of = f" of about {before:,}" if before > done else ""
    return f"{done:,}{of} systems solved in {seconds:.0f} s"
