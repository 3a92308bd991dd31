from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.queues import MMc
from models.scalability import relative_capacity
from tests.planner.systems import changed, evaluated, external, file, service

property_test = settings(max_examples=40)

PERCENTILES = {"p50_s": 0.5, "p90_s": 0.9, "p95_s": 0.95, "p99_s": 0.99, "p999_s": 0.999}


# One tier with one queue is M/M/c: every percentile as the closed form has it, to what the inversion keeps.
@given(st.integers(1, 6), st.sampled_from(["n1", "n2", "n8"]), st.floats(0.05, 0.97))
@property_test
def test_single_tier_is_mmc(nodes: int, node: str, load: float) -> None:
    cores = nodes * int(node[1:])
    queue = MMc(load * cores / 0.01, 0.01, cores)
    found = evaluated(file({"app": service(0.01, nodes, node)}, queue.arrival_rate))
    page, tier = found.classes["page"], found.tiers["app"]
    assert page.mean_s == pytest.approx(queue.response_mean, rel=1e-9)
    for key, fraction in PERCENTILES.items():
        assert getattr(page, key) == pytest.approx(queue.response_percentile(fraction), rel=1e-5)
    assert tier.utilization == pytest.approx(load)
    assert tier.wait_mean_s == pytest.approx(queue.wait_mean, rel=1e-6)
    assert page.exact
    assert tier.exact


# One core is M/M/1, whose response time is exponential.
def test_one_core_is_mm1() -> None:
    page = evaluated(file({"app": service(0.01)}, 80)).classes["page"]
    assert page.mean_s == pytest.approx(1 / (100 - 80))
    assert page.p99_s == pytest.approx(math.log(100) / 20, rel=1e-6)


# Constant service on one core waits half as long as exponential service (Pollaczek and Khinchine).
def test_variability_is_pollaczek_khinchine() -> None:
    for variability in (0.0, 0.5, 4.0):
        page = evaluated(file({"app": service(0.01, variability=variability)}, 80)).classes["page"]
        assert page.mean_s == pytest.approx(0.01 + 0.8 / 20 * (1 + variability) / 2, rel=1e-6)


# A machine of double speed halves the time: the same system as one with half the CPU time.
def test_speed_scales() -> None:
    values = file({"app": service(0.02, 2, "n2")}, 150)
    values["node_types"]["n2"]["speed"] = 2.0
    assert evaluated(values).classes == evaluated(file({"app": service(0.01, 2, "n2")}, 150)).classes


# What nodes have to agree on makes every request slower: by n / capacity of the Universal Scalability Law.
def test_scalability_law_slows() -> None:
    slow = evaluated(file({"app": service(0.01, 4, contention=0.05, coherency=0.01)}, 100))
    factor = 4 / relative_capacity(4, 0.05, 0.01)
    assert factor == pytest.approx(1 + 0.05 * 3 + 0.01 * 12)
    assert slow.classes["page"].mean_s == pytest.approx(MMc(100, 0.01 * factor, 4).response_mean, rel=1e-9)
    assert slow.tiers["app"].utilization == pytest.approx(0.25 * factor)


# Two classes in one queue wait alike, for the work of both (M/G/1), and compute each its own time.
def test_classes_share_the_queue() -> None:
    found = evaluated(file({"app": service({"light": 0.002, "heavy": 0.03})}, {"light": 200, "heavy": 10}))
    wait = (200 * 2 * 0.002**2 + 10 * 2 * 0.03**2) / (2 * (1 - 0.7))
    assert found.classes["light"].mean_s == pytest.approx(0.002 + wait, rel=1e-6)
    assert found.classes["heavy"].mean_s == pytest.approx(0.03 + wait, rel=1e-6)
    assert found.tiers["app"].utilization == pytest.approx(0.7)


# A tier on another's node: its work adds to the one station, and requests of both wait in the same queue.
def test_hosted_tier_shares_cores() -> None:
    hosted = {"kind": "service", "host": "web", "cpu_time": 0.006}
    found = evaluated(file({"web": service(0.002, 1, "n1", calls=[{"to": "app"}]), "app": hosted}, 100))
    wait = (100 * 2 * 0.002**2 + 100 * 2 * 0.006**2) / (2 * (1 - 0.8))
    assert found.tiers["web"].utilization == pytest.approx(0.8)
    assert found.tiers["app"].utilization == pytest.approx(0.8)
    assert found.tiers["app"].nodes == 1
    assert found.tiers["app"].monthly_cost is None
    assert found.classes["page"].mean_s == pytest.approx(0.008 + 2 * wait, rel=1e-6)


