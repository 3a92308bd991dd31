"""What every part of the app stands on: one session, the scene that follows from it, what is selected."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import thread_time
from typing import TYPE_CHECKING, Final

from textual.worker import get_current_worker

from capacity.errors import CapacityError
from tui.drawing.canvas import Key
from tui.elsewhere import Elsewhere, Outdated
from tui.in_turn import KeysInTurn
from tui.steady import Tidying, steady

if TYPE_CHECKING:
    from capacity.editing import Edited
    from capacity.system import Counts
    from tui.scene import Scene
    from tui.session import Question, Session


__all__ = ["FRAME", "Outdated", "SessionApp"]

FRAME: Final = 0.03
"""Seconds of work for which the screen may stand still: less than anybody sees, if it is not done twice for one key."""


class SessionApp(KeysInTurn):
    """Holds the session; whatever changes it goes through `become`, and is evaluated beside the screen."""

    session: Session

    def __init__(self, session: Session | None) -> None:
        super().__init__()
        if session is not None:
            self.session = session
        self.scene: Scene | None = None
        """The last answer; while a newer one is worked out, of an older session."""
        self.baseline: Scene | None = None
        self.selected: Key | None = None
        self.unsettled = False
        """Whether something is typed that cannot be read, so that the numbers are those of before."""
        self.unanswered = ""
        """Why there are no numbers for what is shown, so that they are those of before; empty where there are."""
        self.progress = ""
        """What is being worked on beside the screen, in a few words."""
        self._tidying = Tidying()
        self.took = 0.0
        """Seconds of the processor that the last evaluation took."""
        self.elsewhere = Elsewhere()

    @property
    def awaits_counts(self) -> bool:
        """Whether how many nodes there are is not known yet."""
        return False

    def begin(self, found: Scene) -> None:
        """Start with a session, its numbers and every widget there."""

    def complete(self) -> None:
        """Do what can wait until the first numbers are painted."""
        if not self.is_headless:  # a program of its own, which ends with the screen
            self.call_after_refresh(steady)
            self.run_worker(self.elsewhere.open, group="elsewhere", thread=True)

    def on_unmount(self) -> None:
        """End what works for the screen."""
        self.elsewhere.close()

    def become(self, session: Session) -> None:
        """Go on with another session: the one way in which anything changes.

        Its numbers are worked out here and now if those before took no longer than a frame, so that a keystroke is one
        repaint; else beside the screen, which shows the session at once and its numbers when they are there.
        """
        self.session = session
        self.outdate()
        if self.took <= FRAME:
            self._work_out(session.question)
            return
        self.told()
        self.awaited()
        work = partial(self._evaluate, session.question)
        self.run_worker(work, group="scene", description="evaluate", exclusive=True, thread=True)

    def edit(self, edited: Edited, *, selected: Key | None = None, counts: Counts | None = None) -> None:
        """Take an edit into the history, and select what it made; `counts` are those of tiers with new names."""
        if selected is not None:
            self.selected = selected
        self.become(self.session.edited(edited.document, edited.name, counts))

    def select(self, key: Key) -> None:
        """Show another tier or class."""
        self.selected = key
        self.found()

    def outdate(self) -> None:
        """Stop what is worked out for a session that is no longer shown: it would only delay what is."""
        self.workers.cancel_group(self, "scene")

    def awaited(self) -> None:
        """Repaint what follows from the session while its numbers are worked out."""

    def told(self) -> None:
        """Repaint what follows from the session alone."""

    def found(self) -> None:
        """Repaint what follows from the scene."""

    def painted(self) -> None:
        """Repaint what follows from the scene, but for an open view."""

    def _work_out(self, question: Question) -> None:
        try:
            found = self._scene(question)
        except CapacityError as error:
            self._without_answer(question, str(error))
        else:
            self._take(found)

    def _evaluate(self, question: Question) -> None:
        worker = get_current_worker()
        try:
            found = self._scene(question)
        except CapacityError as error:
            if not worker.is_cancelled:
                self.call_from_thread(self._without_answer, question, str(error))
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._take, found)

    def _scene(self, question: Question) -> Scene:
        """Return the scene, and remember how long it took; other threads and programs do not count."""
        from tui.scene import scene

        began = thread_time()
        found = scene(question, self.scene)
        self.took = thread_time() - began
        return found

    def _without_answer(self, question: Question, why: str) -> None:
        """Keep the last good numbers and say why; what a scenario is about may just have gone."""
        if not self.is_running:
            return
        if question.scenario is not None:
            self.become(replace(self.session, scenario=None))
        else:
            self.unanswered = why
            self.told()
            self.found()

    def _take(self, found: Scene) -> None:
        if not self.is_running:
            return  # an answer that came after the screen had gone
        self.scene, self.unanswered = found, ""
        if found.question.version is self.session.now and not _there(self.selected, found):
            self.selected = next((Key("tier", name) for name in found.topology.components), None)
        self.told()
        self.found()
        if not self.is_headless:
            self._tidying.soon()


def _there(key: Key | None, found: Scene) -> bool:
    if key is None:
        return False
    return key.name in (found.topology.components if key.scope == "tier" else found.topology.workload.classes)
