from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.capacity.running import WIDTH, capacity, columns
from tests.cases import Case, scalability_cases

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = ("--one", "995.6491/s", "--contention", "0.0267160", "--coherency", "7.690928e-4")


def usl(*options: object, code: int = 0, stdin: bytes = b"") -> Any:
    """Return the answer to options, as scripts get it."""
    ended = capacity("usl", *options, "--json", stdin=stdin)
    assert ended.code == code, ended.err
    return ended.json


def written(case: Case, target: Path, divider: str = ",") -> Path:
    """Write a case's measurements as a file."""
    rows = zip(case["nodes"], case["throughputs"], strict=True)
    target.write_text(f"nodes{divider}throughput\n# a load test\n\n" + "".join(f"{n}{divider}{x}\n" for n, x in rows))
    return target


# A file of measurements gives the published fit, its errors, its peak, and what is at a bound, whatever divides columns.
@pytest.mark.parametrize("divider", [",", ";", "\t"], ids=repr)
@pytest.mark.parametrize("case", scalability_cases(), ids=lambda case: case["id"])
def test_published_fits(case: Case, divider: str, tmp_path: Path) -> None:
    found = usl(written(case, tmp_path / "test.csv", divider))
    names = {"throughput_of_one_per_s": "throughput_of_one", "contention": "contention", "coherency": "coherency"}
    for key, name in names.items():
        value, half_a_digit = case["fitted"][name]
        assert found["result"][key] == pytest.approx(value, abs=half_a_digit)
    for name, (value, half_a_digit) in case["errors"].items():
        assert found["errors"][name] == pytest.approx(value, abs=half_a_digit)
    assert found["at_bound"] == case["at_bound"]
    peak = case["peak_nodes"]
    if peak is None:
        assert found["result"]["peak_nodes"] is None
        assert "AT ITS BOUND" in capacity("usl", tmp_path / "test.csv").out
    else:
        assert found["result"]["peak_nodes"] == pytest.approx(peak[0], abs=peak[1])


# The law is asked forwards and backwards: published throughput, nodes for it, users at its latency.
def test_forwards_and_backwards() -> None:
    ahead = usl(*GIVEN, "--nodes", 20)["result"]
    assert ahead["throughput_per_s"] == pytest.approx(11_063.63, rel=1e-6)
    assert ahead["response_s"] == pytest.approx(1.80772e-3, rel=1e-5)
    back = usl(*GIVEN, "--throughput", "11048/s")["result"]
    assert back["nodes_not_rounded"] == pytest.approx(19.924, abs=5e-4)
    assert back["nodes_for_throughput"] == 20
    assert usl(*GIVEN, "--latency", "1.80772ms")["result"]["users_for_latency"] == pytest.approx(20, rel=1e-4)


# What no number of nodes does is exit 1, with the most there is; so is a time that one user alone exceeds.
def test_what_cannot_be_had() -> None:
    ended = capacity("usl", *GIVEN, "--throughput", "12500/s")
    assert ended.code == 1
    assert "no number of nodes does 12,500/s: the most there is is 12,343/s" in ended.out
    assert usl(*GIVEN, "--latency", "0.9ms", code=1)["result"]["users_for_latency"] is None


# Along a range of nodes each point has its interval, and a file that comes from a pipe is read once.
def test_ranges_of_a_piped_file() -> None:
    (case,) = (case for case in scalability_cases() if case["id"] == "specsdm91")
    text = "".join(f"{n},{x}/s\n" for n, x in zip(case["nodes"], case["throughputs"], strict=True)).encode()
    points = usl("-", "--nodes", "36..216", "--points", "3", stdin=text)["points"]
    assert [point["nodes"] for point in points] == [36, 126, 216]
    for point, fitted in zip(points[::2], (1541, 1646), strict=True):
        result = point["result"]
        assert result["throughput_per_s"] == pytest.approx(fitted, abs=0.5)
        assert result["throughput_low_per_s"] < result["throughput_per_s"] < result["throughput_high_per_s"]
    narrow, wide = (usl("-", "--nodes", 300, "--level", level, stdin=text)["result"] for level in ("50%", "99%"))
    assert wide["throughput_high_per_s"] > narrow["throughput_high_per_s"]


# A drawing fits any terminal, ends where the axes say, and shows every measurement that has a place of its own.
def test_a_drawing(tmp_path: Path) -> None:
    (case,) = (case for case in scalability_cases() if case["id"] == "raytracer")
    out = capacity("usl", written(case, tmp_path / "test.csv"), "--plot").out
    assert all(columns(line) <= WIDTH for line in out.splitlines())
    drawn = out.partition("o measured\n")[2]
    assert drawn.count("o") == len(case["nodes"])
    assert drawn.rstrip().endswith("64")


