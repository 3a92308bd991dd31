"""The answer of one view, from top to bottom: paragraphs, tables, charts or their tables."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content as Markup
from textual.reactive import var

from tui.aligned import separated
from tui.content import Chart, Content, Note, Passage, Table
from tui.marks import mark
from tui.widgets.blocks import TextBlock

if TYPE_CHECKING:
    from textual.events import Click
    from textual.timer import Timer
    from textual.widget import Widget

    from tui.content import Block
    from tui.views import View

_PATIENCE: Final = 0.15
"""Seconds for which an answer to an older question is shown as it is: dimming it at every key would flicker."""


class ViewPane(VerticalScroll, can_focus=True):
    """Shows what a view answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "twin", "Charts/tables", id="view.twin", tooltip="Every chart as a table, and back"),
        Binding("escape", "app.close_view", "Close", id="view.close", tooltip="Back to the drawing"),
    ]
    DEFAULT_CSS = """
    ViewPane { border: round $panel; border-title-style: bold; border-title-color: $foreground;
        border-subtitle-color: $foreground 60%; padding: 0 1; scrollbar-size: 1 1; overflow-x: auto; }
    ViewPane:focus, ViewPane:focus-within { border: round $accent; }
    ViewPane.-stale > * { text-opacity: 50%; }
    """

    twin: var[bool] = var(False)  # noqa: FBT003, textual's own signature

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self.view: View | None = None
        self.content: Content | None = None
        self._progress = ""
        self._waiting: Timer | None = None

    def show(self, view: View, content: Content | None, *, stale: bool, progress: str) -> None:
        """Show an answer; without one, what is there stays, and is dimmed when it is of an older question.

        `progress` says how far the answer is that is being looked for.
        """
        if view is not self.view:
            self.view, self.content = view, None
            self.scroll_home(animate=False)
            self._fill([] if content else [Note("…", "dim")])
        if progress and self.content is None:
            self._fill(_awaited(view, progress))
        self._progress = progress
        self._entitle()
        self.border_subtitle = view.question
        self._age(stale=stale)
        if content is not None:
            self.content = content
            self._fill(self._shown(content))

    def _entitle(self) -> None:
        """Write the title, with marks for the mouse; where the pane has the screen already, none to give it that."""
        if self.view is not None:
            larger = () if self.screen.has_class("-narrow") else (" ", mark("□", "app.maximize"))
            progress = f" · {self._progress} …" if self._progress else ""
            closing = mark("×", "app.close_view")
            self.border_title = Markup.assemble(self.view.title, *larger, " ", closing, progress)

    def on_resize(self) -> None:
        """Offer the marks that do something."""
        self._entitle()

    def on_click(self, event: Click) -> None:
        """Take a double click on a mark for one."""
        if event.chain > 1:
            event.prevent_default().stop()

    def table_text(self) -> str:
        """Return the table that has the focus, else the first one, with tabs between its cells; empty for none."""
        tables = [block for block in self.query(TextBlock) if isinstance(block.block, Table)]
        found = next((block for block in tables if block.has_focus), tables[0] if tables else None)
        return separated(found.block) if found is not None and isinstance(found.block, Table) else ""

    def action_twin(self) -> None:
        """Show charts as tables, or as charts again."""
        if self.content is not None and not any(isinstance(block, Chart) for block in self.content.blocks):
            self.notify("nothing here is a chart: these are words and tables already", markup=False)
            return
        self.twin = not self.twin

    def watch_twin(self) -> None:
        """Show the same answer the other way."""
        if self.content is not None:
            self._fill(self._shown(self.content))

    def _shown(self, content: Content) -> list[Block]:
        """Return what is shown of an answer: a chart without a point is a sentence."""
        found: list[Block] = []
        for block in content.blocks:
            if isinstance(block, Chart) and not any(line.points for line in block.series):
                found.append(Note(f"{block.title}: there is nothing to draw", "dim"))
            else:
                found.append(block.twin() if isinstance(block, Chart) and self.twin else block)
        return found

    def _fill(self, given: list[Block]) -> None:
        """Show blocks, in the widgets that are there where they are of the same kinds."""
        from tui.widgets.chart import ChartBlock

        blocks = _passages(given)
        there = [child for child in self.children if isinstance(child, ChartBlock | TextBlock)]
        if [isinstance(child, ChartBlock) for child in there] == [isinstance(block, Chart) for block in blocks]:
            for child, block in zip(there, blocks, strict=True):
                if isinstance(child, ChartBlock) and isinstance(block, Chart):
                    child.show(block)
                if isinstance(child, TextBlock) and not isinstance(block, Chart):
                    child.show(block)
            return
        made: list[Widget] = [ChartBlock(b) if isinstance(b, Chart) else TextBlock(b) for b in blocks]
        with self.app.batch_update():
            self.remove_children()
            self.mount_all(made)

    def _age(self, *, stale: bool) -> None:
        """Dim what is of an older question, if that lasts long enough to be seen, whatever else is asked meanwhile."""
        if not stale and self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        elif stale and self._waiting is None:
            self._waiting = self.set_timer(_PATIENCE, lambda: self.add_class("-stale"))
        if not stale:
            self.remove_class("-stale")


def _awaited(view: View, progress: str) -> list[Block]:
    """Return what stands where an answer will."""
    return [
        Note(f"Being worked out: {view.work}."),
        Note(f"So far {progress}.", "strong"),
        Note("Every key works meanwhile. What changes the answer makes it start anew; Esc closes the view.", "dim"),
    ]


def _passages(blocks: list[Block]) -> list[Passage | Table | Chart]:
    """Return blocks with paragraphs that follow each other as one: explanations have hundreds, too many for widgets."""
    found: list[Passage | Table | Chart] = []
    for _, run in groupby(blocks, lambda block: isinstance(block, Note)):
        several = list(run)
        notes = tuple(block for block in several if isinstance(block, Note))
        found += [Passage(notes)] if notes else [block for block in several if not isinstance(block, Note)]
    return found
