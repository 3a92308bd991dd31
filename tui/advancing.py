"""Taking the next step of the architecture into the file: looked for beside the screen, chosen, one edit to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.errors import DocumentError
from tui.drawing.canvas import Key
from tui.drawing.text import clean
from tui.solving import Solving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.steps.base import Proposal
    from tui.screens.pick import Pick
    from tui.session import Session
    from tui.steps import Step


class Advancing(Solving):
    """What is done with the steps of a growing architecture."""

    def __init__(self, session: Session | None) -> None:
        super().__init__(session)
        self._steps: Pick[Proposal] | None = None
        """Where the steps are going to be listed that are looked for."""

    def action_next_step(self) -> None:
        """Ask which step to take of those that apply at the load that is shown; leaving stops looking for them."""
        from tui.screens.pick import Pick
        from tui.steps import ranked_steps

        self._stop_solving()

        def chosen(proposal: Proposal | None) -> None:
            if self._steps is not None:
                self._steps = None
                self._stop_solving()
                self.told()
            elif proposal is not None:
                self._take_step(proposal)

        said = "looking for the next step…"
        hint = "↑↓ · Enter take it · Esc back · what each assumes and risks: view Next"
        listed: Pick[Proposal] = Pick("Which step into the file?", (), hint=hint, awaited=said)
        self._steps = listed
        self.push_screen(listed, chosen)
        self._have_worked_out(
            "next", said, (ranked_steps, self.session.now.document, self.session.load), self._offer_steps
        )

    def _stop_solving(self) -> None:
        self.workers.cancel_group(self, "next")
        self._leave_steps()
        super()._stop_solving()

    def _unsolvable(self, why: str) -> None:
        self._leave_steps()
        super()._unsolvable(why)

    def _leave_steps(self) -> None:
        """Close the list of steps, if they are still looked for."""
        listed, self._steps = self._steps, None
        if listed is not None:
            listed.dismiss()

    def _progress(self, said: str) -> None:
        super()._progress(said)
        if self._steps is not None:
            self._steps.tell(said)

    def _offer_steps(self, steps: Sequence[Step]) -> None:
        from tui.screens.pick import Choice

        listed, self._steps = self._steps, None
        self._progress("")
        if listed is None:
            return
        choices = [
            Choice(f"{one.proposal.name}:{one.proposal.subject}", f"{one.brings}: {one.proposal.text}", one.proposal)
            for one in steps
        ]
        listed.offer(choices, none="no step applies at this load: the view Next says why, more load (]) asks for one")

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
