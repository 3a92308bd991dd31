from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.aligned import aligned, separated, wrapped
from tui.content import Cell, Table
from tui.drawing.text import clean, columns

names = st.text(st.sampled_from("abc xyz[red]データ✓🙂é"), max_size=30)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 5))
    row = st.lists(names, min_size=width, max_size=width)
    rows = draw(st.lists(row, max_size=5))
    left = draw(st.frozensets(st.integers(0, width - 1)))
    return Table("title", tuple(draw(row)), tuple(tuple(Cell(text) for text in one) for one in rows), left)


# Whatever is written in it and however wide the screen, all lines of a table are equally wide: columns stand below
# each other.
@given(tables(), st.integers(1, 100))
def test_columns_stand_below_each_other(table: Table, width: int) -> None:
    widths = {sum(columns(part) for part, _ in line) for line in aligned(table, width)}
    assert len(widths) == 1


# Words give way to numbers, and are broken, not cut: a table with a column of words fits, no number loses a digit, and
# no name its end.
def test_words_are_broken_and_numbers_are_not() -> None:
    row = (Cell("a name that is long"), Cell("1.23 s"), Cell("456 ms"))
    table = Table("t", ("Class", "mean", "p99"), (row,))
    header, *lines = ["".join(part for part, _ in found) for found in aligned(table, 24)]
    assert {cell_len(line) for line in lines} == {24}
    assert "1.23 s 456 ms" in lines[0]
    assert " ".join(line[:10].strip() for line in lines) == "a name that is long"
    assert header.startswith("Class")
    assert "1.23 s 456 ms" in "".join(part for part, _ in aligned(table, 10)[1])


# A name is broken where its parts are joined, and titles above numbers between their words.
def test_names_and_titles_are_broken_where_they_are_joined() -> None:
    row = (Cell("primary lost"), Cell("customer-database"), Cell("6.8 ms"))
    table = Table("t", ("Scenario", "Worst", "recommendations p99"), (row,), frozenset({0, 1}))
    lines = ["".join(part for part, _ in found) for found in aligned(table, 35)]
    assert [line.split() for line in lines] == [
        ["Scenario", "Worst", "recommendations"],
        ["p99"],
        ["primary", "customer-", "6.8", "ms"],
        ["lost", "database"],
    ]


# The last words go on below themselves, so that a sentence in a table is not lost.
def test_the_last_words_are_wrapped() -> None:
    table = Table("t", ("Scenario", "what"), ((Cell("zone lost"), Cell("all of it is gone " * 5)),), frozenset({0, 1}))
    lines = ["".join(part for part, _ in line) for line in aligned(table, 40)]
    assert all(cell_len(line) <= 40 for line in lines)
    assert " ".join(" ".join(lines[1:]).split()).removeprefix("zone lost ") == ("all of it is gone " * 5).strip()


# Nothing of a paragraph is lost when it is wrapped, at any width, words longer than a line included.
@given(names, st.integers(1, 30))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    lines = wrapped(clean(text), width)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())
    assert all(columns(line) <= max(width, 2) for line in lines)


# What is copied is what is shown, for a spreadsheet: tabs between cells, and none inside.
def test_a_table_is_copied_with_tabs() -> None:
    table = Table("t", ("Tier", "p99"), ((Cell("a\tb"), Cell("1 ms")), (Cell("[red]"), Cell("never", "bad"))))
    assert separated(table) == "Tier\tp99\na·b\t1 ms\n[red]\tnever\n"
