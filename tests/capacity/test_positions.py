from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.positions import Positions
from tests.capacity.marked import SYSTEM, WEB, problems, unmarked

CASES = {
    "a table's key": SYSTEM + "‸x = 1",
    "a value after an odd amount of space": SYSTEM + "threads   =  \t ‸0",
    "inside an inline table": SYSTEM + 'calls = [{ to = "web2", count = ‸-1 }]\n[components.web2]\n' + WEB,
    "in the second line of a list": SYSTEM + 'calls = [\n  # first\n  { to = "web2" },\n\t{ to = "web2", ‸cuont = 1 },\n]\n[components.web2]\n' + WEB,
    "an array of tables": SYSTEM + '[[components.web.calls]]\nto = "b"\n[[components.web.calls]]\nto = "b"\ncount = ‸-1\n[components.b]\n' + WEB,
    "a dotted key's value": "workload.classes.b.rate = ‸-1\nworkload.classes.b.entry = 'web'\n" + SYSTEM,
    "a dotted header": SYSTEM + "[slo.latency]\npage.p99 = ‸0",
    "a quoted key": SYSTEM.replace("[components.web]", '[components."web"]') + "'threads' = ‸0",
    "a quoted key with dots": SYSTEM + '[components."a.b"]\n' + WEB + '"x.y" = 1\n"threads" = ‸0'.replace('"x.y" = 1\n', ""),
    "after CJK": f"{SYSTEM}calls = [{{ parallel = '数据库', count = ‸-1, to = 'b' }}]\n[components.b]\n{WEB}",
    "after emoji": f"{SYSTEM}calls = [{{ parallel = '🚀🚀', count = ‸-1, to = 'b' }}]\n[components.b]\n{WEB}",
    "after combining characters": f"{SYSTEM}calls = [{{ parallel = 'e\u0301', count = ‸-1, to = 'b' }}]\n[components.b]\n{WEB}",
    "under a non-ASCII name": SYSTEM + '[components."数据库"]\n' + WEB + "threads = ‸0",
    "after a string of many lines": 'name = """\none\ntwo"""\ncurrency = ‸1\n' + SYSTEM,
    "in a string of many lines": "name = '''x'''\n" + SYSTEM.replace('"10/s"', '‸"""\nmany"""'),
    "after Windows' line ends": (SYSTEM + "threads = ‸0\n").replace("\n", "\r\n"),
    "the last line without its end": SYSTEM + "threads = ‸0",
    "a table that is only implied": SYSTEM + "[components.a.b]\nx = 1\n".replace("a.b", "‸a.b"),
    "a header with space": SYSTEM + "[ components . b ]\n" + WEB + "threads = ‸0",
}  # fmt: skip
"""Files with a mark where the value or the key that is wrong begins."""


# A problem points at the very character where the wrong key or value begins, counted in characters and not in bytes.
@pytest.mark.parametrize(
    "text", [t for k, t in CASES.items() if "implied" not in k], ids=[k for k in CASES if "implied" not in k]
)
def test_it_points_at_the_value(text: str) -> None:
    text, places = unmarked(text)
    assert [(p.line, p.column) for p in problems(text)] == places


# A line number counts the lines that an editor counts: whatever stands above a value moves it by just that much.
@settings(max_examples=50)
@given(
    st.lists(st.sampled_from(["", "# 注", "\t", "x0 = [1, {a = 2}]", 'x0."b c" = "\\u0041"']), max_size=12, unique=True)
)
def test_lines_above_move_it(above: list[str]) -> None:
    text = "".join(f"{line}\n".replace("x0", f"x{i}") for i, line in enumerate(above)) + "a.b = [10, 'x']\n"
    assert Positions(text).of(("a", "b", 1), key=False) == (len(above) + 1, 12)


# What an override added has no place in the file: the table that it is in has.
def test_an_override_is_its_own_place() -> None:
    (problem,) = problems(SYSTEM, ["components.web.threads=0"])
    assert (problem.source, problem.line) == ("--set components.web.threads=0", None)


# A path that no table leads to has no place at all.
def test_nowhere() -> None:
    assert Positions("").of(("a",), key=True) is None
    assert Positions("a = 1").of((), key=False) is None
    assert Positions("a = 1").of(("b", 3), key=False) is None
