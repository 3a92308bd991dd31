"""Random files for properties: two to four tiers with everything that makes sizing hard, small enough to try all counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.planner.systems import cache, database, external, file, service

if TYPE_CHECKING:
    import random

    from tests.planner.systems import Values

MOST = 6
"""Nodes of a tier at most."""


def random_system(draws: random.Random, *, hard: bool = True) -> Values:
    """Return a file; without `hard`, none whose tiers slow down as they grow or hold threads."""
    pick = draws.choice
    app: dict[str, Any] = {"balancing": pick(["shared_queue", "least_connections", "random", "round_robin"])}
    if hard and draws.random() < 0.3:
        app["threads"] = pick([3, 8, 20])
    if hard and draws.random() < 0.3:
        app |= {"contention": pick([0.02, 0.1]), "coherency": pick([0.0, 0.01, 0.03])}
    pool = {"pool": 10} if draws.random() < 0.3 else {}
    below = pick(["db", "near", "redis"])
    calls = [{"to": below, "count": pick([1, 2, 1.5]), "writes": pick([0.0, 0.1, 0.3])} | pool]
    tiers: Values = {}
    ttl: dict[str, Any] = {"ttl": pick([1.0, 30.0])} if draws.random() < 0.4 else {}
    memory = pick([100e3, 300e3])
    if below == "redis":
        tiers["redis"] = cache("db", 0.0005, None, memory=memory, popularity=0.8, max_nodes=MOST, **ttl)
    elif below == "near":
        tiers["near"] = cache("db", 0.0001, host="app", memory=memory, popularity=0.8, **ttl)
    if draws.random() < 0.4:
        tiers["partner"] = external(0.05, variability=pick([0.0, 1.0]), **pick([{}, {"rate_limit": 250.0}]))
        calls.append({"to": "partner"} | pick([{}, {"timeout": 0.15, "retries": 1}]))
    mode = pick(["async", "semi_sync", "sync"])
    db = database(
        pick([0.002, 0.005]),
        pick([0.004, 0.008]),
        "auto",
        pick(["n1", "n2", "n4"]),
        max_nodes=MOST,
        read_from=pick(["replicas", "any"]),
        replication={"mode": mode, "apply_time": pick([0.0, 0.001]), "network_delay": 0.001},
        **({"max_connections": 60} if pool else {}),
    )
    own = {"variability": pick([0.5, 1.0, 2.0]), "max_nodes": MOST, "calls": calls} | app
    tiers = {"app": service(pick([0.005, 0.01, 0.02]), None, pick(["n1", "n2", "n4"]), **own)} | tiers | {"db": db}
    goal = {"mean": pick([0.02, 0.05, 0.1])} if draws.random() < 0.3 else {"p99": pick([0.1, 0.15, 0.25, 0.5])}
    survive = pick([(), ("node",)])
    rate, ceiling = pick([50.0, 100.0, 200.0, 300.0]), pick([0.7, 0.9])
    values = file(tiers, rate, survive=survive, utilization=ceiling, latency={"page": goal})
    for machine in values["node_types"].values():
        machine["price"] *= pick([0.7, 1.0, 1.6])
    return values
