from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from capacity.comparing import compare
from capacity.comparing_report import sections
from capacity.document import load, parse
from capacity.errors import UsageError
from capacity.render import csv_rows
from capacity.search import Search
from capacity.sensitivity import numbers, outputs, replaced, sensitivity
from capacity.sizing import size
from capacity.sweep import axis, is_range, sweep
from capacity.sweep_report import sweep_rows, swept
from capacity.system import resolve
from tests.planner.systems import evaluated, external, file, planned, service, topology

if TYPE_CHECKING:
    from capacity.document import Document

SHOP = "examples/shop.toml"


def small(**app: Any) -> Document:
    """Return a document with one tier of two cores before a partner."""
    calls = [{"to": "pay", "timeout": 2.0}]
    values = file({"app": service(0.01, 1, "n2", calls=calls, **app), "pay": external(0.1)}, 100.0)
    return parse(tomli_w.dumps(values), "small.toml")


# Every point of a sweep is the evaluation of the file with that value.
@pytest.mark.parametrize("points", [2, 7])
def test_sweep_is_the_evaluation_of_each_point(points: int) -> None:
    document = small()
    found = sweep(document, [axis(document, "workload.classes.page.rate=20/s..190/s", points)])
    assert [p.at[0] for p in found.points] == pytest.approx([20 + 170 * i / (points - 1) for i in range(points)])
    for point in found.points:
        values = {**document.values, "workload": {"classes": {"page": {"rate": point.at[0], "entry": "app"}}}}
        there = evaluated(values)
        assert point.p99_s["page"] == there.classes["page"].p99_s
        assert point.utilization["app"] == there.tiers["app"].utilization


# Two axes are every combination; with --plan each point is the plan of its own file.
def test_two_axes_with_plans() -> None:
    values = file({"app": service(0.01, None, "n1")}, 100.0, utilization=0.7)
    document = parse(tomli_w.dumps(values), "f.toml")
    axes = [axis(document, text, 3) for text in ("workload.classes.page.rate=50..250", "components.app.node=n1,n4")]
    found = sweep(document, axes, planned=True)
    assert len(found.points) == 6
    for point in found.points:
        rate, node = point.at
        own = planned(file({"app": service(0.01, None, str(node))}, float(rate), utilization=0.7))
        assert point.nodes == own.counts
        assert point.monthly == own.evaluation.cost.monthly


# A table says in which unit a point of an axis is, also where the verdict turns; CSV keeps the bare number.
def test_points_carry_their_unit() -> None:
    document = small()
    found = sweep(document, [axis(document, "components.pay.latency=100ms..900ms", 2)])
    assert [row[0] for row in swept(found)[0].rows[1:]] == ["100 ms", "900 ms"]
    assert [row[0] for row in sweep_rows(found)[1:]] == [0.1, 0.9]
    found = sweep(document, [axis(document, "workload.classes.page.rate=100/s..400/s", 2)])
    assert "fails from somewhere between 100/s and 400/s" in swept(found)[0].notes


# What is a range is an axis, what is a list or a plain value is not; what makes no sense says so.
def test_ranges() -> None:
    assert is_range("a.b=1..5")
    assert is_range("a.b=x,y")
    assert not is_range('a.b=["x", "y"]')
    assert not is_range("a.b=8ms")
    for wrong in ("components.app.cpu_time=9ms..5ms", "components.nobody.cpu_time=1ms..2ms", "workload=1..2..3"):
        with pytest.raises(UsageError):
            axis(small(), wrong, 5)


# An elasticity is the slope in logarithms, that of another step too: a percentile carries an error of up to 0.1 % of its
# own, which over a step of one per cent either way is 0.05, and over one of two per cent half of that.
@pytest.mark.parametrize("source", [SHOP, "examples/ladder/5-read-replicas.toml"])
def test_elasticities_against_smaller_differences(source: str) -> None:
    subject = load(source).topology
    counts = {**size(Search.of(resolve(subject))).counts, **resolve(subject).given()}
    found = {one.key: one for one in sensitivity(subject).inputs[:10]}
    known = {".".join(map(str, path)): (path, value) for path, value, unit in numbers(subject) if unit is not None}
    compared = 0
    for key, one in found.items():
        path, value = known.get(key.replace("[", ".").replace("]", ""), ((), 0.0))
        if not path:
            continue
        sides = [outputs(replaced(subject, path, value * (1 + step)), counts) for step in (-2e-2, 2e-2)]
        for name, effect in one.effects.items():
            low, high = sides[0][name], sides[1][name]
            if effect.elasticity is None or low is None or high is None:
                continue
            slope = math.log(high / low) / math.log(1.02 / 0.98)
            assert effect.elasticity == pytest.approx(slope, abs=0.05)
            compared += 1
    assert compared >= 20


# Times scale with times: the elasticities of a mean-like output to all times of an open system without waiting add up
# to one. Here the p99 of a call to a partner that is all there is.
def test_elasticity_of_the_only_time_is_one() -> None:
    values = file({"app": service(1e-9, 1, "n2", calls=[{"to": "pay"}]), "pay": external(0.1)}, 1.0)
    (latency,) = (one for one in sensitivity(topology(values)).inputs if one.key == "components.pay.latency")
    assert latency.effects["p99 of page"].elasticity == pytest.approx(1, abs=1e-4)


# A file does not differ from itself; a changed key is told once, and what follows from it is told too.
def test_diff() -> None:
    same = compare(small(), small())
    assert not same.differ
    slower = compare(small(), small(variability=4.0))
    assert [(f.key, f.before, f.after, f.kind) for f in slower.fields] == [
        ("components.app.variability", None, 4.0, "added")
    ]
    (p99,) = (n for n in slower.numbers if (n.name, n.metric) == ("page", "p99"))
    assert p99.before is not None
    assert p99.after is not None
    assert p99.after > p99.before
    assert {n.metric for n in slower.numbers if n.scope == "plan"} == set()


# A list is shown as a file writes it; a row of CSV holds one value, no tuple of them.
def test_diff_is_written_as_a_file_and_as_csv() -> None:
    tiers = {"app": service(0.01, 2)}
    alone, lost = (parse(tomli_w.dumps(file(tiers, survive=s)), "f.toml") for s in ((), ("node",)))
    found = compare(alone, lost)
    (keys,) = (part.rows for part in sections(found) if part.title == "In the files")
    assert keys[1][1:] == ("resilience.survive", "[]", '["node"]')
    assert "feasible.0,True" in csv_rows(found).splitlines()
