"""A chart on the screen: lines over common axes with units, told apart by letters where there is no colour.

The only module that knows the library which draws. Nothing here is focused: keys belong to the pane around it.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.containers import Grid, Vertical
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static
from textual_hires_canvas import Canvas, HiResMode
from textual_plot import PlotWidget
from textual_plot.axis_formatter import AxisFormatter

from capacity.axes import place, span, ticks
from capacity.plot import letter, lone_places
from tui.drawing.text import clean, columns, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import MouseScrollDown, MouseScrollUp, Resize

    from capacity.axes import Axis
    from tui.content import Chart, Series

_COLOURS: Final = 6
"""Of lines; further ones begin again, with other letters."""

_NARROWEST: Final = 24
_LOWEST: Final = 7
"""Columns and rows of a chart that can be read."""


class _Formatter(AxisFormatter):
    """Ticks of an axis of ours in the room that there is."""

    def __init__(self, axis: Axis, *, across: bool) -> None:
        self.axis, self.across, self.room = axis, across, 1

    def get_ticks_and_labels(self, min_: float, max_: float, max_ticks: int = 8) -> tuple[list[float], list[str]]:
        """Return places and texts."""
        found = ticks(self.axis, min_, max_, self.room, across=self.across)
        return [at for at, _ in found], [text for _, text in found]

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """Return places."""
        return self.get_ticks_and_labels(min_, max_)[0]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """Return nothing: texts come with their places."""
        return []


class _Canvas(Canvas):
    """A canvas each of whose lines has a style: without one, what takes colours away (NO_COLOR) fails."""

    def render_line(self, y: int) -> Strip:
        """Return a line, and an empty one where nothing has been drawn yet."""
        return Strip([Segment(text, style or Style.null()) for text, style, _ in super().render_line(y)])


class Plot(PlotWidget, can_focus=False, inherit_bindings=False):
    """The lines of a chart inside their axes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"plot--mark", *(f"plot--line-{number}" for number in range(_COLOURS))}
    DEFAULT_CSS = """
    Plot > .plot--axis { color: $foreground 40%; }
    Plot > .plot--tick { color: $text-muted; text-style: none; }
    Plot > .plot--mark { color: $foreground; }
    Plot > .plot--line-0 { color: $primary-lighten-2; }
    Plot > .plot--line-1 { color: $warning; }
    Plot > .plot--line-2 { color: $success; }
    Plot > .plot--line-3 { color: $error; }
    Plot > .plot--line-4 { color: $accent; }
    Plot > .plot--line-5 { color: $secondary; }
    """

    def __init__(self, chart: Chart) -> None:
        super().__init__(allow_pan_and_zoom=False)
        self.chart = chart
        self._laid_out: tuple[int, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out what the library does, on canvases of ours; the legend is not inside."""
        with Grid():
            for name in ("margin-top", "margin-left", "plot", "margin-bottom"):
                yield _Canvas(1, 1, id=name)
        yield Static(id="legend")

    def show(self, chart: Chart) -> None:
        """Draw another chart."""
        self.chart = chart
        self._replot()

    def on_resize(self, event: Resize) -> None:
        """Draw for the room that there is."""
        self._replot()

    def notify_style_update(self) -> None:
        """Take the colours of another theme."""
        Widget.notify_style_update(self)  # the library leaves out what forgets the old ones
        self._replot()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Leave the wheel to the pane."""
        event.prevent_default()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Leave the wheel to the pane."""
        event.prevent_default()

    def style_of(self, number: int) -> str:
        """Return the style of a line."""
        return self._named(f"plot--line-{number % _COLOURS}")

    def _named(self, name: str) -> str:
        return str(self.get_component_rich_style(name, partial=True))

    def _replot(self) -> None:
        if not self.is_attached or not self.query(Canvas) or not self.size.area:
            return
        chart = self.chart
        lines = [_placed(chart, line) for line in chart.series]
        marks = [at for mark in chart.marks if (at := place(chart.across, mark.at)) is not None]
        low, high = span(chart.across, [*(x for line in lines for x, _ in line), *marks])
        bottom, top = span(chart.up, [y for line in lines for _, y in line])
        across, up = _Formatter(chart.across, across=True), _Formatter(chart.up, across=False)
        up.room = max(1, self.size.height - 3)
        margin = min(self.size.width // 3, 2 + max(map(len, up.get_ticks_and_labels(bottom, top)[1]), default=0))
        laid_out = (*self.size, margin)
        if laid_out != self._laid_out:
            self.margin_top, self.margin_bottom, self.margin_left = 0, 1, margin
            self.refresh(layout=True)
        self._laid_out = laid_out
        across.room = max(1, self.size.width - margin - 2)
        self.clear()
        self.set_xlimits(low, high)
        self.set_ylimits(bottom, top)
        self.set_x_formatter(across)
        self.set_y_formatter(up)
        for number, line in enumerate(lines):
            self.plot([x for x, _ in line], [y for _, y in line], self.style_of(number), HiResMode.BRAILLE)
        for at in marks:
            self.add_v_line(at, self._named("plot--mark"))

    def _render_plot(self) -> None:
        # The library's own name: what it cannot draw in is left empty, and what is written over its lines comes last.
        if self._scale_rectangle.width < 3 or self._scale_rectangle.height < 2:
            return
        super()._render_plot()
        canvas = self.query_one("#plot", Canvas)
        lines = [_placed(self.chart, line) for line in self.chart.series]
        across, up = (self._x_min, self._x_max), (self._y_min, self._y_max)
        for number, points in enumerate(lines):
            if len(points) != 1 and len(lines) == 1:
                continue
            for x, y in lone_places(lines, number, across, up):
                column, row = self.get_pixel_from_coordinate(x, y)
                inside = min(max(column, 1), canvas.size.width - 2), min(max(row, 1), canvas.size.height - 2)
                canvas.set_pixel(*inside, letter(number) if len(lines) > 1 else "●", f"bold {self.style_of(number)}")
        self._write_marks(canvas)

    def _write_marks(self, canvas: Canvas) -> None:
        """Write the name of every mark beside its line, each a row lower than the one before."""
        style = f"bold {self._named('plot--mark')}"
        row = 0
        for mark in self.chart.marks:
            at = place(self.chart.across, mark.at)
            if at is None:
                continue
            row = row % max(1, canvas.size.height - 2) + 1
            x, _ = self.get_pixel_from_coordinate(at, 0.0)
            after = canvas.size.width - 2 - x
            text = cut(clean(mark.name), max(after, x - 1) - 1)
            start = x + 1 if columns(text) < after else x - columns(text)
            _write(canvas, max(start, 1), row, text, style)


def _write(canvas: Canvas, x: int, y: int, text: str, style: str) -> None:
    """Write plain text, whatever is in it: the library's own way to write takes it for markup."""
    cells: list[str] = []
    for character in text:
        if columns(character) == 0 and cells:
            cells[-1] += character
        else:
            cells += [character] + [""] * (columns(character) - 1)
    for i, character in enumerate(cells):
        if x + i < canvas.size.width - 1:
            canvas.set_pixel(x + i, y, unicodedata.normalize("NFC", character), style)


def _placed(chart: Chart, line: Series) -> list[tuple[float, float]]:
    """Return the points that have a place on both axes."""
    found = [(place(chart.across, x), place(chart.up, y)) for x, y in line.points]
    return [(x, y) for x, y in found if x is not None and y is not None]


class ChartBlock(Vertical):
    """A chart with its title, what is along its axes, and its legend."""

    DEFAULT_CSS = """
    ChartBlock { height: auto; margin-bottom: 1; }
    ChartBlock > Static { height: auto; }
    ChartBlock > .chart--narrow { display: none; color: $text-muted; }
    ChartBlock.-narrow > .chart--narrow { display: block; }
    ChartBlock.-narrow > Plot, ChartBlock.-narrow > .chart--legend { display: none; }
    """
    NARROW: ClassVar[str] = "too little room for a chart: t shows it as a table"

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart
        self._told: dict[str, Text] = {}

    def compose(self) -> ComposeResult:
        """Title, legend, lines."""
        yield Static(markup=False, classes="chart--title")
        yield Static(markup=False, classes="chart--legend")
        yield Plot(self.chart)
        yield Static(self.NARROW, markup=False, classes="chart--narrow")

    def on_mount(self) -> None:
        """Show what was given."""
        self.show(self.chart)

    def show(self, chart: Chart) -> None:
        """Show another chart."""
        self.chart = chart
        if not self.is_attached or not self.query(Plot):
            return
        plot = self.query_one(Plot)
        plot.styles.height = max(chart.height, _LOWEST)
        title = Text(clean(chart.title), "bold")
        title.append(f"\n↑ {clean(chart.up.label)}   → {clean(chart.across.label)}", "not bold dim")
        for name, text in ((".chart--title", title), (".chart--legend", self._legend(plot))):
            if self._told.get(name) != text:
                self.query_one(name, Static).update(text)
                self._told[name] = text
        plot.show(chart)

    def on_resize(self, event: Resize) -> None:
        """Say so where there is too little room."""
        self.set_class(event.size.width < _NARROWEST, "-narrow")

    def _legend(self, plot: Plot) -> Text:
        several, text = len(self.chart.series) > 1, Text()
        for number, line in enumerate(self.chart.series):
            text.append(f"⠒{letter(number)}⠒ " if several else "⠒⠒⠒ ", plot.style_of(number))
            text.append(clean(line.name).replace(" ", "\u00a0") + "   ")
        return text
