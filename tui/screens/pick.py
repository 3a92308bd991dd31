"""A list to choose one thing from, that narrows as one types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.drawing.text import clean, columns
from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.widget import Widget

Value = TypeVar("Value")


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """One thing to choose: its name, what is said of it, and what the choice of it means."""

    name: str
    detail: str
    value: Value


class Pick(Dialog[Value], Generic[Value]):
    """Lets one thing be chosen; `refused` says why one of them cannot be, while the cursor is on it.

    What there is to choose from may come later, by `offer`: what is typed meanwhile narrows it, and Enter takes the
    best of it then.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move('down')", "Down", show=False),
        Binding("up", "move('up')", "Up", show=False),
        Binding("pagedown", "move('page_down')", "Page down", show=False),
        Binding("pageup", "move('page_up')", "Page up", show=False),
    ]
    DEFAULT_CSS = """
    Pick Input { border: none; height: 1; padding: 0; background: $boost; }
    Pick OptionList { height: auto; max-height: 16; border: none; padding: 0; background: $surface; }
    Pick .refused { height: auto; max-height: 4; color: $text-error; display: none; }
    Pick .refused.-spoken { display: block; }
    Pick.-may-refuse .refused { display: block; min-height: 3; }
    """
    AUTO_FOCUS = "Input"

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice[Value]],
        *,
        start: int = 0,
        hint: str = "↑↓ · Enter choose · Esc back",
        refused: Callable[[Value], str | None] | None = None,
        awaited: str = "",
    ) -> None:
        super().__init__(title, hint)
        self._choices, self._start = tuple(choices), start
        self._awaited, self._at_once = awaited, False
        self._refused: Callable[[Value], str | None] = refused or (lambda _: None)
        self.set_class(refused is not None, "-may-refuse")
        self._shown = self._choices
        self._search = FuzzySearch()

    def inside(self) -> Iterable[Widget]:
        """Return the field, the list, and a line for why not."""
        yield Input(placeholder="type to narrow", compact=True)
        yield OptionList(markup=False, compact=True)
        yield Static("", markup=False, classes="refused")

    def on_mount(self) -> None:
        """Show everything; nothing where this was left before it was there."""
        if self._left:
            return
        self.query_one(OptionList).can_focus = False
        self._narrow("")

    def tell(self, awaited: str) -> None:
        """Say how far it is with what is looked for."""
        self._awaited = awaited
        if self.query(OptionList):
            self._fill(0)

    def offer(self, choices: Sequence[Choice[Value]], none: str) -> None:
        """Show what was looked for; where that is nothing, say so until this is left."""
        self._choices, self._awaited = tuple(choices), "" if choices else none
        self._narrow(self.query_one(Input).value)
        if self._at_once:
            self.on_input_submitted()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits what has been typed, the best first."""
        self._at_once = False
        self._narrow(event.value)

    def _narrow(self, text: str) -> None:
        typed, start = clean(text).strip(), 0
        if typed:
            scored = [(self._score(typed, choice), choice) for choice in self._choices]
            fitting = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
            self._shown = tuple(choice for _, choice in fitting)
        else:
            self._shown, start = self._choices, self._start
        self._fill(start)

    def on_input_submitted(self) -> None:
        """Choose what the cursor is on; of what is not there yet, what was asked for by its name."""
        self._at_once = bool(self._awaited and self.query_one(Input).value.strip())
        self._choose(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose what was clicked."""
        self._choose(event.option_index)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what speaks against it."""
        self._say(event.option_index)

    def action_move(self, how: str) -> None:
        """Move the cursor in the list, from the field."""
        listed = self.query_one(OptionList)
        moves: dict[str, Callable[[], None]] = {
            "up": listed.action_cursor_up,
            "down": listed.action_cursor_down,
            "page_up": listed.action_page_up,
            "page_down": listed.action_page_down,
        }
        moves[how]()

    def _fill(self, start: int) -> None:
        listed = self.query_one(OptionList)
        listed.clear_options()
        if self._awaited:
            listed.add_option(Option(Content.styled(clean(self._awaited), "$text-muted"), disabled=True))
            return
        wide = min(max((columns(clean(choice.name)) for choice in self._choices), default=0), 40)
        listed.add_options([Option(self._line(choice, wide)) for choice in self._shown])
        listed.highlighted = min(start, len(self._shown) - 1) if self._shown else None
        if not self._shown:
            self._speak("nothing of this name")

    def _line(self, choice: Choice[Value], wide: int) -> Content:
        name = clean(choice.name)
        gap = " " * (max(wide - columns(name), 0) + 2)
        return (
            Content.assemble(name, (f"{gap}{clean(choice.detail)}", "$text-muted")) if choice.detail else Content(name)
        )

    def _score(self, typed: str, choice: Choice[Value]) -> float:
        """Return how well a name fits: the whole before its beginning, that before its middle, then single letters."""
        name, wanted = clean(choice.name).casefold(), typed.casefold()
        if wanted in name:
            return 1e6 * (3 if name == wanted else 2 if name.startswith(wanted) else 1)
        if wanted in clean(choice.detail).casefold():
            return 1e5
        return self._search.match(wanted, name)[0]

    def _say(self, position: int) -> str | None:
        wrong = self._refused(self._shown[position].value) if 0 <= position < len(self._shown) else None
        self._speak(f"✗ {wrong}" if wrong else "")
        return wrong

    def _speak(self, told: str) -> None:
        line = self.query_one(".refused", Static)
        line.update(clean(told))
        line.set_class(bool(told), "-spoken")

    def _choose(self, position: int | None) -> None:
        if position is not None and self._say(position) is None:
            self.dismiss(self._shown[position].value)
