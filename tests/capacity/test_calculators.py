from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from capacity.calculators import answers
from capacity.calculators.calculator import FILE, Answer, Row
from capacity.calculators.registry import NAMES, calculator
from tests.capacity.running import WIDTH, capacity, columns

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = ("queue", "--rate", "1200/s", "--service", "9ms", "--servers", "16")


# Every example in a help text runs as it stands, unless it reads a file of the user's.
@pytest.mark.parametrize(
    "example", [e for name in NAMES for e in calculator(name).examples], ids=lambda e: e.removeprefix("capacity ")
)
def test_examples_of_the_help_run(example: str) -> None:
    words = example.split()
    files = any(option.unit == FILE or option.name == "trace" for option in calculator(words[1]).options)
    if files and any(word.endswith((".csv", ".txt")) for word in words):
        assert capacity(*words[1:]).code == 2
        return
    ended = capacity(*words[1:])
    assert (ended.code, ended.err) == (0, "")
    assert all(columns(line) <= WIDTH for line in ended.out.splitlines()) or "--format" in words or "--json" in words


# Every calculator is a command with help, its options documented, its examples among it.
@pytest.mark.parametrize("name", NAMES)
def test_every_calculator_has_help(name: str) -> None:
    ended = capacity(name, "--help")
    assert ended.code == 0
    assert name in capacity("--help").out
    for option in calculator(name).options:
        assert option.unit == FILE or option.flag in ended.out
        assert option.help.endswith(".")


# A name that is nearly a calculator's is told so.
def test_a_misspelt_calculator_is_recognised() -> None:
    ended = capacity("queu")
    assert ended.code == 2
    assert "queue" in ended.err


