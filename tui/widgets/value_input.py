"""One line to type a value in, laid over the value that it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.suggester import SuggestFromList
from textual.widgets import Input

from tui.in_turn import TakesAtOnce

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.events import Blur


class ValueInput(TakesAtOnce, Input):
    """Says at the end whether what was typed is to be kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "finish(False)", "As before", id="value.restore", tooltip="The value as it was"),
        Binding("enter", "finish(True)", "Keep", id="value.keep", tooltip="Keep the value"),
        Binding("down,tab", "finish(True, 1)", "Next field", show=False, id="value.next"),
        Binding("up,shift+tab", "finish(True, -1)", "Field above", show=False, id="value.previous"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    ValueInput {
        layer: edit; display: none; height: 1; border: none; padding: 0; background: $primary-muted; text-style: bold;
        &:focus { border: none; background: $primary-muted; }
        &.-wrong, &.-wrong:focus { background: $error-muted; }
    }
    """

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """As of any input, but for the layout of the whole screen that every key would ask for: its place is given."""

    class Ended(Message):
        """Nothing more is typed; `steps` is where to go then."""

        def __init__(self, *, kept: bool, steps: int) -> None:
            super().__init__()
            self.kept, self.steps = kept, steps

    def __init__(self, tried: Callable[[str], None]) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self._tried = tried
        """What is told of every text at once: by a message it would be told after the text alone is painted."""
        self._beginning = False
        self.disable_messages(Input.Changed)

    def begin(self, text: str, place: Region, names: Sequence[str], *, selected: bool) -> None:
        """Appear at a place with a text; a selected one is replaced by what is typed."""
        self.suggester = SuggestFromList(names, case_sensitive=False) if names else None
        self.styles.offset = place.offset
        self.styles.width = place.width
        self._beginning = True
        self.value = text
        self._beginning = False
        self.display = True
        self.focus(scroll_visible=False)
        self.cursor_position = len(text)
        if selected:
            self.select_all()

    def watch_value(self, value: str) -> None:
        """Have every keystroke tried."""
        if not self._beginning and self.display:
            self._tried(value)

    def end(self) -> None:
        """Disappear."""
        self.display = False
        self.remove_class("-wrong")

    def action_finish(self, kept: bool, steps: int = 0) -> None:  # noqa: FBT001 - given by a binding
        """Keep what was typed, or not."""
        self.post_message(self.Ended(kept=kept, steps=steps))

    def on_blur(self, event: Blur) -> None:
        """Keep what was typed when something else is turned to."""
        if self.display:
            self.post_message(self.Ended(kept=True, steps=0))
