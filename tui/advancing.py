"""Taking the next step of the architecture into the file: looked for beside the screen, chosen, one edit to undo."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from capacity.errors import CapacityError, DocumentError
from capacity.next_steps import proposed
from tui.base import Outdated
from tui.drawing.canvas import Key
from tui.drawing.text import clean
from tui.screens.form import refused
from tui.screens.pick import Choice, Pick
from tui.solving import OFTEN, Solving
from tui.steps import at_load, stepped_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.document import Document
    from capacity.steps.base import Proposal


class Advancing(Solving):
    """What is done with the steps of a growing architecture."""

    def action_next_step(self) -> None:
        """Look for the steps that apply at the load that is shown, and ask which one to take; again, stop looking."""
        if self.progress:
            self._stop_solving()
            self.told()
            return
        self._progress("looking for the next step…")
        look = partial(self._look_for_steps, self.session.now.document, self.session.load)
        self.run_worker(look, group="next", description="next", exclusive=True, thread=True)

    def _stop_solving(self) -> None:
        self.workers.cancel_group(self, "next")
        super()._stop_solving()

    def _look_for_steps(self, document: Document, load: float) -> None:
        worker = get_current_worker()

        def tick(done: int) -> None:
            if worker.is_cancelled:
                raise Outdated
            if done % OFTEN == 0:
                self.call_from_thread(self._progress, f"looking for the next step… {done} tried")

        try:
            found = proposed(at_load(document, load), tick).proposals
        except Outdated:
            return
        except CapacityError as error:
            if not worker.is_cancelled:
                self.call_from_thread(self._unsolvable, str(error))
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._choose_step, document, found)

    def _choose_step(self, document: Document, proposals: Sequence[Proposal]) -> None:
        self._progress("")
        if document is not self.session.now.document or self.screen.is_modal:
            return
        if not proposals:
            self.notify("no step of a growing architecture applies here", markup=False)
            return

        def chosen(proposal: Proposal | None) -> None:
            if proposal is not None:
                self._take_step(proposal)

        choices = [Choice(f"{one.name}:{one.subject}", one.text, one) for one in proposals]
        hint = "↑↓ · Enter take it · Esc back · what each brings: view Next"
        self.push_screen(Pick("Which step into the file?", choices, hint=hint), chosen)

    def _take_step(self, proposal: Proposal) -> None:
        try:
            taken = stepped_to(self.session.now.document, proposal)
        except DocumentError as error:
            self.notify(refused(error.problems[0]), severity="error", markup=False)
            return
        there = proposal.subject in taken.document.topology.components
        self.edit(taken, selected=Key("tier", proposal.subject) if there else None)
        told = [proposal.text, *(f"risk: {risk}" for risk in proposal.risks), "s finds its counts, u takes it back"]
        self.notify("\n".join(map(clean, told)), title=clean(taken.name), timeout=15, markup=False)
