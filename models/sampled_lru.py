"""Redis evicts the oldest of a few keys drawn at random: its hit ratio, between that of RANDOM and that of LRU.

With m evictions per second among C keys, one older than a share F of them goes with hazard (m / C) K F**(K - 1). What
that leaves of each age gives F and m again: a mean field, solved on a grid of ages. Ages are counted in whole ticks of
a clock, 1 s in Redis, and keys of one tick are alike. K is `maxmemory-samples` times 1.3, as a pool of 16 remembers
earlier draws; that is fitted to measurements, as is that few ticks make the pool worthless.

With the pool as documented (`models.eviction_pool`), nothing fitted, it is within 6e-5 of that algorithm run for 5 to
14 million requests where keys stay for 14 s and 17 s, besides their noise, and 3e-4 high at 2.5 s. The server hits
less: 8e-4 at 17 s, 2.1e-3 at 2.5 s and 4.5e-3 at 0.2 s, why is not known. So what was measured is the default.

*Approximate*: within 2e-4 of Redis 7.0.15 where keys stay for 16 s or 22 s, and for 2.5 s, where K was chosen so. At
0.2 s Redis is RANDOM, within 7e-4, which is taken up to half a tick and then less and less; nothing was measured
between half a tick and two. Source: K draws without a pool and without ticks, Yang, Wang and Wang 2021, "Efficient
modeling of random sampling-based LRU".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from models.cache import hits
from models.eviction_pool import pool_law
from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from models.popularity import Popularity
    from models.transforms import Floats

POOL: Final = 0.3
"""What Redis' pool of earlier candidates is worth, in draws for each that is made."""

_TICKS_WITHOUT_POOL, _TICKS_WITH_POOL = 2.5, 10.0
_RANDOM_TICKS, _CLOCK_TICKS = 0.5, 2.0
_AGES: Final = 1200
"""Grid of ages: hit ratios within 5e-5 for up to 10 samples, 1e-3 for 50."""

_PHASES: Final = 8
"""At how many moments between two ticks a key of each age is looked at."""


@dataclass(frozen=True)
class SampledHits:
    """`hit_ratio` of reads; `eviction_age` in s: how long keys stay on average over reads, None if all stay."""

    hit_ratio: float
    eviction_age: float | None


@lru_cache(maxsize=256)
def sampled_lru(
    popularity: Popularity,
    read_rate: float,
    capacity: float,
    *,
    samples: int = 5,
    tick: float = 1.0,
    pool: float = POOL,
    documented: bool = False,
) -> SampledHits:
    """Return the hit ratio of `allkeys-lru` with room for `capacity` > 0 keys, `samples` as `maxmemory-samples`.

    `read_rate` in 1/s over all keys; a miss is fetched and written to the cache. `tick` in s is the resolution of the
    clock, 0 for a clock that knows the order of all reads; `pool` 0 for draws alone. `documented` follows the pool as
    it is documented, not as it was measured; for keys that stay for two ticks at least. Takes 30 ms. Raises ValueError
    without room, reads or samples.
    """
    if not (capacity > 0 and read_rate > 0) or samples < 1:
        raise ValueError(f"sampling needs room, reads and a sample, not {capacity!r}, {read_rate!r}, {samples!r}")
    random = hits(popularity, read_rate, capacity, eviction="random")
    age = random.characteristic_time
    if age is None:
        return SampledHits(random.hit_ratio, None)
    ticks = age / tick if tick > 0 else math.inf
    worth = np.interp(math.log(ticks), [math.log(_TICKS_WITHOUT_POOL), math.log(_TICKS_WITH_POOL)], [0.0, pool])
    draws = samples * (1 + float(worth)) if samples > 1 else 1.0
    field = _Field(popularity, read_rate, capacity, age)
    if documented:
        hit_ratio = min(1.0, max(0.0, 1 - field.misses(_Law(*pool_law(samples)), tick) / read_rate))
        return SampledHits(hit_ratio, capacity / (read_rate * (1 - hit_ratio)) if hit_ratio < 1 else None)
    misses = field.misses(_Power(draws), tick)
    told = float(np.interp(ticks, [_RANDOM_TICKS, _CLOCK_TICKS], [0.0, 1.0]))
    hit_ratio = told * (1 - misses / read_rate) + (1 - told) * random.hit_ratio
    hit_ratio = min(1.0, max(0.0, hit_ratio))
    return SampledHits(hit_ratio, capacity / (read_rate * (1 - hit_ratio)) if hit_ratio < 1 else None)


