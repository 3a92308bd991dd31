"""One box: its shape, which tells the kind, and its lines, as much of them as fits."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.drawing.canvas import Canvas, Region
from tui.drawing.changes import NONE
from tui.drawing.gauge import gauge
from tui.drawing.text import columns, cut, left

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.drawing.canvas import Runs, Span
    from tui.drawing.picture import Box, Fact

LONGEST_NAME: Final = 24
_SHORTEST_NAME: Final = 12
_BAR: Final = 10
_SHORTEST_BAR: Final = 4
_NAMED_BAR: Final = 7
"""The shortest bar beside which there is room for the name of the resource."""
_SHORTEST_NODES: Final = 11


class Frame(NamedTuple):
    """The characters of a frame: corners from the upper left clockwise, level and upright sides, ports on the sides."""

    corners: str
    level: str
    left: str
    right: str
    port: str


FRAMES: Final = {
    "service": Frame("┌┐┘└", "─", "│", "│", "├"),
    "cache": Frame("╭╮╯╰", "─", "│", "│", "├"),
    "database": Frame("╔╗╝╚", "═", "║", "║", "╟"),
    "queue": Frame("┌┐┘└", "─", "╞", "╡", "╪"),
    "external": Frame("┌┐┘└", "╌", "╎", "╎", "├"),
}
"""The shape of each kind; what is not here has that of a service."""

HEAVY: Final = {
    "service": Frame("┏┓┛┗", "━", "┃", "┃", "┠"),
    "cache": Frame("╭╮╯╰", "━", "┃", "┃", "┠"),
    "database": Frame("╔╗╝╚", "━", "┃", "┃", "┠"),
    "queue": Frame("┏┓┛┗", "━", "┣", "┫", "╋"),
    "external": Frame("┏┓┛┗", "╍", "┇", "┇", "┠"),
}
"""The same for the bottleneck."""

BOTTLENECK: Final = "BOTTLENECK"


def height(box: Box, *, narrow: bool, compared: bool = False) -> int:
    """Return the rows of a box, its frame included; a narrow one that is compared has its differences below."""
    if box.kind == "class":
        return 4 if narrow and compared else 3
    return 8 if narrow and compared else 6 if narrow else 5


@lru_cache(maxsize=1024)
def widths(box: Box, *, narrow: bool, tight: bool = False) -> tuple[int, int]:
    """Return the columns that a box needs at least, and those in which it shows everything, its frame included.

    A `tight` one may cut the type of its nodes. No difference to a baseline is ever left out.
    """
    name = min(columns(box.name), LONGEST_NAME)
    if box.kind == "class":
        facts = [max(columns(f.text), columns(f.change.text)) if narrow else _long(f) for f in box.facts]
        return max(min(name, _SHORTEST_NAME), *facts) + 3, max(name, *facts) + 3
    load, first = columns(box.load.change.text), columns(box.facts[0].change.text)
    bar = columns(marked_load(box)) + 3 + (load + 1 if load and not narrow else 0) if box.load.text else 0
    nodes = min(columns(box.where.text), _SHORTEST_NODES if tight else LONGEST_NAME)
    head = [columns(box.word), nodes + (columns(box.where.change.text) + 1 if box.where.change.text else 0)]
    told = max(load, first, columns(box.facts[0].text)) if narrow else _long(box.facts[0])
    marked = columns(BOTTLENECK) + 1 if box.bottleneck else 0
    least = max(head) if narrow else sum(head) + 1
    shortest = max(least, told, marked, _SHORTEST_BAR + bar if bar else 0, min(name, _SHORTEST_NAME) + 1)
    whole = max(
        _long(box.where) + (0 if narrow else columns(box.word) + 1),
        _BAR + bar + columns(box.resource) + 1 + load + 1 if bar else 0,
        sum(_long(fact) + 2 for fact in box.facts) - 2,
        name + 1,
    )
    return shortest + 4, max(whole, shortest) + 4


def _long(fact: Fact) -> int:
    return columns(fact.text) + (columns(fact.change.text) + 1 if fact.change.text else 0)


@lru_cache(maxsize=1024)
def painted(
    box: Box, width: int, rows: int, ports: tuple[int, ...], *, narrow: bool, selected: bool
) -> tuple[Runs, ...]:
    """Return the rows of a box, with `ports` at the rows (from its top) at which edges leave it.

    Remembered, since an edit of one tier leaves most of the others as they were.
    """
    canvas = Canvas(width)
    _paint(canvas, box, Region(0, 0, width, rows), ports, narrow=narrow, selected=selected)
    return canvas.rows()


def _paint(canvas: Canvas, box: Box, region: Region, ports: Iterable[int], *, narrow: bool, selected: bool) -> None:
    if box.kind == "class":
        _paint_class(canvas, box, region, ports, narrow=narrow, selected=selected)
        return
    x, y, width, rows = region
    frames = HEAVY if box.bottleneck else FRAMES
    frame = frames.get(box.kind, frames["service"])
    style = "selected" if selected else "bottleneck" if box.bottleneck else styled("box", box.severity)
    upper_left, upper_right, lower_right, lower_left = tuple(frame.corners)
    canvas.put(x, y, upper_left + frame.level * (width - 2) + upper_right, style)
    canvas.put(x, y + rows - 1, lower_left + frame.level * (width - 2) + lower_right, style)
    name = cut(box.name, width - 4)
    canvas.put(x + 1, y, f"{'▸' if selected else ' '}{name} ", "selected" if selected else "name")
    if box.bottleneck:
        why = f"{BOTTLENECK}: {box.resource}"
        mark = why if columns(why) <= width - 5 else BOTTLENECK
        canvas.put(x + width - 4 - columns(mark), y + rows - 1, f" {mark} ", "bottleneck")
    lines = content(box, width - 4, narrow=narrow)
    for row in range(1, rows - 1):
        canvas.put(x, y + row, frame.left, style)
        canvas.put(x + width - 1, y + row, frame.port if row in ports else frame.right, style)
        canvas.put(x + 1, y + row, " " * (width - 2), "fill")
        if row <= len(lines):
            canvas.spans(x + 2, y + row, lines[row - 1])


def _paint_class(
    canvas: Canvas, box: Box, region: Region, ports: Iterable[int], *, narrow: bool, selected: bool
) -> None:
    """Draw a request class: no frame, since it is no machine; a brace gathers its lines into its edge."""
    x, y, width, rows = region
    name = ("▸" if selected else "") + cut(box.name, width - 3 - selected)
    style = styled("class", box.severity)
    canvas.put(x, y, left(name, width - 2), "selected" if selected else "name")
    lines = [line for fact in box.facts for line in _told(fact, style, width - 2, narrow=narrow)]
    for row in range(1, rows):
        canvas.put(x, y + row, " " * (width - 2), "fill")
        canvas.spans(x, y + row, lines[row - 1] if row <= len(lines) else ())
    for row in range(rows):
        mark = "╮" if row == 0 else "╯" if row == rows - 1 else "├" if row in ports else "│"
        canvas.put(x + width - 1, y + row, mark, "edge")


def content(box: Box, width: int, *, narrow: bool) -> list[tuple[Span, ...]]:
    """Return the lines inside a box."""
    where = _fitted([box.where], "nodes", width if narrow else width - columns(box.word) - 1)
    word: Span = cut(box.word, width), "kind"
    head: list[tuple[Span, ...]] = (
        [(word,), *([where] if box.where.text else [])] if narrow else [(word, (" ", ""), *where)]
    )
    style = styled("fact", box.severity)
    if not narrow:
        facts = _fitted(box.facts, style, width)
        return [*head, bar_line(box, width), facts] if box.load.text else [*head, facts]
    first, load = box.facts[0], box.load.change
    lines = [bar_line(replace(box, load=box.load._replace(change=NONE)), width)] if box.load.text else []
    lines += [((load.text, f"change.{load.trend}"),)] if load.text else []
    told, *below = _told(first, style, width, narrow=True)
    return [*head, *lines, told if first.change.text else _fitted(box.facts, style, width), *below]


def _told(fact: Fact, style: str, width: int, *, narrow: bool) -> list[tuple[Span, ...]]:
    """Return a number and how it changed: where it is narrow, in a line below it."""
    if not narrow or not fact.change.text:
        return [_fitted([fact], style, width)]
    return [_fitted([fact._replace(change=NONE)], style, width), ((fact.change.text, f"change.{fact.change.trend}"),)]


def bar_line(box: Box, width: int) -> tuple[Span, ...]:
    """Return utilisation as a bar and a number, then what changed, then which resource, as far as it fits."""
    text = marked_load(box)
    tail: list[Span] = [(" ", ""), (text, styled("load", box.severity))]
    room = width - columns(text) - 3 - _SHORTEST_BAR
    changed = _changed(box.load, room)
    tail += changed
    room -= sum(columns(part) for part, _ in changed)
    if box.resource and columns(box.resource) < room - (_NAMED_BAR - _SHORTEST_BAR):
        tail += [(" ", ""), (box.resource, "dim")]
        room -= columns(box.resource) + 1
    return (*bar(box, min(_BAR, room + _SHORTEST_BAR)), *tail)


def bar(box: Box, cells: int) -> tuple[Span, ...]:
    """Return utilisation as a bar of so many cells between two posts; in the empty part a mark at the ceiling."""
    return gauge(box.utilization or 0.0, box.ceiling, box.severity, cells)


def marked_load(box: Box) -> str:
    """Return utilisation as text, with a mark where it is too much: colour alone would not tell everybody."""
    return box.load.text + ("!" if box.load.text and box.severity in ("over", "overloaded") else "")


def _fitted(facts: Iterable[Fact], style: str, width: int) -> tuple[Span, ...]:
    """Return the facts with their changes that fit into a line, the first at all events."""
    spans: list[Span] = []
    room = width
    for i, fact in enumerate(facts):
        if i and columns(fact.text) + 2 > room:
            break
        aside = columns(fact.change.text) + 1 if fact.change.text else 0
        text = cut(fact.text, room - aside if room - aside >= _SHORTEST_BAR else room)
        spans += [("  ", "")] if i else []
        spans.append((text, style))
        room -= columns(text) + (2 if i else 0)
        changed = _changed(fact, room)
        spans += changed
        room -= sum(columns(part) for part, _ in changed)
    return tuple(spans)


def _changed(fact: Fact, room: int) -> list[Span]:
    """Return how a number changed, with a space before it; where there is no room for how much, only its arrow."""
    change = fact.change
    if not change.text or room < 2:
        return []
    text = change.text if columns(change.text) < room else change.text[0]
    return [(" ", ""), (text, f"change.{change.trend}")]


def styled(name: str, severity: str) -> str:
    """Return the name of a style that depends on the severity."""
    return name if severity == "calm" else f"{name}.{severity}"
