from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from capacity.document import scaled
from capacity.evaluate import evaluate
from capacity.lagging import lagging
from capacity.units import show_seconds
from tests.planner.systems import database, document, file, service
from tests.tui.viewing import LADDER, SHOP, answered, charts, notes, read, shown, tables, texts

if TYPE_CHECKING:
    from tui.scene import Scene

CASES = [(SHOP, "mysql"), (f"{LADDER}/5-read-replicas.toml", "db")]


def replicated(rate: float = 50.0, **db: object) -> Scene:
    """Return a database with a replica behind an app that half writes."""
    lag = {"apply_time": 0.004, "network_delay": 0.001}
    app = service(0.00001, 1, calls=[{"to": "db", "writes": 0.5}])
    stored = database(0.001, 0.001, 1, replication=lag) | {"objects": 1000} | db
    return shown(document(file({"app": app, "db": stored}, rate)))


# Lag and old reads are those of the evaluation.
@pytest.mark.parametrize(("path", "name"), CASES)
def test_lag_is_that_of_the_evaluation(path: str, name: str) -> None:
    found = shown(read(path, f"components.{name}.objects=100000"))
    said = found.evaluation.tiers[name].details["lag"]
    told = lagging(found.solution, name)
    assert told is not None
    assert (told.mean_s, told.p99_s, told.diverges) == (said["mean_s"], said["p99_s"], said["diverges"])
    assert told.stale_read_fraction == said["stale_read_fraction"]
    rows = texts(next(iter(tables(answered("replication", found, name)).values())))
    assert rows["mean lag"] == [show_seconds(said["mean_s"])]
    assert rows["p99 lag"] == [show_seconds(said["p99_s"])]
    thread = next(x for x in found.evaluation.tiers[name].limits if x.resource == "apply thread")
    assert told.apply_utilization == thread.utilization


# The curve is the distribution whose 99th percentile is told: it falls, and passes 1 % between the points around p99.
@pytest.mark.parametrize(("path", "name"), CASES)
def test_the_curve_passes_the_percentile(path: str, name: str) -> None:
    found = shown(read(path))
    points = next(iter(charts(answered("replication", found, name)).values())).series[0].points
    p99 = found.evaluation.tiers[name].details["lag"]["p99_s"]
    # Inverted numerically, to 1e-8 where the distribution is smooth.
    assert all(a >= b - 1e-8 for (_, a), (_, b) in pairwise(points))
    before, after = max(p for p in points if p[0] <= p99), min(p for p in points if p[0] > p99)
    assert before[1] >= 0.01 >= after[1]


# The load at which replicas fall behind for ever is the one at which an evaluation says so.
@pytest.mark.parametrize(("path", "name"), CASES)
def test_diverges_where_the_evaluation_does(path: str, name: str) -> None:
    found = shown(read(path))
    told = lagging(found.solution, name)
    assert told is not None
    assert told.diverges_at is not None
    nodes = [f"components.{n}.{found.search.system.tiers[n].counted}={c}" for n, c in found.counts.items()]
    topology = read(path, *nodes).topology
    for factor, diverges in ((0.999, False), (1.001, True)):  # solved to 1e-4
        said = evaluate(scaled(topology, told.diverges_at * factor)).tiers[name].details["lag"]
        assert said["diverges"] == diverges


# What falls behind for ever is said to, with what mends it, and claims no time.
def test_falling_behind_is_said() -> None:
    content = answered("replication", replicated(600.0), "db")
    assert "fall behind for ever" in notes(content)
    rows = texts(next(iter(tables(content).values())))
    assert rows["mean lag"] == rows["p99 lag"] == ["never"]
    assert not charts(content)


# Who waits for all replicas reads what he wrote and loses nothing; who waits for none may lose what is on its way.
def test_modes() -> None:
    lost, unseen = {}, {}
    for mode in ("async", "semi_sync", "sync"):
        lag = {"apply_time": 0.004, "network_delay": 0.001, "mode": mode}
        told = lagging(replicated(replication=lag).solution, "db")
        assert told is not None
        lost[mode], unseen[mode] = told.writes_at_risk, dict(told.unseen)[0.0]
    # 25 writes a second for 1 ms on their way.
    assert lost == {"async": pytest.approx(0.025), "semi_sync": 0.0, "sync": 0.0}
    # Nothing is applied before it has arrived, so at once nobody finds it.
    assert unseen == {"async": 1.0, "semi_sync": 1.0, "sync": 0.0}


# With quorums it is said whom reads ask and writes wait for; where they meet, nothing is old and no own write missed.
@pytest.mark.parametrize(("reads", "fresh"), [(2, True), (1, False)])
def test_quorum(reads: int, *, fresh: bool) -> None:
    lag = {"apply_time": 0.004, "network_delay": 0.001, "mode": "quorum", "read_quorum": reads, "write_quorum": 2}
    found = replicated(replicas=2, replication=lag)
    told, content = lagging(found.solution, "db"), answered("replication", found, "db")
    assert told is not None
    rows = texts(next(iter(tables(content).values())))
    assert rows["members that a read asks"] == [f"{reads} of 3"]
    assert rows["members that a write waits for"] == ["2 of 3"]
    assert ("meets every write" in rows["the newest write"][0]) == fresh
    assert (told.stale_read_fraction == 0) == fresh
    assert all((share == 0) == fresh for after, share in told.unseen if after < 0.1)
    assert ("independent: approximate" in notes(content)) != fresh
    assert told.writes_at_risk == 0


# Without replicas, without anything known of them, or without a database, a note says so.
def test_nothing_to_show() -> None:
    assert "no replicas" in notes(answered("replication", replicated(replicas=0)))
    assert "nothing is known of their lag" in notes(answered("replication", replicated(replication={})))
    web = shown(document(file({"web": service(0.001)}, 5)))
    assert "No tier is a database" in notes(answered("replication", web))


# Where applies wait for cores that reads use, the lag is said to be approximate; where nothing waits, exact.
def test_how_exact_is_said() -> None:
    assert "approximate" in notes(answered("replication", replicated(200.0)))
    only_far = replicated(replication={"network_delay": 0.001})
    told, said = lagging(only_far.solution, "db"), notes(answered("replication", only_far))
    assert told is not None
    assert told.exact
    assert told.mean_s == 0.001
    assert "exact for its model" in said
    assert "approximate" not in said


# Old reads need the number of keys: without it they are unknown, and the field that is missing is named.
def test_unknown_keys() -> None:
    found = replicated()
    told = lagging(found.solution, "db")
    assert told is not None
    assert told.stale_read_fraction
    content = answered("replication", shown(read(SHOP)), "mysql")
    assert texts(next(iter(tables(content).values())))["reads that get an old value"] == ["unknown"]
    assert "give the database objects" in notes(content)
