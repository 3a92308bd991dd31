"""A question with a few answers, each one key away; what it is about can be scrolled through above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.drawing.text import clean
from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.events import Key
    from textual.widget import Widget


class Answer(NamedTuple):
    """An answer: what the asker gets, the key that gives it, and its words."""

    id: str
    key: str
    text: str


class Choice(Dialog[str]):
    """Gives the id of an answer; escape gives `otherwise`, and nothing where that is empty."""

    AUTO_FOCUS = "#answers"
    DEFAULT_CSS = """
    Choice #asked { text-style: bold; margin-bottom: 1; }
    Choice #about { height: auto; max-height: 12; margin-bottom: 1; }
    Choice #answers { height: auto; max-height: 12; border: none; background: $surface; padding: 0; }
    """

    def __init__(self, asked: str, answers: Sequence[Answer], about: Sequence[str] = (), otherwise: str = "") -> None:
        super().__init__("", "↓↑ Enter or the key" + (" · Esc back" if otherwise else ""))
        self.asked, self.answers, self.about, self.otherwise = asked, answers, about, otherwise

    def inside(self) -> Iterable[Widget]:
        """Return what it is about, and the answers."""
        yield Static(clean(self.asked), id="asked", markup=False)
        if self.about:
            about = Static("\n".join(map(clean, self.about)), classes="quiet", markup=False)
            yield VerticalScroll(about, id="about")
        prompts = [
            Option(Text.assemble((f" {answer.key} ", "reverse"), f"  {clean(answer.text)}"), answer.id)
            for answer in self.answers
        ]
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

    def action_leave(self) -> None:
        """Go back without an answer."""
        if self.otherwise:
            self.dismiss(self.otherwise)
