"""What can be done, here and everywhere, and how to have it on other keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.bound import shown_keys
from tui.drawing.text import clean, columns, left
from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

    from tui.bound import Bound

KEYS_WIDE = 12
"""Columns for the keys themselves."""


@dataclass(frozen=True)
class Section:
    """A group of keys under a title."""

    title: str
    bound: tuple[Bound, ...]


class Help(Dialog[None]):
    """Shows sections of keys, one line each: the keys, what they do, the id to rebind them by."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark,q", "leave", "Back", show=False),
    ]
    DEFAULT_CSS = """
    Help > .frame { width: 100; height: 92%; }
    Help VerticalScroll { height: 1fr; scrollbar-size: 1 1; }
    """
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, sections: Sequence[Section], notes: Sequence[str]) -> None:
        super().__init__("Help", "↑↓ scroll · Esc back")
        self._sections, self._notes = sections, notes

    def inside(self) -> Iterable[Widget]:
        """Return everything, to be scrolled."""
        every = [bound for section in self._sections for bound in section.bound]
        ids = max((len(bound.id) for bound in every), default=0)
        lines = [Static(_section(section, ids), markup=False) for section in self._sections]
        notes = [Static(Content(clean(note)), markup=False) for note in self._notes]
        yield VerticalScroll(*lines, Static(Content.styled("On other keys", "bold")), *notes)


def _section(section: Section, ids: int) -> Content:
    parts: list[Content | tuple[str, str] | str] = [(clean(section.title), "bold")]
    for bound in section.bound:
        keys = shown_keys(bound.keys)
        gap = " " * max(KEYS_WIDE - columns(keys), 1)
        told = clean(bound.told or bound.title)
        parts += ["\n", (keys, "bold $accent"), gap, (left(bound.id, ids), "$text-muted"), f"  {told}"]
    return Content.assemble(*parts, "\n")
