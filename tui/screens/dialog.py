"""What every dialog is: a frame over the darkened screen, a title, the keys that matter, Esc to leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.drawing.text import clean
from tui.marks import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.events import Click
    from textual.widget import Widget

Result = TypeVar("Result")

_LEAVE: Final = "Esc"
"""With what the hint says how to leave: from there on it can be clicked."""


class Dialog(ModalScreen[Result]):
    """A frame around what `inside` yields; it is left without a result by Esc, and by a click on that word."""

    LEFT_FROM_OUTSIDE: ClassVar[bool] = True
    """Whether a click beside the frame leaves as well: not where that could cost what somebody has typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > .frame {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        border: round $primary; border-title-style: bold; border-title-color: $foreground;
        border-subtitle-color: $text-muted; background: $surface; padding: 0 1;
    }
    Dialog .quiet { color: $text-muted; }
    Dialog .wrong { color: $text-error; }
    """

    def __init__(self, title: str, hint: str) -> None:
        super().__init__()
        self._title, self._hint, self._left = title, hint, False

    def compose(self) -> ComposeResult:
        """Put the frame around the content."""
        frame = Vertical(*self.inside(), classes="frame")
        frame.border_title = Content(clean(self._title))
        before, leave, after = self._hint.partition(_LEAVE)
        frame.border_subtitle = Content.assemble(before, mark(leave + after, "screen.leave"))
        yield frame

    def on_click(self, event: Click) -> None:
        """Leave, where that is meant by a click beside the frame."""
        if self.LEFT_FROM_OUTSIDE and event.widget is self:
            self.action_leave()

    def inside(self) -> Iterable[Widget]:
        """Return what stands in the frame."""
        return ()

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave with a result: once, however fast somebody presses Enter."""
        if self._left:
            return AwaitComplete.nothing()  # type: ignore[no-untyped-call, no-any-return]  # textual says no type
        self._left = True
        return super().dismiss(result)

    def action_leave(self) -> None:
        """Go back without doing anything."""
        self.dismiss(None)
