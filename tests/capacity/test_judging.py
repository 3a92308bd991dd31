"""One voice: every calculator says whether something is met in the words of `capacity evaluate` and `check`."""

from __future__ import annotations

from pathlib import Path

import pytest

import capacity.calculators
from capacity import judging
from tests.capacity.running import capacity as run

CALCULATORS = Path(capacity.calculators.__file__).parent

WISHES = [
    (("queue", "--rate", "1200/s", "--service", "9ms", "--servers", 16), ("--p99", "50ms"), ("--p99", "10ms")),
    (("cache", "--objects", "1e6", "--capacity", "1e5"), ("--hit-ratio", "20%"), ("--hit-ratio", "90%")),
    (("lag", "--rate", "800/s", "--apply", "1ms"), ("--p99", "50ms"), ("--p99", "10ms")),
    (
        ("quorum", "--nodes", 3, "--reads", 1, "--writes", 1, "--after", "5ms", "--write-delay", "5ms"),
        ("--consistent", "50%"),
        ("--consistent", "99.99%"),
    ),
    (("backlog", "--rate", "900/s", "--service", "10ms", "--consumers", 12), ("--p99", "200ms"), ("--p99", "20ms")),
    (("limit", "--rate", "95/s", "--limit", "100/s", "--burst", 10), ("--rejected", "9%"), ("--rejected", "0.1%")),
    (
        ("limit", "--kind", "shaper", "--rate", "90/s", "--limit", "100/s", "--burst", 5),
        ("--wait-p99", "900ms"),
        ("--wait-p99", "10ms"),
    ),
    (
        ("availability", "--nodes", 3, "--needed", 2, "--mtbf", "30d", "--mttr", "1h"),
        ("--wanted", "99.9%"),
        ("--wanted", "99.9999%"),
    ),
]


# What is met says ok and what is wanted, what is not says MISSED, in the headline and beside the figure.
@pytest.mark.parametrize(("options", "met", "missed"), WISHES, ids=lambda value: str(value[0]))
def test_verdicts(options: tuple[object, ...], met: tuple[str, str], missed: tuple[str, str]) -> None:
    fine, short = run(*options, *met), run(*options, *missed)
    assert (fine.code, short.code) == (0, 1)
    for ended, said, other in ((fine, judging.OK, judging.MISSED), (short, judging.MISSED, judging.OK)):
        headline, *rest = ended.out.splitlines()
        assert said in f"{headline} {rest[0]}".replace(":", " ").replace(",", " ").split()
        assert any(f"  {said}" in line for line in rest)
        assert f"  {other}" not in ended.out


# A table over a range says the same for each of its points.
def test_verdicts_along_a_range() -> None:
    shown = run("queue", "--rate", "1200/s", "--service", "9ms", "--servers", "12..16", "--p99", "50ms").out
    assert [line.split()[-1] for line in shown.splitlines()[2:7]] == ["MISSED", "ok", "ok", "ok", "ok"]


# No calculator has words of its own for it.
@pytest.mark.parametrize("path", sorted(CALCULATORS.glob("*.py")), ids=lambda path: path.name)
def test_no_other_words(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not [word for word in ("NOT MET", "as wanted", "MISSED", '"OVER') if word in text]


# By how much something is over is told only where it is.
def test_over() -> None:
    assert judging.over(12.0, 10.0) == " (20% over)"
    assert judging.over(10.0, 10.0) == judging.over(None, 10.0) == judging.over(1.0, 0.0) == ""
    assert judging.word(None) == "-"
