from __future__ import annotations

import math
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from capacity.scale_report import sentence
from models.scalability import relative_capacity
from tests.capacity.running import EXAMPLES
from tests.planner.systems import changed, database, evaluated, external, file, planned, service
from tests.planner.tier_variants import in_family, judged, scaled_tier, standing_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.crossing import Crossing, Region, Side
    from tests.planner.systems import Values

CEILING = 0.75
MOST = 20
"""Nodes at most."""

CORES = {"n1": 1, "n2": 2, "n4": 4, "n8": 8}
LOST = {"": 0, "node": 1, "zone": 1}
"""Nodes that are lost of two or three."""


def alone(survive: str = "", rate: float = 100.0, goal: Values | None = None, **app: Any) -> Values:
    """Return a file of one service of 10 ms in three zones."""
    tiers = {"app": service(0.01, None, max_nodes=MOST) | app}
    values = file(tiers, rate, survive=(survive,) if survive else (), utilization=CEILING, latency=goal)
    return in_family(changed(values, "resilience.zones", 3))


def behind(tier: Values, survive: str = "", goal: Values | None = None, **call: Any) -> Values:
    """Return a file of a tier behind an app that is large enough for any load and takes next to nothing."""
    app = service(1e-7, 50, "n8", calls=[{"to": "below"} | call])
    survived = (survive,) if survive else ()
    tiers = {"app": app, "below": tier}
    return in_family(file(tiers, 100, survive=survived, utilization=CEILING, latency=goal))


def stored(rate: float, writes: float, **db: Any) -> Values:
    """Return a file of a database behind an app that is large enough for any load."""
    app = service(1e-7, 50, "n8", calls=[{"to": "db", "writes": writes}])
    return in_family(file({"app": app, "db": database(0.001, 0.001, "auto") | db}, rate, utilization=CEILING))


def crossing(values: Values, tier: str, family: str | None = None) -> Crossing:
    """Return where up and out end and cross."""
    found = scaled_tier(values, tier, family).crossing
    assert found is not None
    return found


def sides(values: Values, tier: str) -> dict[str, Side]:
    """Return the ways to run a tier by their names."""
    return {side.way: side for side in crossing(values, tier).sides}


def ends(values: Values, tier: str) -> dict[str, float]:
    """Return the load at which each way ends."""
    return {way: side.ends_at_per_s or math.inf for way, side in sides(values, tier).items()}


def lost(survive: str, count: int) -> int:
    """Return the nodes that are gone in what has to be survived: of three zones, the fullest."""
    return math.ceil(count / 3) if survive == "zone" else LOST[survive]


# Where only the ceiling on cores binds, each way ends in closed form: as many cores as are left, at 75 %, over 10 ms.
# What has to be survived takes a node, or the fullest of three zones; `one machine` has nothing to survive.
@pytest.mark.parametrize("survive", ["", "node", "zone"])
def test_ends_at_the_ceiling(survive: str) -> None:
    found = sides(alone(survive), "app")
    least = 1 + LOST[survive]
    up, out = found["up"], found["out"]
    assert up.ends_at_per_s == pytest.approx(8 * CEILING / 0.01, rel=1e-9)
    assert out.ends_at_per_s == pytest.approx((MOST - lost(survive, MOST)) * CEILING / 0.01, rel=1e-9)
    assert (up.ends_with, out.ends_with) == (f"{least} x n8", f"{MOST} x n1")
    assert (up.nodes, out.node) == (least, "n1")
    assert ("one" in found) == bool(survive)
    if survive:
        assert found["one"].ends_at_per_s == pytest.approx(600, rel=1e-9)


# Threads that are held through a call are an end as well, by Little's law: 75 % of them over the time that each is
# held. More cores then bring nothing, more nodes all.
@pytest.mark.parametrize("survive", ["", "node"])
def test_ends_of_threads(survive: str) -> None:
    tiers = {"app": service(0.001, None, "n8", threads=20, max_nodes=MOST, calls=[{"to": "p"}]), "p": external(0.199)}
    values = in_family(file(tiers, 50, survive=(survive,) if survive else (), utilization=CEILING), n16={"vcpus": 16})
    each = 20 * CEILING / 0.2
    found = ends(values, "app")
    assert found["up"] == pytest.approx(each, rel=1e-3)
    assert found["out"] == pytest.approx(each * (MOST - LOST[survive]), rel=1e-3)


# The network of each node is an end: 75 % of its bytes a second.
def test_ends_of_the_network() -> None:
    values = alone(response_size=10_000)
    for name, machine in values["node_types"].items():
        machine["network"] = 500_000 * CORES[name] ** 0.5
    found = ends(values, "app")
    assert found["up"] == pytest.approx(50 * CEILING * 8**0.5, rel=1e-9)
    assert found["out"] == pytest.approx(50 * CEILING * MOST, rel=1e-9)


