"""Which of both ways is cheaper up to which load, and what is told of them today."""

from __future__ import annotations

import math
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest

from capacity.crossing import Region
from capacity.scale_report import sentence
from tests.capacity.running import EXAMPLES
from tests.planner.crossings import (
    CEILING,
    CORES,
    LOST,
    MOST,
    alone,
    behind,
    crossing,
    loaded,
    lost,
    priced,
    sides,
    stored,
)
from tests.planner.systems import cache, changed, database, evaluated, file, planned, service
from tests.planner.tier_variants import in_family, judged, scaled_tier, standing_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.planner.systems import Values


class Cheapest:
    """The cheapest of both ways at any load, by trying types and counts in files of their own."""

    def __init__(self, values: Values, tier: str, survive: str) -> None:
        self.values, self.tier, self.survive = values, tier, survive
        self.replicated = values["components"][tier]["kind"] == "database"
        self.own = str(values["components"][tier]["node"])
        self.rate = values["workload"]["classes"]["page"]["rate"]

    def passes(self, node: str, count: int, load: float) -> bool:
        """Return whether so many nodes pass at a load, whole and without what may be lost."""
        counts = {count, count - lost(self.survive, count)}
        shown = [standing_on(self.values, {self.tier: n}, self.tier, node) for n in counts]
        return all(evaluated(loaded(values, load / self.rate)).feasible for values in shown)

    def price(self, node: str, count: int) -> float:
        """Return what so many nodes cost by the month."""
        nodes = count + 1 if self.replicated else count
        return float(nodes * 730 * self.values["node_types"][node]["price"])

    def up(self, load: float) -> tuple[float, str]:
        """Return the cost of the least nodes, of the cheapest type that is not smaller than the file's own, and it."""
        least = LOST[self.survive] if self.replicated else 1 + LOST[self.survive]
        types = [n for n in self.values["node_types"] if CORES[n] >= CORES[self.own]]
        return min(((self.price(n, least), n) for n in types if self.passes(n, least, load)), default=(math.inf, ""))

    def way(self, load: float) -> str | None:
        """Return the cheaper way (up where both cost the same), `same` for the same nodes, None where none passes."""
        least = LOST[self.survive] if self.replicated else 1 + LOST[self.survive]
        up, node = self.up(load)
        counts = range(MOST - 1 if self.replicated else MOST, least - 1, -1)
        affordable = (n for n in counts if self.price(self.own, n) < up - 1e-6)
        if any(self.passes(self.own, count, load) for count in affordable):
            return "out"
        return None if up == math.inf else "same" if node == self.own else "up"


def told(regions: list[Region], load: float) -> str | None:
    """Return the way that the regions name at a load."""
    return next((r.way for r in regions if r.until_per_s is None or load < r.until_per_s), None)


def grid(regions: list[Region]) -> Iterator[float]:
    """Yield loads between all borders, and 1.5 % to both sides of each."""
    borders = [0.5 * (regions[0].until_per_s or 1), *(r.until_per_s for r in regions if r.until_per_s is not None)]
    for low, high in pairwise(borders):
        yield from (low * 1.015, (low * high) ** 0.5, high * 0.985)
    yield borders[-1] * 1.015


REGIONS = {
    "as much as they bring": (alone(), ""),
    "with a node to lose": (alone("node"), "node"),
    "with a zone to lose": (alone("zone"), "zone"),
    "a dear middle": (priced(alone("node"), n4=4.0), "node"),
    "a dear second": (priced(alone(), n2=0.35), ""),
    "dearer by size": (priced(alone("node"), n2=0.25, n4=0.7, n8=2.0), "node"),
    "cheaper by size": (priced(alone("zone"), n2=0.19, n4=0.35, n8=0.6), "zone"),
    "contention": (alone("node", contention=0.03, coherency=0.001), "node"),
    "an objective": (alone(goal={"page": {"p99": 0.06}}), ""),
    "threads": (alone("node", threads=4, node="n2"), "node"),
    "replicas": (behind(database(0.01, 0.01, "auto", max_nodes=MOST), "node", writes=0.1), "node"),
}


