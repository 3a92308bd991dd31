"""A question with a few answers, each one key away; what it is about can be scrolled through above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from capacity.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Key


class Answer(NamedTuple):
    """An answer: what the asker gets, the key that gives it, and its words."""

    id: str
    key: str
    text: str


class Choice(ModalScreen[str]):
    """Gives the id of an answer; escape gives `otherwise`, and nothing where that is empty."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "otherwise", "Back", id="choice.back")]
    AUTO_FOCUS = "#answers"
    DEFAULT_CSS = """
    Choice { align: center middle; }
    Choice > Vertical { width: 84; max-width: 96%; height: auto; max-height: 92%; background: $surface;
                        border: round $primary; padding: 0 1; }
    Choice #asked { text-style: bold; margin-bottom: 1; }
    Choice #about { height: auto; max-height: 12; margin-bottom: 1; color: $text-muted; }
    Choice #answers { height: auto; max-height: 12; border: none; background: $surface; padding: 0; }
    """

    def __init__(self, asked: str, answers: Sequence[Answer], about: Sequence[str] = (), otherwise: str = "") -> None:
        super().__init__()
        self.asked, self.answers, self.about, self.otherwise = asked, answers, about, otherwise

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical():
            yield Static(printable(self.asked), id="asked", markup=False)
            if self.about:
                with VerticalScroll(id="about"):
                    yield Static(Text("\n".join(map(printable, self.about))))
            prompts = [Option(Text.assemble((f" {a.key} ", "reverse"), f"  {printable(a.text)}"), a.id)
                       for a in self.answers]  # fmt: skip
            yield OptionList(*prompts, id="answers", markup=False)

    def on_key(self, event: Key) -> None:
        """Take an answer by its key."""
        found = next((answer.id for answer in self.answers if answer.key == event.character), None)
        if found is not None:
            event.stop()
            self.dismiss(found)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the answer under the cursor."""
        if event.option_id is not None:
            self.dismiss(event.option_id)

    def action_otherwise(self) -> None:
        """Go back without an answer."""
        if self.otherwise:
            self.dismiss(self.otherwise)
