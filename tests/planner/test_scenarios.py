from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from capacity.scenarios import zone_share
from tests.planner.events import case, held, told, used
from tests.planner.systems import Values, cache, changed, database, evaluated, external, file, service, sized, topology

if TYPE_CHECKING:
    from capacity.results import Case, Evaluation

UNCACHED = 1e-9
"""A time to live in which nothing is asked for twice."""


def same(found: Case, expected: Evaluation) -> None:
    """Require of an event all that an evaluation from scratch says: times, failures, every limit, every violation."""
    for name, seen in found.classes.items():
        assert seen.p99_s == pytest.approx(expected.classes[name].p99_s, rel=1e-7), name
        assert seen.failed_fraction == pytest.approx(expected.classes[name].failed_fraction, rel=1e-7, abs=1e-9), name
    for name, tier in expected.tiers.items():
        assert used(found, name) == pytest.approx({limit.resource: limit.used for limit in tier.limits}, rel=1e-7)
        assert held(found, name) == pytest.approx({limit.resource: limit.capacity for limit in tier.limits})
    missed = {(v.name, v.constraint): v.value for v in expected.scenarios["normal"].violations}
    assert {(v.name, v.constraint): v.value for v in found.violations} == pytest.approx(missed, rel=1e-7)


def shop() -> Values:
    """Return a file with everything that scenarios happen to, and enough of all to stay below every end."""
    calls = [
        {"to": "redis", "count": 2, "classes": ["browse"]},
        {"to": "db", "count": 2, "writes": 0.5, "classes": ["buy"]},
        {"to": "pay", "classes": ["buy"], "timeout": 1.0, "retries": 1},
        {"to": "jobs", "classes": ["buy"]},
    ]
    own = {"balancing": "least_connections", "variability": 1.4, "threads": 80, "calls": calls}
    replication = {"mode": "sync", "apply_time": 0.001, "network_delay": 0.001}
    tiers = {
        "web": service(0.0005, 4, "n2", threads=150, calls=[{"to": "app"}]),
        "app": service({"browse": 0.005, "buy": 0.01}, 5, "n4", **own),
        "redis": cache("db", 0.0002, 3, memory=200_000.0, popularity=0.8),
        "db": database(0.002, 0.004, 2, "n4", max_connections=500, replication=replication),
        "pay": external(0.1, concurrency_limit=100),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 6, "delay": 2.0},
        "worker": service(0.02, 3, "n2", calls=[{"to": "courier"}]),
        "courier": external(0.05, variability=0.5, rate_limit=100.0),
    }
    goals = {"browse": {"p99": 0.1}, "buy": {"p99": 1.0, "mean": 0.2}}
    values = file(tiers, {"browse": 150, "buy": 15}, utilization=0.6, latency=goals, peak_to_mean=2.0)
    zones = {"zones": 3, "outage": 45.0, "surge": 1.5, "partner_slowdown": 4.0}
    return changed(values, "resilience", zones | {"survive": []})


UNHELPFUL = changed(shop(), "components.redis.ttl", UNCACHED)
"""The shop whose cache holds nothing, so that losing some of it changes nothing else."""

EVENTS: list[tuple[str, str | None, Values, dict[str, Any]]] = [
    ("normal", None, shop(), {}),
    ("mean", None, shop(), {"workload.peak_to_mean": 1.0}),
    ("node", "web", shop(), {"components.web.nodes": 3}),
    ("node", "app", shop(), {"components.app.nodes": 4}),
    ("node", "redis", UNHELPFUL, {"components.redis.nodes": 2}),
    ("node", "db", shop(), {"components.db.replicas": 1}),
    ("node", "worker", shop(), {"components.worker.nodes": 2}),
    (
        "zone",
        None,
        UNHELPFUL,
        {
            "components.web.nodes": 2,
            "components.app.nodes": 3,
            "components.redis.nodes": 2,
            "components.db.replicas": 1,
            "components.worker.nodes": 2,
        },
    ),
    ("cache_cold", "redis", shop(), {"components.redis.ttl": UNCACHED}),
    ("cache_cold", "redis", shop(), {"components.redis.memory": 0.0}),
    ("primary", "db", shop(), {"components.db.replicas": 1}),
    ("partner", "pay", shop(), {"components.pay.latency": 0.4}),
    ("partner", "courier", shop(), {"components.courier.latency": 0.2}),
    ("surge", "browse", shop(), {"workload.classes.browse.rate": 225.0}),
    ("surge", "buy", shop(), {"workload.classes.buy.rate": 22.5}),
]


