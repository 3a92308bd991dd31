from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cache import hits
from models.popularity import Popularity, zipf
from models.sizes import byte_hits, spread
from tests.cache_simulation import Lru, zipf_keys
from tests.cases import Case, cache_cases

property_test = settings(max_examples=60)


# Simulated with sizes that are drawn once, of which only the distribution is known: hit ratios and the objects held are
# within two standard deviations of what the spread of sizes says, and within 5e-3 of the mean size alone, as published.
@pytest.mark.parametrize("case", cache_cases("variable_sizes"), ids=lambda c: f"{c['alpha']}-{c['sigma']}-{c['B']}")
def test_simulated(case: Case) -> None:
    popularity = zipf(case["N"], case["alpha"])
    found = byte_hits(popularity, 1.0, 1000.0, case["B"])
    stray = spread(popularity, math.expm1(case["sigma"] ** 2), case["B"])
    assert abs(found.hit_ratio - case["hit_sim"]) < 2 * stray.hit_ratio + 3e-4
    assert abs(found.byte_hit_ratio - case["byte_hit_sim"]) < 2 * stray.byte_hit_ratio
    assert found.hit_ratio == pytest.approx(case["hit_sim"], abs=5.1e-3)
    assert found.objects == pytest.approx(case["mean_count"], rel=0.08)


def drawn(objects: int, exponent: float, sigma: float, seed: int) -> tuple[Popularity, np.ndarray]:
    """Return single objects by Zipf's law with log-normal sizes of mean 1."""
    weights = np.arange(1, objects + 1.0) ** -exponent
    sizes = np.random.default_rng(seed).lognormal(-(sigma**2) / 2, sigma, objects)
    return Popularity(weights / weights.sum(), np.ones(objects)), sizes


# With the true sizes, caches that are run here agree: four standard errors of 100,000 requests; by bytes the few large
# ones weigh more, a standard error of 5e-3.
@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_own_simulation(sigma: float) -> None:
    popularity, sizes = drawn(5000, 0.9, sigma, seed=5)
    cache, keys = Lru(300.0, sizes.tolist()), zipf_keys(5000, 0.9, 150_000, seed=6)
    found = byte_hits(popularity, sizes, 1.0, 300.0)
    hit = [cache.ask(key) for key in keys]
    asked, hit_bytes = sizes[keys[50_000:]], np.array(hit[50_000:])
    assert found.hit_ratio == pytest.approx(float(hit_bytes.mean()), abs=6.5e-3)
    assert found.byte_hit_ratio == pytest.approx(float((asked * hit_bytes).sum() / asked.sum()), abs=2e-2)


# The published accuracy with known sizes, 3.1e-4 and 4.7e-3 by bytes, holds in long runs of 1000 mean objects.
@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "seed"), [(0.5, 1), (1.0, 2), (1.5, 3)])
def test_long_simulation(sigma: float, seed: int) -> None:
    popularity, sizes = drawn(20_000, 1.0, sigma, seed)
    cache, keys = Lru(1000.0, sizes.tolist()), zipf_keys(20_000, 1.0, 5_000_000, seed)
    found = byte_hits(popularity, sizes, 1.0, 1000.0)
    hit = np.array([cache.ask(key) for key in keys])[1_000_000:]
    asked = sizes[keys[1_000_000:]]
    # Three standard errors of four million requests: 7e-4.
    assert found.hit_ratio == pytest.approx(float(hit.mean()), abs=3.1e-4 + 7e-4)
    assert found.byte_hit_ratio == pytest.approx(float((asked * hit).sum() / asked.sum()), abs=4.7e-3)


# The spread that is told is the one that drawn sizes have: within a quarter, for a squared CV of 0.25.
def test_spread() -> None:
    found = []
    for seed in range(60):
        popularity, sizes = drawn(2000, 0.9, math.sqrt(math.log(1.25)), seed)
        result = byte_hits(popularity, sizes, 1.0, 200.0)
        found.append((result.hit_ratio, result.byte_hit_ratio))
    told = spread(zipf(2000, 0.9), 0.25, 200.0)
    measured = np.std(np.array(found), axis=0)
    # 60 draws know a standard deviation to 9 %, twice.
    assert told.hit_ratio == pytest.approx(measured[0], rel=0.25)
    assert told.byte_hit_ratio == pytest.approx(measured[1], rel=0.25)


# Of one size, a cache of bytes is one of objects, whatever the unit of either.
@property_test
@given(st.sampled_from(["lru", "fifo", "random"]), st.floats(0.3, 1.4), st.floats(-4, -0.1), st.floats(1e-3, 1e6))
def test_one_size(eviction: Literal["lru", "fifo", "random"], exponent: float, room: float, size: float) -> None:
    popularity = zipf(100_000, exponent)
    plain = hits(popularity, 7.0, 1e5 * 10**room, eviction=eviction)
    found = byte_hits(popularity, size, 7.0, 1e5 * 10**room * size, eviction=eviction)
    assert found.hit_ratio == pytest.approx(plain.hit_ratio, abs=1e-10)
    assert found.byte_hit_ratio == pytest.approx(plain.hit_ratio, abs=1e-10)
    assert found.characteristic_time == pytest.approx(plain.characteristic_time, rel=1e-9)


# More bytes, more hits; small popular objects make hits more frequent than bytes hit.
@property_test
@given(st.floats(0.5, 1.3), st.floats(-3, -0.4), st.floats(0.05, 1.0))
def test_monotone(exponent: float, room: float, lean: float) -> None:
    popularity = zipf(100_000, exponent)
    sizes = np.maximum(popularity.share, 1e-300) ** -lean
    whole = float((sizes * popularity.count).sum())
    small, large = (byte_hits(popularity, sizes, 1.0, whole * 10**r) for r in (room, room + 0.1))
    assert small.hit_ratio <= large.hit_ratio + 1e-10
    assert small.byte_hit_ratio <= small.hit_ratio + 1e-10


# Room for all bytes hits always and nothing strays; no room or no size is refused.
def test_limits() -> None:
    everything = byte_hits(zipf(100, 1.0), 3.0, 1.0, 300.0)
    assert (everything.hit_ratio, everything.byte_hit_ratio, everything.characteristic_time) == (1, 1, None)
    assert spread(zipf(100, 1.0), 4.0, 100.0) == (0, 0)
    for size, rate, room in ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)):
        with pytest.raises(ValueError, match="above 0"):
            byte_hits(zipf(100, 1.0), size, rate, room)
    with pytest.raises(ValueError, match="above 0"):
        spread(zipf(100, 1.0), -1.0, 10.0)


# The characteristic time is in seconds: twice the reads, half of it.
def test_units() -> None:
    slow, fast = (byte_hits(zipf(1000, 1.0), 2.0, rate, 100.0).characteristic_time for rate in (1.0, 2.0))
    assert slow is not None
    assert fast == pytest.approx(slow / 2, rel=1e-12)
