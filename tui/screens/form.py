"""A small form: every keystroke is tried for real, and what is wrong is said under the field where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Label, Static

from capacity.errors import DocumentError
from tui.drawing.text import clean
from tui.screens.dialog import Dialog
from tui.widgets.one_of import OneOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from textual.widget import Widget

    from capacity.editing import Edited
    from capacity.errors import Problem

Answers = dict[str, str]


@dataclass(frozen=True)
class Ask:
    """One field: a text, or one of a few choices."""

    id: str
    label: str
    value: str
    choices: tuple[str, ...] = ()
    empty: str = ""
    """What an empty choice is called."""


@dataclass(frozen=True)
class Filled:
    """What a form was left with: the answers, and the edit that they make."""

    answers: Answers
    edited: Edited


class Form(Dialog[Filled]):
    """Asks for a few values that together make one edit.

    `attempt` makes the edit or raises DocumentError; `place` says which field a problem belongs to, "" for none of
    them; `follow` returns other values for fields that nobody has touched.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("enter", "submit", "Do it", show=False),
    ]
    DEFAULT_CSS = """
    Form VerticalScroll { height: auto; max-height: 100%; }
    Form Label { margin-top: 1; color: $text-muted; }
    Form Input { border: none; height: 1; padding: 0; background: $boost; }
    Form Input:focus { background: $panel; }
    Form .wrong, Form .told { height: auto; }
    Form .told { margin-top: 1; color: $text-muted; }
    """
    AUTO_FOCUS = "*"
    LEFT_FROM_OUTSIDE = False

    def __init__(
        self,
        title: str,
        asks: Sequence[Ask],
        attempt: Callable[[Answers], Edited],
        place: Callable[[Problem, Answers], str],
        *,
        follow: Callable[[Answers], Mapping[str, str]] = lambda _: {},
        told: str = "",
    ) -> None:
        super().__init__(title, "Tab next · Enter do it · Esc back")
        self._asks, self._attempt, self._place, self._follow, self._told = asks, attempt, place, follow, told
        self._own: set[str] = set()
        """Fields that somebody has typed into."""
        self._touched = False
        """Whether anything was done: before that, nobody needs to be told what is wrong with what was there."""
        self._put = {ask.id: ask.value for ask in asks}
        """What the form itself has written into each field."""

    def inside(self) -> Iterable[Widget]:
        """Return each field under its label, above its problem."""
        widgets: list[Widget] = []
        for ask in self._asks:
            widgets.append(Label(ask.label, markup=False))
            if ask.choices:
                widgets.append(OneOf(ask.choices, ask.value, empty=ask.empty, id=f"ask-{ask.id}"))
            else:
                widgets.append(Input(ask.value, id=f"ask-{ask.id}", compact=True, select_on_focus=True))
            widgets.append(Static("", markup=False, classes="wrong", id=f"wrong-{ask.id}"))
        widgets.append(Static("", markup=False, classes="wrong", id="wrong-"))
        if self._told:
            widgets.append(Static(clean(self._told), markup=False, classes="told"))
        yield VerticalScroll(*widgets, can_focus=False)

    def on_mount(self) -> None:
        """Try what is there already."""
        self._try()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Try again."""
        name = (event.input.id or "").removeprefix("ask-")
        if event.value != self._put.get(name):
            self._own.add(name)
            self._touched = True
        self._try()

    def on_one_of_changed(self) -> None:
        """Try again, with what follows from the choice."""
        self._touched = True
        for name, value in self._follow(self._answers()).items():
            if name not in self._own:
                self._put[name] = value
                self.query_one(f"#ask-{name}", Input).value = value
        self._try()

    def on_input_submitted(self) -> None:
        """Do it."""
        self.action_submit()

    def action_submit(self) -> None:
        """Do it, if it can be done."""
        made = self._try()
        if made is not None:
            self.dismiss(Filled(self._answers(), made))
        elif not self._touched:
            self.dismiss(None)  # as it was: nothing to do

    def _answers(self) -> Answers:
        found = {}
        for ask in self._asks:
            field = self.query_one(f"#ask-{ask.id}")
            found[ask.id] = field.value if isinstance(field, Input | OneOf) else ask.value
        return found

    def _try(self) -> Edited | None:
        answers, wrong, made = self._answers(), dict[str, str](), None
        try:
            made = self._attempt(answers)
        except DocumentError as error:
            for problem in error.problems:
                where = self._place(problem, answers)
                wrong.setdefault(where, said(problem, with_path=not where))
        if not self._touched:
            wrong = {}
        for name in ("", *(ask.id for ask in self._asks)):
            line = self.query_one(f"#wrong-{name}", Static)
            line.update(f"✗ {clean(wrong[name])}" if name in wrong else "")
            line.display = name in wrong
        return made


def said(problem: Problem, *, with_path: bool = True) -> str:
    """Return a problem for whoever sees the field: without the file, and without the path where it is in sight."""
    if with_path:
        return problem.placed("", None, None).text()
    parts = [problem.message]
    parts += [f"allowed: {problem.allowed}"] if problem.allowed else []
    parts += [f"did you mean {problem.nearest}?"] if problem.nearest else []
    return "; ".join(parts)


def refused(problem: Problem) -> str:
    """Return a problem for whoever sees which change it is about, with what stands in the way."""
    return replace(problem, path=()).placed("", None, None).text()
