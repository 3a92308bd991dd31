from __future__ import annotations

import csv
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import printable
from capacity.plan import plan
from capacity.render import csv_of, json, markdown, text, width
from capacity.report import sections
from capacity.results import to_builtins
from capacity.section import Section
from tests.capacity.marked import SYSTEM, accepted
from tests.capacity.running import EXAMPLES, WIDTH, columns, strict_json

property_test = settings(max_examples=150)

CELLS = st.lists(st.sampled_from([*"abc XYZ019.%数据库デﾃ한🚀é", "e\u0301"]), max_size=30).map("".join).map(str.strip)
TABLES = st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5))


# A character takes as many columns as a terminal gives it.
@pytest.mark.parametrize(
    ("cell", "wanted"),
    [("", 0), ("abc", 3), ("数据库", 6), ("데이터", 6), ("ﾃﾞ", 2), ("é", 1), ("e\u0301", 1), ("🚀", 2), ("←·…", 3)],
)
def test_width(cell: str, wanted: int) -> None:
    assert width(cell) == wanted


# No table is wider than a terminal, and whatever is in a cell, the next column begins in the same place in every row.
@property_test
@given(TABLES)
def test_columns_align(rows: list[list[str]]) -> None:
    marked = [[*row, "|"] for row in rows]
    lines = text([Section("", marked)]).splitlines()
    assert len(lines) == len(rows)
    assert all(columns(line) <= WIDTH for line in lines)
    assert len({columns(line.rpartition("|")[0]) for line in lines}) == 1


# Numbers end in the same place, so that they can be compared by eye.
@property_test
@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=5), CELLS)
def test_numbers_are_right_aligned(numbers: list[int], name: str) -> None:
    lines = text([Section("", [[name, f"{n:,}", "x"] for n in numbers], frozenset({1}))]).splitlines()
    assert len({columns(line) for line in lines}) == 1
    assert [int(line.split()[-2].replace(",", "")) for line in lines] == numbers


# A cell that is cut says so with an ellipsis, and only where the table would not fit.
def test_ellipsis() -> None:
    fits, does_not = ["a" * 38, "b" * 40], ["a" * 38, "b" * 41]
    assert "…" not in text([Section("", [fits])])
    (line,) = text([Section("", [does_not])]).splitlines()
    assert line == f"{'a' * 38}  {'b' * 39}…"
    (line,) = text([Section("", [["数" * 50, "b"]])]).splitlines()
    assert line == f"{'数' * 38}…  b"


# Notes are wrapped at words, indented below their first line, and lose nothing.
@property_test
@given(st.lists(st.text("abcdefgh-,()·", min_size=1, max_size=20), min_size=1, max_size=60))
def test_notes_are_wrapped(words: list[str]) -> None:
    lines = text([Section("", notes=[" ".join(words)])]).splitlines()
    assert all(columns(line) <= WIDTH for line in lines)
    assert " ".join(lines).split() == words
    assert [len(line) - len(line.lstrip()) for line in lines] == [2, *[4] * (len(lines) - 1)]


# In Markdown every row has the cells of the first, whatever marks they hold, and numbers are to the right.
@property_test
@given(st.lists(st.lists(st.text("ab|*_`<[\\ ", max_size=8), min_size=3, max_size=3), min_size=2, max_size=4))
def test_markdown_tables(rows: list[list[str]]) -> None:
    lines = markdown([Section("", rows, frozenset({1}))]).splitlines()
    assert lines[1] == "| --- | ---: | --- |"
    for line, row in zip([lines[0], *lines[2:]], rows, strict=True):
        assert re.sub(r"\\(.)", r"\1", line) == "| " + " | ".join(row) + " |"
        unescaped = re.sub(r"\\.", "", line)
        assert unescaped.count("|") == 4
        assert not set(unescaped) & set("*_`<[")


# A title is a heading of one level, a note an item of a list.
def test_markdown_structure() -> None:
    found = markdown([Section("First", notes=["a*b"]), Section("Second", [["x"]]), Section("", notes=["c"])])
    assert found == "# First\n\n- a\\*b\n\n## Second\n\n| x |\n| --- |\n\n- c\n"


# CSV has every number of the JSON, one on each row, and reads back with any names in it.
def test_csv_is_flat() -> None:
    name = 'a,"b"\n=c'
    quoted = '"a,\\"b\\"\\n=c"'
    evaluation = plan(
        accepted(SYSTEM.replace('entry = "web"', f"entry = {quoted}").replace("s.web", f"s.{quoted}")).topology
    ).evaluation
    rows = list(csv.reader(csv_of(evaluation).splitlines(keepends=True)))
    assert rows[0] == ["scope", "name", "metric", "value"]
    assert {len(row) for row in rows} == {4}
    assert len({tuple(row[:3]) for row in rows}) == len(rows)
    values = {tuple(row[:3]): row[3] for row in rows}
    tier = to_builtins(evaluation)["tiers"][name]
    assert float(values["tiers", name, "response.p99_s"]) == tier["response"]["p99_s"]
    assert float(values["tiers", name, "limits.0.used"]) == tier["limits"][0]["used"]
    assert values["tiers", name, "host"] == "", "nothing is an empty cell"


# JSON is written with every digit: what is read back is what was computed.
def test_json_keeps_every_digit() -> None:
    evaluation = plan(accepted((EXAMPLES / "starter.toml").read_text()).topology).evaluation
    assert strict_json(json(to_builtins(evaluation))) == to_builtins(evaluation)


# Names in CJK keep the report's tables in 80 columns and aligned.
def test_wide_names() -> None:
    source = (
        SYSTEM.replace('"web"', '"数据库服务器"').replace("s.web", 's."数据库服务器"').replace("s.page", 's."페이지"')
    )
    found = text(sections(plan(accepted(source).topology).evaluation))
    assert all(columns(line) <= WIDTH for line in found.splitlines())
    header, row = (
        next(line for line in found.splitlines() if line.startswith(start)) for start in ("Tier ", "数据库服务器 ")
    )
    assert columns(header[: header.index("Nodes")]) == columns(row[: row.index("2 x")])


# What a terminal would obey is shown; what a person can read is left.
@property_test
@given(st.text())
def test_printable(raw: str) -> None:
    cleaned = printable(raw)
    assert cleaned.isprintable()
    assert not raw.isprintable() or cleaned == raw
