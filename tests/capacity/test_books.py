from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
import tomli_w
from hypothesis import example, given
from hypothesis import strategies as st

from capacity import sheet
from capacity.books import Book, load_book, parse_csv, parse_toml
from capacity.document import parse
from capacity.errors import DocumentError, Problem, UsageError, show_path
from capacity.pricing import NodeType, as_values
from capacity.reading import MOST_BYTES
from tests.capacity.marked import SYSTEM, unmarked
from tests.capacity.running import EXAMPLES, WIDTH, capacity, columns
from tests.capacity.test_fuzz import SPELLINGS, fuzz

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOML = """date = "2026-11"
currency = "EUR"
[node_types."m.small"]
vcpus = 4
family = "m"
memory = "16GiB"
network = "1Gbit/s"
price = 0.2
reserved_1y = 0.15
reserved_3y = 0.1
[node_types."m.large"]
vcpus = 16
family = "m"
memory = "64GiB"
disk_iops = "20000/s"
speed = 1.5
price = 0.8
spot = 0.3
[node_types.bare]
vcpus = 1
"""

CSV = """# Prices of our own hall.
# currency: EUR
#Date : 2026-11,,,,
name,vcpus,family,memory_gib,network_mbps,disk_iops,speed,on_demand_hourly,reserved_1y_hourly,reserved_3y_hourly,spot_hourly
m.small,4,m,16,1000,,,0.2,0.15,0.1,
  # the large one
"m.large", 16 ,"m",64,,2e4,1.5,.8,,,0.3

bare,1
,,,,,,,,,,
"""

FORMS: dict[str, Callable[[str, str], Book]] = {"toml": parse_toml, "csv": parse_csv}


