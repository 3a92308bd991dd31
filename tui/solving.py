"""Letting the plan find the counts, elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.worker import get_current_worker

from capacity.errors import CapacityError
from tui.base import Outdated, SessionApp
from tui.drawing.text import clean
from tui.elsewhere import telling
from tui.session import counts_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.system import Counts
    from tui.scene import Solved
    from tui.session import Session, Version


class Solving(SessionApp):
    """What the plan does with the counts that the file leaves to it."""

    def become(self, session: Session) -> None:
        """Go on with another session; a plan for another version or load is not waited for."""
        if (session.now, session.load) != (self.session.now, self.session.load):
            self._stop_solving()
        super().become(session)

    def action_solve(self) -> None:
        """Find the cheapest counts that meet everything, at the load that is shown."""
        from tui.scene import solved

        if self.progress:
            self._stop_solving()
            self.told()
            return
        if not self.session.now.counts:
            self.notify("the file fixes every count: nothing is left to solve (p frees one)", markup=False)
            return
        self.clear_notifications()  # what was said of other counts
        version, load = self.session.now, self.session.load
        work = solved, version.document, load
        self._have_worked_out("solve", "solving…", work, partial(self._solved, version))

    def _have_worked_out(self, group: str, said: str, asked: tuple[Any, ...], found: Callable[[Any], None]) -> None:
        """Ask the planner elsewhere, telling how far it is; what it answers after it was stopped is dropped.

        `asked` is a function with what it is given.
        """
        self._progress(said)
        work = partial(self._asked, said, asked, found)
        self.run_worker(work, group=group, description=group, exclusive=True, thread=True)

    def _stop_solving(self) -> None:
        self.workers.cancel_group(self, "solve")
        self.progress = ""

    def _asked(self, said: str, asked: tuple[Any, ...], found: Callable[[Any], None]) -> None:
        worker = get_current_worker()

        def tell(done: int, seconds: float) -> None:
            self.call_from_thread(self._progress, f"{said} {done} tried, {seconds:.0f} s")

        try:
            answer = self.elsewhere.ask(*asked, tick=telling(lambda: worker.is_cancelled, tell))
        except Outdated:
            return
        except CapacityError as error:
            if not worker.is_cancelled:
                self.call_from_thread(self._unsolvable, str(error))
            return
        if not worker.is_cancelled:
            self.call_from_thread(found, answer)

    def _unsolvable(self, why: str) -> None:
        self._progress("")
        self.notify(clean(why), title="Nothing to solve", severity="error", timeout=15, markup=False)

    def _progress(self, said: str) -> None:
        self.progress = said
        self.told()

    def _solved(self, version: Version, found: Solved) -> None:
        if version is not self.session.now:
            return
        self.progress = ""
        counts = counts_for(version.document, found.counts)
        changes = differences(version.counts, counts)
        if changes:
            self.become(self.session.counted(counts, f"solve: {changes}"))
        else:
            self.told()
        if found.advice:
            first = found.advice[0]
            lines = [f"{first.constraint}: {first.best}", *(f"What would help: {mend}" for mend in first.mends[:1])]
            told = "\n".join(clean(line) for line in lines)
            title = "No plan is feasible: the counts meet the rest"
            self.notify(told, title=title, severity="warning", timeout=20, markup=False)
        elif not changes:
            self.notify("these are the counts of the cheapest plan already", markup=False)


def differences(before: Counts, after: Counts) -> str:
    """Return what a solution changes, tier by tier: "app 9 → 11, web 3"; tiers that keep their count are left out."""
    return ", ".join(
        f"{name} {before[name]} → {count}" if name in before else f"{name} {count}"
        for name, count in after.items()
        if before.get(name) != count
    )