# An objective is an end before any limit is: M/M/1 keeps 99 % within L up to mu - ln(100)/L.
@pytest.mark.parametrize("limit", [0.05, 0.07, 0.2])
def test_ends_of_latency(limit: float) -> None:
    values = alone(goal={"page": {"p99": limit}}, rate=5)
    del values["node_types"]["n2"], values["node_types"]["n4"], values["node_types"]["n8"]
    allowed = min(100 - math.log(100) / limit, 75)
    assert ends(values, "app")["up"] == pytest.approx(allowed, rel=2e-4)
    first, last = crossing(values, "app").regions
    assert first.until_per_s == pytest.approx(allowed, rel=2e-4)
    assert (first.way, first.monthly, last.way) == ("up", 73, "out")


# The Universal Scalability Law bounds scaling out: at the peak, with whatever has to be survived, and not at the most
# nodes that there may be. Up has no such bound.
@pytest.mark.parametrize("survive", ["", "node"])
@pytest.mark.parametrize(("contention", "coherency"), [(0.02, 0.002), (0.0, 0.004), (0.05, 0.0)])
def test_ends_of_contention(survive: str, contention: float, coherency: float) -> None:
    def carried(count: int) -> float:
        return min(relative_capacity(n, contention, coherency) for n in (count, count - LOST[survive])) * 75

    found = sides(alone(survive, contention=contention, coherency=coherency), "app")
    best = max(carried(count) for count in range(2, MOST + 1))
    assert found["out"].ends_at_per_s == pytest.approx(best, rel=3e-3)
    assert found["out"].ends_at_per_s == pytest.approx(carried(int(found["out"].ends_with.split()[0])), rel=2e-4)
    two = min(relative_capacity(2, contention, coherency) / 2, 1.0) if survive else 1.0
    assert found["up"].ends_at_per_s == pytest.approx(min(600, 600 * 2 * two) if survive else 600, rel=2e-4)


# Reads grow with replicas, writes only with the primary: out ends where the primary has no core left for a write.
def test_ends_of_a_database() -> None:
    reads = sides(behind(database(0.01, 0.01, "auto", max_nodes=MOST), "node"), "below")
    assert reads["up"].ends_at_per_s == pytest.approx(600, rel=2e-4)
    assert reads["up"].ends_with == "2 x n8"
    assert reads["out"].ends_at_per_s == pytest.approx(75 * (MOST - 2), rel=2e-4)
    mixed = sides(behind(database(0.01, 0.01, "auto", max_nodes=MOST), "node", writes=0.2), "below")
    assert mixed["out"].ends_at_per_s == pytest.approx(75 / 0.2, rel=2e-4)
    assert mixed["up"].ends_at_per_s == pytest.approx(600, rel=2e-4), "one replica is lost: the primary takes all"


WEB: Values = {"max_nodes": MOST, "variability": 2.0, "balancing": "least_connections"}
CASES = {
    "cores, two classes": (
        in_family(
            file(
                {"app": service({"a": 0.002, "b": 0.03}, None, **WEB)},
                {"a": 200, "b": 20},
                survive=("node",),
                utilization=CEILING,
            )
        ),
        "app",
    ),
    "latency behind an app": (behind(service(0.01, None, **WEB), "node", {"page": {"p99": 0.09}}), "below"),
    "mean latency": (behind(service(0.01, None, **WEB), "", {"page": {"mean": 0.013}}), "below"),
    "contention and threads": (
        behind(service(0.004, None, threads=6, contention=0.03, coherency=0.001, **WEB), "node"),
        "below",
    ),
    "a database with writes": (
        behind(database(0.004, 0.006, "auto", max_nodes=MOST), "node", {"page": {"p99": 0.06}}, writes=0.3),
        "below",
    ),
    "a zone and a deploy": (changed(alone("zone"), "resilience.survive", ["zone", "deploy"]), "app"),
}


# An end is an end: with the counts and the type that a side ends with, 0.1 % less load passes everything and 0.1 % more
# does not, as told by evaluating the file with that load; the tier in front is large enough for any.
@pytest.mark.parametrize("name", CASES)
def test_ends_from_scratch(name: str) -> None:
    values, tier = CASES[name]
    counts, found = planned(values).counts, scaled_tier(values, tier)
    assert found.crossing is not None
    for side in found.crossing.sides:
        nodes, _, node = side.ends_with.split()
        count = int(nodes) - (1 if found.counted == "replicas" else 0)
        made = standing_on(values, {**counts, tier: count}, tier, node)
        made = changed(made, "resilience.survive", []) if side.way == "one" else made
        assert side.ends_at_per_s is not None
        factor = side.ends_at_per_s / found.arrival_rate_per_s
        assert judged(loaded(made, factor * 0.999)).feasible, side
        assert not judged(loaded(made, factor * 1.001)).feasible, side


