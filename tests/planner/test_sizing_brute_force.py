from __future__ import annotations

import random

import pytest

from tests.planner.brute_force import BruteForce
from tests.planner.random_systems import MOST, random_system
from tests.planner.systems import cache, changed, database, external, file, service, sized

SHARE = 5
"""Random systems in each test, so that workers share them."""


def agrees(seed: int, *, hard: bool) -> None:
    """Plan a random system and try all of its counts."""
    values = random_system(random.Random(seed), hard=hard)  # noqa: S311, nothing is kept secret
    everything = BruteForce(values, MOST)
    best, plan = everything.cheapest(), sized(values)
    assert (plan.conflict is None) == (best is not None), f"seed {seed}: {best} against {plan.counts}"
    if best is not None:
        assert everything.cost(plan.counts) == pytest.approx(best[0]), f"seed {seed}: {best[1]} against {plan.counts}"
        assert everything.passes(plan.counts), f"seed {seed}: {plan.counts}"


# The plan costs what the cheapest of all counts costs, and there is one when and only when some counts pass.
@pytest.mark.parametrize("first", range(0, 20, SHARE))
def test_plan_is_the_cheapest(first: int) -> None:
    for seed in range(first, first + SHARE):
        agrees(seed, hard=False)


# The same where nodes slow each other down, threads are held, and a count too large is as bad as one too small.
@pytest.mark.parametrize("first", range(100, 120, SHARE))
def test_plan_is_the_cheapest_of_hard_systems(first: int) -> None:
    for seed in range(first, first + SHARE):
        agrees(seed, hard=True)


# Many more of both.
@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 2000, 50))
def test_plan_is_the_cheapest_many(first: int) -> None:
    for seed in range(first, first + 50):
        agrees(seed, hard=seed % 2 == 0)


# Threads that hold a database's queue short: the wait below is not a bound for the tiers above it. Found by brute force.
def test_threads_above_a_tight_database() -> None:
    calls = [{"to": "db", "count": 1.5, "writes": 0.1}]
    app = service(0.02, None, "n2", balancing="least_connections", variability=0.5, threads=8, calls=calls)
    values = file(
        {"app": app, "db": database(0.005, 0.004, "auto")}, 200, utilization=0.7, latency={"page": {"p99": 0.1}}
    )
    everything = BruteForce(values, MOST)
    best = everything.cheapest()
    assert best is not None
    assert sized(values).counts == best[1]


# A tier whose nodes slow each other down passes only with five nodes, not with four nor with six.
def test_only_one_count_passes() -> None:
    app = service(
        0.01, None, balancing="least_connections", contention=0.1, coherency=0.01, calls=[{"to": "db", "count": 1.5}]
    )
    values = file({"app": app, "db": database(0.002, node="n2")}, 200, utilization=0.7, latency={"page": {"p99": 0.1}})
    passing = [c["app"] for c in BruteForce(values, 9).vectors() if BruteForce(values, 9).passes(c)]
    assert passing == [5]
    assert sized(values).counts["app"] == 5


# A cache can be cheaper than what it spares its origin, or dearer: the plan weighs them by price.
@pytest.mark.parametrize("price", [0.02, 2.0])
def test_cache_against_replicas(price: float) -> None:
    tiers = {
        "app": service(0.002, None, "n4", calls=[{"to": "redis", "count": 4}]),
        "redis": cache("db", 0.0001, None, memory=100_000.0, popularity=0.6),
        "db": database(0.01, 0.01, "auto", "n4"),
    }
    values = changed(file(tiers, 300, utilization=0.75), "node_types.n1.price", price)
    everything, plan = BruteForce(values, 12), sized(values)
    best = everything.cheapest()
    assert best is not None
    assert plan.counts == best[1]
    assert (plan.counts["redis"] > 2) == (price < 1)


# A partner in the middle does not disturb: three tiers, a partner and a lost node.
def test_three_tiers_and_a_partner() -> None:
    tiers = {
        "web": service(0.002, None, "n2", calls=[{"to": "app"}]),
        "app": service(0.01, None, "n4", threads=40, calls=[{"to": "pay"}, {"to": "db", "count": 2, "writes": 0.2}]),
        "pay": external(0.04, rate_limit=400.0),
        "db": database(0.002, 0.003, "auto", "n2"),
    }
    values = file(tiers, 300, survive=("node",), utilization=0.75, latency={"page": {"p99": 0.25}})
    best = BruteForce(values, 5).cheapest()
    plan = sized(values)
    assert best is not None
    assert plan.counts == best[1]