# Columns that are named in the other order are read in it; without names, nodes come first.
@pytest.mark.parametrize("heading", ["throughput,nodes", "Requests/s;Users", "QPS\tthreads"])
def test_columns_in_the_other_order(heading: str, tmp_path: Path) -> None:
    rows, target, mark = (
        [(1, 410), (2, 790), (4, 1450), (8, 2500)],
        tmp_path / "test.csv",
        re.findall("[,;\t]", heading)[0],
    )
    target.write_text("\n".join([heading, *(f"{x}{mark}{n}" for n, x in rows)]))
    found = usl(target)["result"]
    target.write_text("\n".join(f"{n}{mark}{x}" for n, x in rows))
    assert usl(target)["result"] == found
    target.write_text("throughput,nodes\n410,1\nabc,2\n")
    assert f'{target}:3:1: not throughput; found "abc"' in capacity("usl", target).err


# A drawing is of one law: asked for along a range, it is refused and not passed over.
def test_no_drawing_of_a_range() -> None:
    ended = capacity("usl", *GIVEN, "--nodes", "1..64", "--plot")
    assert (ended.code, ended.out) == (2, "")
    assert "--plot draws one law: give --nodes one value" in ended.err


# Every wrong line of a file is told, with its line and column, what it is and what it should be.
def test_wrong_files(tmp_path: Path) -> None:
    target = tmp_path / "test.csv"
    target.write_text("nodes,throughput\n1,10\n2,abc\n0,30\n4\n8, -5/s\n16,1kg\n")
    ended = capacity("usl", target)
    assert (ended.code, ended.out) == (2, "")
    assert f'{target}:3:3: not throughput; found "abc"; allowed: a rate' in ended.err
    assert f'{target}:4:1: not nodes; found "0"; allowed: a number, at least 1' in ended.err
    assert f"{target}:5:1: wrong number of columns; found 1; allowed: two, nodes and throughput" in ended.err
    assert f'{target}:6:4: not throughput; found "-5/s"' in ended.err
    assert f'{target}:7:4: not throughput; found "1kg"' in ended.err
    assert "5 problems" in ended.err
    target.write_text("1,10\n2,20\n")
    assert "2 different numbers of nodes cannot fix 3 numbers" in capacity("usl", target).err
    assert usl(target, "--coherency", 0)["result"]["contention"] == 0
    target.write_text(f"1,10\n2,{'9' * 200_000}\n")
    assert f"{target}:2:1: not CSV: field larger than field limit" in capacity("usl", target).err
    target.write_text("")
    assert capacity("usl", target).code == 2
    assert "cannot be read" in capacity("usl", tmp_path / "none.csv").err


# Neither a file nor the law's numbers, or both, are refused by name.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--nodes", "5"), "--one and --contention and --coherency: needed"),
        (("--one", "5/s", "--contention", "0.1"), "--coherency: needed"),
        (("-", "--one", "5/s"), "--one: with a file it is fitted"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_missing_is_named(options: tuple[str, ...], told: str) -> None:
    ended = capacity("usl", *options)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


# The formulas that are shown give the numbers that are shown.
def test_explanations_give_the_same_numbers() -> None:
    wanted = ("--nodes", 20, "--throughput", "11000/s", "--latency", "2ms")
    told = usl(*GIVEN, *wanted, "--explain")["explained"]
    formulas = {one["metric"]: one for one in told if one["lines"]}
    assert {"throughput_per_s", "response_s", "peak_nodes", "nodes_not_rounded", "users_for_latency"} <= set(formulas)
    for one in formulas.values():
        assert one["by_formula"] == pytest.approx(one["value"], rel=1e-12)


# Where every further node takes some away, one does the most; contention is a share.
def test_one_node_does_the_most() -> None:
    law = ("--one", "100/s", "--contention", "0.1", "--coherency", "1.2")
    assert usl(*law)["result"]["peak_throughput_per_s"] == 100
    assert usl(*law, "--throughput", "80/s")["result"]["nodes_for_throughput"] == 1
    assert "one node does the most" in capacity("usl", *law).out
    refused = capacity("usl", "--one", "100/s", "--contention", "1.5", "--coherency", "0")
    assert refused.code == 2
    assert "--contention" in refused.err
