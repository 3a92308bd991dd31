from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cache import Eviction, hits
from models.popularity import Popularity, busiest_shard, zipf
from tests.cases import Case, cache_cases

property_test = settings(max_examples=80)


# Hit ratios from some 600 nodes are those of the full sum over 100,000 objects, to 1e-8.
@pytest.mark.parametrize("exponent", [0.6, 0.8, 1.0, 1.2])
@pytest.mark.parametrize("capacity", [100, 1000, 30_000])
@pytest.mark.parametrize("policy", ["lru", "fifo", "lfu"])
def test_full_sum(exponent: float, capacity: int, policy: Eviction) -> None:
    weights = np.arange(1, 100_001.0) ** -exponent
    every_object = Popularity(weights / weights.sum(), np.ones_like(weights))
    full = hits(every_object, 100.0, capacity, eviction=policy, ttl=1000.0)
    nodes = hits(zipf(100_000, exponent), 100.0, capacity, eviction=policy, ttl=1000.0)
    # LFU cuts the popularity at one rank, which the nodes resolve to the width of their panel.
    assert nodes.hit_ratio == pytest.approx(full.hit_ratio, abs=1e-8 if policy != "lfu" else 2e-3)


# The shares are a distribution over all objects, in descending order, at a cost that hardly knows how many there are.
@property_test
@given(st.integers(1, 10**12), st.floats(0, 3))
def test_shares_sum_to_one(objects: int, exponent: float) -> None:
    popularity = zipf(objects, exponent)
    assert float((popularity.share * popularity.count).sum()) == pytest.approx(1, rel=1e-12)
    assert popularity.objects == pytest.approx(objects, rel=1e-9)
    assert bool(np.all(np.diff(popularity.share) <= 0))
    assert len(popularity.share) < 1000


# The most popular objects receive what the sum over all objects says.
@property_test
@given(st.integers(1, 512), st.floats(0, 2))
def test_top(taken: int, exponent: float) -> None:
    weights = np.arange(1, 20_001.0) ** -exponent
    # The midpoint rule behind rank 512 is off by 2e-8 of the sum over all.
    assert zipf(20_000, exponent).top(taken) == pytest.approx(weights[:taken].sum() / weights.sum(), rel=5e-8)
    assert zipf(20_000, exponent).top(1e9) == pytest.approx(1, rel=1e-12)


# A single object receives everything, and without an exponent all receive the same.
def test_limits() -> None:
    assert zipf(1, 1.0).busiest == 1
    assert zipf(1000, 0.0).busiest == pytest.approx(1e-3, rel=1e-12)


# The busiest of several shards receives what hashing was simulated to give it, within 3 %.
@pytest.mark.parametrize("case", cache_cases("shard_imbalance"), ids=lambda c: f"{c['N']}-{c['alpha']}-{c['shards']}")
def test_busiest_shard(case: Case) -> None:
    popularity = zipf(case["N"], case["alpha"])
    assert popularity.busiest == pytest.approx(case["top_key_share"], rel=5e-7)  # printed to seven digits
    assert busiest_shard(popularity, case["shards"]) * case["shards"] == pytest.approx(case["max_over_mean"], rel=0.03)


# One shard carries all, and however many there are the busiest carries at least the busiest object.
@property_test
@given(st.integers(1, 10_000), st.floats(0, 2))
def test_busiest_shard_limits(shards: int, exponent: float) -> None:
    popularity = zipf(10**6, exponent)
    assert busiest_shard(popularity, 1) == 1
    assert max(popularity.busiest, 1 / shards) <= busiest_shard(popularity, shards) <= 1


# No objects, or the rarest first, is no Zipf's law.
def test_senseless_input_is_refused() -> None:
    for objects, exponent in ((0, 1.0), (10, -0.5)):
        with pytest.raises(ValueError, match="at least one object"):
            zipf(objects, exponent)
