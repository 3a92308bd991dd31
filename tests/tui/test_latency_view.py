from __future__ import annotations

import pytest

from capacity.contributions import contributions
from capacity.units import show_percent, show_seconds
from capacity.verdict import class_latency
from tests.tui.asking import LADDER, SHOP, answered, charts, notes, seen, table, texts

COLUMNS = ("mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "p999_s")


# The percentiles on the screen are those of the evaluation that every other face shows, in its words.
@pytest.mark.parametrize("example", [SHOP, *LADDER])
def test_percentiles_are_those_of_the_evaluation(example: str) -> None:
    shown = seen(example)
    found = {row[0]: row[1:] for row in texts(table(answered("latency", shown), "Percentiles"))}
    for name, result in shown.evaluation.classes.items():
        assert found[name] == [show_seconds(getattr(result, column)) for column in COLUMNS]
    assert list(found) == list(shown.evaluation.classes)


# Every objective for a time is there with its limit and its verdict.
def test_objectives_are_judged_as_the_evaluation_judges_them() -> None:
    shown = seen(SHOP)
    rows = texts(table(answered("latency", shown), "Objectives"))
    goals = [
        (name, goal) for name, c in shown.evaluation.classes.items() for goal in c.slo if goal.name != "availability"
    ]
    assert [(row[0], row[1], row[4]) for row in rows] == [
        (f"{name} {goal.name}", show_seconds(goal.limit), "ok" if goal.met else "MISSED") for name, goal in goals
    ]
    assert {row[4] for row in texts(table(answered("latency", seen(SHOP, 3.2)), "Objectives"))} == {"MISSED"}


# Who takes the time is what the planner says, the largest first, for the class that is selected.
@pytest.mark.parametrize("name", ["browse", "checkout"])
def test_contributions_are_those_of_the_selected_class(name: str) -> None:
    shown = seen(SHOP)
    result = shown.evaluation.classes[name]
    found = texts(table(answered("latency", shown, name), f"What contributes to {name}"))
    parts = [part for part in contributions(shown.solution, name) if part.mean > 0]
    parts.sort(key=lambda part: -part.percentile)
    assert result.p99_s is not None
    assert [(row[0], row[3], row[4]) for row in found[:-1]] == [
        (part.tier, show_seconds(part.percentile), show_percent(part.percentile / result.p99_s)) for part in parts
    ]
    assert found[-1][3] == show_seconds(result.p99_s)


# With no class selected, the one that is nearest to its limit is looked into.
def test_the_class_nearest_to_its_limit_is_shown_first() -> None:
    assert table(answered("latency", seen(SHOP)), "What contributes to checkout")


# The curve is the distribution itself: at the p99 of the evaluation, 1 % are slower.
@pytest.mark.parametrize("example", [SHOP, LADDER[0]])
def test_the_curve_goes_through_the_percentiles(example: str) -> None:
    shown = seen(example)
    (chart,) = charts(answered("latency", shown))
    assert [line.name for line in chart.series] == list(shown.evaluation.classes)
    for line in chart.series:
        p99 = shown.evaluation.classes[line.name].p99_s
        assert p99 is not None
        faster = [share for time, share in line.points if time <= p99]
        slower = [share for time, share in line.points if time > p99]
        assert min(faster) >= 0.01 > max(slower)
        latency = class_latency(shown.solution, line.name)
        assert latency is not None
        assert all(share == pytest.approx(latency.exceeds(time), abs=1e-7) for time, share in line.points[::20])
    assert chart.across.log
    assert chart.up.log


# Limits of percentiles are marked in the chart; that of a mean is no place in a distribution.
def test_limits_are_marked() -> None:
    (chart,) = charts(answered("latency", seen(SHOP)))
    assert [(mark.at, mark.name) for mark in chart.marks] == [(0.3, "browse p99 limit"), (0.9, "checkout p95 limit")]


# An overloaded class has no numbers: it says what is overloaded and by how much, as the evaluation has it.
def test_overload_is_named_and_measured() -> None:
    shown = seen(SHOP, 3.2)
    content = answered("latency", shown)
    utilization = shown.evaluation.tiers["app"].utilization
    assert utilization is not None
    assert f"browse: no answer: app is overloaded by {show_percent(utilization - 1)} (cores)" in notes(content)
    assert {text for row in texts(table(content, "Percentiles")) for text in row[1:]} == {"never"}
    assert charts(content) == []


# Against a baseline, every number says by how much and in which direction it differs, and losing it says so.
def test_differences_to_the_baseline_have_sign_and_arrow() -> None:
    before, after = seen(LADDER[3]), seen(LADDER[3], 1.4)
    rows = table(answered("latency", after, baseline=before), "Percentiles").rows
    then, now = before.evaluation.classes["browse"].p99_s, after.evaluation.classes["browse"].p99_s
    assert then is not None
    assert now is not None
    assert rows[1][5] == (f"▲+{show_seconds(now - then)}", "bad")
    back = table(answered("latency", before, baseline=after), "Percentiles").rows
    assert back[1][5] == (f"▼-{show_seconds(now - then)}", "good")
    lost = table(answered("latency", seen(LADDER[3], 50.0), baseline=before), "Percentiles").rows
    assert {cell.text for cell in lost[1][1:]} == {"▲ lost"}


# In a scenario, numbers, contributions and curve are those of the system as it is then.
def test_a_scenario_is_answered_as_it_is_then() -> None:
    shown = seen(LADDER[3], 1.0, "node:app")
    content = answered("latency", shown, "browse")
    p99 = shown.evaluation.classes["browse"].p99_s
    assert p99 is not None
    assert p99 != seen(LADDER[3]).evaluation.classes["browse"].p99_s
    assert texts(table(content, "What contributes to browse"))[-1][3] == show_seconds(p99)
    (line,) = [line for line in charts(content)[0].series if line.name == "browse"]
    assert min(share for time, share in line.points if time <= p99) >= 0.01


# Where a whole tier is gone, its classes are not answered, and it is said why.
def test_a_tier_that_is_gone_is_named() -> None:
    content = answered("latency", seen(LADDER[0], 1.0, "node"))
    assert any("no node left to serve" in note for note in notes(content))
