from __future__ import annotations

import pytest

from models.queues import MMc
from tests.planner.systems import database, evaluated, external, file, planned, service


# Threads that a slow partner holds are overloaded at any load above them, also far above, where no latency exists.
@pytest.mark.parametrize("rate", [41, 60, 120, 300, 3000])
def test_far_too_few_threads(rate: float) -> None:
    tiers = {"app": service(0.001, 1, "n4", threads=40, calls=[{"to": "p"}]), "p": external(1.0)}
    found = evaluated(file(tiers, rate))
    assert found.classes["page"].p99_s is None
    assert not found.feasible
    assert found.tiers["app"].binding == "threads"


# Two pools of threads in series, of which the lower one is tight, respond as the lower one alone: M/M/10. Whatever the
# upper one has to spare, it is within 11 % (measured: 10 % low at 16 threads, 6 % high at 12).
@pytest.mark.parametrize("threads", [12, 16, 20, 30])
def test_pools_in_series(threads: int) -> None:
    tiers = {
        "web": service(0.0001, 1, "n4", threads=threads, calls=[{"to": "app"}]),
        "app": service(0.0001, 1, "n4", threads=10, calls=[{"to": "p"}]),
        "p": external(0.1),
    }
    assert evaluated(file(tiers, 90)).classes["page"].mean_s == pytest.approx(MMc(90, 0.1, 10).response_mean, rel=0.11)


# A sharded database below a pool of threads is as many queues, each with its share.
@pytest.mark.parametrize(("threads", "read"), [(3, 0.006), (4, 0.012), (8, 0.012), (10, 0.014)])
def test_shards_below_threads(threads: int, read: float) -> None:
    tiers = {
        "app": service(0.0001, 4, "n4", threads=threads, calls=[{"to": "db"}]),
        "db": database(read, 0.0, 0, "n4", shards=4),
    }
    found = evaluated(file(tiers, 1000))
    (held,) = [limit for limit in found.tiers["app"].limits if limit.resource == "threads"]
    assert 1000 * read <= held.used <= held.capacity
    assert found.classes["page"].p99_s is not None


# With coherency only a window of counts carries the load: it is found, and its first count taken.
def test_a_window_far_from_one_node() -> None:
    plan = planned(file({"app": service(0.01, None, "n4", coherency=1e-4)}, 14_900, utilization=0.75))
    assert plan.feasible
    assert plan.counts == {"app": 86}


# More nodes of a local cache's host hit less: counts that pass although the most would not are found.
def test_a_local_cache_with_few_copies() -> None:
    tiers = {
        "app": service(0.002, None, "n4", calls=[{"to": "c"}]),
        "c": {
            "kind": "cache",
            "host": "app",
            "origin": "p",
            "operation_time": 0.00001,
            "objects": 1000,
            "object_size": 100,
            "ttl": 2,
        },
        "p": external(0.05),
    }
    plan = planned(file(tiers, 1000, latency={"page": {"mean": 0.02}}))
    assert plan.feasible
    assert plan.evaluation.classes["page"].mean_s is not None
    assert plan.evaluation.classes["page"].mean_s < 0.02


# One consumer more than there are partitions stands by for the one that is lost.
def test_a_standby_consumer() -> None:
    tiers = {
        "app": service(0.0001, 2, "n4", calls=[{"to": "q"}]),
        "q": {"kind": "queue", "consumers": "w", "partitions": 1},
        "w": service(0.001, None, "n4"),
    }
    plan = planned(file(tiers, 10, survive=("node",)))
    assert plan.feasible
    assert plan.counts["w"] == 2


# Work of which nearly all comes back through its queue is many times as much, not endless.
def test_strong_feedback_is_planned() -> None:
    tiers = {
        "app": service(0.0001, 2, "n4", calls=[{"to": "q"}]),
        "q": {"kind": "queue", "consumers": "w", "partitions": 4},
        "w": service(0.001, None, "n4", calls=[{"to": "q", "count": 0.97}]),
    }
    found = planned(file(tiers, 1)).evaluation.tiers["w"]
    assert found.arrival_rate_per_s == pytest.approx(1 / 0.03, rel=1e-8)


# A cache shields from its origin's failures what it holds.
def test_a_cache_hides_failures() -> None:
    refusing = external(0.01, rate_limit=50.0, overflow="reject", burst=1)
    cache = {
        "kind": "cache",
        "origin": "p",
        "node": "n4",
        "nodes": 1,
        "operation_time": 0.00001,
        "objects": 1000,
        "object_size": 100,
        "ttl": 100,
    }
    found = evaluated(file({"app": service(0.001, 2, "n4", calls=[{"to": "c"}]), "c": cache, "p": refusing}, 200))
    rejected = found.tiers["p"].details["rejected_fraction"]
    missed = 1 - found.tiers["c"].details["hit_ratio"]
    assert rejected > 0
    assert found.classes["page"].failed_fraction == pytest.approx(rejected * missed, rel=1e-9)


# What the file declares where it means nothing is said by name.
def test_fields_without_effect_are_named() -> None:
    app = service(0.001, 2, "n4", calls=[{"to": "db", "retries": 2}, {"to": "p", "writes": 0.5}])
    tiers = {"app": app, "db": database(0.001, 0.001, 0, "n4", nodes=3), "p": external(0.01, burst=5)}
    said = " ".join(w.message for w in evaluated(file(tiers, 10)).warnings if w.code == "without_effect")
    for field in ("calls[0].retries", "calls[1].writes", "components.db.nodes", "components.p.burst"):
        assert field in said
