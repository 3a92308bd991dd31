from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.pictures import KINDS, box, cells, followed, graph, pictures
from tui.drawing import boxes
from tui.drawing.draw import draw
from tui.drawing.graph import _laid_out, draw_boxes
from tui.drawing.layers import layering
from tui.drawing.picture import Fact
from tui.drawing.text import clean, columns, cut
from tui.drawing.tree import draw_tree

if TYPE_CHECKING:
    from tui.drawing.canvas import Region
    from tui.drawing.picture import Picture

UNLIMITED = 100_000

properties = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def overlap(a: Region, b: Region) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


# Every edge can be followed by eye from its start to its end and none leads elsewhere, in any graph, however tangled.
@properties
@given(pictures())
def test_every_edge_is_drawn_from_its_start_to_its_end(picture: Picture) -> None:
    drawing = draw_boxes(picture, UNLIMITED)
    assert drawing is not None
    assert followed(drawing) == {(edge.start, edge.end) for edge in picture.edges}


# What is remembered of other pictures changes nothing: after them, one is drawn as if it were the first.
@properties
@given(pictures(20), st.integers(20, 300), st.data())
def test_drawn_after_others_as_from_scratch(picture: Picture, width: int, data: st.DataObject) -> None:
    changed = data.draw(st.integers(0, len(picture.boxes) - 1))
    facts = (Fact("p99 777 ms"), *picture.boxes[changed].facts[1:])
    others = list(picture.boxes)
    others[changed] = replace(others[changed], facts=facts, severity="over")
    draw(picture, width, picture.boxes[0].key)
    after = draw(replace(picture, boxes=tuple(others)), width)
    for remembered in (boxes.painted, boxes.widths, _laid_out):
        remembered.cache_clear()
    assert draw(replace(picture, boxes=tuple(others)), width) == after


# No box stands on another, none is left out, and none leaves the picture.
@properties
@given(pictures())
def test_boxes_do_not_overlap(picture: Picture) -> None:
    drawing = draw_boxes(picture, UNLIMITED)
    assert drawing is not None
    regions = list(drawing.regions.values())
    assert set(drawing.regions) == {box.key for box in picture.boxes}
    assert not any(overlap(a, b) for i, a in enumerate(regions) for b in regions[:i])
    assert all(r.x >= 0 and r.x + r.width <= drawing.width and r.y + r.height <= drawing.height for r in regions)


# Each edge has its rate, whole, on a place that no box and no other label takes.
@properties
@given(pictures(20))
def test_labels_stand_free(picture: Picture) -> None:
    drawing = draw_boxes(picture, UNLIMITED)
    assert drawing is not None
    grid = cells(drawing)
    labels = [edge.label for edge in drawing.edges]
    taken = [*drawing.regions.values(), *(label for label in labels if label is not None)]
    for edge, label in zip(picture.edges, labels, strict=True):
        assert label is not None
        text = "".join(c for c, _ in grid[label.y][label.x : label.x + label.width])
        assert text == ("120/s misses" if edge.kind == "miss" else "120/s")
        assert sum(overlap(label, other) for other in taken) == 1


# At any width the drawing keeps within it, every row is as wide as the drawing by the terminal's own count of columns,
# and every tier has its name, or the beginning of it that fits.
@properties
@given(pictures(), st.integers(20, 300))
def test_any_width(picture: Picture, width: int) -> None:
    drawing = draw(picture, width)
    assert drawing.width <= width
    assert len(drawing.rows) == drawing.height
    for row in drawing.rows:
        assert sum(cell_len(text) for text, _ in row) == drawing.width
    grid = cells(drawing)
    for one in picture.boxes:
        region = drawing.regions[one.key]
        rows = grid[region.y : region.y + region.height]
        shown = "\n".join("".join(c for c, _ in row[region.x : region.x + region.width]) for row in rows)
        assert one.name in shown or any(cut(one.name, n) in shown for n in range(2, columns(one.name))), shown


# The same picture gives the same drawing, also when its layout is not remembered; and other numbers that are as long
# leave every box and every edge where it was, so that an edit does not make the picture jump.
@properties
@given(pictures(25), st.integers(20, 300))
def test_deterministic(picture: Picture, width: int) -> None:
    first = draw(picture, width)
    layering.cache_clear()
    _laid_out.cache_clear()
    assert draw(picture, width) == first
    busier = tuple(replace(one, utilization=0.9, load=one.load._replace(text=one.load.text.replace("5", "9"))) for one in picture.boxes)  # fmt: skip
    edited = draw(replace(picture, boxes=busier), width)
    assert (edited.regions, edited.edges) == (first.regions, first.edges)


# Selecting a box changes nothing but styles and the mark beside its name.
@properties
@given(pictures(15), st.integers(20, 300), st.data())
def test_selection_moves_nothing(picture: Picture, width: int, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from([one.key for one in picture.boxes]))
    plain, chosen = draw(picture, width), draw(picture, width, key)
    assert plain.regions == chosen.regions
    assert plain.edges == chosen.edges
    assert any(style == "selected" for row in chosen.rows for _, style in row)
    assert not any(style == "selected" for row in plain.rows for _, style in row)