# What is wrong is named by its option, with what was found and what would be right; nothing is computed.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--service", "9kg"), '--service: found "9kg"; allowed: a time'),
        (("--servers", "2.5"), '--servers: found "2.5"; allowed: a whole number'),
        (("--servers", "0"), '--servers: found "0"; allowed: a whole number'),
        (("--rate", "-3/s"), '--rate: found "-3/s"; allowed: a rate'),
        (("--rate", "nan"), '--rate: found "nan"; allowed: a rate'),
        (("--rate", "1e999/s"), "--rate: found"),
        (("--order", "fcfsx"), "did you mean fcfs?"),
        (("--rate", "9/s..3/s"), "a range from low to high"),
        (("--rate", "1/s..2/s..3/s"), "a range"),
        (("--rate", "1..9/s", "--servers", "1..9"), "--servers: --rate has a range already"),
        (("--rate", "1..9/s", "--points", "1"), '--points: found "1"'),
        (("--rate", "1..9/s", "--explain"), "--explain tells of one answer"),
        (("--cv2", "0..9", "--log"), "with --log a range starts above 0"),
        (("--format", "toml"), '--format: found "toml"'),
        (("--format", "csv", "--json"), "contradict"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_options_are_named(options: tuple[str, ...], told: str) -> None:
    ended = capacity(*QUEUE, *options)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


# A bare number is in base units, as in a file; text may carry any unit of its dimension.
def test_units_are_those_of_the_file() -> None:
    plain = capacity("queue", "--rate", "72000/min", "--service", "0.009", "--servers", "16", "--json").json
    assert plain["result"] == pytest.approx(capacity(*QUEUE, "--json").json["result"], rel=1e-12)


# The same figures in every format, at one point and along a range.
def test_formats_agree() -> None:
    table = capacity(*QUEUE).out
    result = capacity(*QUEUE, "--json").json["result"]
    flat = dict(csv.reader(io.StringIO(capacity(*QUEUE, "--format", "csv").out)))
    assert float(flat["result.response_p99_s"]) == result["response_p99_s"]
    assert "41.7 ms" in table
    assert result["response_p99_s"] == pytest.approx(0.0417, abs=5e-5)
    swept = ("queue", "--rate", "600..1200/s", "--service", "9ms", "--servers", "16", "--points", "3")
    points = capacity(*swept, "--json").json["points"]
    rows = list(csv.DictReader(io.StringIO(capacity(*swept, "--format", "csv").out)))
    assert [float(row["rate"]) for row in rows] == [600, 900, 1200] == [point["rate"] for point in points]
    assert points[-1]["result"] == pytest.approx(result, rel=1e-12)
    assert float(rows[-1]["response_p99_s"]) == pytest.approx(result["response_p99_s"], rel=1e-12)
    assert capacity(*swept, "--format", "markdown").out.startswith("# queue over --rate")


# Ranges of counts are whole numbers, each once; with --log in equal ratios.
def test_ranges_of_counts() -> None:
    options = ("queue", "--rate", "10/s", "--service", "100ms", "--servers", "2..4", "--json")
    assert [p["servers"] for p in capacity(*options).json["points"]] == [2, 3, 4]
    many = ("queue", "--rate", "10/s", "--service", "100ms", "--servers", "2..32", "--points", "5", "--log", "--json")
    assert [p["servers"] for p in capacity(*many).json["points"]] == [2, 4, 8, 16, 32]


# A result goes to a file by its ending, and what somebody wrote is not replaced.
def test_output_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "queue.json"
    assert capacity(*QUEUE, "-o", target).err == f"wrote {target}\n"
    assert target.read_text() == capacity(*QUEUE, "--json").out
    target.write_text("mine")
    assert capacity(*QUEUE, "-o", target).code == 2
    assert target.read_text() == "mine"
    assert capacity(*QUEUE, "-o", target, "--force").code == 0


# What is endless is shown as a dash and is null for scripts; what is no number is a bug that is not shown as a result.
def test_no_infinity_is_shown() -> None:
    endless = answers.finite(Answer(headline="", rows=[Row("a", "a", float("inf"), "s")]))
    assert endless.rows[0].value is None
    assert answers.cell(endless.rows[0]) == "-"
    with pytest.raises(ArithmeticError):
        answers.finite(Answer(headline="", rows=[Row("a", "a", float("nan"))]))


# A table over a range never cuts a number: what a line does not hold is left out from the right, and told.
@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("queue", "--rate", "100..4000/s", "--service", "9ms", "--p99", "50ms", "--points", 5), "Queue"),
        (("queue", "--rate", "100..4000/s", "--service", "9ms", "--servers", 40, "--limit", 60, "--points", 3), ""),
        (("backlog", "--rate", "900/s", "--service", "10ms", "--consumers", "5..14", "--points", 4, "--stop", "10min",
          "--retention", "3h", "--drain", "30min"), ""),
    ],
)  # fmt: skip
def test_ranges_fit_their_line(options: tuple[object, ...], left: str) -> None:
    shown = capacity(*options).out
    assert "…" not in shown
    assert all(columns(line) <= WIDTH for line in shown.splitlines())
    assert (f"no room for {left}:" in shown) is bool(left)
    assert ("no room" in shown) is bool(left)


# The number of the range is not told twice, but what is wanted and what is reached are two things.
def test_ranges_tell_their_number_once() -> None:
    solved = ("cache", "--objects", "1e6", "--hit-ratio", "50%..80%", "--points", 2)
    assert capacity(*solved).out.splitlines()[1].split()[:2] == ["hit_ratio", "Room"]
    assert capacity(*solved, "--capacity", 300_000).out.splitlines()[1].split()[:3] == ["hit_ratio", "Hit", "ratio"]


# Answers that differ in their servers alone stand on one model; two kinds of model are both told.
def test_ranges_tell_each_model_once() -> None:
    shown = capacity("queue", "--rate", "100..4000/s", "--service", "9ms", "--p99", "50ms", "--points", 9).out
    assert [line.strip() for line in shown.splitlines() if "model:" in line] == ["model: M/M/c, exact"]
    shown = capacity("cache", "--objects", "1e6", "--capacity", "10..1e5", "--points", 3, "--log").out
    assert shown.count("model: LRU") == 3