# Which way is the cheaper one, by brute force over types and counts at loads between and beside the borders: what the
# regions say, everywhere but within 1 % of a border.
@pytest.mark.parametrize("name", REGIONS)
def test_regions(name: str) -> None:
    values, survive = REGIONS[name]
    tier = list(values["components"])[-1]
    regions, by_force = crossing(values, tier).regions, Cheapest(values, tier, survive)
    for load in grid(regions):
        true = by_force.way(load)
        if true != told(regions, load):
            near = {by_force.way(load * factor) for factor in (0.99, 1.01)}
            assert near != {true}, f"{true} at {load}: {regions}"


# Borders rise by more than 1 %, neighbours differ, and the last one is where the better way ends.
@pytest.mark.parametrize("name", REGIONS)
def test_regions_are_in_order(name: str) -> None:
    values, _ = REGIONS[name]
    found = crossing(values, list(values["components"])[-1])
    borders = [region.until_per_s or math.inf for region in found.regions]
    assert all(high >= low * 1.01 for low, high in pairwise(borders))
    assert all(a.way != b.way for a, b in pairwise(found.regions))
    last = max(side.ends_at_per_s or math.inf for side in found.sides if side.way != "one")
    assert borders[-1] == pytest.approx(last, rel=0.01)


# Each border is told in one sentence, with what it costs there: the load up to which few nodes are the cheaper way.
def test_sentence() -> None:
    found = crossing(alone("node"), "app")
    start = "up and out are the same until 75/s (146.00 USD/month); out is cheaper from there"
    assert sentence(found, "USD").startswith(start)
    assert sentence(found, "USD").endswith("up ends at 600/s; out ends at 1,425/s")


# Two of the file's own are what both ways take of little load: the sentence names neither as the cheaper one. Each stretch
# begins where the one before ends, and of many that are exceptions the first and the last are told with their money.
def test_the_same_nodes() -> None:
    web = alone("node", rate=30.0)
    found = crossing(web, "app")
    up, out = (side for side in found.sides if side.way != "one")
    assert (up.node, up.nodes, up.monthly) == (out.node, out.nodes, out.monthly)
    assert found.regions[0].way == "same"
    assert found.regions[0].until_per_s == pytest.approx(75)
    assert [region.from_per_s for region in found.regions] == [
        0,
        *(region.until_per_s for region in found.regions[:-1]),
    ]
    idle = sentence(crossing(alone(cpu_time=0.0), "app"), "USD")
    assert idle == "up and out are the same at every load"
    ways = [
        Region("same" if i == 0 else "up" if i % 2 else "out", 100.0 * (i + 1), 50.0 * i, 100.0 * i) for i in range(12)
    ]
    told = sentence(msgspec.structs.replace(found, regions=ways), "USD")
    assert "up is cheaper from there (but out in 5 stretches, first 200/s to 300/s (100.00 USD/month)" in told
    assert "last 1,000/s to 1,100/s (500.00 USD/month))" in told


# A cache has as many nodes as the database behind it needs to bear the loss of one, and no crossing counts on fewer: of 100
# reads a second 75 are borne, of 140 half, of 200 a third. That is so at any load, since the database grows with it.
@pytest.mark.parametrize(("rate", "nodes"), [(70.0, 1), (100.0, 2), (140.0, 2), (200.0, 3)])
def test_fewest_nodes_of_a_cache(rate: float, nodes: int) -> None:
    tiers = {
        "app": service(1e-7, 50, "n8", calls=[{"to": "c"}]),
        "c": cache("db", 1e-5, nodes=None),
        "db": database(0.01, 0.0, 1, read_from="primary"),
    }
    values = in_family(file(tiers, rate, survive=("node",), utilization=CEILING))
    found = scaled_tier(values, "c")
    assert [option.nodes for option in found.options] == [nodes] * 4
    assert found.crossing is not None
    assert found.crossing.fewest == nodes
    assert found.crossing.regions[0].monthly == pytest.approx(73 * nodes)
    assert [side.way for side in found.crossing.sides] == (["one"] if nodes > 1 else []) + ["up", "out"]


