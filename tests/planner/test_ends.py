"""Where scaling up and out end, and by what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from models.scalability import relative_capacity
from tests.planner.crossings import CEILING, CORES, LOST, MOST, alone, behind, crossing, ends, loaded, lost, sides
from tests.planner.systems import changed, database, external, file, planned, service
from tests.planner.tier_variants import in_family, judged, scaled_tier, standing_on

if TYPE_CHECKING:
    from tests.planner.systems import Values


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
    assert (first.way, first.monthly, last.way) == ("same", 73, "out")


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


# With all families up ends with the largest type there is, and not with the last family's.
def test_up_ends_with_the_largest_type() -> None:
    values = alone()
    for node in values["node_types"].values():
        node["family"] = "z"
    up = next(side for side in crossing(values, "app", "all").sides if side.way == "up")
    assert up.ends_at_per_s == pytest.approx(192 * CEILING / 0.01, rel=1e-3)
