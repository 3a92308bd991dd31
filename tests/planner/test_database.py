from __future__ import annotations

import math
from typing import Any

import pytest

from models.queues import MMc
from tests.planner.systems import Values, changed, database, evaluated, file, service, solved


def stored(rate: float, writes: float = 0.0, **fields: Any) -> Values:
    """Return a file of a database behind a tier that takes no time: 5 ms for a read, 8 ms for a write, n2 nodes."""
    db = database(0.005, 0.008, node="n2") | fields
    return file({"app": service(0.0, calls=[{"to": "db", "writes": writes}]), "db": db}, rate)


def mean(values: Values, operation: str) -> float:
    """Return the mean time of reads or of writes."""
    latency = solved(values).latency("db", "page", "read" if operation == "read" else "write")
    assert latency is not None
    return latency.mean


def used(values: Values, resource: str) -> float:
    """Return the utilization of one resource of the database."""
    return next(x.utilization for x in evaluated(values).tiers["db"].limits if x.resource == resource)


# Without replicas one machine does everything: M/G/c of reads and writes, which is M/M/c when they take alike.
def test_primary_alone() -> None:
    values = stored(240, 0.5, write_time=0.005)
    assert used(values, "primary cores") == pytest.approx(240 * 0.005 / 2)
    queue = MMc(240, 0.005, 2)
    assert mean(values, "read") == pytest.approx(queue.response_mean, rel=1e-9)
    assert evaluated(values).classes["page"].p99_s == pytest.approx(queue.response_percentile(0.99), rel=1e-5)


# With replicas the primary takes the writes, and each replica its part of the reads and every write's applying.
def test_replicas_take_the_reads() -> None:
    values = stored(300, 0.2, replicas=3, replication={"apply_time": 0.001})
    assert used(values, "primary cores") == pytest.approx(60 * 0.008 / 2)
    assert used(values, "replica cores") == pytest.approx((240 / 3 * 0.005 + 60 * 0.001) / 2)


# Reads that may go anywhere go to every node alike; reads of the primary leave the replicas idle but for applying.
def test_read_from() -> None:
    anywhere = stored(300, 0.2, replicas=3, read_from="any")
    assert used(anywhere, "primary cores") == pytest.approx((240 / 4 * 0.005 + 60 * 0.008) / 2)
    assert used(anywhere, "replica cores") == pytest.approx(240 / 4 * 0.005 / 2)
    primary = stored(300, 0.2, replicas=3, read_from="primary", replication={"apply_time": 0.001})
    assert used(primary, "primary cores") == pytest.approx((240 * 0.005 + 60 * 0.008) / 2)
    assert used(primary, "replica cores") == pytest.approx(60 * 0.001 / 2)


# Each read goes to one replica at random: as many queues of their own, M/M/c each.
def test_replicas_are_separate_queues() -> None:
    values = stored(600, replicas=3)
    queue = MMc(200, 0.005, 2)
    assert mean(values, "read") == pytest.approx(queue.response_mean, rel=1e-9)
    assert evaluated(values).classes["page"].p99_s == pytest.approx(queue.response_percentile(0.99), rel=1e-5)


# Shards divide reads and writes, and multiply machines.
def test_shards_divide() -> None:
    sharded = stored(600, 0.2, replicas=1, shards=3, replication={"apply_time": 0.001})
    single = stored(200, 0.2, replicas=1, replication={"apply_time": 0.001})
    assert evaluated(sharded).classes["page"].p99_s == pytest.approx(evaluated(single).classes["page"].p99_s)
    assert evaluated(sharded).tiers["db"].nodes == 6
    assert evaluated(sharded).cost.monthly == pytest.approx(6 * 0.2 * 730 + 0.1 * 730)
    for resource in ("primary cores", "replica cores", "apply thread"):
        assert used(sharded, resource) == pytest.approx(used(single, resource))


# A write that waits for a replica to have received it pays one way there and one back; an asynchronous one nothing.
def test_semi_sync_writes() -> None:
    rep = {"apply_time": 0.001, "network_delay": 0.004}
    alone = mean(stored(100, 0.5, replicas=2, replication=rep), "write")
    waited = mean(stored(100, 0.5, replicas=2, replication=rep | {"mode": "semi_sync"}), "write")
    assert alone == pytest.approx(MMc(50, 0.008, 2).response_mean, rel=1e-9)
    assert waited == pytest.approx(alone + 0.008)


# A write that waits for all to have applied it waits for the slowest: at low load the maximum of n exponential
# times, 1 + 1/2 + ... + 1/n of one (0.1 % on the grid), and the network both ways.
@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_sync_writes(replicas: int) -> None:
    rep = {"apply_time": 0.01, "network_delay": 0.004, "mode": "sync"}
    values = stored(0.01, 0.5, replicas=replicas, replication=rep)
    slowest = 0.01 * sum(1 / i for i in range(1, replicas + 1))
    assert mean(values, "write") == pytest.approx(0.008 + slowest + 0.008, rel=2e-3)


# Lag is the network and an M/M/1 queue of the one applying thread, where cores are idle enough not to matter.
def test_lag_is_network_and_mm1() -> None:
    rep = {"apply_time": 0.01, "network_delay": 0.05}
    values = stored(80, 1.0, write_time=0.0001, replicas=1, node="n8", replication=rep)
    lag = evaluated(values).tiers["db"].details["lag"]
    assert lag["mean_s"] == pytest.approx(0.05 + 1 / (100 - 80), rel=1e-3)
    assert lag["p99_s"] == pytest.approx(0.05 + math.log(100) / 20, rel=1e-3)
    assert not lag["diverges"]


# A replica that gets writes as fast as it applies them never catches up: no number, and its thread is the limit.
def test_lag_diverges() -> None:
    rep = {"apply_time": 0.01, "network_delay": 0.05, "staleness": 1.0}
    values = stored(100, 1.0, write_time=0.0001, replicas=1, node="n8", replication=rep)
    found = evaluated(values)
    assert found.tiers["db"].details["lag"]["diverges"]
    assert found.tiers["db"].details["lag"]["mean_s"] is None
    assert "staleness p99" in [v.constraint for v in found.failures]
    assert not found.tiers["db"].slo[0].met


# The objective for staleness is met to its limit and missed below it; without replicas nothing is stale.
def test_staleness_is_an_objective() -> None:
    rep = {"apply_time": 0.01, "network_delay": 0.05}
    values = stored(80, 1.0, write_time=0.0001, replicas=1, node="n8", replication=rep)
    p99 = evaluated(values).tiers["db"].details["lag"]["p99_s"]
    path = "components.db.replication.staleness"
    assert evaluated(changed(values, path, p99 * 1.001)).feasible
    assert not evaluated(changed(values, path, p99 * 0.999)).feasible
    assert evaluated(changed(changed(values, path, p99 * 0.999), "components.db.replicas", 0)).feasible


# On another tier's machine the database uses its cores, and the tier above waits in the same queue.
def test_hosted_database() -> None:
    db = {"kind": "database", "host": "app", "read_time": 0.004, "write_time": 0.004}
    found = evaluated(file({"app": service(0.004, node="n1", calls=[{"to": "db"}]), "db": db}, 100))
    assert found.tiers["app"].utilization == pytest.approx(0.8)
    assert found.classes["page"].mean_s == pytest.approx(2 * MMc(200, 0.004, 1).response_mean, rel=1e-6)
    assert found.cost.monthly == pytest.approx(73)
