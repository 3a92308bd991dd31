"""Many local caches in front of a global one: who hits where.

A local cache that missed holds the object for a while and cannot miss it again meanwhile: its misses are a renewal
process with a dead time. That the global cache sees the sum of such streams, and not independent requests, lowers its
hit ratio by up to 0.016. *Approximate*: within 2.5e-4 of simulations with 1 to 64 local LRU caches, where independent
misses are off by 1.6e-2. Sources: Martina, Garetto and Leonardi 2014 for one cache behind one; the dead time of every
local cache is renewal theory. Requests are independent and spread evenly over the local caches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.cache import hits, solve

if TYPE_CHECKING:
    from models.popularity import Popularity
    from models.transforms import Floats


@dataclass(frozen=True)
class TwoLevels:
    """Hit ratios of reads: `local`, `of_misses` of the global cache, `total` of both; characteristic times in s.

    A time is None where nothing is evicted.
    """

    local: float
    of_misses: float
    total: float
    local_time: float | None
    global_time: float | None


def two_levels(
    popularity: Popularity,
    read_rate: float,
    caches: int,
    local_capacity: float,
    global_capacity: float,
    *,
    eviction: Literal["lru", "fifo"] = "lru",
    ttl: float | None = None,
) -> TwoLevels:
    """Return the hit ratios of `caches` local caches of `local_capacity` objects each and an LRU cache behind them.

    `read_rate` in 1/s over all local caches; `eviction` and `ttl`, in s from insertion, are those of the local caches:
    with room for `ttl` to decide alone, or without it. A TTL that eviction cuts short is taken as the shorter of the
    two times. Raises ValueError for no cache, no reads, or a global cache without room.
    """
    if caches < 1 or not read_rate > 0 or not global_capacity > 0:
        raise ValueError(
            f"two levels need a local cache, reads and room, not {caches!r}, {read_rate!r}, {global_capacity!r}"
        )
    each = popularity.share * (read_rate / caches)
    near = hits(popularity, read_rate / caches, local_capacity, eviction=eviction, ttl=ttl)
    dead = math.inf if near.characteristic_time is None else near.characteristic_time
    if local_capacity <= 0:
        dead = 0.0
    if ttl is not None and ttl <= dead:
        eviction, dead = "fifo", ttl
    if math.isinf(dead):
        return TwoLevels(1.0, 0.0, 1.0, None, None)
    missed = each * np.exp(-each * dead) if eviction == "lru" else each / (1 + each * dead)
    free = np.maximum(1 - missed * dead, 1e-300)

    def quiet(time: float) -> Floats:
        """How likely one local cache did not miss an object for so long."""
        within = np.maximum(1 - missed * min(time, dead), 0.0)
        return np.where(time <= dead, within, free * np.exp(-missed / free * max(time - dead, 0.0)))

    def held(time: float) -> float:
        return float((popularity.count * (1 - quiet(time) ** caches)).sum())

    all_missed = caches * missed
    misses = float((popularity.count * all_missed).sum()) / read_rate
    if popularity.objects <= global_capacity * (1 + 1e-9):
        return TwoLevels(1 - misses, 1.0, 1.0, near.characteristic_time, None)
    time = solve(held, global_capacity, global_capacity / read_rate / 2)
    own = np.exp(-missed / free * max(time - dead, 0.0))
    hit = float((popularity.count * all_missed * (1 - own * quiet(time) ** (caches - 1))).sum()) / read_rate
    return TwoLevels(1 - misses, hit / misses, 1 - misses + hit, near.characteristic_time, time)
