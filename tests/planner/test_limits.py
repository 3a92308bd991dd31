from __future__ import annotations

import pytest

from tests.planner.systems import Values, cache, changed, database, evaluated, external, file, service


def limit(values: Values, tier: str, resource: str) -> tuple[float, float]:
    """Return what is used of a resource, and its capacity."""
    found = {x.resource: x for x in evaluated(values).tiers[tier].limits}
    return found[resource].used, found[resource].capacity


# Memory is a process and its threads, on each node; of what more nodes bring, each has its own.
@pytest.mark.parametrize("nodes", [1, 3])
def test_memory(nodes: int) -> None:
    values = file({"app": service(0.001, nodes, threads=10, memory=2e9, thread_memory=1e8)}, utilization=0.75)
    values["node_types"]["n1"]["memory"] = 3.75e9
    assert limit(values, "app", "memory") == pytest.approx((3e9, 3.75e9))
    found = evaluated(values)
    assert found.tiers["app"].binding == "memory"
    assert not found.feasible
    assert evaluated(changed(values, "slo.utilization", 0.81)).feasible


# Tiers on one machine need memory together.
def test_memory_of_hosted_tiers_adds_up() -> None:
    local = cache("db", host="app", memory=1e9, objects=10**6, object_size=10_000)
    app = service(0.001, memory=2e9, calls=[{"to": "c"}])
    values = file({"app": app, "c": local, "db": database(0.001, node="n8")})
    values["node_types"]["n1"]["memory"] = 4e9
    assert limit(values, "app", "memory") == pytest.approx((3e9, 4e9))


# Both directions of a network are limits; each node has its part, and what is called returns what was asked.
def test_network() -> None:
    app = service(0.0001, 2, request_size=1000.0, response_size=50_000.0, calls=[{"to": "db", "count": 4}])
    values = file({"app": app, "db": database(0.0001, request_size=200.0, response_size=10_000.0, node="n4")}, 300)
    values["node_types"]["n1"]["network"] = 1e7
    out = 300 * (50_000 + 4 * 200) / 2
    assert limit(values, "app", "network") == pytest.approx((out, 1e7))
    values = changed(values, "components.app.response_size", 100.0)
    into = 300 * (1000 + 4 * 10_000) / 2
    assert limit(values, "app", "network") == pytest.approx((into, 1e7))
    assert evaluated(values).tiers["app"].binding == "network"


# What stays on one machine does not use its network.
def test_network_inside_a_machine_is_free() -> None:
    app = {"kind": "service", "host": "web", "cpu_time": 0.0001, "response_size": 1e6}
    values = file({"web": service(0.0001, response_size=2000.0, calls=[{"to": "app"}]), "app": app})
    values["node_types"]["n1"]["network"] = 1e7
    assert limit(values, "web", "network") == pytest.approx((200_000, 1e7))


# A database sees the pools of all nodes of all callers; without a pool, their threads.
def test_connections() -> None:
    tiers = {
        "app": service(0.0001, 6, calls=[{"to": "db", "pool": 15}, {"to": "batch"}]),
        "batch": service(0.0001, 2, threads=40, calls=[{"to": "db"}]),
        "db": database(0.0001, max_connections=250),
    }
    values = file(tiers)
    assert limit(values, "db", "connections") == pytest.approx((6 * 15 + 2 * 40, 250))
    assert evaluated(values).tiers["db"].binding == "connections"


# Through a cache too: who calls the cache keeps connections to what it asks on a miss.
def test_connections_behind_a_cache() -> None:
    app = service(0.0001, 6, calls=[{"to": "redis", "pool": 15}])
    values = file({"app": app, "redis": cache("db"), "db": database(0.0001, max_connections=250)})
    assert limit(values, "db", "connections") == pytest.approx((90, 250))


# Reads that miss the memory go to disk, spread over the replicas; every part of the working set is read alike.
def test_disk() -> None:
    db = database(0.0001, replicas=2, node="n4", working_set=100e9, disk_time=0.001)
    values = file({"app": service(0.0001, calls=[{"to": "db", "count": 5}]), "db": db}, 200)
    values["node_types"]["n4"] |= {"memory": 40e9, "disk_iops": 400}
    assert limit(values, "db", "disk") == pytest.approx((200 * 5 * 0.6 / 2, 400))
    found = evaluated(values)
    assert found.tiers["db"].binding == "disk"
    assert found.tiers["db"].details["disk"]["miss_ratio"] == pytest.approx(0.6)
    assert found.tiers["db"].response.mean_s == pytest.approx(0.0001 + 0.6 * 0.001, rel=0.01)


# Applying writes is one thread of every replica, for each shard.
def test_apply_thread() -> None:
    db = database(0.0001, 0.0001, 1, "n8", shards=2, replication={"apply_time": 0.01})
    values = file({"app": service(0.0, calls=[{"to": "db", "writes": 0.5}]), "db": db}, 200)
    assert limit(values, "db", "apply thread") == pytest.approx((0.5, 1.0))


# The limit with the largest share used is the one that binds, whichever it is.
@pytest.mark.parametrize(("resource", "change"), [("cores", None), ("memory", "memory"), ("network", "network")])
def test_binding(resource: str, change: str | None) -> None:
    values = file({"app": service(0.005, memory=1e9, request_size=1000.0)}, 100)
    values["node_types"]["n1"] |= {"memory": 1e10, "network": 1e7}
    if change:
        values["node_types"]["n1"][change] = {"memory": 1.1e9, "network": 1.2e5}[change]
    tier = evaluated(values).tiers["app"]
    assert tier.binding == resource
    assert tier.utilization == pytest.approx({"cores": 0.5, "memory": 1 / 1.1, "network": 1 / 1.2}[resource])


# A size that is unknown limits nothing.
def test_unknown_limits_nothing() -> None:
    found = evaluated(file({"app": service(0.005, memory=1e15, response_size=1e12)}, 100))
    assert [x.resource for x in found.tiers["app"].limits] == ["cores"]
    assert found.feasible


# Drain time after a stop: what came meanwhile, at what the slowest resource behind the queue can do more than arrives.
@pytest.mark.parametrize(("partner_rate", "capacity"), [(None, 200.0), (150.0, 150.0)])
def test_drain_time(partner_rate: float | None, capacity: float) -> None:
    partner = external(0.01) if partner_rate is None else external(0.01, rate_limit=partner_rate)
    tiers = {
        "app": service(0.0, calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 9, "message_size": 1000.0, "retention": 60.0},
        "worker": service(0.01, 2, calls=[{"to": "partner"}]),
        "partner": partner,
    }
    details = evaluated(file(tiers, 100)).tiers["jobs"].details
    assert details["storage_bytes"] == pytest.approx(100 * 1000 * 60)
    assert details["drain_s"] == pytest.approx(600 * 100 / (capacity - 100))