# What happens to a system is another system: each event is told as the file is that says the same, evaluated afresh.
@pytest.mark.parametrize(("scenario", "subject", "values", "changes"), EVENTS)
def test_an_event_is_another_file(scenario: str, subject: str | None, values: Values, changes: dict[str, Any]) -> None:
    other = values
    for path, value in changes.items():
        other = changed(other, path, value)
    same(case(values, scenario, subject), evaluated(other))


# A partner that is down is one that takes the whole outage, always, whatever limits it had: with the class that waits
# for it and what hides behind a queue excused, no other violation is added nor missed.
@pytest.mark.parametrize(("partner", "excused"), [("pay", {"buy", "pay"}), ("courier", {"jobs", "worker", "courier"})])
def test_a_partner_that_is_down_is_another_file(partner: str, excused: set[str]) -> None:
    hung = {"kind": "external", "latency": 45.0, "variability": 0.0}
    other, found = evaluated(changed(shop(), f"components.{partner}", hung)), case(shop(), "partner_down", partner)
    for name, seen in found.classes.items():
        assert seen.p99_s == pytest.approx(other.classes[name].p99_s, rel=1e-7)
        assert seen.failed_fraction == pytest.approx(other.classes[name].failed_fraction, abs=1e-9)
    missed = {(v.name, v.constraint) for v in other.scenarios["normal"].violations if v.name not in excused}
    assert {(v.name, v.constraint) for v in found.violations} == missed
    assert excused >= set(found.excused) >= excused - {partner}


# A zone takes the nodes that dealing like cards would put on the fullest pile; of a database its primary is dealt too.
def test_zone_is_dealt_like_cards() -> None:
    app, db = topology(file({"app": service(0.01), "db": database(0.01)})).components.values()
    for zones in range(1, 8):
        for nodes in range(1, 60):
            fullest = max(Counter(node % zones for node in range(nodes)).values())
            assert zone_share(app, nodes, zones) == fullest
            assert zone_share(db, nodes - 1, zones) == fullest


# One node more never leaves fewer behind, in any number of zones.
def test_more_nodes_never_leave_fewer() -> None:
    (app,) = topology(file({"app": service(0.01)})).components.values()
    for zones in range(1, 12):
        left = [nodes - zone_share(app, nodes, zones) for nodes in range(1, 200)]
        assert left == sorted(left)


# The example of Azure's documentation: where four are needed, six over three zones survive, or eight over two.
@pytest.mark.parametrize(("zones", "nodes"), [(2, 8), (3, 6), (4, 6), (5, 5)])
def test_four_needed(zones: int, nodes: int) -> None:
    values = file({"app": service(0.01, None)}, 350, utilization=0.9)
    assert sized(values).counts == {"app": 4}
    values = changed(values, "resilience", {"zones": zones, "survive": ["zone"]})
    assert sized(values).counts == {"app": nodes}
    assert not told(changed(values, "components.app.nodes", nodes - 1)).feasible


# A zone hits every tier at once, each by its own share; where one tier is all in one zone nothing is left to serve.
def test_zone_of_everything() -> None:
    tiers = {
        "app": service(0.001, 7, "n4", calls=[{"to": "db"}]),
        "db": database(0.001, 0, 4, "n2", shards=2),
    }
    values = changed(file(tiers, 10), "resilience", {"zones": 3, "survive": []})
    found = case(values, "zone")
    assert held(found, "app")["cores"] == 4 * (7 - 3)
    assert held(found, "db")["replica cores"] == 2 * (4 - 2)
    alone = case(changed(values, "components.db.replicas", 0), "zone")
    assert [(v.name, v.constraint, v.value) for v in alone.violations] == [("db", "nodes", 0.0)]
    assert alone.classes["page"].p99_s is None
    assert alone.classes["page"].failed_fraction == 1


