from __future__ import annotations

from typing import Any

import pytest

from models.cache import hits
from models.popularity import zipf
from models.queues import MMc
from tests.planner.systems import Values, cache, database, evaluated, file, service


def cached(nodes: int, rate: float = 500, **fields: Any) -> Values:
    """Return a file of a cache that holds 100 of 1000 objects on each node, before a database that only delays."""
    app = service(0.0001, nodes if "host" in fields else 1, "n4", calls=[{"to": "c"}])
    own = cache("db", nodes=nodes, memory=100_000.0, popularity=0.8) | fields
    if "host" in fields:
        own = {k: v for k, v in own.items() if k not in ("node", "nodes")}
    return file({"app": app, "c": own, "db": database(0.0, disk_time=0.0)}, rate)


def hit_ratio(values: Values) -> float:
    """Return the hit ratio."""
    found: float = evaluated(values).tiers["c"].details["hit_ratio"]
    return found


# The nodes of a global cache hold what fits into all of them together.
@pytest.mark.parametrize("nodes", [1, 3])
def test_global_cache_pools_memory(nodes: int) -> None:
    assert hit_ratio(cached(nodes)) == pytest.approx(hits(zipf(1000, 0.8), 500, 100.0 * nodes).hit_ratio)


# Each node of a local cache holds the same: more nodes of its host hit no more without a TTL, and less with one,
# since each sees its part of the reads.
def test_local_cache_repeats_memory() -> None:
    alike = [hit_ratio(cached(nodes, host="app")) for nodes in (1, 4)]
    assert alike[0] == pytest.approx(alike[1], rel=1e-9)
    expiring = [hit_ratio(cached(nodes, host="app", ttl=2.0)) for nodes in (1, 2, 4, 8)]
    assert expiring == sorted(expiring, reverse=True)
    assert expiring[3] < 0.9 * expiring[0]
    for nodes, found in zip((1, 2, 4, 8), expiring, strict=True):
        assert found == pytest.approx(hits(zipf(1000, 0.8), 500 / nodes, 100.0, ttl=2.0).hit_ratio)


# A global cache is one more hop: a command on one core, and on a miss the origin's time after it. At one node M/M/1.
def test_hit_and_miss_are_mixed() -> None:
    values = cached(1, operation_time=0.001)
    values["components"]["db"] |= {"read_time": 0.004, "node": "n8"}
    hit, page = hit_ratio(values), evaluated(values).classes["page"]
    origin = MMc(500 * (1 - hit), 0.004, 8).response_mean
    command = MMc(500, 0.001, 1).response_mean
    assert page.mean_s == pytest.approx(MMc(500, 0.0001, 4).response_mean + command + (1 - hit) * origin, rel=1e-6)


# Keys decide which node works: the node of the busiest key has more than its part, and sets the utilization.
def test_hot_key_makes_a_hot_node() -> None:
    tier = evaluated(cached(4, operation_time=0.001)).tiers["c"]
    busiest = zipf(1000, 0.8).busiest
    share = busiest + (1 - busiest) / 4
    assert tier.details["busiest_node_share"] == pytest.approx(share)
    assert tier.utilization == pytest.approx(500 * 0.001 * share)


# A local cache works on its host's cores, in its caller: a request with n commands computes that much longer, in one
# M/M/1-like queue of the whole burst (Pollaczek and Khinchine, with the variances of burst and commands).
def test_local_cache_works_in_its_caller() -> None:
    values = cached(1, 400, host="app", operation_time=0.0001)
    values["components"]["app"] |= {"cpu_time": 0.001, "node": "n1", "calls": [{"to": "c", "count": 10}]}
    tier = evaluated(values).tiers["app"]
    assert tier.utilization == pytest.approx(0.8)
    second = 0.002**2 + 0.001**2 + 10 * 0.0001**2
    assert tier.wait_mean_s == pytest.approx(400 * second / 2 / 0.2, rel=0.15)


# A cache in front of a cache is asked only for what the first one missed, which is less popular.
def test_second_level_hits_less() -> None:
    tiers = {
        "app": service(0.0001, node="n4", calls=[{"to": "near"}]),
        "near": cache("far", host="app", memory=50_000.0, popularity=0.8),
        "far": cache("db", memory=100_000.0, popularity=0.8),
        "db": database(0.0),
    }
    found = evaluated(file(tiers, 500)).tiers
    first = hits(zipf(1000, 0.8), 500, 50.0)
    assert first.missed is not None
    behind = hits(first.missed, 500 * (1 - first.hit_ratio), 100.0)
    assert found["far"].details["hit_ratio"] == pytest.approx(behind.hit_ratio)
    assert behind.hit_ratio < hits(zipf(1000, 0.8), 500, 100.0).hit_ratio
