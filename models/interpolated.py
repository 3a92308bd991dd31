"""Policies without a closed form, between LRU and ideal LFU: W-TinyLFU, SIEVE, ARC and LFU within the cache.

*An interpolation, not a model*: h = LRU + f * (LFU - LRU), where f was measured in simulations of Zipf's law (exponents
0.6 to 1.2, room for 0.1 to 30 % of the objects) and hardly depends on the exponent. `FREQUENCY` has the middle of what
was found at each size, and half of the range is the error: 1e-3 to 1.5e-2.
Independent requests flatter what counts them: in traces of databases W-TinyLFU wins 4 to 10 % of the requests over LRU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from models.cache import hits

if TYPE_CHECKING:
    from models.popularity import Popularity

Between = Literal["w-tinylfu", "sieve", "arc", "in-cache-lfu"]
POLICIES: Final[tuple[Between, ...]] = get_args(Between)

_ROOM: Final = (0.001, 0.01, 0.1, 0.3)
"""Capacity over objects."""

FREQUENCY: Final[dict[Between, tuple[tuple[float, float], ...]]] = {
    "w-tinylfu": ((0.82, 0.85), (0.86, 0.90), (0.83, 0.87), (0.77, 0.81)),
    "sieve": ((0.85, 0.89), (0.79, 0.91), (0.63, 0.80), (0.60, 0.64)),
    "arc": ((0.79, 0.86), (0.73, 0.79), (0.52, 0.61), (0.21, 0.26)),
    "in-cache-lfu": ((0.69, 0.84), (0.59, 0.81), (0.53, 0.71), (0.44, 0.60)),
}
"""The least and the largest f over exponents, at each room."""


@dataclass(frozen=True)
class Interpolated:
    """`hit_ratio` and how far off it may be, as measured; `measured` is whether the room is one that was simulated."""

    hit_ratio: float
    error: float
    measured: bool


def between(policy: Between, popularity: Popularity, capacity: float) -> Interpolated:
    """Return the hit ratio with room for `capacity` > 0 objects; linear in the logarithm of the room over the objects.

    Raises ValueError without room.
    """
    if not capacity > 0:
        raise ValueError(f"a cache needs room, not {capacity!r}")
    lru, lfu = (hits(popularity, 1.0, capacity, eviction=e).hit_ratio for e in ("lru", "lfu"))
    room = capacity / popularity.objects
    logs, table = np.log(_ROOM), np.array(FREQUENCY[policy])
    low, high = (float(np.interp(math.log(room), logs, table[:, i])) for i in (0, 1))
    won = max(0.0, lfu - lru)
    # The table has two digits, and the traces that it was measured in a noise of 3e-4.
    error = ((high - low) / 2 + 0.005) * won + 6e-4
    return Interpolated(lru + (low + high) / 2 * won, error, _ROOM[0] <= room <= _ROOM[-1])
