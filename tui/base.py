"""What every part of the app stands on: one session, the scene that follows from it, what is selected."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from capacity.errors import CapacityError
from tui.drawing.canvas import Key
from tui.drawing.text import clean
from tui.in_turn import KeysInTurn
from tui.scene import Scene, scene

if TYPE_CHECKING:
    from capacity.editing import Edited
    from capacity.system import Counts
    from tui.session import Question, Session


class Outdated(Exception):  # noqa: N818
    """Nobody waits for the answer any more."""


class SessionApp(KeysInTurn):
    """Holds the session; whatever changes it goes through `become`, and is evaluated beside the screen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.scene: Scene | None = None
        """The last answer; while a newer one is worked out, of an older session."""
        self.baseline: Scene | None = None
        self.selected: Key | None = None
        self.unsettled = False
        """Whether something is typed that cannot be read, so that the numbers are those of before."""
        self.progress = ""
        """What is being worked on beside the screen, in a few words."""

    def become(self, session: Session) -> None:
        """Go on with another session: the one way in which anything changes."""
        self.session = session
        self.told()
        self.run_worker(
            partial(self._evaluate, session.question),
            group="scene",
            description="evaluate",
            exclusive=True,
            thread=True,
        )

    def edit(self, edited: Edited, *, selected: Key | None = None, counts: Counts | None = None) -> None:
        """Take an edit into the history, and select what it made; `counts` are those of tiers with new names."""
        if selected is not None:
            self.selected = selected
        self.become(self.session.edited(edited.document, edited.name, counts))

    def select(self, key: Key) -> None:
        """Show another tier or class."""
        self.selected = key
        self.found()

    def told(self) -> None:
        """Repaint what follows from the session alone."""

    def found(self) -> None:
        """Repaint what follows from the scene."""

    def painted(self) -> None:
        """Repaint what follows from the scene, but for an open view."""

    def _evaluate(self, question: Question) -> None:
        worker = get_current_worker()
        try:
            found = scene(question)
        except CapacityError as error:
            if not worker.is_cancelled:
                self.call_from_thread(self._without_answer, question, str(error))
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._take, found)

    def _without_answer(self, question: Question, why: str) -> None:
        """Keep the last good numbers and say why; what a scenario is about may just have gone."""
        if not self.is_running:
            return
        if question.scenario is not None:
            self.become(replace(self.session, scenario=None))
        else:
            self.notify(clean(why), title="No numbers for this", severity="error", timeout=15, markup=False)

    def _take(self, found: Scene) -> None:
        if not self.is_running:
            return  # an answer that came after the screen had gone
        self.scene = found
        if found.question.version is self.session.now and not _there(self.selected, found):
            self.selected = next((Key("tier", name) for name in found.topology.components), None)
        self.told()
        self.found()


def _there(key: Key | None, found: Scene) -> bool:
    if key is None:
        return False
    return key.name in (found.topology.components if key.scope == "tier" else found.topology.workload.classes)