# Splitting over nodes at random is n queues of their own; the pool beats every other balancing, which beat chance.
def test_balancing_is_ordered() -> None:
    p99 = {}
    for balancing in ("shared_queue", "least_connections", "round_robin", "random"):
        page = evaluated(file({"app": service(0.01, 4, "n1", balancing=balancing)}, 320)).classes["page"]
        assert page.p99_s is not None
        p99[balancing] = page.p99_s
    assert p99["random"] == pytest.approx(MMc(80, 0.01, 1).response_percentile(0.99), rel=1e-6)
    assert list(p99.values()) == sorted(p99.values())
    assert len(set(p99.values())) == 4


# A slow partner takes threads while cores idle: Little's law says how many, and the threads are what binds.
def test_slow_partner_exhausts_threads() -> None:
    app = service(0.001, 2, "n4", threads=20, calls=[{"to": "partner"}])
    calm = evaluated(file({"app": app, "partner": external(0.05)}, 200)).tiers["app"]
    assert calm.binding == "threads"
    by_name = {limit.resource: limit for limit in calm.limits}
    assert by_name["threads"].used == pytest.approx(200 * 0.051, rel=0.01)
    assert by_name["threads"].capacity == 40
    assert by_name["cores"].utilization == pytest.approx(0.025)
    slow = evaluated(file({"app": app, "partner": external(0.25)}, 200))
    assert slow.tiers["app"].binding == "threads"
    assert not slow.feasible
    assert [v.constraint for v in slow.failures] == ["threads"]
    assert slow.classes["page"].p99_s is None


# With threads and nothing but a pure delay behind them, the tier is M/M/c of its threads: exact.
@given(st.integers(1, 30), st.floats(0.3, 0.95))
@property_test
def test_threads_over_a_delay_are_mmc(threads: int, load: float) -> None:
    queue = MMc(load * threads / 0.2, 0.2, threads)
    app = service(0.0, 1, "n8", threads=threads, calls=[{"to": "partner"}])
    page = evaluated(file({"app": app, "partner": external(0.2)}, queue.arrival_rate)).classes["page"]
    assert page.mean_s == pytest.approx(queue.response_mean, rel=1e-6)
    assert page.p99_s == pytest.approx(queue.response_percentile(0.99), rel=1e-5)


# Threads are given per node: n nodes of t threads are as many as one with n t, when cores are plenty.
def test_threads_are_per_node() -> None:
    few = service(0.0, 1, "n8", threads=24, calls=[{"to": "partner"}])
    values = file({"app": few, "partner": external(0.2)}, 100)
    many = changed(changed(values, "components.app.threads", 8), "components.app.nodes", 3)
    assert evaluated(many).classes == evaluated(values).classes
    assert evaluated(many).tiers["app"].limits[-1].capacity == 24


# Consumers are no more than the partitions: further nodes have no work.
def test_partitions_limit_consumers() -> None:
    tiers = {
        "app": service(0.0, calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 3},
        "worker": service(0.01, 5, "n1"),
    }
    found = evaluated(file(tiers, 200))
    assert found.tiers["worker"].utilization == pytest.approx(200 * 0.01 / 3)
    assert found.tiers["worker"].response.p99_s == pytest.approx(MMc(200, 0.01, 3).response_percentile(0.99), rel=1e-5)
    assert found.classes["page"].mean_s == 0
    assert "idle_consumers" in [w.code for w in found.warnings]


# Without any load nothing waits and nothing is used, and nothing divides by zero.
def test_no_load() -> None:
    found = evaluated(file({"app": service(0.01, threads=3, calls=[{"to": "partner"}]), "partner": external(0.1)}, 0))
    assert found.feasible
    assert found.tiers["app"].utilization == 0
    assert found.classes["page"].mean_s == pytest.approx(0.11)


# At and beyond full load there is no latency, and the tier says by how much it is overloaded.
@pytest.mark.parametrize("rate", [200, 201, 5000])
def test_overload_has_no_latency(rate: float) -> None:
    found = evaluated(file({"app": service(0.01, 2)}, rate))
    assert not found.feasible or rate == 200
    assert found.tiers["app"].utilization == pytest.approx(rate / 200)
    assert found.tiers["app"].headroom == pytest.approx(1 - rate / 200)
    assert found.classes["page"].mean_s is None
    assert found.tiers["app"].response.p99_s is None
