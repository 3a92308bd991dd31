"""The fields, one line each: walked, stepped, scrubbed with the mouse; what is typed goes into an input above it."""

from __future__ import annotations

from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.drawing.text import columns, cut, left
from tui.widgets.colours import style_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, Key, MouseDown, MouseMove, MouseUp

    from capacity.errors import KeyPath
    from capacity.stepping import Direction
    from tui.drawing.canvas import Span
    from tui.inspection import Row

    _Line = tuple[bool, tuple[Span, ...]]

_CELLS_PER_STEP: Final = 2
"""Columns that the mouse goes for a step."""

_CYCLED: Final = frozenset({"choice", "switch", "name"})


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
        self._base = Style()
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
            names, values = self._widths()
            width = self.scrollable_content_region.width
            self._lines[self.cursor] = True, self._parts(self.rows[self.cursor], names, values, width, here=True)
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
        self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
        self._write()
        if self.cursor != before:
            self.call_after_refresh(self._reveal)

    def go_to(self, path: KeyPath) -> None:
        """Put the cursor on a field."""
        for i, row in enumerate(self.rows):
            if row.path == path:
                self._move_to(i)

    def cell(self) -> Region:
        """Return where the value under the cursor stands, on the screen."""
        names, values = self._widths()
        place = self.content_region.offset
        return Region(place.x + names, place.y + self.cursor - self.scroll_offset.y, values, 1)

    def _widths(self) -> tuple[int, int]:
        """Return the columns for names (with the marker) and for values."""
        width = self.scrollable_content_region.width
        longest = max((columns(row.label) + 2 * row.depth for row in self.rows if row.path), default=0) + 3
        names = min(longest, max(width * 2 // 5, 12))
        shown = max((columns(row.shown) for row in self.rows), default=0) + 2
        return names, min(max(shown, 14), max(width - names - 8, 8), 40)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return what is in sight of a part; its background is looked up once and not for every line."""
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return one line of what is in sight."""
        base, width, place = self._base, self.scrollable_content_region.width, y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(self.size.width, base)
        here, parts = self._lines[place]
        if here:
            base += self.get_component_rich_style("fields--cursor")
        segments = [Segment(text, base + style_of(self.app, style)) for text, style in parts]
        return Strip(segments).adjust_cell_length(width, base).extend_cell_length(self.size.width, self._base)

    def _write(self) -> None:
        """Write every line anew, and have those painted that differ from what they were."""
        names, values = self._widths()
        width = self.scrollable_content_region.width
        before, self._lines = self._lines, []
        for place, row in enumerate(self.rows):
            here = place == self.cursor
            self._lines.append((here, self._parts(row, names, values, width, here=here)))
        for place, (was, now) in enumerate(zip_longest(before, self._lines)):
            if was != now:
                self.refresh_line(place)

    def _parts(self, row: Row, names: int, values: int, width: int, *, here: bool) -> tuple[Span, ...]:
        if not row.path:
            text = f"── {row.label} "
            return ((left(text + "─" * max(width - columns(text), 0), width), "field.heading"),)
        style = "plan" if row.count is not None else "value" if row.given else "default"
        hint, hinted = row.hint, "hint"
        if row.was is not None:
            hint, hinted = f"was {row.was}", "was"
        if here and self.typed is not None and self.typed.strip() != row.text and row.given:
            hint, hinted = f"= {row.shown}", "was"
        if here and self.message:
            hint, hinted = f"✗ {self.message}", "error"
        texts = "  " * row.depth + row.label, row.shown, hint
        return _line(texts, (names, values, max(width - names - values, 0)), f"field.{style}", f"field.{hinted}", here)

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
        names, values = self._widths()
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


@lru_cache(maxsize=4096)
def _line(
    texts: tuple[str, str, str],
    widths: tuple[int, int, int],
    style: str,
    hinted: str,
    here: bool,  # noqa: FBT001
) -> tuple[Span, ...]:
    """Return name, value and hint in their columns. Remembered: a key changes one line of dozens."""
    (name, shown, hint), (names, values, rest) = texts, widths
    return (
        ("▸ " if here else "  ", "field.marker"),
        (left(name, names - 3) + " ", "field.label"),
        (left(cut(shown, values - 1), values), style),
        (left(hint, rest), hinted),
    )