def problems(form: str, text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a book; an AssertionError when nothing is."""
    try:
        FORMS[form](text, "b")
    except DocumentError as error:
        return error.problems
    raise AssertionError("this book was accepted")


def written(folder: Path, name: str, text: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return a book in a file."""
    return written(tmp_path, "mine.toml", TOML)


# Both forms say the same; what they leave out is unknown, and unknown is never 0.
def test_both_forms_say_the_same(tmp_path: Path) -> None:
    first, second = load_book(str(written(tmp_path, "b.toml", TOML))), load_book(str(written(tmp_path, "b.CSV", CSV)))
    assert first.node_types == second.node_types
    assert (first.date, first.currency) == (second.date, second.currency) == ("2026-11", "EUR")
    assert (first.source, second.source) == (str(tmp_path / "b.toml"), str(tmp_path / "b.CSV"))
    small, large, bare = first.node_types.values()
    gib = 1024.0**3
    assert small == NodeType(
        vcpus=4, family="m", memory=16 * gib, network=1.25e8, price=0.2, reserved_1y=0.15, reserved_3y=0.1
    )
    assert large == NodeType(vcpus=16, family="m", memory=64 * gib, disk_iops=20000, speed=1.5, price=0.8, spot=0.3)
    assert bare == NodeType(vcpus=1)


# Windows' line ends, a byte order mark, quotes and the order of columns change nothing.
def test_spelling_does_not_matter(tmp_path: Path) -> None:
    plain = parse_csv(CSV, "b").node_types
    assert parse_csv(CSV.replace("\n", "\r\n"), "b").node_types == plain
    assert load_book(str(written(tmp_path, "b.csv", b"\xef\xbb\xbf" + CSV.encode()))).node_types == plain
    assert parse_csv("vcpus,name\n4,a\n", "b").node_types == {"a": NodeType(vcpus=4)}
    assert parse_csv('name,vcpus\n"a ""b"", c",4\n', "b").node_types == {'a "b", c': NodeType(vcpus=4)}


# A book that does not say is undated, and in the currency that a topology is in by itself.
@pytest.mark.parametrize(("form", "text"), [("toml", "node_types.a.vcpus = 4"), ("csv", "name,vcpus\na,4")])
def test_what_a_book_may_leave_out(form: str, text: str) -> None:
    read = FORMS[form](text, "b")
    assert (read.date, read.currency, dict(read.node_types)) == (None, "USD", {"a": NodeType(vcpus=4)})


class Bad(NamedTuple):
    """A book that is wrong at its mark, and what its only problem should say."""

    text: str
    path: str = ""
    found: str | None = None
    allowed: str = ""
    nearest: str | None = None


BAD_TOML = [
    Bad("[node_types.a]\nvcpus = 4\n‸memry = 5\n", "node_types.a.memry", None, "memory", "memory"),
    Bad("[node_types.a]\nvcpus = ‸4.5\n", "node_types.a.vcpus", "4.5", "from 1 to 4,096"),
    Bad("[‸node_types.a]\nmemory = 4\n", "node_types.a", None, "from 1 to 4,096"),
    Bad('[node_types.a]\nvcpus = 4\nspot = ‸"5 pounds"\n', "node_types.a.spot", '"5 pounds"', "an amount"),
    Bad("[node_types.a]\nvcpus = 4\nfamily = ‸7\n", "node_types.a.family", "7", "a string"),
    Bad("date = ‸2026-11-01\n[node_types.a]\nvcpus = 4\n", "date", "2026-11-01", "a string"),
    Bad("‸dat = '1'\n[node_types.a]\nvcpus = 4\n", "dat", None, "date, currency, node_types", "date"),
    Bad("[node_types.a]\nvcpus = 4\n‸[node_types.a]\n", "", '"[node_types.a]"', "each key once"),
    Bad("[node_types.a]\nvcpus ‸4\n"),
]
HEAD = "name,vcpus,memory_gib,speed,on_demand_hourly\n"
BAD_CSV = [
    Bad("name,vcpus,‸colour\na,4,red\n", "", '"colour"', "name, vcpus, family"),
    Bad("name,vcpus,‸Memory_GiB\na,4,1\n", "", '"Memory_GiB"', "memory_gib", "memory_gib"),
    Bad("name,vcpus,‸\na,4\n", "", '""', "name, vcpus"),
    Bad("name,vcpus,‸vcpus\na,4,5\n", "", '"vcpus"', "each column once"),
    Bad("‸vcpus,memory_gib\n4,1\n5,1\n", "", None, "name and vcpus"),
    Bad("‸name\na\n", "", None, "name and vcpus"),
    Bad(HEAD + "a,‸four\n", "a.vcpus", '"four"', "a whole number from 1 to 4,096"),
    Bad(HEAD + "a,‸2.5\n", "a.vcpus", '"2.5"', "a whole number"),
    Bad(HEAD + "a,‸0\n", "a.vcpus", '"0"', "from 1"),
    Bad(HEAD + "a,‸,,\n", "a.vcpus", "nothing", "a whole number"),
    Bad(HEAD + "‸a\n", "a.vcpus", "nothing", "a whole number"),
    Bad(HEAD + 'a,4, ‸"8 GiB",1\n', "a.memory_gib", '"8 GiB"', "a number of GiB"),
    Bad(HEAD + 'a,4,‸"1,024"\n', "a.memory_gib", '"1,024"', "a number of GiB"),
    Bad(HEAD + "a,4,‸8..16\n", "a.memory_gib", '"8..16"', "a number of GiB"),
    Bad(HEAD + "a,4,‸-1\n", "a.memory_gib", '"-1"', "at least 0"),
    Bad(HEAD + "a,4,,‸0\n", "a.speed", '"0"', "from 0.0001 to 10,000"),
    Bad(HEAD + "a.b,4,,,‸nan\n", '"a.b".on_demand_hourly', '"nan"', "nothing where it is unknown"),
    Bad(HEAD + "a,4,,,‸1e999\n", "a.on_demand_hourly", '"1e999"', "an amount per hour"),
    Bad(HEAD + "a,4,,,‸٣\n", "a.on_demand_hourly", '"٣"', "an amount per hour"),
    Bad(HEAD + "a,4,,,0,‸5\n", "a", '"5"', "5 cells"),
    Bad(HEAD + "a,4\n ‸a,8\n", "", '"a"', "it stands in line 2 as well"),
    Bad(HEAD + "‸,4\n", "name", "nothing", "the name of a node type"),
    Bad(HEAD + 'a,‸"4,5\n', "", "a quote", "that end on their line"),
    Bad(HEAD + ' ‸"a"b,5\n', "", "a quote", '"" for a quote inside'),
    Bad('‸"name\n,vcpus"\n', "", "a quote", "that end on their line"),
    Bad(HEAD + "a,4" + "," * 99 + "‸,\n", "", None, "at most 100 cells"),
    Bad("‸# date:\n" + HEAD + "a,4\n", "date", "nothing", "like # date: 2026-11"),
    Bad("# currency: EUR\n ‸# currency: USD\n" + HEAD + "a,4\n", "currency", '"USD"', "once"),
]


# Each thing that is wrong is one problem with its line and column, key, what was found, what is allowed, what was meant.
@pytest.mark.parametrize(("form", "bad"), [*(("toml", bad) for bad in BAD_TOML), *(("csv", bad) for bad in BAD_CSV)])
def test_bad_book(form: str, bad: Bad, tmp_path: Path) -> None:
    text, places = unmarked(bad.text)
    (problem,) = problems(form, text)
    assert [(problem.line, problem.column)] == places
    assert (show_path(problem.path), problem.found, problem.nearest) == (bad.path, bad.found, bad.nearest)
    assert bad.allowed in (problem.allowed or "")
    file = written(tmp_path, f"bad.{form}", text)
    ended = capacity("nodes", "--prices", file)
    assert (ended.code, ended.out) == (2, "")
    line, last = ended.err.splitlines()
    assert line.startswith(f"{file}:{problem.line}:{problem.column}: ")
    assert last == "1 problem; nothing was computed"


# All problems are told together, in the order in which they stand.
@pytest.mark.parametrize(
    ("form", "marked"),
    [
        ("toml", "currency = ‸3\n‸colour = 1\n[‸node_types.a]\nprice = ‸'x'\nspeed = ‸0\n"),
        ("csv", "‸# date:\nname,vcpus,memory_gib,‸colour\n‸,4\na,‸x,‸y\n\n‸a,‸5000\n"),
    ],
)
def test_all_problems_at_once(form: str, marked: str) -> None:
    text, places = unmarked(marked)
    assert [(problem.line, problem.column) for problem in problems(form, text)] == places


# A book without node types says what one has; one with too many, or with nothing right in it, is not read to its end.
def test_books_of_no_use() -> None:
    for form, text in (("toml", ""), ("toml", "[node_types]"), ("csv", ""), ("csv", "# date: 1\n"), ("csv", HEAD)):
        (problem,) = problems(form, text)
        assert problem.message == "there is no node type"
        assert "vcpus" in (problem.allowed or "")
    many = range(sheet.MOST_TYPES + 1)
    assert parse_csv(HEAD + "".join(f"a{i},1\n" for i in many[:-1]), "b").node_types
    for form, text in (
        ("toml", "".join(f"[node_types.a{i}]\nvcpus = 1\n" for i in many)),
        ("csv", HEAD + "".join(f"a{i},1\n" for i in [*many, *many])),
    ):
        assert [problem.allowed for problem in problems(form, text)] == ["at most 2,000"]
    assert sheet.MOST_PROBLEMS <= len(problems("csv", HEAD + "a,x,y,z\n" * 5000)) < 2 * sheet.MOST_PROBLEMS


# A file that cannot be read, is no text or is too large is told as a topology would be.
def test_a_book_that_cannot_be_read(tmp_path: Path) -> None:
    refused = {
        tmp_path / "a.csv": "a.csv: cannot be read: No such file or directory",
        tmp_path: "cannot be read: Is a directory",
        written(tmp_path, "b.csv", b"a\n\xff"): "b.csv:2: is not text in UTF-8; found byte 0xff; allowed: a CSV file",
        written(tmp_path, "c.csv", b"x" * (MOST_BYTES + 1)): "is too large for a price book; found 8,388,609 bytes",
    }
    for path, says in refused.items():
        for command in (("nodes",), ("plan", EXAMPLES / "shop.toml")):
            ended = capacity(*command, "--prices", path)
            assert (ended.code, ended.out) == (2, "")
            assert says in ended.err
    with pytest.raises(UsageError, match="standard input is for the topology"):
        load_book("-")


# The table and the JSON of `capacity nodes` are those of the user's book; it is named and dated.
def test_nodes(mine: Path) -> None:
    table = capacity("nodes", "--prices", mine).out
    first, head, *rows = table.splitlines()
    assert first == "Node types, 2026-11, mine.toml"
    assert head.split() == ["Node", "type", "vCPUs", "Memory", "Network", "EUR/hour", "3y/hour", "EUR/month"]
    assert rows[1].split() == ["m.large", "16", "64", "GiB", "unknown", "0.8000", "unknown", "584.00"]
    assert max(map(columns, table.splitlines())) <= WIDTH
    values = capacity("nodes", "--prices", mine, "--family", "m", "--sort", "price", "--json").json
    assert (values["date"], values["currency"]) == ("2026-11", "EUR")
    assert [entry["name"] for entry in values["node_types"]] == ["m.small", "m.large"]
    keys = ("price_per_hour", "reserved_1y_per_hour", "reserved_3y_per_hour", "spot_per_hour")
    prices = [[entry[key] for key in keys] for entry in values["node_types"]]
    assert prices == [[0.2, 0.15, 0.1, None], [0.8, None, None, 0.3]]
    assert "--family" in capacity("nodes", "--prices", mine, "--family", "c6i").err


# What is unknown is sorted last, and not as the least.
@pytest.mark.parametrize("sort", ["price", "memory"])
def test_the_unknown_comes_last(sort: str, mine: Path) -> None:
    values = capacity("nodes", "--prices", mine, "--sort", sort, "--json").json
    assert [entry["name"] for entry in values["node_types"]] == ["m.small", "m.large", "bare"]


# No name is a command to the terminal; a book without families says that it has none.
def test_a_strange_book(tmp_path: Path) -> None:
    path = written(tmp_path, "b.toml", 'currency = "\\u001b[31m"\n[node_types."\\u001b[2J"]\nvcpus = 1\n')
    ended = capacity("nodes", "--prices", path)
    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert "Node types, undated, b.toml" in ended.out
    assert "no families in this book" in capacity("nodes", "--prices", path, "--family", "m").err


CELLS = st.sampled_from(
    [*sheet.COLUMNS, "a", "4", "0.5", "-1", "", '"', '""', '"a,b"', "#", "# date: 1", "1e400", "\0", "\x85", "\u2028"]
)
ROWS = st.lists(st.lists(CELLS, max_size=6).map(",".join), max_size=6).map("\n".join)


# Any text is a book or an error with its place, in either form.
@fuzz(300)
@given(st.sampled_from(list(FORMS)), st.text() | st.lists(SPELLINGS, max_size=40).map("".join) | ROWS)
@example("csv", "\ufeff")
def test_any_text(form: str, text: str) -> None:
    try:
        found = FORMS[form](text, "b").node_types
    except DocumentError as error:
        found, told = {}, error.problems
    else:
        told = ()
    assert bool(found) != bool(told)
    for problem in told:
        assert problem.text().startswith("b")
        assert "\n" not in problem.text()
        assert problem.line is None or problem.line <= text.count("\n") + 1


EDITS = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 20), SPELLINGS), max_size=3)


# A book that somebody's cat has walked over is a book or an error; a book says the same when it is written down again.
@fuzz(200)
@given(st.sampled_from(list(FORMS)), EDITS)
def test_a_mutated_book(form: str, edits: list[tuple[int, int, str]]) -> None:
    text = {"toml": TOML, "csv": CSV}[form]
    for start, length, put in edits:
        text = text[:start] + put + text[start + length :]
    try:
        found = FORMS[form](text, "b")
    except DocumentError:
        return
    values = {"node_types": {name: as_values(node) for name, node in found.node_types.items()}}
    assert parse_toml(tomli_w.dumps(values), "b").node_types == found.node_types
    assert set(parse(SYSTEM, "f.toml", book=found).topology.node_types) == set(found.node_types)
