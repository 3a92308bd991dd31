from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from capacity import scale_report
from capacity.curve import Sample, curve
from capacity.scaling import TierScaling, scale
from capacity.units import digits, show_percent
from tests.tui.viewing import LADDER, SHOP, answered, charts, everything, notes, read, shown, tables, texts
from tui.views.scaling import HERE

if TYPE_CHECKING:
    from tui.content import Content

REPLICAS = f"{LADDER}/5-read-replicas.toml"


@cache
def compared(path: str, tier: str) -> TierScaling:
    return scale(read(path).topology, tier).tiers[tier]


@cache
def sampled(path: str, tier: str) -> tuple[Sample, ...]:
    crossing = compared(path, tier).crossing
    assert crossing is not None
    return tuple(curve(read(path).topology, tier, crossing))


@cache
def seen(path: str, tier: str | None) -> Content:
    return answered("scaling", shown(read(path)), tier)


# The table of options tells what `capacity scale` tells, with the recommended one and what is out marked as such.
@pytest.mark.parametrize(("path", "tier"), [(SHOP, "app"), (REPLICAS, "db")])
def test_options_are_those_of_scale(path: str, tier: str) -> None:
    told, found = compared(path, tier), seen(path, tier)
    title = f"{tier} at {digits(told.arrival_rate_per_s)}/s"
    rows = texts(tables(found)[title])
    assert len(rows) == len(told.options)
    for option in told.options:
        nodes, monthly, p99, down, lost, headroom, binding, marks, out = rows[option.node]
        assert out == (option.out or "")
        if option.nodes is None:
            assert {nodes, monthly, p99, down, lost, headroom} == {"-"}
            continue
        assert option.headroom is not None
        assert option.lost_share is not None
        assert nodes == scale_report.count(option)
        assert monthly == scale_report.money(option.monthly)
        assert p99 == scale_report.duration(option.p99_s)
        assert down == scale_report.duration(option.downtime_s_per_month)
        assert (lost, headroom) == (show_percent(option.lost_share), show_percent(option.headroom))
        assert binding == option.binding
        assert ("take this" in marks) == (told.recommendation is not None and told.recommendation.node == option.node)
        assert ("as planned" in marks, "*" in marks) == (option.planned, option.front)


# Where up and out end and cross is said in the words of the report, and its table of sides stands below.
def test_the_crossing_in_words() -> None:
    told = compared(SHOP, "app")
    assert told.crossing is not None
    assert scale_report.sentence(told.crossing, "USD") in notes(seen(SHOP, "app"))
    sides = next(table for table in tables(seen(SHOP, "app")).values() if table.columns[1] == "one machine")
    assert texts(sides)["USD a month"] == [scale_report.money(side.monthly) for side in told.crossing.sides]


# The charts hold the samples of the planner, in ascending order, with today's load and every crossing marked on them.
def test_charts_hold_the_curve() -> None:
    samples, found = sampled(SHOP, "app"), charts(seen(SHOP, "app"))
    for title, field in (("app: monthly cost over load", "monthly"), ("app: p99 over load", "p99_s")):
        lines = {line.name: line.points for line in found[title].series}
        for way in ("up", "out"):
            taken = [(s.arrival_rate_per_s, getattr(s, way)) for s in samples]
            assert lines[way] == tuple((rate, getattr(at, field)) for rate, at in taken if at is not None)
        marks = {mark.name: mark.at for mark in found[title].marks}
        assert marks[HERE] == next(s.arrival_rate_per_s for s in samples if s.load == 1)
        assert len(found[title].marks) == 1 + sum(s.ends is not None for s in samples)
        assert HERE in {row[-1].text for row in found[title].twin().rows}
    rates = [s.arrival_rate_per_s for s in samples]
    assert all(a < b for a, b in pairwise(rates))


# Today's point of the curve is the option that scale has for it: the same nodes, price and p99.
@pytest.mark.parametrize(("path", "tier"), [(SHOP, "app"), (REPLICAS, "db")])
def test_the_curve_passes_through_today(path: str, tier: str) -> None:
    told, today = compared(path, tier), next(s for s in sampled(path, tier) if s.load == 1)
    planned = next(option for option in told.options if option.planned)
    assert today.out is not None
    assert (today.out.node, today.out.nodes, today.out.monthly) == (planned.node, planned.nodes, planned.monthly)
    # Others keep up, here as in the plan; what still waits there moves this tier's p99 by less than a hundredth.
    assert today.out.p99_s == pytest.approx(planned.p99_s, rel=0.01)


# At each crossing the curve costs what scale says, and between crossings the way that is cheaper is the one it names.
@pytest.mark.parametrize(("path", "tier"), [(SHOP, "app"), (REPLICAS, "db")])
def test_the_curve_crosses_where_scale_says(path: str, tier: str) -> None:
    told, samples = compared(path, tier).crossing, sampled(path, tier)
    assert told is not None
    assert sum(s.ends is not None for s in samples) >= 2
    for sample in samples:
        # A sample at a crossing stands just before it: ends are solved to 1e-4.
        rate = sample.arrival_rate_per_s * (1 - 1e-3)
        region = next(r for r in told.regions if r.until_per_s is None or rate < r.until_per_s)
        up, out = sample.up, sample.out
        if sample.ends is not None:
            assert sample.ends[0] == region.way
            cheaper = up if region.way == "up" else out
            assert cheaper is not None
            assert cheaper.monthly == pytest.approx(region.monthly)
        if up is not None and out is not None:
            assert up.monthly is not None
            assert out.monthly is not None
            assert (out.monthly < up.monthly) == (region.way == "out")
        else:
            assert region.way == ("up" if out is None else "out")


# What has no nodes of its own is told why it cannot be scaled; what lives on another's nodes is compared with them.
def test_nothing_to_scale() -> None:
    found = shown(read(SHOP))
    assert "partner" in notes(answered("scaling", found, "courier"))
    assert "queue" in notes(answered("scaling", found, "orders"))
    assert "Select a tier" in notes(answered("scaling", found))
    hosted = answered("scaling", shown(read(f"{LADDER}/1-one-server.toml")), "db")
    assert "db lives on the nodes of app" in notes(hosted)
    assert any(title.startswith("app at") for title in tables(hosted))


# Another load than the one whose counts are shown is compared with a plan of its own, and that is said.
def test_other_counts_than_shown_are_said() -> None:
    found = shown(read(SHOP), 2.0)
    planned = next(o for o in scale(found.topology, "web").tiers["web"].options if o.planned)
    assert planned.count != found.counts["web"]
    text = f"The screen shows {found.counts['web']} nodes, a plan for this load takes {planned.count}"
    assert text in notes(answered("scaling", found, "web"))


# Where a price is not known the comparison says so, and draws no cost; nothing undefined is shown.
def test_unknown_price() -> None:
    overrides = ['currency="XTS"']
    found = answered("scaling", shown(read(SHOP, *overrides)), "web")
    assert not any("cost" in title for title in charts(found))
    assert "unknown" in everything(found)
    assert not {"nan", "inf", "None"} & set(everything(found).split())
