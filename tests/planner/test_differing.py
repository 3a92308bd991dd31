"""What scaling out breaks where any node has to give the same answer: for which share of requests, and for how long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from capacity.differing import differing
from capacity.scaling import scale
from capacity.solve import solve
from capacity.system import resolve
from models.cache import hits
from models.popularity import zipf
from models.replication import apply_lag
from models.service_time import exponential
from models.staleness import stale_replica_reads
from tests.planner.systems import Values, cache, changed, database, file, planned, service, solved, topology

if TYPE_CHECKING:
    from capacity.components.exchange import Differing

OBJECTS = 100
READS, WRITES = 50.0, 20.0


def found(values: Values, root: str) -> list[Differing]:
    """Return the ways in which nodes of a tier may answer differently."""
    return [way for _, way in differing(solved(values), root)]


def only(values: Values, root: str) -> Differing:
    """Return the one way."""
    (way,) = found(values, root)
    return way


# The next request of a user reaches another one of n nodes with probability 1 - 1 / n, until something is done about
# it; a single node, and nodes that remember nothing, give the same answer.
@pytest.mark.parametrize("nodes", [2, 3, 10])
def test_stateful(nodes: int) -> None:
    way = only(file({"app": service(0.001, nodes, stateful=True)}), "app")
    assert way.share == pytest.approx(1 - 1 / nodes)
    assert way.lasting is None
    assert way.mends
    assert found(file({"app": service(0.001, nodes)}), "app") == []
    assert found(file({"app": service(0.001, 1, "n8", stateful=True)}), "app") == []


def local(nodes: int, ttl: float | None = 1.0, **fields: Any) -> Values:
    """Return an app with a local cache that holds all of 100 objects, and 50 reads and 20 writes of them a second."""
    near = cache("db", host="app") | {"objects": OBJECTS, "memory": OBJECTS * 1000, "popularity": 0.8} | fields
    tiers = {
        "app": service(0.0001, nodes, "n4", calls=[{"to": "near", "writes": WRITES / (READS + WRITES)}]),
        "near": near | ({} if ttl is None else {"ttl": ttl}),
        "db": database(0.0001, 0.0001, 0, "n8"),
    }
    return file(tiers, READS + WRITES)


def hit_ratio(values: Values) -> float:
    """Return the hit ratio of the local cache."""
    solution = solved(values)
    near = solution.system.tiers["near"]
    return float(near.details(solution.places["near"], solution.arrivals("near"), solution)["hit_ratio"])  # type: ignore[arg-type]


def simulated(nodes: int, ttl: float, *, told: bool) -> tuple[float, float]:
    """Return the shares of reads that hit, and that are answered with what was written elsewhere since.

    100 objects, 1000 s; every request reaches a node at random. A write takes its object out of the copy of its own
    node, or of all of them where they are told.
    """
    draws = np.random.default_rng(7)
    share = np.arange(1, OBJECTS + 1.0) ** -0.8
    reads = hit = stale = 0
    for part in share / share.sum():
        count = draws.poisson((READS + WRITES) * part * 1000)
        times = np.sort(draws.uniform(0, 1000, count)).tolist()
        is_write = (draws.random(count) < WRITES / (READS + WRITES)).tolist()
        where = draws.integers(0, nodes, count).tolist()
        fetched, written = [-math.inf] * nodes, -math.inf
        for now, write, node in zip(times, is_write, where, strict=True):
            if write:
                written = now
                fetched = [-math.inf] * nodes if told else [*fetched[:node], -math.inf, *fetched[node + 1 :]]
                continue
            reads += 1
            if now - fetched[node] < ttl:
                hit += 1
                stale += written > fetched[node]
            else:
                fetched[node] = now
    return hit / reads, stale / reads


# Copies that do not hear of the writes of other nodes answer with what is old for up to their TTL. Against a simulation
# of every copy; its standard error is below 0.003.
@pytest.mark.parametrize(("nodes", "ttl"), [(2, 1.0), (2, 10.0), (4, 10.0), (10, 10.0)])
def test_local_copies(nodes: int, ttl: float) -> None:
    values = local(nodes, ttl)
    hit, stale = simulated(nodes, ttl, told=False)
    way = only(values, "app")
    assert hit_ratio(values) == pytest.approx(hit, abs=0.01)
    assert way.lasting == ttl
    assert way.share == pytest.approx(stale, abs=0.01)


# Copies that are told of every write are never old, and hit less: exactly as often as the model of a cache says that
# sees its part of the reads and all writes; without it, its part of the writes.
@pytest.mark.parametrize("nodes", [2, 4])
@pytest.mark.parametrize("ttl", [1.0, None])
def test_invalidation(nodes: int, ttl: float | None) -> None:
    popularity, untold, told = zipf(OBJECTS, 0.8), local(nodes, ttl), local(nodes, ttl, invalidation=True)
    heard = {1: untold, nodes: told}
    for times, values in heard.items():
        writes = WRITES * times / nodes
        model = hits(popularity, READS / nodes, OBJECTS, ttl=ttl, write_rate=writes)
        assert hit_ratio(values) == pytest.approx(model.hit_ratio, rel=1e-9)
    assert hit_ratio(told) < hit_ratio(untold)
    assert found(told, "app") == []
    assert found(untold, "app")


# Told copies against the simulation too.
def test_told_copies() -> None:
    hit, stale = simulated(4, 10.0, told=True)
    assert stale == 0
    assert hit_ratio(local(4, 10.0, invalidation=True)) == pytest.approx(hit, abs=0.01)


# Where there is one copy, no write or no read, nothing differs; nor in a cache that all nodes share.
def test_no_local_copies_differ() -> None:
    assert found(local(1), "app") == []
    shared = changed(local(4), "components.near", cache("db", objects=OBJECTS, ttl=1.0))
    assert found(shared, "app") == []
    assert found(shared, "near") == []
    for writes in (0.0, 1.0):
        values = local(4)
        values["components"]["app"]["calls"][0]["writes"] = writes
        assert [way.share for way in found(values, "app")] == [0.0] * (writes == 0)


# What others write past a local cache makes its copies old as well: as much as if it had passed through another node's.
def test_writes_past_a_local_cache() -> None:
    through, past = local(4, 10.0), local(4, 10.0)
    past["components"]["app"]["calls"] = [
        {"to": "near", "count": READS / (READS + WRITES)},
        {"to": "db", "count": WRITES / (READS + WRITES), "writes": 1.0},
    ]
    one, other = only(through, "app"), only(past, "app")
    assert (other.what, other.lasting) == (one.what, one.lasting)
    assert one.share is not None
    assert other.share is not None
    assert one.share < other.share < 1
    past["components"]["near"]["invalidation"] = True
    assert found(past, "app") == []


# A shorter TTL leaves less that is old, and for a shorter time; without one it is old until it is evicted.
def test_ttl_bounds_how_old() -> None:
    ways = [only(local(4, ttl), "app") for ttl in (0.1, 1.0, 10.0, 100.0)]
    shares = [way.share or 0.0 for way in ways]
    assert shares == sorted(shares)
    assert [way.lasting for way in ways] == [0.1, 1.0, 10.0, 100.0]
    assert only(local(4, None), "app").lasting is None, "everything fits: nothing is ever evicted"


# The more nodes, the fewer reads each copy sees within a TTL: it hits less.
def test_a_ttl_gets_worse_with_nodes() -> None:
    ratios = [hit_ratio(local(nodes)) for nodes in (1, 2, 4, 8)]
    assert ratios == sorted(ratios, reverse=True)


def replicated(replicas: int = 2, read_from: str = "replicas", **fields: Any) -> Values:
    """Return an app whose calls are to 80 % reads of a replicated database, 100/s in all; nothing waits."""
    app = service(0.0001, 1, "n8", calls=[{"to": "db", "writes": 0.2}])
    replication = {"network_delay": 0.05} | fields.pop("replication", {})
    db = database(0.0001, 0.0001, replicas, "n8", read_from=read_from, replication=replication, **fields)
    return file({"app": app, "db": db})


# A read of a replica is old where its object was written within the lag: a constant lag of 50 ms and 20 writes a second
# over objects asked for by their popularity leave sum of p (1 - exp(-w lag)); of reads that any node takes, the
# replicas' part.
@pytest.mark.parametrize(("read_from", "replicas", "part"), [("replicas", 1, 1), ("replicas", 3, 1), ("any", 3, 3 / 4)])
@pytest.mark.parametrize("shards", [1, 4])
def test_stale_replicas(read_from: str, replicas: int, part: float, shards: int) -> None:
    share = np.arange(1, OBJECTS + 1.0) ** -0.8
    share /= share.sum()
    expected = part * float((share * -np.expm1(-20 * share * 0.05)).sum())
    way = only(replicated(replicas, read_from, objects=OBJECTS, popularity=0.8, shards=shards), "db")
    assert way.share == pytest.approx(expected, rel=1e-9)
    assert way.lasting == pytest.approx(0.05)


# A lag that waits for the thread that applies: for as long as its p99, for the share that its distribution leaves.
def test_a_lag_that_waits() -> None:
    replication = {"apply_time": 0.03, "network_delay": 0.01}
    way = only(replicated(objects=OBJECTS, popularity=0.8, replication=replication), "db")
    lag = apply_lag(20, exponential(0.03), 0.0, 0.01)
    assert way.lasting == pytest.approx(lag.percentile(0.99), rel=1e-6)
    assert way.share == pytest.approx(stale_replica_reads(zipf(OBJECTS, 0.8), 20, lag), rel=1e-6)


# Without the number of objects nobody knows how many of them are old, but still for how long; replicas that fall behind
# for ever are so without end.
def test_unknown_share() -> None:
    way = only(replicated(), "db")
    assert way.share is None
    assert way.lasting == pytest.approx(0.05)
    behind = only(replicated(objects=OBJECTS, replication={"apply_time": 0.06}), "db")
    assert behind.lasting is None


# Nothing is old where the primary answers, where all replicas have applied what is written, or where nothing is.
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("components.db.read_from", "primary"),
        ("components.db.replication.mode", "sync"),
        ("components.db.replicas", 0),
        ("components.app.calls", [{"to": "db"}]),
        ("components.app.calls", [{"to": "db", "writes": 1.0}]),
    ],
)
def test_no_replicas_differ(path: str, value: object) -> None:
    assert found(changed(replicated(objects=OBJECTS), path, value), "db") == []
    assert found(changed(replicated(objects=OBJECTS), "components.db.replication.mode", "semi_sync"), "db")


# What mends it, followed to the letter, does: the same file with those fields has one way less to differ.
@pytest.mark.parametrize(
    ("values", "root", "tier"),
    [
        (local(3), "app", "near"),
        (replicated(objects=OBJECTS), "db", "db"),
        (file({"app": service(0.001, 3, stateful=True)}), "app", "app"),
    ],
    ids=["local cache", "replicas", "stateful"],
)
def test_mends(values: Values, root: str, tier: str) -> None:
    mends = [mend.changes for mend in only(values, root).mends if mend.changes is not None]
    assert mends
    given = topology(values)
    for changes in mends:
        mended = msgspec.structs.replace(given.components[tier], **changes)
        system = resolve(msgspec.structs.replace(given, components={**given.components, tier: mended}))
        assert differing(solve(system, system.least()), root) == []


# `capacity scale` tells the same, with the nodes and the money that each mend takes: what a plan of the mended file has.
def test_scale_tells_them() -> None:
    values = replicated("auto", objects=OBJECTS)  # type: ignore[arg-type]
    values = changed(changed(values, "components.db.read_time", 0.02), "components.db.node", "n1")
    values = changed(changed(values, "slo.utilization", 0.8), "components.db.min_nodes", 2)
    (told,) = scale(topology(values), "db").tiers["db"].differences
    before = planned(values)
    way = only(changed(values, "components.db.replicas", before.counts["db"]), "db")
    assert (told.tier, told.what, told.share, told.lasting_s) == ("db", way.what, way.share, way.lasting)
    synced = next(mend for mend in told.mends if "sync" in mend.text)
    after = planned(changed(values, "components.db.replication.mode", "sync"))
    assert synced.nodes == after.evaluation.tiers["db"].nodes
    assert synced.more_monthly == pytest.approx(after.evaluation.cost.monthly - before.evaluation.cost.monthly)
    primary = next(mend for mend in told.mends if "primary" in mend.text)
    assert primary.fails is not None, "one primary of one core cannot take 80 reads of 20 ms a second"
