"""Files with a tier to scale, on machines that cost by their cores, and its options tried one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.planner.random_systems import MOST
from tests.planner.systems import cache, changed, database, external, file, planned, service
from tests.planner.tier_variants import failing, in_family, judged, scaled_tier, standing_on

if TYPE_CHECKING:
    from capacity.results import Evaluation
    from capacity.scaling import Option
    from tests.planner.systems import Values

NODES = {"n1": 1, "n2": 2, "n4": 4, "n8": 8}
"""The cores of the machines of the tests; each costs 73 USD a month for a core."""


def small(survive: tuple[str, ...] = ("node",), rate: float = 150.0, **app: Any) -> Values:
    """Return a file of one service of 10 ms."""
    return in_family(file({"app": service(0.01, None) | app}, rate, survive=survive, utilization=0.75))


def behind_web(**app: Any) -> Values:
    """Return a file of the same service behind a web server that takes next to nothing."""
    tiers = {"web": service(0.00001, 3, "n8", calls=[{"to": "app"}]), "app": service(0.01, None) | app}
    return in_family(file(tiers, 150, survive=("node",), utilization=0.75))


def stored(rate: float, writes: float, survive: tuple[str, ...] = (), **db: Any) -> Values:
    """Return a file of a database behind an app that takes next to nothing."""
    app = service(0.00001, None, "n8", calls=[{"to": "db", "writes": writes}])
    db = database(0.01, 0.01, "auto") | db
    return in_family(file({"app": app, "db": db}, rate, survive=survive, utilization=0.75))


def with_zones(values: Values) -> Values:
    """Return the file in three zones, one of which may be lost."""
    return changed(changed(values, "resilience.zones", 3), "resilience.survive", ["zone", "deploy"])


def reserved(values: Values) -> Values:
    """Return the file with its base load reserved for a year, and the rest of its nodes by the hour."""
    for node in values["node_types"].values():
        node["reserved_1y"] = node["price"] * 0.6
    return values | {"money": {"commitment": "1y", "coverage": 0.7}}


LOCAL = {
    "app": service(0.004, None, "n2", max_nodes=MOST, calls=[{"to": "near", "count": 2, "writes": 0.1}]),
    "near": cache("db", 0.0001, host="app", memory=200e3, popularity=0.8),
    "db": database(0.003, 0.004, "auto", max_nodes=MOST),
}

QUEUED = {
    "app": service(0.001, None, max_nodes=MOST, calls=[{"to": "jobs"}, {"to": "p", "timeout": 0.5, "retries": 1}]),
    "jobs": {"kind": "queue", "consumers": "worker", "partitions": 5, "delay": 2.0},
    "worker": service(0.02, None, "n2", max_nodes=MOST),
    "p": external(0.05, variability=1.0, rate_limit=200.0),
}

LAGGING = {"mode": "sync", "apply_time": 0.001, "network_delay": 0.001}

WRITING = service(0.002, None, max_nodes=MOST, calls=[{"to": "db", "count": 2, "writes": 0.3}])

SYSTEMS = {
    "one tier": small(max_nodes=9),
    "zones and deploys": with_zones(small(max_nodes=9, threads=40)),
    "reserved": reserved(small(max_nodes=9, stateful=True)),
    "availability": changed(behind_web(max_nodes=9), "slo.availability", 0.9996),
    "local cache": in_family(file(LOCAL, 150, survive=("node",), utilization=0.8, latency={"page": {"p99": 0.06}})),
    "queue": in_family(file(QUEUED, 80, survive=("node",), utilization=0.8, latency={"page": {"p99": 0.4}})),
    "sync replicas": in_family(
        file(
            {"app": WRITING, "db": database(0.004, 0.004, "auto", max_nodes=MOST, replication=LAGGING)},
            120,
            survive=("node", "primary"),
            utilization=0.7,
            latency={"page": {"p99": 0.2}},
        )
    ),
}


def agrees(option: Option, tier: str, found: Evaluation) -> None:
    """Check everything that an option says against the evaluation of the file that it stands for."""
    result = found.tiers[tier]
    costs = [item.monthly for item in found.cost.items if item.tier == tier]
    monthly = None if None in costs else math.fsum(cost for cost in costs if cost is not None)
    same = {
        "monthly": (option.monthly, monthly),
        "p99": (option.p99_s, result.response.p99_s),
        "availability": (option.availability, result.availability),
        "downtime": (option.downtime_s_per_month, result.downtime_s_per_month),
        "headroom": (option.headroom, result.headroom),
    } | {name: (p99, found.classes[name].p99_s) for name, p99 in option.classes.items()}
    for what, (told, true) in same.items():
        same_value = told is true if None in (told, true) else told == pytest.approx(true, rel=1e-9, abs=1e-12)
        assert same_value, f"{option.node}: {what}"
    assert (option.nodes, option.count, option.binding) == (result.nodes, result.count, result.binding)


def check_options(values: Values, tier: str, most: int | None = None) -> int:
    """Check every option of a tier from scratch, by trying every count up to `most` nodes; return how many are out."""
    counts, found = planned(values).counts, scaled_tier(values, tier)
    is_database = values["components"][tier]["kind"] == "database"
    least = 0 if is_database else 1
    for option in found.options:
        if option.out is None:
            assert option.count is not None
            made = standing_on(values, {**counts, tier: option.count}, tier, option.node, option.shards)
            agrees(option, tier, evaluation := judged(made))
            assert evaluation.feasible, option.node
            if option.count > least:
                fewer = standing_on(values, {**counts, tier: option.count - 1}, tier, option.node, option.shards)
                assert not judged(fewer).feasible, option.node
        tried = range(least, least + most if most is not None and option.out is not None else least)
        for count in tried:
            assert not judged(standing_on(values, {**counts, tier: count}, tier, option.node)).feasible, option
        if option.out is not None and most is not None:
            names = failing(standing_on(values, {**counts, tier: least + most - 1}, tier, option.node))
            assert any(option.out.startswith(name) for name in names), f"{option.out}: {names}"
    return sum(option.out is not None for option in found.options)