# The three rows of the classic table are those of the files that they stand for: downtime, cost, what a node takes away.
@pytest.mark.parametrize("survive", ["", "node"])
def test_sides_are_evaluations(survive: str) -> None:
    values = alone(survive, rate=130)
    for side in crossing(values, "app").sides:
        made = changed(standing_on(values, {"app": side.nodes}, "app", side.node), "resilience.survive", [])
        result = judged(made).tiers["app"]
        assert side.downtime_s_per_month == pytest.approx(result.downtime_s_per_month, rel=1e-9)
        assert side.monthly == pytest.approx(result.monthly_cost, rel=1e-9)
        assert side.lost_share == 1 / side.nodes
        assert judged(made).feasible


# Up is the smallest type that carries today's load in as few nodes as any; where two of the largest do not, it has more.
@pytest.mark.parametrize(
    ("rate", "node", "nodes"), [(70, "n1", 2), (80, "n2", 2), (299, "n4", 2), (301, "n8", 2), (800, "n8", 3)]
)
def test_up_today(rate: float, node: str, nodes: int) -> None:
    found = crossing(alone("node", rate=rate), "app")
    up = next(side for side in found.sides if side.way == "up")
    assert (up.node, up.nodes, up.out) == (node, nodes, None)
    assert up.ends_at_per_s == pytest.approx(600 * (nodes - 1), rel=2e-4)
    assert found.fewest == 2
    assert found.fewest_end_at_per_s == pytest.approx(600, rel=2e-4)
    assert ("up with 2 nodes ends at 600/s" in sentence(found, "USD")) == (nodes > 2)


# Today's row of the classic table is that of the options, which the whole plan was evaluated for: as few machines as any
# option takes, and the file's own. One machine that does not carry the load says why, and no cost of shards is left out.
@pytest.mark.parametrize(
    ("name", "tier"), [("4-load-balanced", "app"), ("4-load-balanced", "db"), ("8-queue-and-partner", "dispatch")]
)
def test_today_is_that_of_the_options(name: str, tier: str) -> None:
    values = tomllib.loads((EXAMPLES / "ladder" / f"{name}.toml").read_text(encoding="utf-8"))
    found = scaled_tier(values, tier)
    able = [option for option in found.options if option.out is None]
    assert found.crossing is not None
    for side in found.crossing.sides:
        if side.way == "one":
            made = standing_on(values, planned(values).counts, tier, side.node)
            count = 0 if found.counted == "replicas" else 1
            made = changed(changed(made, f"components.{tier}.{found.counted}", count), "resilience.survive", [])
            made["slo"].pop("availability", None)
            assert judged(made).feasible == (side.out is None)
        else:
            same = [o for o in able if (o.node, o.nodes, o.monthly) == (side.node, side.nodes, side.monthly)]
            assert [o.downtime_s_per_month for o in same] == [side.downtime_s_per_month]
            assert side.nodes == min(o.nodes or 0 for o in able) or side.way == "out"
    two = changed(stored(100, 0.5, shards=3, operations_cost=250), "components.db.replicas", 1)
    assert {side.monthly for side in sides(two, "db").values() if side.way == "out"} == {6 * 73 + 500}


# A count that the file gives is the file's own: the side of out has it, and costs what it costs.
def test_given_count_is_out() -> None:
    out = sides(alone(nodes=10), "app")["out"]
    assert (out.nodes, out.out) == (10, None)
    assert out.monthly == pytest.approx(730)
    short = sides(alone(nodes=1), "app")["out"]
    assert (short.nodes, short.out) == (1, "app cores at most 0.75 cores (75% of 1 cores)")


# Where the file's own price is not known, there is nothing to compare: no region, and the sentence says so.
def test_unknown_price() -> None:
    values = alone()
    del values["node_types"]["n1"]["price"]
    found = crossing(values, "app")
    assert found.regions == []
    assert sentence(found, "USD") == "where one becomes cheaper than the other is not known: a price is not"
    assert [side.monthly for side in found.sides if side.node == "n1"] == [None]


# Where up and out are the very same nodes for the very same money, neither is cheaper, for a database as for a service;
# where two of the file's own cost what one twice as large does, up does not cost more.
def test_the_same_money() -> None:
    found = crossing(behind(database(0.01, 0.0, "auto", read_from="any", max_nodes=MOST)), "below")
    same = crossing(alone(), "app").regions
    assert [region.way for region in found.regions] == [region.way for region in same]
    for one, other in zip(found.regions, same, strict=True):
        assert (one.until_per_s, one.monthly) == pytest.approx((other.until_per_s, other.monthly), rel=1e-9)
    assert [region.way for region in same[:2]] == ["same", "up"]
    assert [region.until_per_s for region in same[:2]] == pytest.approx([75, 150])


