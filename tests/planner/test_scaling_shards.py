"""Databases on other nodes: replicas, and the shards that their writes need."""

from __future__ import annotations

import math

import pytest

from capacity.scaling import scale
from tests.planner.scaled_systems import NODES, agrees, stored
from tests.planner.systems import changed, planned, topology
from tests.planner.tier_variants import in_family, judged, scaled_tier, standing_on


# Replicas follow reads: as many as carry them below the ceiling, one more where one may be lost, whatever the type.
# Where no replica is left, the primary takes the reads.
@pytest.mark.parametrize("survive", [(), ("node",)])
def test_replicas_follow_reads(survive: tuple[str, ...]) -> None:
    for rate in (100.0, 500.0, 1100.0):
        for option in scaled_tier(stored(rate, 0.0, survive), "db").options:
            busy = rate * 0.01 / 0.75 / NODES[option.node]
            replicas = (math.ceil(busy - 1e-9) if busy > 1 else 0) + len(survive)
            assert (option.count, option.nodes, option.shards) == (replicas, replicas + 1, 1)


# Each replica applies every write: reads are carried by the cores that this leaves, and where it leaves none by none.
def test_replicas_apply_every_write() -> None:
    values = stored(600, 0.25, replication={"apply_time": 0.004})
    values["components"]["db"] |= {"write_time": 0.004}
    for option in scaled_tier(values, "db").options:
        left = 0.75 * NODES[option.node] - 150 * 0.004
        alone = NODES[option.node] * 0.75 >= 450 * 0.01 + 150 * 0.004
        assert option.count == (0 if alone else math.ceil(450 * 0.01 / left - 1e-9))
    busier = changed(values, "components.db.replication.apply_time", 0.0051)
    shards = {option.node: option.shards for option in scaled_tier(busier, "db").options if option.node != "n8"}
    assert shards == {"n1": 2, "n2": 2, "n4": 2}, "one thread applies them, on any type that needs replicas"


# Writes that one primary cannot take need shards: by doubling, the fewest that bring each primary below the ceiling.
# They cost operations by the month for each beyond the first, and the migration once.
@pytest.mark.parametrize(("shards", "rate"), [(1, 500.0), (1, 4000.0), (3, 3000.0)])
def test_writes_need_shards(shards: int, rate: float) -> None:
    values = stored(rate, 1.0, shards=shards, migration_cost=9000, operations_cost=250)
    sharded = 0
    for option in scaled_tier(values, "db").options:
        cores = NODES[option.node]
        needed = max(0, math.ceil(math.log2(rate * 0.01 / 0.75 / cores / shards) - 1e-9))
        wanted = shards * 2**needed
        sharded += needed > 0
        assert (option.shards, option.nodes, option.out) == (wanted, wanted, None)
        assert option.monthly == pytest.approx(wanted * 73 * cores + 250 * (wanted - 1))
        assert option.one_off == (9000 if needed else 0)
        assert option.lost_share == 1
        counts = planned(values).counts
        made = standing_on(values, {**counts, "db": option.count or 0}, "db", option.node, wanted)
        agrees(option, "db", judged(made))
    assert sharded >= 2


# What a migration costs is unknown where the file does not say; a node's price too: never 0.
def test_unknown_costs_of_shards() -> None:
    values = in_family(stored(500, 1.0), n2={"vcpus": 2})
    options = {option.node: option for option in scaled_tier(values, "db").options}
    assert [options[n].shards for n in ("n1", "n2", "n4", "n8")] == [8, 4, 2, 1]
    assert [options[n].one_off for n in ("n1", "n2", "n4", "n8")] == [None, None, None, 0.0]
    assert options["n2"].monthly is None
    assert not options["n2"].front


# The hottest shard decides: the one with the most popular key, which no number of shards divides.
def test_hottest_shard() -> None:
    values = stored(500, 1.0, objects=1000, popularity=1.0)
    hottest = 1 / math.fsum(1 / i for i in range(1, 1001))
    for option in scaled_tier(values, "db").options:
        if option.shards is not None and option.shards > 1:
            assert option.busiest_shard_share == pytest.approx(hottest + (1 - hottest) / option.shards, rel=0.02)
        taken = [2**k for k in range(7) if 500 * 0.01 * (hottest + (1 - hottest) / 2**k) <= 0.75 * NODES[option.node]]
        taken = taken if NODES[option.node] > 1 or 500 * 0.01 <= 0.75 else [s for s in taken if s > 1]
        assert option.shards == (min(taken) if taken else None)
    even = {option.node: option.shards for option in scaled_tier(stored(500, 1.0), "db").options}
    hot = {
        o.node: (o.shards, o.out) for o in scaled_tier(stored(1200, 1.0, objects=1000, popularity=1.0), "db").options
    }
    assert even["n1"] == 8
    assert hot["n1"][0] is None
    assert str(hot["n1"][1]).startswith("db primary cores at most ")


# Shards do not help against connections, which every shard's primary has to hold: no option is shown with any.
def test_shards_do_not_mend_connections() -> None:
    values = stored(50, 0.5, max_connections=10)
    values["components"]["app"]["calls"][0]["pool"] = 20
    found = scale(topology(values), "db")
    assert not found.feasible
    assert [what.split(" at most ")[0] for what in found.aside] == ["db connections"]
    assert {option.shards for option in found.tiers["db"].options} <= {1, None}


# The same for the thread that applies writes: without any replica n8 carries all, and needs no shards.
def test_a_guess_hides_no_primary_alone() -> None:
    values = stored(600, 0.25, replication={"apply_time": 0.0051}, write_time=0.004)
    option = next(option for option in scaled_tier(values, "db").options if option.node == "n8")
    assert (option.shards, option.count) == (1, 0)


# More shards than the file has are not the file's own, which does not pass.
def test_more_shards_are_not_the_files_own() -> None:
    values = stored(700, 1.0, node="n8", migration_cost=10, operations_cost=1)
    best = scaled_tier(values, "db").recommendation
    assert best is not None
    assert best.shards == 2
    assert not best.reason.startswith("the file's own, and the cheapest")
