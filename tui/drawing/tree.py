"""The topology as a tree table, for terminals in which boxes do not fit: one line for each call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.drawing.boxes import BOTTLENECK, bar, marked_load, styled
from tui.drawing.canvas import Canvas, Drawing, DrawnEdge, Key, Region
from tui.drawing.picture import rate
from tui.drawing.text import columns, cut, left

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.drawing.canvas import Span
    from tui.drawing.changes import Change
    from tui.drawing.picture import Box, Edge, Picture

SEEN: Final = "↑ see above"
"""What stands for a tier that has its line already."""

CHOSEN: Final = "▸"
"""Before the name on the line that is chosen, so that no colour is needed to find it."""

_QUIET: Final = frozenset({"kind", "nodes", "label", "dim", "fact", "load", "class"})
_SHORTEST_NAME: Final = 14
_MOST_NODES: Final = 20
_BAR: Final = 8
_HEADINGS: Final = {
    "name": "tier", "kind": "kind", "nodes": "nodes", "bar": "", "load": "load", "p99": "p99", "rate": "rate",
    "±nodes": "", "±load": "", "±p99": "", "±rate": "",
}  # fmt: skip
_NUMBERS: Final = frozenset({"load", "p99", "rate"})
_ORDER: Final = (
    "name", "kind", "nodes", "±nodes", "bar", "load", "±load", "p99", "±p99", "rate", "±rate",
)  # fmt: skip
_DIFFERENCES: Final = frozenset(column for column in _ORDER if column.startswith("±"))
_DROPPED: Final = ("bar", "kind", "±rate", "±nodes", "nodes", "rate", "±p99", "±load", "p99", "load")
"""The columns that are left out one after another where there is less room; of differences, arrows stay."""


@dataclass(frozen=True)
class _Line:
    """One line: a box, reached by an edge (None for where users or nobody come from), behind a piece of the tree."""

    lead: str
    box: Box
    edge: Edge | None
    seen: bool


def draw_tree(picture: Picture, width: int, selected: Key | None = None) -> Drawing:
    """Return the picture as a table of exactly `width` columns, as many rows as there are calls and a heading."""
    lines = list(_lines(picture))
    shown, widths = _columns(lines, width)
    canvas = Canvas(width)
    canvas.put(0, 0, " " * width, "heading")
    _put_cells(canvas, 0, [(((_HEADINGS[column]), "heading"),) for column in shown], shown, widths)
    regions: dict[Key, Region] = {}
    drawn: dict[tuple[Key, Key], Region] = {}
    y = 1
    for line in lines:
        chosen = line.box.key == selected and not line.seen
        if chosen:
            canvas.put(0, y, " " * width, "selected")
        cells = [_cell(line, column, widths, shown, selected=chosen) for column in shown]
        if chosen:
            cells = [_on_band(cell) for cell in cells]
        _put_cells(canvas, y, cells, shown, widths)
        rows = 1
        if line.box.bottleneck and not line.seen:
            below = _below(_lead(line, widths["lead"]))
            text = cut(f"{below}▲ {BOTTLENECK} {line.box.resource} {line.box.load.text}", width)
            canvas.put(0, y + 1, left(text, width), "bottleneck")
            rows = 2
        if not line.seen:
            regions[line.box.key] = Region(0, y, width, rows)
        if line.edge is not None:
            drawn[line.edge.start, line.edge.end] = Region(0, y, width, 1)
        y += rows
    edges = tuple(DrawnEdge(e.start, e.end, drawn.get((e.start, e.end))) for e in picture.edges)
    drawn_rows = canvas.rows()
    return Drawing(width, len(drawn_rows), drawn_rows, regions, edges, "tree")


def _lines(picture: Picture) -> Iterator[_Line]:
    """Yield the lines: each request class and what it reaches, then what nothing reaches, each with what it calls."""
    by_key = {box.key: box for box in picture.boxes}
    leaving: dict[Key, list[Edge]] = {}
    for edge in picture.edges:
        leaving.setdefault(edge.start, []).append(edge)
    called = {edge.end for edge in picture.edges}
    roots = [key for key in by_key if key not in called]
    seen: set[Key] = set()
    for root in [*roots, *by_key]:  # a circle that nothing leads to has no root
        if root in seen:
            continue
        seen.add(root)
        yield _Line("", by_key[root], None, seen=False)
        waiting = [(edge, "", last) for edge, last in _lasts(leaving.get(root, ()))]
        while waiting:
            edge, lead, last = waiting.pop()
            again = edge.end in seen
            seen.add(edge.end)
            arm = ("╰" if last else "├") + ("─" if edge.waited_for else "╌")
            yield _Line(lead + arm, by_key[edge.end], edge, seen=again)
            if not again:
                below = lead + ("  " if last else "│ ")
                waiting += [(e, below, at_end) for e, at_end in _lasts(leaving.get(edge.end, ()))]


def _lasts(edges: list[Edge] | tuple[()]) -> list[tuple[Edge, bool]]:
    """Return edges with whether each is the last, the last first: as a stack gives them back."""
    return [(edge, i == 0) for i, edge in enumerate(reversed(edges))]


def _columns(lines: list[_Line], width: int) -> tuple[list[str], dict[str, int]]:
    """Return the columns that fit and how wide they are, together exactly the width; and of names, the tree's part."""
    told = [line.box for line in lines if not line.seen]
    changes = {
        "±nodes": [box.where.change for box in told],
        "±load": [box.load.change for box in told],
        "±p99": [box.facts[0].change for box in told],
        "±rate": [_change_of_rate(line) for line in lines],
    }
    changed = {name: max((columns(change.text) for change in found), default=0) for name, found in changes.items()}
    shown = [name for name in _ORDER if changed.get(name, 1)]
    widths = {
        **changed,
        "kind": max((columns(box.word) for box in told), default=0),
        "nodes": min(_MOST_NODES, max((columns(box.where.text) for box in told), default=0)),
        "load": max((columns(marked_load(box)) for box in told), default=0),
        "p99": max((columns(_answer(box)) for box in told), default=0),
        "rate": max((columns(_rate(line)) for line in lines), default=0),
    }
    widths = {name: max(found, columns(_HEADINGS[name])) for name, found in widths.items()} | {"bar": _BAR + 2}
    wanted = max((columns(line.lead + line.box.name) for line in lines), default=0)
    dropped = [column for column in _DROPPED if column in shown]
    while dropped and width - sum(widths[name] + 1 for name in shown[1:]) < min(wanted, _SHORTEST_NAME):
        gone = dropped.pop(0)
        shown.remove(gone)
        if gone.startswith("±") and gone[1:] in shown:
            widths[gone[1:]] += 2  # for an arrow
    room = width - sum(widths[name] + 1 for name in shown[1:])
    name = max(0, min(room, max(wanted, _SHORTEST_NAME)))
    longest = max((columns(line.box.name) for line in lines), default=0)
    return shown, widths | {"name": name, "lead": max(name * 2 // 3, name - longest)}


def _put_cells(canvas: Canvas, y: int, cells: list[tuple[Span, ...]], shown: list[str], widths: dict[str, int]) -> None:
    x = 0
    for column, cell in zip(shown, cells, strict=True):
        width = widths[column]
        used = sum(columns(text) for text, _ in cell)
        canvas.spans(x + (max(0, width - used) if column in _NUMBERS else 0), y, cell)
        x += width + 1


def _cell(
    line: _Line, column: str, widths: dict[str, int], shown: Sequence[str], *, selected: bool
) -> tuple[Span, ...]:
    """Return what one column says of a line, no wider than it is; `shown` are all columns."""
    box, width = line.box, widths[column]
    if column == "name":
        lead = _lead(line, widths["lead"])
        style = "selected" if selected else "dim" if line.seen else "bottleneck" if box.bottleneck else "name"
        edge = "edge" if line.edge is None or line.edge.waited_for else "edge.async"
        if selected:
            lead, name = lead[:-1], f"{CHOSEN}{box.name}"
        else:
            name = box.name
        return (lead, edge), (cut(name, width - columns(lead)), style)
    if column in ("rate", "±rate"):
        change = _change_of_rate(line)
        return _changed(change) if column == "±rate" else ((_rate(line), "label"), *_arrow(change, column, shown))
    if line.seen:
        return ((cut(SEEN, width), "dim"),) if column == "nodes" else ()
    if column == "bar":
        return bar(box, _BAR) if box.load.text else ()
    answer, load = box.facts[0], box.load
    if column in _DIFFERENCES:
        return _changed({"±nodes": box.where, "±load": load, "±p99": answer}[column].change)
    name = styled("class" if box.kind == "class" else "fact", box.severity)
    nodes = cut(box.where.text, width - (2 if box.where.change.text and "±nodes" not in shown else 0))
    cells: dict[str, tuple[Span, ...]] = {
        "kind": ((cut(box.word, width), "kind"),),
        "nodes": ((nodes, "nodes"), *_arrow(box.where.change, column, shown)),
        "load": ((marked_load(box), styled("load", box.severity)), *_arrow(load.change, column, shown)),
        "p99": ((_answer(box), name), *_arrow(answer.change, column, shown)),
    }
    return cells[column]


def _on_band(cell: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return a cell of the chosen line: what says no more than its text is as the line is, so that no gaps are seen."""
    return tuple((text, "selected" if style in _QUIET else style) for text, style in cell)


def _lead(line: _Line, most: int) -> str:
    """Return the piece of tree before a name; of a deep one its end, so that the name has room."""
    return line.lead if len(line.lead) <= most else ("…" + line.lead[-2:] if most > 2 else "")


def _changed(change: Change) -> tuple[Span, ...]:
    return ((change.text, f"change.{change.trend}"),)


def _arrow(change: Change, column: str, shown: Sequence[str]) -> tuple[Span, ...]:
    """Return at least in which direction a number went, where there is no room for how far."""
    if not change.text or f"±{column}" in shown:
        return ()
    return ((f" {change.text[0]}", f"change.{change.trend}"),)


def _change_of_rate(line: _Line) -> Change:
    return line.box.rate.change if line.edge is None else line.edge.change


def _below(lead: str) -> str:
    """Return the piece of tree under a line, before what belongs to it."""
    return lead[:-2] + ("│ " if lead[-2:-1] == "├" else "  ") if len(lead) > 1 else lead


def _answer(box: Box) -> str:
    return box.facts[0].text.removeprefix("p99 ")


def _rate(line: _Line) -> str:
    return line.box.rate.text if line.edge is None else rate(line.edge.rate)