# A rollout adds the surge rounded up and misses the unavailable rounded down; where both come to nothing one is missing,
# as Kubernetes has it. What is added serves nobody and opens its connections: all of the limit may be used, no ceiling.
@pytest.mark.parametrize("surge", ["0", "0.07", "0.25", "0.3", "1"])
@pytest.mark.parametrize("unavailable", ["0", "0.25", "0.29", "0.3"])
def test_rollout_rounds(surge: str, unavailable: str) -> None:
    for nodes in (2, 3, 4, 7, 8, 10, 12, 100):
        more = math.ceil(Fraction(surge) * nodes)
        fewer = math.floor(Fraction(unavailable) * nodes)
        fewer = fewer if more or fewer else 1
        tiers = {"app": service(0.001, nodes, "n2", calls=[{"to": "db", "pool": 7}])}
        values = file(tiers | {"db": database(0.0001, node="n4", max_connections=10_000)}, 10)
        rollout = {"surge": float(surge), "unavailable": float(unavailable)}
        found = case(changed(values, "resilience.deploy", rollout), "deploy", "app")
        assert held(found, "app")["cores"] == 2 * (nodes - fewer)
        if fewer == 0:
            assert used(found, "db")["connections"] == 7 * (nodes + more)


# Eight nodes that become ten hold ten pools, of the call or of all threads. A limit of exactly these is met in a
# rollout, though its ceiling is not; of one less it is not, and only the rollout misses it.
@pytest.mark.parametrize("pool", [{"pool": 10}, {}])
def test_connections_of_a_rollout(pool: Values) -> None:
    tiers = {
        "app": service(0.001, 8, threads=10, calls=[{"to": "db"} | pool]),
        "db": database(0.001, node="n4", max_connections=100),
    }
    values = changed(file(tiers, 10, utilization=0.9), "resilience.deploy", {"surge": 0.2, "unavailable": 0.0})
    normal, rollout = case(values, "normal"), case(values, "deploy", "app")
    assert (used(normal, "db")["connections"], used(rollout, "db")["connections"]) == (80, 100)
    assert normal.passes
    assert rollout.passes
    fewer = changed(values, "components.db.max_connections", 99)
    assert case(fewer, "normal").passes
    (short,) = case(fewer, "deploy", "app").violations
    assert (short.name, short.constraint, short.value, short.limit) == ("db", "connections", 100, 99)


# A lost node of n takes 1/n of the keys with it, a lost zone the share of its nodes, all at once: with room for every
# object, those keys miss and no others do.
@pytest.mark.parametrize("ttl", [None, 5.0])
@pytest.mark.parametrize("nodes", [1, 2, 3, 7])
def test_lost_share_of_a_cache(nodes: int, ttl: float | None) -> None:
    redis = cache("db", 0.0001, nodes, memory=1e6) | ({} if ttl is None else {"ttl": ttl})
    tiers = {"app": service(0.001, 4, "n4", calls=[{"to": "c"}]), "c": redis, "db": database(0.002, 0, 2, "n4")}
    values = changed(file(tiers, 200), "resilience.zones", 3)
    hit = evaluated(values).tiers["c"].details["hit_ratio"]
    assert hit == pytest.approx(1.0) if ttl is None else 0.5 < hit < 0.9
    for scenario, subject, lost in (("node", "c", 1), ("zone", None, math.ceil(nodes / 3))):
        found, left = case(values, scenario, subject), hit * (1 - lost / nodes)
        assert used(found, "db")["replica cores"] == pytest.approx(200 * (1 - left) * 0.002, rel=1e-9)
        fact = found.facts["c"]
        assert (fact["cold"], fact["hit_ratio"]) == pytest.approx((lost / nodes, left))
        assert fact["steady_hit_ratio"] == hit