def loaded(values: Values, factor: float) -> Values:
    """Return the file with every rate multiplied."""
    for name, declared in values["workload"]["classes"].items():
        values = changed(values, f"workload.classes.{name}.rate", declared["rate"] * factor)
    return values


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

    def up(self, load: float) -> float:
        """Return the cost of the least nodes, of the cheapest type that is not smaller than the file's own."""
        least = LOST[self.survive] if self.replicated else 1 + LOST[self.survive]
        types = [n for n in self.values["node_types"] if CORES[n] >= CORES[self.own]]
        return min((self.price(n, least) for n in types if self.passes(n, least, load)), default=math.inf)

    def way(self, load: float) -> str | None:
        """Return the cheaper way (up where both cost the same), None where none passes."""
        least = LOST[self.survive] if self.replicated else 1 + LOST[self.survive]
        up = self.up(load)
        counts = range(MOST - 1 if self.replicated else MOST, least - 1, -1)
        affordable = (n for n in counts if self.price(self.own, n) < up - 1e-6)
        if any(self.passes(self.own, count, load) for count in affordable):
            return "out"
        return None if up == math.inf else "up"


def priced(values: Values, **prices: float) -> Values:
    """Return the file with other prices."""
    for name, price in prices.items():
        values = changed(values, f"node_types.{name}.price", price)
    return values


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
    assert sentence(found, "USD").startswith("up (few nodes) is cheaper until 75/s (146.00 USD/month); out from there")
    assert sentence(found, "USD").endswith("up ends at 600/s; out ends at 1,425/s")


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


# More nodes open more connections: seven of ten threads are what 75 % of a hundred allow, and that ends out.
@pytest.mark.parametrize("pool", [None, 5])
def test_ends_of_connections(pool: int | None) -> None:
    values = alone(threads=10, calls=[{"to": "db"} | ({} if pool is None else {"pool": pool})])
    values["components"]["db"] = database(1e-6, 1e-6, 0, "n8", max_connections=100)
    found, most = sides(values, "app"), 75 // (pool or 10)
    assert (found["out"].ends_with, found["out"].ends_by) == (f"{most} x n1", "connections of db")
    assert found["out"].ends_at_per_s == pytest.approx(most * 75, rel=1e-3)
    assert (found["up"].ends_with, found["up"].ends_by) == ("1 x n8", "cores of app")
    web = changed(values, "components.web", service(0.001, 1, calls=[{"to": "app"}]))
    web["workload"]["classes"]["page"]["entry"] = "web"
    assert sides(web, "web")["out"].ends_by == "cores of web (max_nodes)", "who opens none is ended by none"


# A partner does not grow with a plan: its limit ends whoever calls it, up and out, with the fewest that reach it.
def test_ends_of_a_partner() -> None:
    values = alone(calls=[{"to": "p"}])
    values["components"]["p"] = external(0.01, rate_limit=300.0)
    for way, last in (("up", "1 x n4"), ("out", "4 x n1")):
        side = sides(values, "app")[way]
        assert side.ends_at_per_s == pytest.approx(300, rel=1e-3)
        assert (side.ends_with, side.ends_by) == (last, "rate of p")


def with_partner(values: Values) -> Values:
    """Return the file with a partner that takes a fifth of a second."""
    return changed(values, "components.p", external(0.2))


# What ends a way is named: the resource of its tier or the objective that gives way first, and where only their number
# stands in the way of more nodes, that.
@pytest.mark.parametrize(
    ("values", "tier", "up", "out"),
    [
        (alone("node"), "app", "cores of app", "cores of app (max_nodes)"),
        (alone(goal={"page": {"p99": 0.06}}), "app", "cores of app", "cores of app (max_nodes)"),
        (alone(contention=0.0, coherency=0.02), "app", "cores of app", "cores of app"),
        (
            with_partner(behind(service(0.001, None, "n8", threads=6, max_nodes=MOST, calls=[{"to": "p"}]))),
            "below",
            "threads of below",
            "threads of below (max_nodes)",
        ),
        (
            behind(database(0.01, 0.01, "auto", max_nodes=MOST), "node", writes=0.2),
            "below",
            "primary cores of below",
            "primary cores of below (writes)",
        ),
        (
            behind(database(0.001, 0.001, "auto", "n8", replication={"apply_time": 0.005}), "node", writes=0.5),
            "below",
            "apply thread of below",
            "apply thread of below",
        ),
    ],
)
def test_ends_by(values: Values, tier: str, up: str, out: str) -> None:
    found = sides(values, tier)
    assert (found["up"].ends_by, found["out"].ends_by) == (up, out)


