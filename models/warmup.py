"""Cold caches: the hit ratio while a cache, or a lost part of it, fills again, and how long that takes.

Until something expires or is evicted, an object is there if it was read since the cache was empty, and not written
after: with reads at rate L and writes at rate w with probability L/(L+w) (1 - exp(-(L+w) t)). Nothing is evicted until
the cache is full, under LRU at its characteristic time, when this is just the steady hit ratio (Fagin 1977; Che, Tung
and Wang 2002: their hit ratio up to an age, read as that at a time).

*Exact* as caches grow for LRU with or without writes, before it is full and after; for ideal LFU without writes, which
once full keeps the most popular of what it has seen; and for any policy and TTL until the steady hit ratio is reached
for the first time. Simulated cold starts of LRU agree to 1.7e-3, which is their noise. *Approximate* after that time
with a TTL, FIFO or RANDOM, where the steady hit ratio is taken from there on. In truth it is exceeded first, and what
was fetched together expires together, or is pushed out together by FIFO: just after one TTL, or one turn of the queue,
the hit ratio falls back for a moment (with a TTL, for Zipf exponents 0.6 to 1.2: up to 0.12 above, then 0.16 below).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from models.cache import hits

if TYPE_CHECKING:
    from models.cache import Eviction
    from models.popularity import Popularity


def hit_ratio_after(
    seconds: float,
    popularity: Popularity,
    read_rate: float,
    capacity: float,
    *,
    eviction: Eviction = "lru",
    ttl: float | None = None,
    write_rate: float = 0.0,
    cold: float = 1.0,
) -> float:
    """Return the hit ratio of reads `seconds` >= 0 after a share `cold` of the keys was lost, all else as in `hits`.

    `cold` is 1 for an empty cache and 1/n for one of n nodes under consistent hashing: its keys come back as fast as
    all would, with their share of the reads and of the room. *Exact*, as far as the module says, on average over which
    keys are lost: the busiest is among them or not (0.011 off at once in a simulation of 10 nodes, 0.02 of 3).
    `capacity` is what is left. Where other nodes take the keys over that is less than before, and at first the hit
    ratio is higher than this by up to (1 - cold) (steady before - steady after): they still hold what they held.
    """
    steady = hits(popularity, read_rate, capacity, eviction=eviction, ttl=ttl, write_rate=write_rate).hit_ratio
    if steady == 0:
        return 0.0
    fetched = _fetched(seconds, popularity, read_rate, capacity, eviction=eviction, write_rate=write_rate)
    return (1 - cold) * steady + cold * min(fetched, steady)


def recovery_time(
    share: float,
    popularity: Popularity,
    read_rate: float,
    capacity: float,
    *,
    eviction: Eviction = "lru",
    ttl: float | None = None,
    write_rate: float = 0.0,
    cold: float = 1.0,
) -> float:
    """Return the seconds until the hit ratio first reaches `share`, in (0, 1), of its steady value.

    0 where it is not less at once, or where nothing is ever hit. As exact as `hit_ratio_after`; always finite, as a
    share of 1 may be reached never. Raises ValueError for a share that is not in (0, 1).
    """
    if not 0 < share < 1:
        raise ValueError(f"a hit ratio recovers to a share between 0 and 1 of what it was, not to {share!r}")
    steady = hits(popularity, read_rate, capacity, eviction=eviction, ttl=ttl, write_rate=write_rate).hit_ratio
    if steady == 0 or 1 - cold >= share:
        return 0.0
    target = steady * (1 - (1 - share) / cold)
    # Reads of the busiest object alone are too few for the hits before the first time; by the other, all were read.
    low = target / (popularity.busiest * read_rate)
    high = 40 / (float(popularity.share[popularity.share > 0].min()) * read_rate)
    while high > low * (1 + 1e-12):
        middle = math.sqrt(low * high)
        fetched = _fetched(middle, popularity, read_rate, capacity, eviction=eviction, write_rate=write_rate)
        low, high = (middle, high) if fetched < target else (low, middle)
    return high


def _fetched(
    seconds: float, popularity: Popularity, read_rate: float, capacity: float, *, eviction: Eviction, write_rate: float
) -> float:
    """Return the hit ratio that long after a cache was empty, as if nothing expired and only LFU ran out of room."""
    rate = read_rate + write_rate
    held = popularity.count * (read_rate / rate * -np.expm1(-popularity.share * rate * seconds))
    if eviction == "lfu":
        held = np.clip(capacity - (np.cumsum(held) - held), 0.0, held)
    return float((held * popularity.share).sum())
