from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from capacity.plan import as_given
from tests.planner.brute_force import BruteForce
from tests.planner.systems import cache, changed, database, evaluated, external, file, service, sized, topology

if TYPE_CHECKING:
    from tests.planner.brute_force import Vector
    from tests.planner.systems import Values

MOST = 6
"""Nodes of a tier at most."""

SHARE = 5
"""Random systems in each test, so that workers share them."""


class Surviving(BruteForce):
    """Tries every count, and asks of the file that gives it whether everything is survived that it names."""

    def passes(self, counts: Vector) -> bool:
        """Return whether these counts meet everything; who fails as it stands is not asked what it would survive."""
        key = tuple(counts.values())
        if key not in self._passes:
            values = self.file(counts)
            self._passes[key] = evaluated(values).feasible and as_given(topology(values)).evaluation.feasible
        return self._passes[key]


def random_resilience(draws: random.Random) -> Values:
    """Return what has to be survived: one to three scenarios, and how bad each is."""
    pick = draws.choice
    names = ["node", "zone", "deploy", "cache_cold", "primary", "surge", "partner"]
    return {
        "survive": draws.sample(names, pick([1, 2, 3])),
        "zones": pick([2, 3]),
        "deploy": {"surge": pick([0.0, 0.25, 0.5]), "unavailable": pick([0.0, 0.25, 0.5])},
        "surge": pick([1.2, 1.5]),
        "partner_slowdown": pick([2.0, 3.0]),
    }


def random_system(seed: int) -> Values:
    """Return a file of two or three tiers with nodes, and perhaps a partner or a cache inside one of them."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    pick = draws.choice
    below = pick(["db", "db", "near", "redis", "redis"])
    pool: Values = {"pool": pick([20, 30])} if draws.random() < 0.3 else {}
    calls: list[Values] = [{"to": below, "count": pick([1, 2]), "writes": pick([0.0, 0.2])} | pool]
    tiers: Values = {}
    ttl: Values = {"ttl": pick([2.0, 30.0])} if draws.random() < 0.4 else {}
    memory = pick([200e3, 400e3, 1e6])
    if below == "redis":
        tiers["redis"] = cache("db", 0.0005, None, memory=memory, popularity=0.8, max_nodes=MOST, **ttl)
    if below == "near":
        tiers["near"] = cache("db", 0.0001, host="app", memory=memory, popularity=0.8, **ttl)
    if draws.random() < 0.5:
        tiers["partner"] = external(0.03, variability=pick([0.0, 1.0]))
        calls.append({"to": "partner", "classes": ["buy"]} | pick([{}, {"timeout": 0.1, "retries": 1}]))
    own: dict[str, Any] = {"max_nodes": MOST, "calls": calls, "variability": pick([0.5, 1.0, 2.0])}
    if draws.random() < 0.3:
        own["threads"] = pick([10, 20])
    app = service(pick([0.004, 0.008]), None, pick(["n1", "n2"]), balancing=pick(["shared_queue", "random"]), **own)
    replication = {"mode": pick(["async", "sync"]), "apply_time": pick([0.0, 0.001])}
    most = {"max_connections": 120} if pool else {}
    db = database(
        pick([0.003, 0.006]), 0.004, "auto", pick(["n1", "n2"]), max_nodes=MOST, replication=replication, **most
    )
    tiers = {"app": app} | tiers | {"db": db}
    if below == "db" and draws.random() < 0.5:
        tiers = {"web": service(0.003, None, "n1", max_nodes=MOST, calls=[{"to": "app"}])} | tiers
    rates = {"page": pick([40.0, 80.0, 140.0]), "buy": pick([10.0, 30.0])}
    goal = {"page": {"p99": pick([0.08, 0.15, 0.3])}, "buy": {"p99": pick([0.4, 0.8])}}
    values = file(tiers, rates, utilization=pick([0.7, 0.9]), latency=goal)
    for machine in values["node_types"].values():
        machine["price"] *= pick([0.7, 1.0, 1.6])
    return changed(values, "resilience", random_resilience(draws))


def agrees(seed: int) -> None:
    """Plan a random system and try all of its counts; take each node of the plan away."""
    values = random_system(seed)
    everything = Surviving(values, MOST)
    best, plan = everything.cheapest(), sized(values)
    said = f"seed {seed}, {values['resilience']['survive']}: {best} against {plan.counts}"
    assert (plan.conflict is None) == (best is not None), said
    if best is None:
        return
    assert everything.cost(plan.counts) == pytest.approx(best[0]), said
    assert everything.passes(plan.counts), said
    for name, count in plan.counts.items():
        if count > (0 if everything.fields[name] == "replicas" else 1):
            assert not everything.passes({**plan.counts, name: count - 1}), f"{said}: one {name} less"


# The plan costs what the cheapest of all counts costs that survive what they must, there is one when and only when some
# counts do, and without any one of its nodes something is not survived.
@pytest.mark.parametrize("first", range(20, 45, SHARE))
def test_plan_is_the_cheapest_that_survives(first: int) -> None:
    for seed in range(first, first + SHARE):
        agrees(seed)


# Many more.
@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1200, 20))
def test_plan_is_the_cheapest_that_survives_many(first: int) -> None:
    for seed in range(first, first + 20):
        agrees(seed)
