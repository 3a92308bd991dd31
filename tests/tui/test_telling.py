from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.document import load
from capacity.examples import folder
from tui.scene import followed_up, scene, solved_counts
from tui.session import Session, opened
from tui.telling import objectives, status

SHOP = str(Path(str(folder())) / "shop.toml")


def shop(counts: dict[str, int] | None = None) -> Session:
    """Return the shop with the counts of its plan, or with some of them changed."""
    document = load(SHOP)
    return opened(document, {**solved_counts(document, 1.0)[0], **(counts or {})})


def text(lines: list[list[tuple[str, str]]]) -> str:
    return "\n".join("".join(part for part, _ in line) for line in lines)


# The plan survives everything that the file wants survived; with fewer nodes, the top line says in which event what fails.
def test_what_is_not_survived() -> None:
    assert followed_up(scene(shop().question)).unsurvived == ()
    found = scene(shop({"app": 7}).question)
    failing = followed_up(found).unsurvived
    (line,) = [line for line in failing if line.startswith("without a zone: app cores")]
    assert re.fullmatch(r"without a zone: app cores [\d.]+ cores, allowed [\d.]+ cores \(\+[\d.]+%\)", line), line
    assert "met now, but not without a" in text(objectives(found.evaluation, failing))


# Until it is known what new numbers survive, nothing is called good or bad for good: what was said stands dimmed.
def test_what_is_not_certain_is_no_verdict() -> None:
    found = scene(shop({"app": 7}).question)
    for unsurvived in ((), ("without a zone: app cores 9 cores, allowed 8 cores",)):
        (line,) = objectives(found.evaluation, unsurvived, certain=False)
        assert {style for _, style in line} == {"dim"}
        assert line[0][0] == "… "
        (known,) = objectives(found.evaluation, unsurvived)
        assert [part for part, _ in known[1:]] == [part for part, _ in line[1:]]


# How near the nearest objective is to its limit is said whole in 80 columns, less one for the margin at either side.
def test_the_nearest_objective_is_told_whole() -> None:
    line = text(objectives(scene(shop().question).evaluation))
    assert re.search(r"nearest: checkout p95 at [\d.]+% of 900 ms$", line)
    assert len(line) <= 78


# The scenario is named as what happens, to whom it happens.
@pytest.mark.parametrize(
    ("asked", "says"), [("node", "without a node of "), ("zone", "without a zone"), ("mean", "mean")]
)
def test_scenarios_are_named(asked: str, says: str) -> None:
    session = replace(shop(), scenario=asked)
    line = text(status(session, scene(session.question), None))
    assert says in line
    assert "None" not in line


# Who waits for what is down is not judged, and is neither the nearest to its limit nor called met.
def test_who_is_excused_is_named() -> None:
    session = replace(shop(), scenario="partner_down:courier")
    line = text(objectives(scene(session.question).evaluation))
    assert "not judged" in line
    assert "orders" in line.partition("not judged")[2].partition(")")[0]
    assert "nearest: orders" not in line


# What fails is told with its value, its limit and how far it is off, the worst first.
def test_failures_with_their_distance() -> None:
    session = replace(shop(), load=2.0)
    lines = objectives(scene(session.question).evaluation)
    assert len(lines) <= 3
    assert all("allowed" in text([line]) for line in lines)
    assert "(+" in text(lines)
