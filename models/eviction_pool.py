"""Which of its keys Redis evicts, as documented: the worst of a pool that remembers the worst of all earlier draws.

Before each eviction K keys are drawn at random; those worse than the best in a pool of 16 replace it, and the worst of
the pool goes. Of the pool only one number matters for a rank x: how many in it are worse. It grows by those drawn that
are, up to 16, and falls by one with the eviction: a chain of 17 states for every x.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from models.transforms import Floats

_PLACES: Final = 16
"""Of the pool: EVPOOL_SIZE in Redis."""

_RANKS: Final = 2001


@lru_cache(maxsize=32)
def pool_law(samples: int, places: int = _PLACES) -> tuple[Floats, Floats]:
    """Return ranks x from 0 to 1 and P(the evicted key is among the share x of keys that should stay longest).

    `samples` >= 1 keys are drawn before each eviction into a pool of `places`; without places this is x**samples.
    *Exact* where keys in the pool are not read before they go. Source: the documentation of Redis, "Key eviction", and
    its `evictionPoolPopulate`.
    """
    ranks = np.linspace(0, 1, _RANKS)
    if places == 0:
        return ranks, ranks**samples
    drawn = np.array([math.comb(samples, j) * (1 - ranks) ** j * ranks ** (samples - j) for j in range(samples + 1)])
    moves = np.zeros((_RANKS, places + 1, places + 1))
    for before in range(places + 1):
        for j in range(samples + 1):
            moves[:, before, max(min(before + j, places) - 1, 0)] += drawn[j]
    equations = moves.transpose(0, 2, 1) - np.eye(places + 1)
    equations[:, 0, :] = 1.0
    goal = np.zeros((places + 1, 1))
    goal[0] = 1.0
    worse = np.linalg.solve(equations, np.broadcast_to(goal, (_RANKS, places + 1, 1)))[:, 0, 0]
    return ranks, np.maximum.accumulate(np.clip(worse * drawn[0], 0.0, 1.0))
