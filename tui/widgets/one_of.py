"""One of a few words: left and right go to the next, a letter to the next that begins with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.drawing.text import clean, columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, Key


class OneOf(Widget, can_focus=True):
    """Shows all choices where there is room, else the chosen one and how many there are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Before", show=False),
        Binding("right,space", "turn(1)", "Next", show=False),
    ]
    DEFAULT_CSS = """
    OneOf { height: 1; background: $boost; }
    OneOf:focus { background: $panel; }
    """

    value: reactive[str] = reactive("")

    class Changed(Message):
        """Another choice was made."""

    def __init__(self, choices: Sequence[str], value: str, *, empty: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._empty = empty
        self.choices = tuple(choices)
        self.set_reactive(OneOf.value, value)

    def render(self) -> Content:
        """Return the choices, the chosen one marked by its brackets as well."""
        if self._fits():
            parts = [
                (f"[{self._word(choice)}]", "reverse") if choice == self.value else f" {self._word(choice)} "
                for choice in self.choices
            ]
            return Content.assemble(*parts)
        place = f"  {self.choices.index(self.value) + 1} of {len(self.choices)}, ←→ or its first letter"
        return Content.assemble((f"[{self._word(self.value)}]", "reverse"), (place, "$text-muted"))

    def watch_value(self) -> None:
        """Tell whoever asks."""
        self.post_message(self.Changed())

    def action_turn(self, steps: int) -> None:
        """Go to another choice."""
        self.value = self.choices[(self.choices.index(self.value) + steps) % len(self.choices)]

    def on_key(self, event: Key) -> None:
        """Go to the next choice that begins with a letter."""
        if event.character is None or not event.character.isprintable() or event.character == " ":
            return
        here = self.choices.index(self.value)
        around = [*self.choices[here + 1 :], *self.choices[: here + 1]]
        found = next((c for c in around if self._word(c).casefold().startswith(event.character.casefold())), None)
        if found is not None:
            self.value = found
            event.stop()

    def on_click(self, event: Click) -> None:
        """Choose what is under the mouse."""
        start = 0
        for choice in self.choices:
            end = start + columns(self._word(choice)) + 2
            if start <= event.x < end and self._fits():
                self.value = choice
            start = end

    def _word(self, choice: str) -> str:
        return clean(choice) if choice else self._empty

    def _fits(self) -> bool:
        return sum(columns(self._word(choice)) + 2 for choice in self.choices) <= self.size.width
