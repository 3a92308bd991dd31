"""Keys spread over nodes by a hash: how uneven that is, and what the loss of a node costs.

A ring with V points per node gives each node a Dirichlet share of the keys; a hot key gives its node more. Sources:
Karger et al. 1997 for the ring; the largest of Dirichlet shares is that of gamma variables over their sum, Devroye
1986, chapter XI.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from models.elementwise import either, known, numbers, require

if TYPE_CHECKING:
    from models.popularity import Popularity

_TRIALS: Final = 4000
_SINGLE: Final = 256
"""The most popular keys are placed one by one; the shares of the rest are nearly normal."""


@dataclass(frozen=True)
class Imbalance:
    """The load of the busiest of several nodes over the mean: its `mean` and `p95` over hash functions; CV of all."""

    mean: float
    p95: float
    cv: float


def ring(nodes: int, points: int) -> Imbalance:
    """Return how uneven the shares of the keys are on a ring with `points` random points for each of `nodes` nodes.

    Mean and CV are *exact*; p95 takes the nodes as independent, within 1.5 % of simulation. Raises ValueError without
    node or point.
    """
    if nodes < 1 or points < 1:
        raise ValueError(f"a ring needs a node and a point, not {nodes!r}, {points!r}")
    if nodes == 1:
        return Imbalance(1.0, 1.0, 0.0)
    from scipy.special import betaincinv, gammainc  # noqa: PLC0415, SciPy is slow to import

    # The mean of the largest of n gamma variables, which is independent of their ratio to the sum.
    spread = math.sqrt(points)
    top = points + 12 * spread * max(1.0, math.sqrt(math.log(nodes))) + 6 * math.log(nodes) + 40
    grid = np.linspace(0.0, top, 20001)
    largest = float(np.trapezoid(1 - gammainc(points, grid) ** nodes, grid)) / points
    p95 = float(betaincinv(points, (nodes - 1) * points, 0.95 ** (1 / nodes))) * nodes
    return Imbalance(largest, p95, math.sqrt((nodes - 1) / (nodes * points + 1)))


@lru_cache(maxsize=64)
def shards(popularity: Popularity, nodes: int, seed: int = 1) -> Imbalance:
    """Return how uneven the requests are that hashed keys of this popularity bring to `nodes` shards.

    *Approximate*: 4000 seeded placements of the 256 most popular keys, the rest as normal shares; a standard error of
    1 % or less. `cv` is the root of its mean square, *exact*: sqrt((nodes - 1) * sum of share**2). Raises ValueError
    without node.
    """
    if nodes < 1:
        raise ValueError(f"there is at least one shard, not {nodes!r}")
    if nodes == 1:
        return Imbalance(1.0, 1.0, 0.0)
    draws = np.random.default_rng(seed)
    single = int((np.cumsum(popularity.count != 1) == 0).sum())
    first = popularity.share[: min(single, _SINGLE)]
    rest_share, rest_count = popularity.share[len(first) :], popularity.count[len(first) :]
    rest = float((rest_share * rest_count).sum())
    spread = math.sqrt(float((rest_share**2 * rest_count).sum()) * (1 - 1 / nodes) / nodes)
    load = draws.normal(rest / nodes, spread, (_TRIALS, nodes))
    load += (rest - load.sum(axis=1, keepdims=True)) / nodes
    for share in first:
        load[np.arange(_TRIALS), draws.integers(nodes, size=_TRIALS)] += share
    busiest = load.max(axis=1) * nodes
    squares = float((popularity.share**2 * popularity.count).sum())
    return Imbalance(float(busiest.mean()), float(np.quantile(busiest, 0.95)), math.sqrt((nodes - 1) * squares))


def useful_shards(popularity: Popularity) -> float:
    """Return beyond how many shards the busiest key alone is more than an even share: 1 over its share.

    More shards help no more; a local cache in front, or copies of the key, do.
    """
    return 1 / popularity.busiest


@dataclass(frozen=True)
class NodeLoss:
    """At the moment when one of several nodes is gone: `kept` share of keys, hit ratio, and misses over those before.

    `load` multiplies what the origin receives; None, in arrays NaN, where nothing was missed before.
    """

    kept: float
    hit_ratio: float
    load: float | None


def node_loss(hit_ratio: Any, nodes: Any, *, hashing: Literal["consistent", "modulo"] = "consistent") -> NodeLoss:
    """Return what is hit just after one of `nodes` nodes is lost, for a hit ratio before in [0, 1].

    Consistent hashing keeps the keys of the others; a hash modulo the number of nodes keeps one key in `nodes`, as all
    others move. *Exact* on average over which keys are lost: with the busiest among them it is less. How the hit ratio
    recovers: `models.warmup.hit_ratio_after` with `cold` = 1 - kept. Numbers or arrays, then of all figures. Raises
    ValueError for a hit ratio outside [0, 1] or no node.
    """
    hit_ratio, nodes = numbers(hit_ratio, nodes)
    fine = (hit_ratio >= 0) & (hit_ratio <= 1) & (nodes >= 1)
    require(fine, "a hit ratio is from 0 to 1, of at least one node, not {!r}, {!r}", hit_ratio, nodes)
    kept = either(nodes == 1, lambda: 0.0, lambda: 1 - 1 / nodes if hashing == "consistent" else 1 / nodes)
    left = hit_ratio * kept
    return NodeLoss(kept, left, known(hit_ratio < 1, lambda: (1 - left) / (1 - hit_ratio)))
