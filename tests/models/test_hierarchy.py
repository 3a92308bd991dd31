from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cache import hits
from models.hierarchy import two_levels
from models.popularity import zipf
from tests.cache_simulation import TwoLevels, simulated, zipf_keys
from tests.cases import Case, cache_cases

property_test = settings(max_examples=60)

exponents, sizes = st.floats(0.4, 1.4), st.floats(-4, -0.2)


# Simulated hierarchies of 1 to 64 local caches: 3.5e-4, of which the simulated local hits are off by 2.2e-4 themselves;
# what the global cache adds is within 1.5e-4.
@pytest.mark.parametrize("case", cache_cases("hierarchy"), ids=lambda c: f"{c['alpha']}-{c['n_local']}-{c['C2']}")
def test_simulated(case: Case) -> None:
    found = two_levels(zipf(case["N"], case["alpha"]), 1000.0, case["n_local"], case["C1"], case["C2"])
    assert found.local == pytest.approx(case["h_local"], abs=2.3e-4)
    assert found.of_misses == pytest.approx(case["h_global_conditional"], abs=3.5e-4)
    assert found.total - found.local == pytest.approx(case["h_global_of_all"], abs=1.5e-4)
    assert found.total == pytest.approx(case["h_total"], abs=3.5e-4)


# Independent misses, as a cache behind a cache takes them in the planner, are off by up to 1.6e-2: what this is for.
def test_better_than_independent_misses() -> None:
    worst = 0.0
    for case in cache_cases("hierarchy"):
        near = hits(zipf(case["N"], case["alpha"]), 1.0, case["C1"])
        assert near.missed is not None
        behind = hits(near.missed, 1.0, case["C2"]).hit_ratio
        worst = max(worst, abs((1 - near.hit_ratio) * behind - case["h_global_of_all"]))
    assert 5e-3 < worst < 1.7e-2


# Local and global caches together hit about as one LRU of the global size, within 5e-3: local caches save hops, not the
# origin's load.
@pytest.mark.parametrize("case", cache_cases("hierarchy"), ids=lambda c: f"{c['alpha']}-{c['n_local']}-{c['C2']}")
def test_rule_of_thumb(case: Case) -> None:
    popularity = zipf(case["N"], case["alpha"])
    found = two_levels(popularity, 1000.0, case["n_local"], case["C1"], case["C2"])
    assert found.total == pytest.approx(hits(popularity, 1.0, case["C2"]).hit_ratio, abs=5e-3)


# Two levels that are run here: four standard errors of 100,000 requests.
def test_own_simulation() -> None:
    cache = TwoLevels(caches=4, local=50, room=500, seed=2)
    keys = zipf_keys(5000, 0.9, 150_000, seed=1)
    total = simulated(cache, keys, 50_000)
    found = two_levels(zipf(5000, 0.9), 1.0, 4, 50, 500)
    assert found.total == pytest.approx(total, abs=6.5e-3)
    assert found.local == pytest.approx(cache.near / len(keys), abs=6.5e-3)


# A local cache without room leaves all to the global one; so does a global one add nothing behind what holds everything.
@property_test
@given(exponents, sizes, st.integers(1, 100))
def test_limits(exponent: float, size: float, caches: int) -> None:
    popularity, room = zipf(100_000, exponent), 1e5 * 10**size
    found = two_levels(popularity, 10.0, caches, 0.0, room)
    # Many Poisson streams are one.
    assert found.total == pytest.approx(hits(popularity, 10.0, room).hit_ratio, abs=1e-9)
    assert found.local == pytest.approx(0, abs=1e-12)
    assert two_levels(popularity, 10.0, caches, 100_000, room).total == 1
    assert two_levels(popularity, 10.0, caches, 10.0, 100_000).total == pytest.approx(1, abs=1e-9)


# More room in either level means fewer misses behind both, and shares stay shares.
@property_test
@given(exponents, sizes, sizes, st.integers(1, 64))
def test_monotone(exponent: float, local: float, room: float, caches: int) -> None:
    popularity = zipf(100_000, exponent)
    least = two_levels(popularity, 1.0, caches, 1e5 * 10**local, 1e5 * 10**room)
    more = two_levels(popularity, 1.0, caches, 1e5 * 10**local, 1.5e5 * 10**room)
    assert 0 <= least.local <= least.total <= 1
    assert 0 <= least.of_misses <= 1
    assert least.total <= more.total + 1e-9


# A TTL that nothing cuts short: each of n local caches hits by the formula of one with its share of the reads, so that
# more of them hit less; behind one of them alone the misses are those after a dead time, exactly.
def test_local_ttl() -> None:
    popularity = zipf(10_000, 0.9)
    ratios = []
    for caches in (1, 4, 16):
        found = two_levels(popularity, 2000.0, caches, math.inf, 500, ttl=60.0)
        assert found.local == pytest.approx(hits(popularity, 2000.0 / caches, math.inf, ttl=60.0).hit_ratio, rel=1e-9)
        ratios.append(found.local)
    assert ratios == sorted(ratios, reverse=True)


# Nothing in front, nobody asking, no room behind: refused.
def test_senseless_input_is_refused() -> None:
    for caches, rate, room in ((0, 1.0, 1.0), (1, 0.0, 1.0), (1, 1.0, 0.0)):
        with pytest.raises(ValueError, match="two levels need"):
            two_levels(zipf(100, 1.0), rate, caches, 10, room)
