from __future__ import annotations

from typing import Any

import pytest

from models.availability import fewer_than, in_series, maintenance, node_unavailability, zoned
from models.formulas import uptime
from models.repair import crewed, crewed_outage_rate
from tests.capacity.running import capacity
from tests.models.formula_checks import check_documented, check_inverses, check_numeric, check_slopes

DAY, HOUR = 86400.0, 3600.0
NODE = ("--mtbf", "30d", "--mttr", "1h")


def availability(*options: object, code: int = 0) -> Any:
    """Return the answer to options, as scripts get it."""
    ended = capacity("availability", *options, "--json")
    assert ended.code == code, ended.err
    return ended.json


# 2 of 3 nodes at 99 % are up with 0.999702, 3 of 4 at 90 % with 0.9477 (Reliability Analytics 2011).
@pytest.mark.parametrize(
    ("nodes", "needed", "mtbf", "mttr", "up"), [(3, 2, "99h", "1h", 0.999702), (4, 3, "9h", "1h", 0.9477)]
)
def test_published_values(nodes: int, needed: int, mtbf: str, mttr: str, up: float) -> None:
    found = availability("--nodes", nodes, "--needed", needed, "--mtbf", mtbf, "--mttr", mttr)["result"]
    # Half the last printed digit.
    assert found["availability"] == pytest.approx(up, abs=5e-7)
    assert found["downtime_s"] == pytest.approx((1 - up) * 730 * HOUR, rel=1e-3)


# Zones, kinds of nodes, crews, restarts and other parts come out as the models put them together.
def test_it_is_the_models() -> None:
    down, zone = node_unavailability(30 * DAY, HOUR), node_unavailability(730 * DAY, 2 * HOUR)
    base = ("--nodes", 5, "--needed", 3, *NODE)
    assert availability(*base, "--zones", 3)["result"]["unavailability"] == pytest.approx(
        zoned(3, [(5, down)], 3, zone), rel=1e-12
    )
    mixed = availability(*base, "--others", 2, "--others-mtbf", "2d", "--others-mttr", "5min")["result"]
    groups = [(5, down), (2, node_unavailability(2 * DAY, 300.0))]
    assert mixed["unavailability"] == pytest.approx(fewer_than(3, groups), rel=1e-12)
    one = availability(*base, "--crews", 1)["result"]
    assert one["unavailability"] == pytest.approx(crewed(3, 5, 1, 30 * DAY, HOUR), rel=1e-12)
    yearly = crewed_outage_rate(3, 5, 1, 30 * DAY, HOUR) * 365.25 * DAY
    assert one["outages_per_year"] == pytest.approx(yearly, rel=1e-12)
    restarted = availability(*base, "--restarts", 2, "--restart-time", "10min")["result"]["unavailability"]
    share = 5 * maintenance(2, 600)
    both = (1 - share) * fewer_than(3, [(5, down)]) + share * fewer_than(3, [(4, down)])
    assert restarted == pytest.approx(both, rel=1e-12)
    series = availability(*base, "--depends", "99.9%, 0.9995", "--failover", "30s")["result"]["unavailability"]
    parts = [fewer_than(3, [(5, down)]), 30 / (30 * DAY), 1 - 0.999, 1 - 0.9995]
    assert series == pytest.approx(in_series(parts), rel=1e-12)


# The nodes that are solved for are the fewest: one less misses what is wanted; the budget is told.
@pytest.mark.parametrize("extra", [(), ("--zones", 3), ("--crews", 1), ("--restarts", 4)], ids=str)
def test_solved_nodes_are_the_fewest(extra: tuple[object, ...]) -> None:
    wanted = ("--needed", 6, *NODE, *extra, "--wanted", "99.95%")
    found = availability(*wanted)
    nodes = found["nodes"]
    assert found["met"]
    assert found["result"]["budget_s"] == pytest.approx(0.0005 * 730 * HOUR, rel=1e-9)
    assert found["result"]["budget_used"] <= 1
    assert availability(*wanted, "--nodes", nodes)["met"]
    fewer = availability(*wanted, "--nodes", nodes - 1, code=1)
    assert not fewer["met"]
    assert fewer["result"]["budget_used"] > 1


# Where a lost zone takes too many, the next nodes bring nothing for long; the search goes on until they do.
@pytest.mark.parametrize("extra", [(), ("--crews", 2)], ids=str)
def test_nodes_are_found_beyond_a_plateau(extra: tuple[object, ...]) -> None:
    wanted = ("--needed", 40, *NODE, "--zones", 3, *extra, "--wanted", "99.99%")
    found = availability(*wanted)
    # A third of them is gone with a zone: fewer than 60 can never do.
    assert found["nodes"] >= 60
    assert availability(*wanted, "--nodes", found["nodes"])["met"]
    assert not availability(*wanted, "--nodes", found["nodes"] - 1, code=1)["met"]


# What no number of nodes reaches is said, with what is left over.
def test_hopeless_wishes() -> None:
    ended = capacity("availability", "--needed", 2, *NODE, "--depends", "99.9%", "--wanted", "99.95%")
    assert ended.code == 1
    assert "no number of nodes is up 99.950% of the time" in ended.out
    assert "--depends" in ended.out
    assert availability("--needed", 2, *NODE, "--zones", 1, "--wanted", "99.999%", code=1)["met"] is False
    # One crew keeps 120 h / 10 h = 12 nodes up, however many there are.
    ended = capacity("availability", "--needed", 15, "--mtbf", "120h", "--mttr", "10h", "--crews", 1, "--wanted", "99%")
    assert ended.code == 1
    assert "too few repair crews" in ended.out


