"""Hit ratios by the characteristic time: how long an object stays unless it is asked for again.

Source: Fagin 1977; Che, Tung and Wang 2002; generalised by Martina, Garetto and Leonardi 2014. Every policy becomes
"the share of time that an object of request rate L is in the cache, as a function of T", and T follows from the
capacity. *Approximate* for finite caches, exact as they grow. Measured against exact hit ratios and simulation: LRU
off by at most 8e-3 with room for 1 or 2 objects, 2e-3 for 5 or 10, 4e-4 for 20, 2.1e-4 for 50 and 1e-4 from 100 on;
FIFO and RANDOM by 1.43e-2 for 1 or 2, 7e-3 for 5 or 10, 4e-3 for 20, 1.3e-3 for 50, 5e-4 for 100 and 1e-4 from 1000
on. The independent reference model is assumed: real traces with locality hit more often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import numpy as np

from models.elementwise import either, larger, numbers, single, smaller
from models.popularity import Popularity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from models.transforms import Floats

Eviction = Literal["lru", "fifo", "random", "lfu"]

_SERIES: Final = 8
"""Characteristic times for which survival under LRU is summed as a series; beyond, it is an exponential."""


@dataclass(frozen=True)
class CacheHits:
    """`hit_ratio` of reads; `characteristic_time` in s, None where capacity evicts nothing; mean `objects` held.

    `missed` is the popularity of what was missed, for a cache behind this one (*approximate*: taken as independent
    requests, which overstates its hit ratio by up to 0.016); None where nothing was asked for.
    """

    hit_ratio: float
    characteristic_time: float | None
    objects: float
    missed: Popularity | None


@dataclass(frozen=True, eq=False)
class CacheHitsArray:
    """The same of many caches, as arrays: NaN is the characteristic time where capacity evicts nothing.

    What was missed is not kept: ask for the hits of one cache.
    """

    hit_ratio: Floats
    characteristic_time: Floats
    objects: Floats


@overload
def hits(
    popularity: Popularity,
    read_rate: float,
    capacity: float,
    *,
    eviction: Eviction = "lru",
    ttl: float | None = None,
    write_rate: float = 0.0,
    sliding: bool = False,
) -> CacheHits: ...
@overload
def hits(
    popularity: Popularity,
    read_rate: ArrayLike,
    capacity: ArrayLike,
    *,
    eviction: Eviction = "lru",
    ttl: ArrayLike | None = None,
    write_rate: ArrayLike = 0.0,
    sliding: bool = False,
) -> Any: ...
def hits(
    popularity: Popularity,
    read_rate: Any,
    capacity: Any,
    *,
    eviction: Eviction = "lru",
    ttl: Any = None,
    write_rate: Any = 0.0,
    sliding: bool = False,
) -> CacheHits | CacheHitsArray:
    """Return the hit ratio of reads in a cache of `capacity` objects (>= 0, may be infinite).

    `read_rate` and `write_rate` in 1/s over all objects, both spread by the popularity; a write invalidates its
    object. `ttl` in seconds from insertion, or if `sliding` from the last read; None for ever. Reads at rate 0 hit
    nothing. Rates, capacities and times to live may be arrays, broadcast together: then `CacheHitsArray`, all
    characteristic times found together.
    """
    if single(read_rate, capacity, write_rate, math.inf if ttl is None else ttl):
        return _hits(popularity, read_rate, capacity, eviction, ttl, write_rate, sliding)
    from models.many_caches import many_hits  # noqa: PLC0415, for arrays only

    parts = numbers(read_rate, capacity, math.inf if ttl is None else ttl, write_rate)
    if single(*parts):
        ends = None if ttl is None else parts[2]
        return _hits(popularity, parts[0], parts[1], eviction, ends, parts[3], sliding)
    return CacheHitsArray(*many_hits(popularity, *parts, eviction=eviction, sliding=sliding))


@lru_cache(maxsize=4096)
def _hits(  # noqa: PLR0917, what is remembered is asked for in one order
    popularity: Popularity,
    read_rate: float,
    capacity: float,
    eviction: Eviction,
    ttl: float | None,
    write_rate: float,
    sliding: bool,  # noqa: FBT001
) -> CacheHits:
    if capacity <= 0 or read_rate <= 0:
        return CacheHits(0.0, None, 0.0, popularity)
    reads, writes = popularity.share * read_rate, popularity.share * write_rate
    if eviction == "lfu":
        return result(popularity, most_popular(popularity, reads, writes, capacity, ttl, sliding=sliding), None)

    def there(time: float) -> Floats:
        return present(reads, stay(eviction, reads, writes, time, ttl, sliding=sliding))

    unbounded = there(math.inf)
    # A hair of slack: a cache for exactly all objects evicts none, whatever the rounding of the sum.
    if float((popularity.count * unbounded).sum()) <= capacity * (1 + 1e-9):
        return result(popularity, unbounded, None)
    time = solve(lambda t: float((popularity.count * there(t)).sum()), capacity, capacity / read_rate / 2)
    return result(popularity, there(time), time)


@lru_cache(maxsize=1024)
def cooled(steady: CacheHits, popularity: Popularity, warm: float) -> CacheHits:
    """Return the hits at the moment when only a share `warm` of what a cache would hold is there.

    What is missing is a sample of all keys, as consistent hashing takes it with a node (*exact* for many keys).
    """
    cold = 1 - warm
    hit_ratio = warm * steady.hit_ratio
    missed = popularity
    if steady.missed is not None and hit_ratio > 0:
        share = warm * (1 - steady.hit_ratio) * steady.missed.share + cold * popularity.share
        missed = Popularity(share / (1 - hit_ratio), popularity.count)
    return CacheHits(hit_ratio, steady.characteristic_time, warm * steady.objects, missed)


def result(popularity: Popularity, present: Floats, time: float | None) -> CacheHits:
    """Return the hits of a cache in which each object is `present` that share of the time."""
    objects, hit_ratio = (float(part) for part in held(popularity, present))
    missed = None
    if hit_ratio < 1:
        missed = Popularity(popularity.share * (1 - present) / (1 - hit_ratio), popularity.count)
    return CacheHits(hit_ratio, time, objects, missed)


def held(popularity: Popularity, present: Floats) -> tuple[Floats, Floats]:
    """Return the mean objects held and the hit ratio; of rows, those of each."""
    objects = popularity.count * present
    return objects.sum(axis=-1), np.minimum(1.0, (objects * popularity.share).sum(axis=-1))


def present(reads: Floats, kept: Floats) -> Floats:
    """Return the share of time that an object is there, which stays for `kept` seconds once a read has fetched it."""
    return np.asarray(reads * kept / (1 + reads * kept))


def most_popular(
    popularity: Popularity, reads: Floats, writes: Floats, capacity: Any, ttl: Any, *, sliding: bool
) -> Floats:
    """Return how long each object is there under ideal LFU: the most popular, less what has expired or been written.

    An upper bound. `capacity` and `ttl` are numbers, or columns for rows of reads and writes.
    """
    before = np.cumsum(popularity.count) - popularity.count
    kept = np.clip((capacity - before) / popularity.count, 0.0, 1.0)
    kept_for = stay("fifo", reads, writes, math.inf, ttl, sliding=sliding)
    with np.errstate(invalid="ignore"):
        return np.asarray(kept * np.where(np.isinf(kept_for), 1.0, present(reads, kept_for)))


def stay(eviction: Eviction, reads: Floats, writes: Floats, time: Any, ttl: Any, *, sliding: bool = False) -> Floats:
    """Return the mean time in seconds that an object stays once inserted, for characteristic time `time`.

    `time` and `ttl`, None for ever, are numbers, or columns for rows of reads and writes.
    """
    if sliding and ttl is not None:
        return _sliding_stay(eviction, reads, writes, time, ttl)
    life = ttl if ttl is not None else math.inf
    if eviction == "random":
        return _until(writes + 1 / time, life)
    if eviction == "fifo" or np.all(time >= life):
        return _until(writes, smaller(life, time))
    expires = partial(_until, writes, smaller(life, time))
    return either(time >= life, expires, lambda: _lru_stay(reads, writes, time, life))


def _sliding_stay(eviction: Eviction, reads: Floats, writes: Floats, time: Any, ttl: Any) -> Floats:
    """Return the mean stay where what was not read for `ttl` goes: just what LRU does with its characteristic time.

    A FIFO queue is then to it what a TTL from insertion is to LRU.
    """
    if eviction == "lru":
        return _lru_stay(reads, writes, smaller(time, ttl), math.inf)
    if eviction == "random":
        return _lru_stay(reads, writes + 1 / time, ttl, math.inf)
    return either(time <= ttl, lambda: _until(writes, time), lambda: _lru_stay(reads, writes, ttl, time))


def _until(rate: Floats, end: Any) -> Floats:
    """Return the mean of the lesser of an exponential time of this rate and a constant, which may be infinite."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if single(end) and math.isinf(end):
            return np.where(rate > 0, 1 / np.maximum(rate, 1e-200), 1e200)
        return np.asarray(np.where(rate * end > 1e-12, -np.expm1(-rate * end) / np.maximum(rate, 1e-300), end))