# Out ends with the fewest nodes that reach its end: one less ends 0.1 % earlier, as told by the file with that load.
@pytest.mark.parametrize(
    "values",
    [
        behind(database(0.01, 0.01, "auto", max_nodes=MOST), "node", writes=0.2),
        behind(database(0.002, 0.01, "auto", max_nodes=900), "", writes=0.3),
        behind(service(0.01, None, max_nodes=40, contention=0.02, coherency=0.002), "node"),
        behind(service(0.01, None, max_nodes=900, contention=0.0, coherency=0.004)),
    ],
)
def test_smallest_useful_count(values: Values) -> None:
    found = scaled_tier(values, "below")
    assert found.crossing is not None
    out = found.crossing.sides[-1]
    count = int(out.ends_with.split()[0]) - (1 if found.counted == "replicas" else 0)
    load = (out.ends_at_per_s or 0.0) / found.arrival_rate_per_s
    assert count < values["components"]["below"]["max_nodes"] - 1
    for nodes, share, passes in ((count, 0.9995, True), (count, 1.0005, False), (count - 1, 0.99995, False)):
        made = standing_on(values, {"app": 50, "below": nodes}, "below", "n1")
        assert judged(loaded(made, load * share)).feasible == passes, (nodes, share)


# Where the file's own price is not known, there is nothing to compare: no region, and the sentence says so.
def test_unknown_price() -> None:
    values = alone()
    del values["node_types"]["n1"]["price"]
    found = crossing(values, "app")
    assert found.regions == []
    assert sentence(found, "USD") == "where one becomes cheaper than the other is not known: a price is not"
    assert [side.monthly for side in found.sides if side.node == "n1"] == [None]


# Where up and out are the very same nodes for the very same money, neither is cheaper: up, for a database as for a service.
def test_the_same_money() -> None:
    found = crossing(behind(database(0.01, 0.0, "auto", read_from="any", max_nodes=MOST)), "below")
    same = crossing(alone(), "app").regions
    assert [region.way for region in found.regions] == [region.way for region in same]
    for one, other in zip(found.regions, same, strict=True):
        assert (one.until_per_s, one.monthly) == pytest.approx((other.until_per_s, other.monthly), rel=1e-9)
    assert same[0].way == "up"
    assert same[0].until_per_s == pytest.approx(150)


# A tier without work ends nowhere; one that cannot lose what it must survive has no ways to compare.
def test_no_end_and_no_way() -> None:
    found = crossing(alone(cpu_time=0.0), "app")
    assert [side.ends_at_per_s for side in found.sides] == [None, None]
    assert [(region.way, region.until_per_s) for region in found.regions] == [("up", None)]
    assert scaled_tier(alone("node", max_nodes=1), "app").crossing is None


# The same question gets the same answer, to the last bit.
def test_deterministic() -> None:
    values = REGIONS["contention"][0]
    assert crossing(values, "app") == crossing(values, "app")


# The arrivals at which a way ends are those of its tier while it keeps up: tries of a caller that runs into an overload
# are not counted.
def test_retries_do_not_inflate_ends() -> None:
    found = ends(behind(service(0.01, None, max_nodes=40), timeout=0.5, retries=2), "below")
    assert found == pytest.approx({"up": 600, "out": 3000}, rel=1e-3)


# The thread that applies writes ends a database both ways: 75 % of one thread, 5 ms for each write.
def test_apply_thread_ends_a_database() -> None:
    db = database(0.001, 0.001, "auto", "n8", replication={"apply_time": 0.005})
    found = ends(behind(db, "node", writes=0.5), "below")
    assert (found["up"], found["out"]) == pytest.approx((300, 300), rel=1e-3)


# A type without the memory is no way up: n4 and n8 are out for it, so up ends with n2.
def test_memory_ends_up() -> None:
    values = alone(memory=3e9, rate=60)
    for name, memory in (("n1", 16e9), ("n2", 16e9), ("n4", 2e9), ("n8", 2e9)):
        values["node_types"][name]["memory"] = memory
    up = sides(values, "app")["up"]
    assert (up.ends_with, up.ends_by) == ("1 x n2", "memory of app")
    assert up.ends_at_per_s == pytest.approx(150, rel=1e-3)


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


# With all families up ends with the largest type there is, and not with the last family's.
def test_up_ends_with_the_largest_type() -> None:
    values = alone()
    for node in values["node_types"].values():
        node["family"] = "z"
    up = next(side for side in crossing(values, "app", "all").sides if side.way == "up")
    assert up.ends_at_per_s == pytest.approx(192 * CEILING / 0.01, rel=1e-3)


# The fewest nodes do not depend on today's load: two survive the loss of one.
def test_fewest_nodes_at_any_load() -> None:
    assert crossing(alone("node", rate=75 * 4000, max_nodes=10_000), "app").fewest == 2
