"""The topology, drawn: walked with arrows, hjkl or the mouse."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.drawing.draw import draw
from tui.drawing.walking import neighbour
from tui.keys import ON_DRAWING
from tui.widgets.colours import styles_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.events import Click, Resize

    from tui.drawing.canvas import Drawing, Key
    from tui.drawing.picture import Picture


class TopologyView(ScrollView, can_focus=True):
    """Draws a picture at whatever width there is, and moves a selection over it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "walk('left')", "Left", show=False, id="walk.left"),
        Binding("right,l", "walk('right')", "Right", show=False, id="walk.right"),
        Binding("up,k", "walk('up')", "Up", show=False, id="walk.up"),
        Binding("down,j", "walk('down')", "Down", show=False, id="walk.down"),
        Binding("enter", "inspect", "Edit", id="walk.inspect", tooltip="Change its fields"),
        Binding("home", "end('first')", "First", show=False, id="walk.first"),
        Binding("end", "end('last')", "Last", show=False, id="walk.last"),
        *ON_DRAWING,
    ]

    class Selected(Message):
        """Another box was chosen."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    class Inspected(Message):
        """The selected box is to be looked into."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self._picture: Picture | None = None
        self._drawing: Drawing | None = None
        self.selected: Key | None = None
        self._stale = False

    @property
    def drawing(self) -> Drawing | None:
        """What is on the screen."""
        return self._drawing

    def show(self, picture: Picture, selected: Key | None, *, stale: bool = False) -> None:
        """Draw a picture; `stale` dims it, while newer numbers cannot be had."""
        self.fade(stale=stale)
        self._picture, self.selected = picture, selected
        self._redraw()

    def fade(self, *, stale: bool) -> None:
        """Dim what is shown, while newer numbers cannot be had; or no longer."""
        if stale != self._stale:
            self._stale = stale
            self.refresh()

    def select(self, key: Key) -> None:
        """Choose a box and bring it into sight."""
        self.selected = key
        self._redraw()
        self._reveal()
        self.post_message(self.Selected(key))

    def render_line(self, y: int) -> Strip:
        """Return one line of what is in sight."""
        (across, down), width, background = self.scroll_offset, self.size.width, self.visual_style.rich_style
        drawing = self._drawing
        if drawing is None or y + down >= drawing.height:
            return Strip.blank(width, background)
        styles, row = styles_over(self.app, background, dim=self._stale), drawing.rows[y + down]
        if drawing.form == "tree":
            row = tuple((text, "row" if name == "selected" else name) for text, name in row)  # a line, not a frame
        strip = Strip([Segment(text, styles[name]) for text, name in row], drawing.width)
        return strip.crop_extend(across, across + width, background)

    def action_walk(self, direction: Literal["left", "right", "up", "down"]) -> None:
        """Go to the next box in a direction."""
        if self._drawing is not None:
            found = neighbour(self._drawing, self.selected, direction)
            if found is not None:
                self.select(found)

    def action_end(self, which: Literal["first", "last"]) -> None:
        """Go to the first or the last box."""
        if self._drawing is not None and self._drawing.regions:
            keys = list(self._drawing.regions)
            self.select(keys[0] if which == "first" else keys[-1])

    def action_inspect(self) -> None:
        """Look into the selected box."""
        self.post_message(self.Inspected())

    def on_click(self, event: Click) -> None:
        """Choose what is under the mouse; a second click looks into it."""
        across, down = self.scroll_offset
        found = None if self._drawing is None else self._drawing.at(event.x + across, event.y + down)
        if found is not None:
            self.select(found)
            if event.chain == 2:
                self.action_inspect()

    def on_resize(self, event: Resize) -> None:
        """Draw for the new width."""
        self._redraw()

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def _redraw(self) -> None:
        width = self.scrollable_content_region.width
        if self._picture is None or width <= 0:
            return
        before, self._drawing = self._drawing, draw(self._picture, width, self.selected)
        self.virtual_size = Size(self._drawing.width, self._drawing.height)
        changed = list(changed_lines(before, self._drawing))
        if changed:
            top, across = self.scroll_offset.y, max(self._drawing.width, self.size.width)
            self.refresh(*(Region(0, y - top, across, 1) for y in changed))

    def _reveal(self) -> None:
        region = None if self._drawing is None or self.selected is None else self._drawing.regions.get(self.selected)
        if region is not None:
            self.scroll_to_region(Region(*region), spacing=Spacing(1, 1, 1, 1), animate=False)


def changed_lines(before: Drawing | None, after: Drawing) -> Iterator[int]:
    """Yield the numbers of the lines that differ between two drawings, those that only one of them has among them."""
    old = () if before is None or before.form != after.form else before.rows
    for y, (was, now) in enumerate(zip_longest(old, after.rows)):
        if was != now:
            yield y