def _lru_stay(reads: Floats, writes: Floats, time: Any, ttl: Any) -> Floats:
    """Return the mean stay under LRU with invalidation and a TTL longer than the characteristic time.

    Without a TTL in closed form. With one, an object leaves when it was not read for T: with q = exp(-L T) its
    survival S(u) drops by q at T, and from there S'(u) = -L q S(u - T). Summed as a series over whole multiples of
    T, then continued by its dominant exponential. Writes discount S by exp(-w u), for which S is taken as 1 up to T
    and exponential after, with its own integral kept.
    """
    x = reads * time
    if single(ttl) and math.isinf(ttl):
        once = _until(reads + writes, time)
        return np.asarray(once / np.maximum(1 - reads * once, 1e-200))
    gone = np.exp(-x)
    hazard = reads * gone
    end = smaller(ttl, (_SERIES + 1) * time)
    survive, area = _undisturbed(hazard, time, end)
    earlier, earlier_area = _undisturbed(hazard, time, end - time)
    area = area - gone * earlier_area
    if np.any(ttl > end):
        left = np.clip(survive - gone * earlier, 0.0, 1.0)
        area = area + left * _until(_decay(x) / time, ttl - end)
    if not writes.any():
        return np.asarray(area)
    later = np.maximum(area - time, 0.0)
    fitted = _rate_with_area(later, ttl - time)
    return np.asarray(_until(writes, time) + np.exp(-writes * time) * _until(fitted + writes, ttl - time))


