from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import cache
from models.cache import CacheHitsArray, hits
from models.popularity import zipf

POLICIES: list[dict[str, Any]] = [
    {"eviction": "lru"},
    {"eviction": "fifo"},
    {"eviction": "random"},
    {"eviction": "lfu"},
    {"eviction": "lru", "sliding": True},
    {"eviction": "fifo", "sliding": True},
    {"eviction": "random", "sliding": True},
    {"eviction": "lfu", "sliding": True},
]
policies = pytest.mark.parametrize("policy", POLICIES, ids=["-".join(map(str, p.values())) for p in POLICIES])
caches = st.tuples(
    st.just(0.0) | st.floats(1, 1000),
    st.just(0.0) | st.floats(0.5, 3000) | st.just(math.inf),
    st.floats(0.01, 100) | st.just(math.inf),
    st.just(0.0) | st.floats(0.1, 100),
)


# Many caches at once have the figures of each alone, whichever of rates, capacities and times to live differ.
@policies
def test_arrays_are_many_single_caches(policy: dict[str, Any]) -> None:
    law = zipf(2000, 0.9)

    @settings(max_examples=25)
    @given(st.lists(caches, min_size=1, max_size=5))
    def check(several: list[tuple[float, float, float, float]]) -> None:
        rate, room, ttl, writes = (np.array(column) for column in zip(*several, strict=True))
        many = hits(law, rate, room, ttl=ttl, write_rate=writes, **policy)
        assert isinstance(many, CacheHitsArray)
        for i, (reads, capacity, end, written) in enumerate(several):
            ends = None if math.isinf(end) else end
            one = hits(law, reads, capacity, ttl=ends, write_rate=written, **policy)
            assert many.hit_ratio[i] == pytest.approx(one.hit_ratio, rel=1e-10, abs=1e-13)
            assert many.objects[i] == pytest.approx(one.objects, rel=1e-10, abs=1e-13)
            if one.characteristic_time is None:
                assert math.isnan(many.characteristic_time[i])
            else:
                # Where nearly everything fits, the time is fixed less well by the capacity than to all digits.
                assert many.characteristic_time[i] == pytest.approx(one.characteristic_time, rel=1e-7)

    check()


# A curve of many capacities, the usual question, is that of one capacity after the other.
@policies
@pytest.mark.parametrize(("ttl", "writes"), [(None, 0.0), (20.0, 0.0), (5.0, 30.0)])
def test_a_curve_of_capacities(policy: dict[str, Any], ttl: float | None, writes: float) -> None:
    law, room = zipf(100_000, 0.8), np.geomspace(1, 150_000, 90)
    many = hits(law, 1000.0, room, ttl=ttl, write_rate=writes, **policy)
    alone = [hits(law, 1000.0, capacity, ttl=ttl, write_rate=writes, **policy) for capacity in room.tolist()]
    np.testing.assert_allclose(many.hit_ratio, [one.hit_ratio for one in alone], rtol=1e-11)
    np.testing.assert_allclose(many.objects, [one.objects for one in alone], rtol=1e-11)
    times = [math.nan if one.characteristic_time is None else one.characteristic_time for one in alone]
    np.testing.assert_allclose(many.characteristic_time, times, rtol=1e-8)


# Shapes are broadcast, a list is an array, and an array without axes is one cache.
def test_shapes() -> None:
    law = zipf(1000, 1.0)
    many = hits(law, 50.0, np.array([10.0, 100.0])[:, None], ttl=[1.0, 10.0, math.inf])
    assert many.hit_ratio.shape == many.characteristic_time.shape == many.objects.shape == (2, 3)
    assert many.hit_ratio[1, 2] == pytest.approx(hits(law, 50.0, 100.0).hit_ratio, rel=1e-12)
    assert hits(law, np.array(50.0), np.int64(100)).hit_ratio == hits(law, 50.0, 100).hit_ratio
    assert hits(law, [], 100.0).hit_ratio.shape == (0,)


# Caches that differ in their capacity alone share one curve, so that each needs a few sums over the objects.
def test_alike_caches_share_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    law, rows, plain = zipf(10_000, 0.9), 0, cache.stay

    def counting(eviction: Any, reads: Any, writes: Any, time: Any, ttl: Any, **given: Any) -> Any:
        nonlocal rows
        rows += np.broadcast(reads, time).shape[0]
        return plain(eviction, reads, writes, time, ttl, **given)

    monkeypatch.setattr("models.many_caches.stay", counting)
    room = np.geomspace(2, 9000, 1000)
    hits(law, 100.0, room)
    assert rows <= 256 + 5 * len(room) + 64
