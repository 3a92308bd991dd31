"""What two sides changed differently: one line for each key, mine or theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from capacity.editing import short
from tui.reconciling import side
from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

    from capacity.errors import KeyPath
    from capacity.merging import Conflict


class Decided(NamedTuple):
    """The paths at which their side was chosen, and whether the outcome is to be saved at once."""

    theirs: frozenset[KeyPath]
    save: bool


class Conflicts(Dialog[Decided]):
    """Gives what was decided, None where nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "Other side", id="conflicts.turn"),
        Binding("m", "all('mine')", "All mine", id="conflicts.mine"),
        Binding("t", "all('theirs')", "All theirs", id="conflicts.theirs"),
        Binding("d", "done(False)", "Merge", id="conflicts.done"),
        Binding("ctrl+s", "done(True)", "Merge and save", id="conflicts.save"),
    ]
    DEFAULT_CSS = """
    Conflicts > .frame { width: 96%; }
    Conflicts #conflicts { height: auto; max-height: 20; border: none; background: $surface; padding: 0; }
    """
    LEFT_FROM_OUTSIDE = False

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        asked = f"{len(conflicts)} value{'' if len(conflicts) == 1 else 's'} changed here and on disk: whose is kept?"
        super().__init__(asked, "Enter other side · m all mine · t all theirs · d merge · ^s merge, save · Esc")
        self.conflicts = tuple(conflicts)
        self.theirs: frozenset[KeyPath] = frozenset()

    def inside(self) -> Iterable[Widget]:
        """Return a line for each conflict."""
        yield OptionList(*(Option(self._line(c)) for c in self.conflicts), id="conflicts", markup=False)

    def _line(self, conflict: Conflict) -> Text:
        kept = conflict.path in self.theirs
        chosen, other = "bold reverse", "dim"
        return Text.assemble(
            f"{short(conflict.path)}  ",
            (f"{_mark(not kept)} mine {side(conflict.mine)} ", other if kept else chosen),
            " ",
            (f"{_mark(kept)} theirs {side(conflict.theirs)} ", chosen if kept else other),
            (f"  (was {side(conflict.base)})", "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )

    def _choose(self, theirs: frozenset[KeyPath]) -> None:
        self.theirs = theirs
        shown = self.query_one(OptionList)
        for i, conflict in enumerate(self.conflicts):
            shown.replace_option_prompt_at_index(i, self._line(conflict))

    def on_option_list_option_selected(self) -> None:
        """Take the other side of the conflict under the cursor."""
        self.action_turn()

    def action_turn(self) -> None:
        """Take the other side of the conflict under the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._choose(self.theirs ^ {self.conflicts[at].path})

    def action_all(self, side: str) -> None:
        """Take one side of all of them."""
        self._choose(frozenset(c.path for c in self.conflicts) if side == "theirs" else frozenset())

    def action_done(self, save: bool) -> None:  # noqa: FBT001 - given by a binding
        """Merge with what was chosen."""
        self.dismiss(Decided(self.theirs, save))


def _mark(chosen: bool) -> str:  # noqa: FBT001
    """Return what tells a chosen side where no colour does."""
    return "(●)" if chosen else "( )"
