from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cache import hits
from models.popularity import zipf
from models.reuse import hit_curve
from models.trace import fit_zipf, measured
from tests.cache_simulation import Lru, simulated, zipf_keys

property_test = settings(max_examples=60)


# Traces drawn from a law give the law back: the exponent within 0.012, the objects within 6 %, though most were not seen.
@pytest.mark.parametrize(
    ("objects", "exponent", "requests"),
    [(10_000, 0.6, 100_000), (50_000, 0.8, 100_000), (50_000, 1.0, 60_000), (50_000, 1.2, 60_000)],
)
def test_fit(objects: int, exponent: float, requests: int) -> None:
    counts = Counter(zipf_keys(objects, exponent, requests, seed=17))
    found = fit_zipf(counts.values())
    assert found.exponent == pytest.approx(exponent, abs=0.012)
    assert found.objects == pytest.approx(objects, rel=0.06)
    assert found.seen == len(counts)
    assert found.requests == requests
    assert found.certain
    # The law it was drawn from fits it.
    assert found.distance < 0.02
    # The ranks are those of a sample, not of the law, which comes on top of the standard error.
    assert abs(found.exponent - exponent) < 8 * found.standard_error


# A plain fit over all keys that were seen is what this is better than: it is 0.2 high.
def test_better_than_a_line() -> None:
    ranked = sorted(Counter(zipf_keys(50_000, 0.8, 100_000, seed=17)).values(), reverse=True)
    slope = -np.polyfit(np.log(np.arange(1, len(ranked) + 1)), np.log(ranked), 1)[0]
    assert abs(slope - 0.8) > 5 * abs(fit_zipf(ranked).exponent - 0.8)


# What is no Zipf's law is said not to be one: a hundred keys alike and a thousand hardly asked for.
def test_bad_fit() -> None:
    assert fit_zipf([1000] * 100 + [12] * 1000).distance > 0.05


# Keys each as good as new leave the number of objects open; a few that all were seen often do not.
def test_certainty() -> None:
    assert not fit_zipf([2] + [1] * 5000).certain
    alike = fit_zipf([500] * 40)
    assert alike.certain
    assert alike.objects == 40
    assert alike.exponent == pytest.approx(0, abs=0.02)


# A measured popularity is what was counted, in descending order, and serves where Zipf's law does.
@property_test
@given(st.lists(st.integers(1, 50), min_size=1, max_size=200))
def test_measured(counts: list[int]) -> None:
    popularity = measured(counts)
    assert float((popularity.share * popularity.count).sum()) == pytest.approx(1, rel=1e-12)
    assert popularity.objects == len(counts)
    assert popularity.busiest == pytest.approx(max(counts) / sum(counts), rel=1e-12)
    assert popularity.top(3) == pytest.approx(sum(sorted(counts)[-3:]) / sum(counts), rel=1e-12)
    assert hits(popularity, 1.0, len(counts)).hit_ratio == pytest.approx(1, abs=1e-12)


# With all keys followed the curve is what LRU of each size hits, run request by request: exactly.
@property_test
@given(st.lists(st.integers(0, 12), min_size=1, max_size=300), st.integers(1, 14))
def test_exact_curve(keys: list[int], room: int) -> None:
    found = hit_curve([str(k) for k in keys])
    assert found.exact
    assert found.hit_ratio(room) == pytest.approx(simulated(Lru(room), keys, 0), abs=1e-12)
    assert found.cold == pytest.approx(len(set(keys)) / len(keys), rel=1e-12)
    assert found.hit_ratio(0) == 0


# So it is over many refills of the row of places, and where keys are followed by sample, within 4e-3; small rooms exactly.
def test_sampled_curve() -> None:
    keys = zipf_keys(30_000, 0.9, 120_000, seed=19)
    found = hit_curve([str(k) for k in keys], followed=2000)
    assert not found.exact
    for room in (1, 10, 64):
        assert found.hit_ratio(room) == pytest.approx(simulated(Lru(room), keys, 0), abs=1e-12)
    for room in (200, 1000, 5000, 15_000):
        assert found.hit_ratio(room) == pytest.approx(simulated(Lru(room), keys, 0), abs=1e-2)
    assert hit_curve([str(k) for k in keys[:9000]], followed=5000).hit_ratio(1000) == pytest.approx(
        simulated(Lru(1000), keys[:9000], 0), abs=1e-12
    )


# A million requests, the published use: 3e-3 at every size.
@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.6, 0.8, 1.0])
def test_long_curve(exponent: float) -> None:
    keys = zipf_keys(10**6, exponent, 10**6, seed=23)
    found = hit_curve([str(k) for k in keys])
    for room in (100, 1000, 10_000, 100_000):
        assert found.hit_ratio(room) == pytest.approx(simulated(Lru(room), keys, 0), abs=3.5e-3)


# Independent requests hit as Zipf's law says once the cache is warm; requests in bursts hit more, which only the curve sees.
def test_locality() -> None:
    keys = zipf_keys(5000, 0.8, 60_000, seed=29)
    popularity = zipf(5000, 0.8)
    plain = hits(popularity, 1.0, 100).hit_ratio
    assert hit_curve([str(k) for k in keys]).hit_ratio(100) == pytest.approx(plain, abs=6e-3)
    bursts = [str(k) for k in keys for _ in range(3)]
    assert hit_curve(bursts).hit_ratio(100) > plain + 0.3
    assert fit_zipf(Counter(bursts).values()).exponent == pytest.approx(0.8, abs=0.1)


# The curve never falls, and says which room a hit ratio needs, or that none is enough.
@property_test
@given(st.lists(st.integers(0, 30), min_size=2, max_size=200))
def test_curve_properties(keys: list[int]) -> None:
    found = hit_curve([str(k) for k in keys])
    assert bool(np.all(np.diff(found.hit_ratios) >= 0))
    most = found.hit_ratio(10**9)
    assert most == pytest.approx(1 - found.cold, abs=1e-12)
    if most > 0:
        room = found.capacity_for(most * 0.5)
        assert room is not None
        assert found.hit_ratio(room) >= most * 0.5 > found.hit_ratio(room - 1) - 1e-12
    assert found.capacity_for(1.0) is None


# A handful of keys is fitted as well, in a moment: the search for their number ends between two neighbours.
def test_few_keys() -> None:
    found = fit_zipf([6, 3, 1, 1, 1, 1])
    assert found.seen == 6
    assert found.objects >= 6
    assert 0 <= found.distance < 1


# Nothing asked for, or nothing twice: refused.
def test_senseless_input_is_refused() -> None:
    for counts in ([], [0, 1]):
        with pytest.raises(ValueError, match="at least once"):
            measured(counts)
    for counts in ([5], [1, 1, 1]):
        with pytest.raises(ValueError, match="at least two keys"):
            fit_zipf(counts)
    with pytest.raises(ValueError, match="a request"):
        hit_curve([])
    with pytest.raises(ValueError, match="a request"):
        hit_curve(["a"], followed=0)
