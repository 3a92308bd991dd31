"""How large a cache must be for a wanted hit ratio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from models.cache import hits

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.cache import Eviction
    from models.popularity import Popularity


class UnreachableHitRatioError(ValueError):
    """A hit ratio that no size reaches, as what expires or is written over misses in any: `best` is what can be had."""

    def __init__(self, wanted: float, best: float) -> None:
        self.wanted, self.best = wanted, best
        super().__init__(f"no size reaches a hit ratio of {wanted!r}: with room for everything it is {best!r}")


def capacity_for(
    hit_ratio: float,
    popularity: Popularity,
    read_rate: float,
    *,
    eviction: Eviction = "lru",
    ttl: float | None = None,
    write_rate: float = 0.0,
    sliding: bool = False,
) -> float:
    """Return the objects that there must be room for, all else as in `models.cache.hits`; as accurate as that.

    Raises UnreachableHitRatioError where a TTL or writes leave less, ValueError for a hit ratio outside (0, 1].
    """

    def found(capacity: float) -> float:
        return hits(
            popularity, read_rate, capacity, eviction=eviction, ttl=ttl, write_rate=write_rate, sliding=sliding
        ).hit_ratio

    return smallest(found, hit_ratio, popularity.objects)


def smallest(hit_ratio_of: Callable[[float], float], wanted: float, objects: float) -> float:
    """Return the least capacity at which a hit ratio that grows with it is `wanted`, to 1e-9 of itself.

    `objects` is a capacity that holds everything. Raises as `capacity_for`.
    """
    if not 0 < wanted <= 1:
        raise ValueError(f"a hit ratio is above 0 and at most 1, not {wanted!r}")
    best = hit_ratio_of(objects)
    if best < wanted * (1 - 1e-12):
        raise UnreachableHitRatioError(wanted, best)
    low, high = 1e-6, objects
    while high > low * (1 + 1e-9):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if hit_ratio_of(middle) < wanted else (low, middle)
    return high