# A tree has a line for every call, exactly as wide as asked for, and says where a tier was told already.
@properties
@given(pictures(), st.integers(1, 300))
def test_tree(picture: Picture, width: int) -> None:
    drawing = draw_tree(picture, width)
    assert drawing.width == width
    assert all(sum(cell_len(text) for text, _ in row) == width for row in drawing.rows)
    assert set(drawing.regions) == {one.key for one in picture.boxes}
    lines = [region.y for region in drawing.regions.values()]
    assert len(set(lines)) == len(lines)
    assert [edge.label is not None for edge in drawing.edges] == [True] * len(picture.edges)
    entered = {edge.end for edge in picture.edges}
    roots = sum(one.key not in entered for one in picture.boxes)
    marked = sum(one.bottleneck for one in picture.boxes)
    assert drawing.height >= 1 + roots + len(picture.edges) + marked


# Any text at all may be a name: what is drawn is as wide as a terminal counts it, and commands a terminal nothing.
@settings(max_examples=500)
@given(st.text(max_size=30), st.integers(0, 40))
def test_any_text_is_cut_by_columns(text: str, width: int) -> None:
    shown = cut(clean(text), width)
    assert columns(shown) == cell_len(shown) <= width
    assert shown.isprintable()


# Of every character there is we count as many columns as the terminal library that shows them.
def test_columns_of_every_character() -> None:
    every = (chr(code) for code in range(0x110000))
    assert [c for c in every if columns(clean("a" + c)) != cell_len(clean("a" + c))] == []


# Scripts that write vowels as marks keep them; a heap of marks on one character is no script.
def test_marks_stay_on_their_characters() -> None:
    assert clean("ข้อมูล") == "ข้อมูล"
    assert cut(clean("ข้อมูล"), 3) == "ข้อ…"
    assert clean("a" + "\u0316" * 9) == "a" + "\u0316" * 2
    nodes = [box(clean("ข้อมูล")), box("हिन्दी")]
    assert all(one.name in draw(graph(nodes, [(0, 1)]), 100).text for one in nodes)


# Shapes and words tell the kinds apart, the bottleneck has a heavy frame of its kind and its name: all without colour.
def test_shapes() -> None:
    nodes = [box("app"), *(box(f"a-{kind}", kind) for kind in KINDS[1:])]
    text = draw(graph(nodes, [(0, i) for i in range(1, 5)]), 120).text
    for mark in ("┌ app ─", "╭ a-cache ─", "╔ a-database ═", "╞ queue", "┌ a-external ╌", "╎ partner", "║ database"):
        assert mark in text
    assert "BOTTLENECK" not in text
    for kind, mark in zip(KINDS, ("┏ it ━", "╭ it ━", "╔ it ━", "┣ queue", "┏ it ╍"), strict=True):
        text = draw(graph([box("it", kind, bottleneck=True)], []), 80).text
        assert mark in text
        assert "BOTTLENECK: cores" in text


# A chain is straight, a wire that goes three ways branches in two columns, and what is not waited for is dashed.
def test_lines() -> None:
    nodes = [box("web"), box("one"), box("two", "queue"), box("three")]
    chain = draw(graph(nodes[:2], [(0, 1)]), 120).text.splitlines()
    assert "├────120/s─►│" in chain[2]
    fan = draw(graph([nodes[0], nodes[1], nodes[3], box("four")], [(0, 1), (0, 2), (0, 3)]), 120).text
    assert "├─┴┬───120/s─►│" in fan
    dashed = draw(graph(nodes[:3], [(0, 2)]), 120).text
    assert "╌120/s╌▻╞" in dashed


# Markup and emoji in names are plain characters.
def test_names_are_plain_text() -> None:
    nodes = [box("[red]x[/red]"), box("🚀 출시")]
    drawing = draw(graph(nodes, [(0, 1)]), 100)
    assert drawing.form == "boxes"
    assert "[red]x[/red]" in drawing.text
    assert "🚀 출시" in drawing.text


# A work loop through a queue is drawn with a head that points back to the left.
def test_work_that_leads_back() -> None:
    nodes = [box("app"), box("later", "queue"), box("worker")]
    drawing = draw_boxes(graph(nodes, [(0, 1), (1, 2), (2, 1)]), 120)
    assert drawing is not None
    assert followed(drawing) == {(nodes[a].key, nodes[b].key) for a, b in [(0, 1), (1, 2), (2, 1)]}
    assert "◅" in drawing.text


# Without Unicode nothing but ASCII is left of the lines.
def test_ascii() -> None:
    nodes = [box("users", "class"), *(box(kind, kind, bottleneck=kind == "cache") for kind in ("service", "cache", "database", "queue", "external"))]  # fmt: skip
    picture = graph(nodes, [(0, 1), (1, 2), (2, 3), (1, 3), (1, 4), (4, 5), (5, 4)])
    for width in (300, 80):
        assert draw(picture, width, ascii_only=True).text.isascii()
        assert not draw(picture, width).text.isascii()


# In the tree as well, what is selected is marked by a character, and its line is one band without gaps.
def test_selected_in_the_tree() -> None:
    nodes = [box("users", "class"), box("a", "service"), box("b", "cache"), box("c", "external")]
    picture = graph(nodes, [(0, 1), (1, 2), (2, 3)])
    for node in nodes:
        drawing = draw_tree(picture, 80, node.key)
        lines = drawing.text.splitlines()
        (marked,) = [y for y, line in enumerate(lines) if "▸" in line]
        assert f"▸{node.name} " in lines[marked]
        told = {style for text, style in drawing.rows[marked] if text.strip(" ╰─╌")}
        assert "selected" in told
        assert all(style == "selected" or style.startswith("bar") for style in told)
    assert "▸" not in draw_tree(picture, 80).text