# A tier without work ends nowhere; one that cannot lose what it must survive has no ways to compare.
def test_no_end_and_no_way() -> None:
    found = crossing(alone(cpu_time=0.0), "app")
    assert [side.ends_at_per_s for side in found.sides] == [None, None]
    assert [(region.way, region.until_per_s) for region in found.regions] == [("same", None)]
    assert scaled_tier(alone("node", max_nodes=1), "app").crossing is None


# The same question gets the same answer, to the last bit.
def test_deterministic() -> None:
    values = REGIONS["contention"][0]
    assert crossing(values, "app") == crossing(values, "app")


# With contention and an objective only a window of counts passes, 100 to 110 of a thousand: the plan's is an option, and
# out does not end before it.
def test_a_window_of_counts() -> None:
    values = alone(rate=6824.0, contention=0.001, max_nodes=1000, goal={"page": {"p99": 0.0511}})
    assert planned(values).counts == {"app": 100}
    found = scaled_tier(values, "app")
    own = next(option for option in found.options if option.planned)
    assert (own.out, own.nodes) == (None, 100)
    assert found.crossing is not None
    assert (found.crossing.sides[-1].ends_at_per_s or math.inf) >= 6824


# A larger type that is cheaper is the way up: 1 x n4 for 109.50, and not 2 x n1 for 146.
def test_the_cheapest_type_is_the_way_up() -> None:
    values = priced(alone(), n2=0.25, n4=0.15)
    up = sides(values, "app")["up"]
    assert up.node == "n4"
    assert up.monthly == pytest.approx(109.5)
    regions, by_force = crossing(values, "app").regions, Cheapest(values, "app", "")
    assert [told(regions, load) for load in (60, 100, 200, 400)] == [by_force.way(load) for load in (60, 100, 200, 400)]


# What a stretch of out costs at its end is what the fewest nodes cost that carry it.
def test_cost_at_the_end_of_a_stretch() -> None:
    for region in crossing(priced(alone(), n2=10.0, n4=0.19), "app").regions:
        if region.way == "out" and region.until_per_s is not None:
            nodes = math.ceil(region.until_per_s * 0.01 / CEILING - 1e-3)
            assert region.monthly == pytest.approx(73 * nodes)


# The fewest nodes do not depend on today's load: two survive the loss of one.
def test_fewest_nodes_at_any_load() -> None:
    assert crossing(alone("node", rate=75 * 4000, max_nodes=10_000), "app").fewest == 2


# Where a way takes shards today, its nodes, money and end are of the sharded tier: two shards of pure writes end at twice
# what one does, by 75 % of their cores over 10 ms; and the sentence says where it takes more shards.
@pytest.mark.parametrize("migration", [None, 9000.0])
def test_ways_with_shards(migration: float | None) -> None:
    values = stored(
        800, 1.0, write_time=0.01, node="n1", **({} if migration is None else {"migration_cost": migration})
    )
    found = scaled_tier(values, "db")
    assert found.crossing is not None
    up, out = (next(side for side in found.crossing.sides if side.way == way) for way in ("up", "out"))
    assert (up.node, up.nodes, up.shards) == ("n8", 2, 2)
    assert up.monthly == pytest.approx(2 * 8 * 73)
    assert up.ends_at_per_s == pytest.approx(2 * 8 * CEILING / 0.01, rel=1e-3)
    assert up.ends_with == "2 x n8"
    # Of its own type only shards carry the writes: 800/s x 10 ms are 8 cores, of which each of 16 may use 0.75.
    assert (out.node, out.nodes, out.shards, out.out) == ("n1", 16, 16, None)
    assert out.ends_at_per_s == pytest.approx(16 * CEILING / 0.01, rel=1e-3)
    assert "beyond 600/s it takes more shards" in sentence(found.crossing, "USD")
    assert found.recommendation is not None, "all have to move: its cost is the same for each"
    assert ("migration_cost" in found.recommendation.reason) == (migration is None)
