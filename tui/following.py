"""What is looked at elsewhere once the numbers stand: availability, and what the file wants survived."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.worker import get_current_worker

from tui.base import Outdated, SessionApp
from tui.later import Later

if TYPE_CHECKING:
    from capacity.results import Evaluation
    from tui.scene import FollowUp, Scene
    from tui.session import Session

QUIET: Final = 0.1
"""Seconds without another change before it starts: while somebody types, every cycle belongs to the numbers."""


class Following(SessionApp):
    """What is told of a scene a moment after its numbers."""

    def __init__(self, session: Session | None) -> None:
        super().__init__(session)
        self.unsurvived: tuple[str, ...] = ()
        """What the file wants survived and the numbers on the screen do not, as far as it is known."""
        self._quiet = Later()
        self._last_followed: tuple[str, Evaluation] | None = None
        """The last evaluation whose availability is known, and the file that it is of."""
        self._shown: tuple[Scene, Scene] | None = None

    def outdate(self) -> None:
        """Stop looking beside what is no longer shown."""
        super().outdate()
        self.workers.cancel_group(self, "following")
        self._quiet.drop()

    def _take(self, found: Scene) -> None:
        super()._take(found)
        if not self.is_running:
            return
        if self.awaits_counts:
            self.unsurvived = ()  # of counts that are none yet
        elif found.question.scenario is None:
            self._quiet.do(QUIET, partial(self._look_soon, found))
        else:
            self.unsurvived = ()

    @property
    def shown(self) -> Scene | None:
        """The scene as it is to be painted: with the availability of a moment ago, until its own is known.

        Otherwise a verdict would go and come back with every key, and boxes jump with it.
        """
        scene = self.scene
        if scene is None or self._last_followed is None or scene.question.scenario is not None or self.awaits_counts:
            return scene
        source, known = self._last_followed
        if source != scene.question.version.document.source:
            return scene
        if self._shown is None or self._shown[0] is not scene:
            from capacity.outcomes import with_uptime_of

            evaluation = with_uptime_of(scene.evaluation, known, scene.topology.slo.availability)
            self._shown = scene, replace(scene, evaluation=evaluation)
        return self._shown[1]

    @property
    def certain(self) -> bool:
        """Whether it is known of the numbers that are shown what they survive, and how available they are."""
        scene = self.scene
        if scene is None or scene.question.scenario is not None or scene.evaluation.lifetimes is not None:
            return True
        return not scene.topology.resilience.survive and scene.topology.slo.availability is None

    def _look_soon(self, found: Scene) -> None:
        if not self.is_running:
            return
        look = partial(self._look_elsewhere, found)
        self.run_worker(look, group="following", description="events", exclusive=True, thread=True)

    def _look_elsewhere(self, found: Scene) -> None:
        from tui.scene import followed_up

        worker = get_current_worker()

        def tick(_: int) -> None:
            if worker.is_cancelled:
                raise Outdated

        try:
            seen = self.elsewhere.ask(followed_up, found, tick=tick, short=True)
        except Outdated:
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._followed, found, seen)

    def _followed(self, found: Scene, seen: FollowUp) -> None:
        if self.is_running and found is self.scene:
            self.scene, self.unsurvived = replace(found, evaluation=seen.evaluation), seen.unsurvived
            self._last_followed = found.question.version.document.source, seen.evaluation
            self.told()
            self.painted()