def _undisturbed(hazard: Floats, time: Any, end: Any) -> tuple[Floats, Floats]:
    """Return G(end) and its integral from 0, where G' = -hazard G(u - time) and G = 1 before `time`."""
    value, area = np.ones_like(hazard), np.zeros_like(hazard) + end
    power = np.ones_like(hazard)
    for k in range(1, int(np.max(end / time)) + 1):
        # Of rows, some have ended before: nothing is left of them.
        left = larger(end - k * time, 0.0)
        power = power * -hazard
        value = value + power * (left**k / math.factorial(k))
        area = area + power * (left ** (k + 1) / math.factorial(k + 1))
    return value, area


def _decay(x: Floats) -> Floats:
    """Return the other y with y exp(-y) = x exp(-x): the decay of survival per characteristic time."""
    offset = np.log(np.maximum(x, 1e-300)) - x
    y = np.where(x < 1, 1 - offset, 0.0)
    for _ in range(16):
        y = np.where(x < 1, np.log(np.maximum(y, 1.0)) - offset, np.exp(offset + y))
    return y


def _rate_with_area(area: Floats, end: Any) -> Floats:
    """Return the rate whose exponential, cut at `end`, has this area (less than `end`)."""
    share = np.clip(area / end, 1e-12, 1 - 1e-6)
    z = np.where(share < 0.5, 1 / share, 2 * (1 - share))
    for _ in range(12):
        ended = np.exp(-z)
        error = (1 - ended) / z - share
        z = np.clip(z - error / ((ended * (z + 1) - 1) / z**2), z / 4, z * 4)
    return np.asarray(z / end)


def solve(filled: Callable[[float], float], capacity: float, start: float) -> float:
    """Return the time at which the cache is full: `filled` grows with it. Secant steps on logarithms, bracketed."""
    low, high = start, start
    while filled(low) > capacity:
        low /= math.e**2
    while filled(high) < capacity:
        high *= math.e**2
    a, b = math.log(low), math.log(high)
    fa, fb = math.log(filled(low) / capacity), math.log(filled(high) / capacity)
    for _ in range(100):
        if b - a < 1e-13 or fa == fb:
            break
        middle = (a * fb - b * fa) / (fb - fa)
        margin = 0.02 * (b - a)
        middle = min(max(middle, a + margin), b - margin)
        f = math.log(filled(math.exp(middle)) / capacity)
        if abs(f) < 1e-13:
            return math.exp(middle)
        if f < 0:
            a, fa = middle, f
        else:
            b, fb = middle, f
    return math.exp((a + b) / 2)
