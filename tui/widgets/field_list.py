"""The fields, one line each: walked, stepped, scrubbed with the mouse; what is typed goes into an input above it."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.drawing.text import columns, cut, left
from tui.widgets.colours import styles_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, Key, MouseDown, MouseMove, MouseUp

    from capacity.errors import KeyPath
    from capacity.stepping import Direction
    from tui.drawing.canvas import Span
    from tui.inspection import Row

_CELLS_PER_STEP: Final = 2
"""Columns that the mouse goes for a step."""

_CYCLED: Final = frozenset({"choice", "switch", "name"})


class _Widths(NamedTuple):
    """The columns for names (with the marker), for values, and of all."""

    names: int
    values: int
    whole: int


class _Line(NamedTuple):
    """What stands in a line, of which row."""

    row: Row
    here: bool
    """Whether the cursor is on it."""
    parts: tuple[Span, ...]


class FieldList(ScrollView, can_focus=True):
    """Shows rows and says what is to be done to the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Field", key_display="↑↓", id="field.previous", tooltip="The field above"),
        Binding("down,j", "move(1)", "Field below", show=False, id="field.next"),
        Binding("pageup", "move(-10)", "Fields above", show=False, id="field.page_up"),
        Binding("pagedown", "move(10)", "Fields below", show=False, id="field.page_down"),
        Binding("home", "move(-9999)", "First field", show=False, id="field.first"),
        Binding("end", "move(9999)", "Last field", show=False, id="field.last"),
        Binding("enter", "edit", "Edit", id="field.edit", tooltip="Type a value; a digit begins one as well"),
        Binding("plus,equals_sign", "step(1)", "Step", key_display="+/-", id="field.more", tooltip="A step up"),
        Binding("minus", "step(-1)", "Step down", show=False, id="field.less"),
        Binding(
            "greater_than_sign,shift+right", "step(1, True)", "Leap", key_display=">/<", id="field.much_more",
            tooltip="A big step up", show=False,
        ),
        Binding("less_than_sign,shift+left", "step(-1, True)", "Leap down", show=False, id="field.much_less"),
        Binding("right", "cycle(1)", "Next choice", show=False, id="field.next_choice"),
        Binding("left", "cycle(-1)", "Previous choice", show=False, id="field.previous_choice"),
        Binding("p", "pin", "Pin count", id="field.pin", tooltip="Fix a count, or give it back to the plan"),
        Binding("delete,backspace", "unset", "Leave out", id="field.unset", tooltip="So that its default holds"),
        Binding("full_stop", "unfold", "All of call", show=False, key_display=".", id="field.unfold"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {"fields--cursor"}
    DEFAULT_CSS: ClassVar[str] = """
    FieldList { scrollbar-size: 1 1; overflow: hidden auto; }
    FieldList > .fields--cursor { background: $boost; }
    FieldList:focus > .fields--cursor { background: $block-cursor-blurred-background; }
    """

    class Asked(Message):
        """Something is to be done to a row."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Edited(Asked):
        """A value is to be typed; `first` is what was typed already."""

        def __init__(self, row: Row, first: str | None) -> None:
            super().__init__(row)
            self.first = first

    class Stepped(Asked):
        """A value is to go up or down; `held` by the mouse."""

        def __init__(self, row: Row, direction: Direction, *, big: bool, held: bool = False) -> None:
            super().__init__(row)
            self.direction: Direction = direction
            self.big, self.held = big, held

    class Pinned(Asked):
        """A count is to be fixed, or given back to the plan."""

    class Unset(Asked):
        """A field is to be left out."""

    class Unfolded(Asked):
        """All fields of a call are to be shown, or no longer."""

    class Moved(Message):
        """The cursor went to another row."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002, textual's own name
        super().__init__(id=id)
        self.rows: Sequence[Row] = ()
        self.cursor = 0
        self.message = ""
        """What is wrong with the row under the cursor."""
        self._typed: str | None = None
        self._lines: list[_Line] = []
        self._longest = 0, 0
        """The columns of the longest name and of the longest value."""
        self._widths = _Widths(0, 0, 0)
        """Those with which the lines were written."""
        self._pressed: int | None = None
        self._scrubbed = 0

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) and self.rows[self.cursor].path else None

    @property
    def typed(self) -> str | None:
        """What is being typed into the row under the cursor."""
        return self._typed

    @typed.setter
    def typed(self, text: str | None) -> None:
        self._typed = text
        if self.cursor < min(len(self.rows), len(self._lines)):
            before = self._lines[self.cursor]
            self._lines[self.cursor] = now = self._line(self.rows[self.cursor], here=True)
            if now != before:
                self.refresh_line(self.cursor)

    def copy_value(self) -> str | None:
        """Return the value under the cursor as it is typed, or as it holds where it is left out."""
        return None if self.row is None else self.row.text or self.row.shown or None

    def show(self, rows: Sequence[Row], message: str = "") -> None:
        """Show other rows; the cursor stays with its field."""
        path, before = self.row.path if self.row is not None else None, self.cursor
        self.rows, self.message = rows, message
        found = next((i for i, row in enumerate(rows) if row.path and row.path == path), None)
        self.cursor = min(self.cursor, max(len(rows) - 1, 0)) if found is None else found
        if self.row is None:
            self.cursor = next((i for i, row in enumerate(rows) if row.path), 0)
        names = (columns(row.label) + 2 * row.depth for row in rows if row.path)
        self._longest = max(names, default=0), max((columns(row.shown) for row in rows), default=0)
        self._write()
        self.virtual_size = Size(self._widths.whole, len(rows))
        if self.cursor != before:
            self.call_after_refresh(self._reveal)

    def go_to(self, path: KeyPath) -> None:
        """Put the cursor on a field."""
        for i, row in enumerate(self.rows):
            if row.path == path:
                self._move_to(i)

    def cell(self) -> Region:
        """Return where the value under the cursor stands, on the screen."""
        names, values, _ = self._fitted()
        place = self.content_region.offset
        return Region(place.x + names, place.y + self.cursor - self.scroll_offset.y, values, 1)

    def _fitted(self) -> _Widths:
        """Return the widths that fit what is shown."""
        width, (name, value) = self.scrollable_content_region.width, self._longest
        names = min(name + 3, max(width * 2 // 5, 12))
        return _Widths(names, min(max(value + 2, 14), max(width - names - 8, 8), 40), width)

    def render_line(self, y: int) -> Strip:
        """Return one line of what is in sight."""
        ground, width, place = self.visual_style.rich_style, self.size.width, y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, ground)
        line = self._lines[place]
        base = ground + self.get_visual_style("fields--cursor").rich_style if line.here else ground
        styles = styles_over(self.app, base)
        strip = Strip([Segment(text, styles[style]) for text, style in line.parts])
        return strip.adjust_cell_length(self.scrollable_content_region.width, base).extend_cell_length(width, ground)

    def _write(self) -> None:
        """Write every line that may differ, and have those painted that do."""
        widths, before = self._fitted(), self._lines
        kept = before if widths == self._widths else []
        self._widths, self._lines = widths, []
        for place, row in enumerate(self.rows):
            was = kept[place] if place < len(kept) else None
            same = was is not None and was.row is row and not was.here and place != self.cursor
            self._lines.append(was if was is not None and same else self._line(row, here=place == self.cursor))
        for place, (was, now) in enumerate(zip_longest(before, self._lines)):
            if was is not now and (was is None or now is None or was[1:] != now[1:]):
                self.refresh_line(place)

    def _line(self, row: Row, *, here: bool) -> _Line:
        return _Line(row, here, self._parts(row, here=here))

    def _parts(self, row: Row, *, here: bool) -> tuple[Span, ...]:
        names, values, width = self._widths
        if not row.path:
            text = f"── {row.label} "
            return ((left(text + "─" * max(width - columns(text), 0), width), "field.heading"),)
        style = "plan" if row.count is not None else "value" if row.given else "default"
        hint, hinted = row.hint, "hint"
        if row.was is not None:
            hint, hinted = f"was {row.was}", "was"
        if here and self.typed is not None and row.given:
            meant = row.meant if self.typed.strip() == row.text else row.shown
            hint, hinted = (f"= {meant}", "was") if meant else (hint, hinted)
        if here and self.message:
            hint, hinted = f"✗ {self.message}", "error"
        label, shown = "  " * row.depth + row.label, cut(row.shown, values - 1)
        return (
            ("▸ " if here else "  ", "field.marker"),
            (left(label, names - 3) + " ", "field.label"),
            (left(shown, values), f"field.{style}"),
            (left(hint, max(width - names - values, 0)), f"field.{hinted}"),
        )

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def on_resize(self) -> None:
        """Write for the new width."""
        self._write()

    def _move_to(self, place: int) -> None:
        if place != self.cursor and 0 <= place < len(self.rows) and self.rows[place].path:
            self.cursor, self.message = place, ""
            self.post_message(self.Moved())
            self._write()
        self._reveal()

    def _reveal(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), spacing=Spacing(1, 0, 1, 0), animate=False)

    def action_move(self, steps: int) -> None:
        """Go some fields up or down."""
        fields = [i for i, row in enumerate(self.rows) if row.path]
        if fields:
            here = min(range(len(fields)), key=lambda i: abs(fields[i] - self.cursor))
            self._move_to(fields[min(max(here + steps, 0), len(fields) - 1)])

    def action_edit(self) -> None:
        """Type a value."""
        if self.row is not None:
            self.post_message(self.Edited(self.row, None))

    def action_step(self, direction: Direction, big: bool = False) -> None:  # noqa: FBT001, FBT002 - given by a binding
        """Go to the next value."""
        if self.row is not None:
            self.post_message(self.Stepped(self.row, direction, big=big))

    def action_cycle(self, direction: Direction) -> None:
        """Go to the next of several choices."""
        if self.row is not None and self.row.field is not None and self.row.field.kind in _CYCLED:
            self.action_step(direction)

    def action_pin(self) -> None:
        """Fix a count, or give it back."""
        if self.row is not None:
            self.post_message(self.Pinned(self.row))

    def action_unset(self) -> None:
        """Leave a field out."""
        if self.row is not None:
            self.post_message(self.Unset(self.row))

    def action_unfold(self) -> None:
        """Show all fields of a call."""
        if self.row is not None:
            self.post_message(self.Unfolded(self.row))

    def on_key(self, event: Key) -> None:
        """Begin a value with a digit."""
        typed = event.character or ""
        kind = self.row.field.kind if self.row is not None and self.row.field is not None else ""
        if self.row is not None and typed.isdecimal() and kind in ("quantity", "whole"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Edited(self.row, typed))

    def on_mouse_down(self, event: MouseDown) -> None:
        """Choose a field; on its value, begin to scrub."""
        place = event.y + self.scroll_offset.y
        if place >= len(self.rows) or not self.rows[place].path:
            return
        self._move_to(place)
        names, values, _ = self._fitted()
        if names <= event.x < names + values and event.button == 1:
            self._pressed, self._scrubbed = event.screen_x, 0
            self.capture_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        """Step the value as far as the mouse has gone."""
        if self._pressed is None or self.row is None:
            return
        steps = int((event.screen_x - self._pressed) / _CELLS_PER_STEP)
        direction: Direction = 1 if steps > self._scrubbed else -1
        for _ in range(abs(steps - self._scrubbed)):
            self.post_message(self.Stepped(self.row, direction, big=event.shift, held=self._scrubbed != 0))
            self._scrubbed += direction

    def on_mouse_up(self, event: MouseUp) -> None:
        """End scrubbing."""
        self._pressed = None
        self.release_mouse()

    def on_click(self, event: Click) -> None:
        """Type a value after a double click."""
        if event.chain == 2 and self._scrubbed == 0:
            self.action_edit()
