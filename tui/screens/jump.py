"""A letter over everything that one can go to; one key goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Key

LETTERS: Final = "asdfghjklqwertyuiopzxcvbnmASDFGHJKLQWERTYUIOPZXCVBNM1234567890"
"""From the row on which the fingers rest outwards."""

Value = TypeVar("Value")


class Target(NamedTuple, Generic[Value]):
    """A place on the screen, and what going there means."""

    x: int
    y: int
    value: Value


class Jump(ModalScreen[Value], Generic[Value]):
    """Lies over the screen until a key is pressed; any key that is no letter of a target leaves."""

    DEFAULT_CSS = """
    Jump { background: $background 0%; }
    Jump .letter {
        position: absolute; width: 3; height: 1; background: $accent; color: $background; text-style: bold;
    }
    """

    def __init__(self, targets: Sequence[Target[Value]]) -> None:
        super().__init__()
        self._targets = dict(zip(LETTERS, targets, strict=False))

    def compose(self) -> ComposeResult:
        """Put the letters where their targets are."""
        for letter, target in self._targets.items():
            label = Static(Content(f" {letter} "), classes="letter", name=letter)
            label.styles.offset = (target.x, target.y)
            yield label

    def on_key(self, event: Key) -> None:
        """Go there, or back."""
        event.stop()
        event.prevent_default()
        found = self._targets.get(event.character or "")
        self.dismiss(None if found is None else found.value)

    def on_click(self, event: Click) -> None:
        """Go to the letter that was clicked, or back."""
        found = self._targets.get((event.widget and event.widget.name) or "")
        self.dismiss(None if found is None else found.value)
