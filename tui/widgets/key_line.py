"""The bottom line: the keys that matter here, as many as there is room for, help always among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from textual.widgets import Footer
from textual.widgets._footer import FooterKey, FooterLabel, KeyGroup

from tui.drawing.text import columns
from tui.widgets.still import Still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import Binding
    from textual.events import Resize

_FIRST_TO_GO: Final = (
    "history.undo", "tier.add", "plan.solve", "scenario.next", "load.less", "load.more", "view.list", "file.save",
    "quit",
)  # fmt: skip
"""Ids of what is left out where there is less room, one after another; then the last of what belongs here only."""

_LAST: Final = "help"
"""What tells everything else, so it stays."""


class Hint(NamedTuple):
    """One key, or two that belong together, with a word for what it does."""

    ids: tuple[str, ...]
    keys: tuple[str, ...]
    """As they are shown."""
    word: str

    @property
    def wide(self) -> int:
        """The columns that it takes."""
        return sum(columns(key) for key in self.keys) + columns(self.word) + 3


def fitting(hints: Sequence[Hint], width: int) -> list[Hint]:
    """Return the hints for which there is room, in their order."""
    shown = list(hints)
    own = [hint for hint in shown if hint.ids[0] not in (*_FIRST_TO_GO, _LAST)]
    order = [h for one in _FIRST_TO_GO for h in shown if one == h.ids[0]] + own[::-1]
    for hint in order:
        if sum(h.wide for h in shown) <= width:
            break
        shown.remove(hint)
    return shown


class KeyLine(Footer, Still):
    """Shows what fits of the keys that are bound where the focus is."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._shown: list[Hint] = []

    def compose(self) -> ComposeResult:
        """Lay the hints out, each to be clicked as well."""
        if not self._bindings_ready:
            return
        known = self._bound()
        self._shown = fitting(list(known), self.size.width or self.app.size.width)
        for hint in self._shown:
            bindings = known[hint]
            if len(bindings) > 1:
                with KeyGroup(classes="-compact"):
                    for binding, key in zip(bindings, hint.keys, strict=True):
                        told = binding.tooltip or binding.description
                        grouped = FooterKey(binding.key, key, "", binding.action, tooltip=told, classes="-grouped")
                        yield grouped.data_bind(compact=Footer.compact)
                yield FooterLabel(hint.word, markup=False)
            else:
                only = bindings[0]
                single = FooterKey(only.key, hint.keys[0], hint.word, only.action, tooltip=only.tooltip)
                yield single.data_bind(compact=Footer.compact)

    def _bound(self) -> dict[Hint, list[Binding]]:
        """Return what is bound here and to be shown, the nearest to the focus first."""
        groups: dict[object, list[Binding]] = {}
        for _, binding, _, _ in self.screen.active_bindings.values():
            if binding.show:
                same = groups.setdefault(binding.group or binding.action, [])
                if all(binding.action != other.action for other in same):
                    same.append(binding)
        return {
            Hint(
                tuple(binding.id or "" for binding in bindings),
                tuple(self.app.get_key_display(binding) for binding in bindings),
                (bindings[0].group.description if bindings[0].group is not None else bindings[0].description),
            ): bindings
            for bindings in groups.values()
        }

    def on_resize(self, event: Resize) -> None:
        """Show more or fewer."""
        if self._bindings_ready and fitting(list(self._bound()), event.size.width) != self._shown:
            self.call_after_refresh(self.recompose)
