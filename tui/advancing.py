"""Taking the next step of the architecture into the file: looked for beside the screen, chosen, one edit to undo."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from capacity.errors import DocumentError
from tui.drawing.canvas import Key
from tui.drawing.text import clean
from tui.solving import Solving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.document import Document
    from capacity.steps.base import Proposal
    from tui.steps import Step


class Advancing(Solving):
    """What is done with the steps of a growing architecture."""

    def action_next_step(self) -> None:
        """Look for the steps that apply at the load that is shown, and ask which one to take; again, stop looking."""
        from tui.steps import ranked_steps

        if self.progress:
            self._stop_solving()
            self.told()
            return
        document, load = self.session.now.document, self.session.load
        self._have_worked_out(
            "next",
            "looking for the next step…",
            (ranked_steps, document, load),
            partial(self._choose_step, document),
        )

    def _stop_solving(self) -> None:
        self.workers.cancel_group(self, "next")
        super()._stop_solving()

    def _choose_step(self, document: Document, steps: Sequence[Step]) -> None:
        from tui.screens.pick import Choice, Pick

        self._progress("")
        if document is not self.session.now.document or self.screen.is_modal:
            return
        if not steps:
            self.notify("no step of a growing architecture applies here", markup=False)
            return

        def chosen(proposal: Proposal | None) -> None:
            if proposal is not None:
                self._take_step(proposal)

        choices = [
            Choice(f"{one.proposal.name}:{one.proposal.subject}", f"{one.brings}: {one.proposal.text}", one.proposal)
            for one in steps
        ]
        hint = "↑↓ · Enter take it · Esc back · what each assumes and risks: view Next"
        self.push_screen(Pick("Which step into the file?", choices, hint=hint), chosen)

    def _take_step(self, proposal: Proposal) -> None:
        from tui.screens.form import refused
        from tui.steps import stepped_to

        try:
            taken = stepped_to(self.session.now.document, proposal)
        except DocumentError as error:
            self.notify(refused(error.problems[0]), severity="error", markup=False)
            return
        there = proposal.subject in taken.document.topology.components
        self.edit(taken, selected=Key("tier", proposal.subject) if there else None)
        told = [proposal.text, *(f"risk: {risk}" for risk in proposal.risks), "s finds its counts, u takes it back"]
        self.notify("\n".join(map(clean, told)), title=clean(taken.name), timeout=15, markup=False)