# Without its only node there is no cache: what is left is the file without it, its own time gone as well.
def test_the_only_node_of_a_cache() -> None:
    tiers = {"app": service(0.001, 1, "n4", calls=[{"to": "c"}]), "c": cache("db", 0.001), "db": database(0.002)}
    found = case(file(tiers, 200), "node", "c")
    plain = evaluated(file({"app": service(0.001, 1, "n4", calls=[{"to": "db"}]), "db": database(0.002)}, 200))
    assert found.classes["page"].p99_s == pytest.approx(plain.classes["page"].p99_s, rel=1e-9)
    assert used(found, "db") == {"primary cores": pytest.approx(0.4)}


# A cache with room for all is nearly warm again when 95 % of what is asked for was asked for before: the sum over all
# keys, solved for the time. Of a lost third only these keys have to come back.
@pytest.mark.parametrize(("scenario", "cold"), [("cache_cold", 1.0), ("node", 1 / 3)])
def test_recovery_of_a_cache(scenario: str, cold: float) -> None:
    redis = cache("db", 0.0001, 3, memory=1e6, popularity=0.8)
    tiers = {"app": service(0.001, 1, "n4", calls=[{"to": "c"}]), "c": redis, "db": database(0.001, node="n8")}
    fact = case(file(tiers, 300), scenario, "c").facts["c"]
    share = np.arange(1.0, 1001) ** -0.8
    share /= share.sum()
    hit = 1 - cold * float(share @ np.exp(-share * 300 * fact["recovery_s"]))
    assert fact["cold"] == pytest.approx(cold)
    assert hit == pytest.approx(0.95, abs=2e-4)


# In a rollout the nodes of a local cache's host start with nothing: the share that is being replaced misses, beside
# what fewer copies, each of which sees more, hit. Losing a node loses only its own copy.
@pytest.mark.parametrize(("surge", "unavailable", "left", "replaced"), [(0.25, 0.25, 3, 2), (0.5, 0.0, 4, 2)])
def test_local_caches_in_a_rollout(surge: float, unavailable: float, left: int, replaced: int) -> None:
    tiers = {
        "app": service(0.001, 4, "n4", calls=[{"to": "near"}]),
        "near": cache("db", 0.0001, host="app", ttl=4.0),
        "db": database(0.002, node="n4"),
    }
    values = changed(file(tiers, 200), "resilience.deploy", {"surge": surge, "unavailable": unavailable})

    def hit(nodes: int) -> float:
        return float(evaluated(changed(values, "components.app.nodes", nodes)).tiers["near"].details["hit_ratio"])

    assert hit(3) > hit(4)
    rollout, lost = case(values, "deploy", "app"), case(values, "node", "app")
    missed = 1 - hit(left) * (1 - replaced / 4)
    assert used(rollout, "db")["primary cores"] == pytest.approx(200 * missed * 0.002, rel=1e-9)
    assert used(lost, "db")["primary cores"] == pytest.approx(200 * (1 - hit(3)) * 0.002, rel=1e-9)
    assert rollout.facts["near"]["cold"] == pytest.approx(replaced / 4)
    assert not lost.facts


# Losing the primary: a replica takes its place and is missing among the readers; who writes waits for the failover, and
# what is on its way to the replicas may be lost, unless each write waits until one has it. Each shard is on its own.
@pytest.mark.parametrize(("mode", "at_risk"), [("async", 0.05 * 60), ("semi_sync", 0.0), ("sync", 0.0)])
@pytest.mark.parametrize("shards", [1, 3])
def test_failover(mode: str, at_risk: float, shards: int) -> None:
    replication = {"mode": mode, "network_delay": 0.05, "failover_time": 12.0}
    calls = [{"to": "db", "count": 3, "writes": 0.2}]
    tiers = {
        "app": service(0.001, 2, "n4", threads=900, calls=calls),
        "db": database(0.001, 0.002, 2, "n4", shards=shards, replication=replication),
    }
    found = case(file(tiers, 100), "primary", "db")
    fact = found.facts["db"]
    assert fact["failover_s"] == 12
    assert fact["writes_held"] == pytest.approx(60 / shards * 12)
    assert fact["writes_at_risk"] == pytest.approx(at_risk / shards)
    assert held(found, "db")["replica cores"] == 4
    assert held(found, "db")["primary cores"] == 4
