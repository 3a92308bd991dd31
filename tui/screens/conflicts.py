"""What two sides changed differently: one line for each key, mine or theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from capacity.editing import short
from tui.reconciling import side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from capacity.errors import KeyPath
    from capacity.merging import Conflict


class Conflicts(ModalScreen[frozenset["KeyPath"] | None]):
    """Gives the paths at which their side was chosen, None where nothing was decided."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "Other side", id="conflicts.turn"),
        Binding("m", "all('mine')", "All mine", id="conflicts.mine"),
        Binding("t", "all('theirs')", "All theirs", id="conflicts.theirs"),
        Binding("d,ctrl+s", "done", "Merge", id="conflicts.done"),
        Binding("escape", "back", "Back", id="conflicts.back"),
    ]
    DEFAULT_CSS = """
    Conflicts { align: center middle; }
    Conflicts > Vertical { width: 96%; height: auto; max-height: 92%; background: $surface; border: round $primary;
                           padding: 0 1; }
    Conflicts #asked { text-style: bold; margin-bottom: 1; }
    Conflicts #conflicts { height: auto; max-height: 20; border: none; background: $surface; padding: 0; }
    Conflicts #keys { color: $text-muted; margin-top: 1; }
    """

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__()
        self.conflicts = tuple(conflicts)
        self.theirs: frozenset[KeyPath] = frozenset()

    def compose(self) -> ComposeResult:
        """Lay the conflicts out."""
        many = "" if len(self.conflicts) == 1 else "s"
        with Vertical():
            asked = f"{len(self.conflicts)} value{many} changed here and on disk: whose is kept?"
            yield Static(asked, id="asked", markup=False)
            yield OptionList(*(Option(self._line(c)) for c in self.conflicts), id="conflicts", markup=False)
            keys = "enter or space: the other side   m: all mine   t: all theirs   d: done, merge   escape: back"
            yield Static(keys, id="keys", markup=False)

    def _line(self, conflict: Conflict) -> Text:
        kept = conflict.path in self.theirs
        chosen, other = "bold reverse", "dim"
        return Text.assemble(
            f"{short(conflict.path)}  ",
            (f" mine {side(conflict.mine)} ", other if kept else chosen),
            " ",
            (f" theirs {side(conflict.theirs)} ", chosen if kept else other),
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

    def action_done(self) -> None:
        """Merge with what was chosen."""
        self.dismiss(self.theirs)

    def action_back(self) -> None:
        """Merge nothing."""
        self.dismiss(None)