# Over a range, too few nodes are an answer: never up.
def test_ranges() -> None:
    points = availability("--nodes", "1..3", "--needed", 2, *NODE)["points"]
    assert points[0]["result"]["unavailability"] == 1
    assert points[1]["result"]["unavailability"] > points[2]["result"]["unavailability"]


# What is missing or makes no sense together is named.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--nodes", "3"), "--mtbf is needed: mean time between failures of a node"),
        (NODE, "--nodes is left out: to solve for it"),
        ((*NODE, "--wanted", "100%"), "--wanted: found 100%; allowed: less, to solve for --nodes"),
        (
            ("--nodes", "2", *NODE, "--restarts", "1e5"),
            "--restarts: found 100,000; allowed: at most 4,380: a month of 5 min",
        ),
        (("--nodes", "2", "--needed", "3", *NODE), "--needed: found 3"),
        (("--nodes", "2", *NODE, "--others", "1"), "--others-mtbf is needed"),
        (("--nodes", "2", *NODE, "--depends", "99.9%,x"), '--depends: found "x"; allowed: a share'),
        (("--nodes", "2", *NODE, "--depends", "0%"), '--depends: found "0%"'),
        (
            ("--nodes", "2", *NODE, "--others", "1", "--others-mtbf", "1d", "--others-mttr", "1h", "--crews", "1"),
            "--crews",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_named(options: tuple[str, ...], told: str) -> None:
    ended = capacity("availability", *options)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


# The formulas that are shown give the numbers that are shown.
@pytest.mark.parametrize("extra", [(), ("--zones", 3), ("--zones", 3, "--restarts", 2), ("--crews", 2)], ids=str)
def test_explanations_give_the_same_numbers(extra: tuple[object, ...]) -> None:
    told = availability("--nodes", 5, "--needed", 3, *NODE, *extra, "--wanted", "99.9%", "--explain")["explained"]
    by_formula = {one["metric"]: one for one in told if one["lines"]}
    assert {"node_availability", "availability", "downtime_s", "budget_used", "unavailability"} <= set(by_formula)
    for one in by_formula.values():
        # 1 - 99.9 % has lost three digits before the budget is divided by it.
        assert one["by_formula"] == pytest.approx(one["value"], rel=1e-11)


# Nodes that are never down are explained as far as there is a formula with a slope: how often one is up.
def test_nodes_that_are_never_down() -> None:
    told = availability("--nodes", 5, "--mtbf", "30d", "--mttr", "0s", "--explain")["explained"]
    known = {one["metric"]: one for one in told}
    assert known["node_availability"]["by_formula"] == known["availability"]["by_formula"] == 1
    assert known["nines"]["lines"] == known["unavailability"]["lines"] == []


# What one node needed more would be is no question where all are needed, nor what a repair of no time costs.
@pytest.mark.parametrize(
    "options",
    [
        ("--nodes", 1, *NODE),
        ("--nodes", 2, "--needed", 2, *NODE),
        ("--nodes", 3, "--needed", 3, *NODE, "--crews", 1),
        ("--nodes", 3, "--needed", 3, *NODE, "--zones", 3),
        ("--nodes", 3, "--mtbf", "30d", "--mttr", 0),
    ],
)
def test_explained_at_the_edge(options: tuple[object, ...]) -> None:
    for one in availability(*options, "--explain")["explained"]:
        if one["lines"]:
            assert one["by_formula"] == pytest.approx(one["value"], rel=1e-11)


# A budget that is overspent is told as such: shares above 100 % are not held to be availabilities.
def test_explained_budget_overspent() -> None:
    options = ("--nodes", 2, "--needed", 2, *NODE, "--wanted", "99.99%")
    found = availability(*options, "--explain", code=1)
    used = found["result"]["budget_used"]
    told = {one["metric"]: one for one in found["explained"]}["budget_used"]
    assert 1 < used < 100
    assert told["shown"] == f"{used * 100:,.{0 if used > 10 else 1}f}%"
    assert told["lines"][-1]["value"] == pytest.approx(used, rel=1e-10)


POINTS = [
    {"f": f, "r": r, "u": r / (f + r), "n": 5, "k": 3, "U": 1e-3 * r / f, "A_w": 0.99}
    for f, r in ((1e6, 3e3), (50.0, 20.0))
]


# The new closed forms have their slopes and inverses, say where they are from, and are the numeric functions.
def test_formulas() -> None:
    repaired = uptime.repaired(5, 3, 2)
    check_numeric(repaired, lambda x: crewed(3, 5, 2, x["f"], x["r"]), POINTS)
    outages = [{**x, "f": x["f"]} for x in POINTS]
    check_numeric(uptime.OUTAGES, lambda x: crewed_outage_rate(3, 5, 5, x["f"], x["r"]), outages, rel=1e-11)
    for formula in (repaired, uptime.OUTAGES, uptime.BUDGET):
        points = [{q.name: x[q.name] for q in formula.inputs} for x in POINTS]
        check_slopes(formula, points)
        check_inverses(formula, points[0])
        check_documented(formula)