class _Power:
    """The oldest of so many draws is among the share x that was read last with probability x**draws."""

    def __init__(self, draws: float) -> None:
        self.draws = draws

    def below(self, x: Floats) -> Floats:
        """Return that probability."""
        result: Floats = x**self.draws
        return result

    def density(self, x: Floats) -> Floats:
        """Return its slope."""
        result: Floats = self.draws * x ** (self.draws - 1)
        return result


class _Law(_Power):
    """The same from a table."""

    def __init__(self, ranks: Floats, below: Floats) -> None:
        self.ranks, self.table, self.slope = ranks, below, np.gradient(below, ranks)

    def below(self, x: Floats) -> Floats:
        """Return the probability, straight between the ranks of the table."""
        result: Floats = np.interp(x, self.ranks, self.table)
        return result

    def density(self, x: Floats) -> Floats:
        """Return its slope."""
        result: Floats = np.interp(x, self.ranks, self.slope)
        return result


class _Field:
    """Ages on a grid that is even in their logarithm, and how many reads per second start one that gets so old."""

    def __init__(self, popularity: Popularity, read_rate: float, capacity: float, age: float) -> None:
        logs = np.linspace(math.log(age * 1e-5), math.log(age * 50), _AGES)
        self.step = float(logs[1] - logs[0])
        self.ages = np.exp(logs)
        rates = popularity.share * read_rate
        self.unread = np.exp(-np.outer(self.ages, rates)) @ (popularity.count * rates)
        self.young = float((popularity.count * -np.expm1(-rates * self.ages[0])).sum())
        self.capacity, self.age = capacity, age

    def misses(self, law: _Power, tick: float) -> float:
        """Return the misses per second, from a fixed point of the share that is younger."""
        younger = np.minimum(self.ages / self.age, 1.0)
        misses = self.capacity / self.age
        for _ in range(200):
            hazard = self._ticked(younger, law, tick) if tick > 0 else law.density(younger)
            spent = _integral(hazard * self.ages, self.step) / self.capacity
            misses = self._balanced(spent, misses)
            held = _integral(np.exp(-misses * spent) * self.unread * self.ages, self.step) + self.young
            change = np.clip(held / self.capacity, 0.0, 1.0) - younger
            younger = younger + change / 2
            if np.abs(change).max() < 1e-9:
                break
        return misses

    def _balanced(self, spent: Floats, misses: float) -> float:
        """Return the misses per second at which as many keys are held as there is room for: Newton on logarithms."""
        for _ in range(60):
            held = np.exp(-misses * spent) * self.unread * self.ages * self.step
            total = float(held.sum()) + self.young
            slope = misses * float((held * spent).sum())
            if slope <= 0:
                break
            step = math.log(total / self.capacity) * total / slope
            misses *= math.exp(min(max(step, -1.0), 1.0))
            if abs(step) < 1e-13:
                break
        return misses

    def _ticked(self, younger: Floats, law: _Power, tick: float) -> Floats:
        """Return the hazard over m / C where ages are whole ticks, on average over the time since the last one."""
        hazard = np.zeros_like(younger)
        for node, weight in zip(*gauss_legendre(_PHASES), strict=True):
            youngest = self.ages - node * tick
            low = np.interp(youngest, self.ages, younger, left=0.0)
            high = np.interp(youngest + tick, self.ages, younger)
            alike = high - low
            mean = law.density((high + low) / 2)
            wide = np.maximum(alike, 1e-6)
            hazard += weight * np.where(alike > 1e-6, (law.below(high) - law.below(low)) / wide, mean)
        return hazard


def _integral(values: Floats, step: float) -> Floats:
    """Return the integral up to each point of an even grid, to the fourth order (Euler and Maclaurin)."""
    slopes = np.gradient(values, step, edge_order=2)
    parts = step / 2 * (values[1:] + values[:-1]) - step**2 / 12 * (slopes[1:] - slopes[:-1])
    return np.concatenate([[0.0], np.cumsum(parts)])
