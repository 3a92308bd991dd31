"""Hit ratios of small caches: exact for LRU, FIFO and RANDOM at a cost that does not grow with the number of objects.

The characteristic time is one number where in truth it varies: with room for 10 objects the hit ratio is then off by
1e-3 (LRU) to 7e-3 (FIFO), see `models.cache`. Here the number of different objects asked for is what it is, a sum of
independent yes-or-noes (Poisson's binomial distribution). Its generating function is known everywhere from the nodes of
the popularity and is inverted by a Fourier transform; or, to the second order, the sum is nearly normal with a skew.
Independent requests are assumed.

Sources: LRU as Poisson's process up to the next request, Fagin 1977, Flajolet, Gardy and Thimonier 1992; FIFO and
RANDOM as a product form, King 1971, Gelenbe 1973; the skew, Edgeworth 1905; sums that are given, Hajek 1964.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from models.cache import hits
from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from models.popularity import Popularity
    from models.transforms import Floats

_NEVER: Final = -27.0
"""Logarithm of a probability that is left out."""

_POINTS: Final = 16
"""Points for each factor of e**2 in time; the integrand is as smooth as exp(-t)."""

_AT_ONCE: Final = 1 << 19
"""Complex numbers in memory at a time."""


@lru_cache(maxsize=256)
def lru(popularity: Popularity, capacity: int) -> float:
    """Return the hit ratio of LRU with room for `capacity` >= 1 objects, *exact* to 2e-9.

    An object is there when, since its last request, fewer than `capacity` others were asked for. Takes 0.1 s for 10
    objects, 0.3 s for 100, 1 s for 1000. Raises ValueError without room for one object.
    """
    _check(capacity)
    if capacity >= popularity.objects:
        return 1.0
    found, times, weights = _transition(popularity, capacity)
    for time, weight in zip(times, weights, strict=True):
        density = popularity.share**2 * np.exp(-popularity.share * time)
        asked = -np.expm1(-popularity.share * time)
        distribution, start = _others(popularity, asked, density)
        found += float(weight) * float(distribution[: max(0, capacity - start)].sum())
    return min(1.0, found)


@lru_cache(maxsize=256)
def fifo(popularity: Popularity, capacity: int) -> float:
    """Return the hit ratio of FIFO, which is that of RANDOM, with room for `capacity` >= 1 objects, *exact* to 1e-12.

    The objects held are independent ones, given that they are as many as there is room for. Takes 1 to 10 ms. Raises
    ValueError without room for one object.
    """
    _check(capacity)
    present = _filled(popularity, capacity)
    if present is None:
        return 1.0
    others, start = _others(popularity, present, popularity.share * present)
    everything, _ = _others(popularity, present, None)
    return float(others[capacity - 1 - start] / everything[capacity - start])


def second_order_lru(popularity: Popularity, capacity: int) -> float:
    """Return the hit ratio of LRU to the second order: within 1.2e-3 from 1 object on, 1e-5 from 50 on; 5 ms.

    The number of others asked for is normal with its own mean, variance and skewness, the object itself left out; one
    of these alone makes the characteristic time ten times worse, together they mend it. Raises ValueError without room
    for one object.
    """
    from scipy.special import ndtr  # noqa: PLC0415, SciPy is slow to import

    _check(capacity)
    if capacity >= popularity.objects:
        return 1.0
    found, times, weights = _transition(popularity, capacity)
    left = np.exp(-popularity.share * times[:, None])
    asked = 1 - left
    moments = (asked, asked * left, asked * left * (left - asked))
    mean, variance, skew = (((m @ popularity.count)[:, None] - m) for m in moments)
    deviation = np.sqrt(np.maximum(variance, 1e-12))
    x = (capacity - 0.5 - mean) / deviation
    fewer = ndtr(x) - skew / (6 * deviation**3) * (x**2 - 1) * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    rate = (np.clip(fewer, 0.0, 1.0) * left) @ (popularity.count * popularity.share**2)
    return min(1.0, found + float((weights * rate).sum()))


def second_order_fifo(popularity: Popularity, capacity: int) -> float:
    """Return the hit ratio of FIFO and RANDOM to the second order: within 2.8e-3 from 1 object on, 1e-5 from 50 on.

    Raises ValueError without room for one object.
    """
    _check(capacity)
    present = _filled(popularity, capacity)
    if present is None:
        return 1.0
    spread = present * (1 - present)
    variance = float((popularity.count * spread).sum())
    third = float((popularity.count * spread * (1 - 2 * present)).sum())
    shift = spread * (third / variance - (1 - 2 * present)) / (2 * variance)
    return float((popularity.count * popularity.share * np.clip(present + shift, 0.0, 1.0)).sum())


def _check(capacity: int) -> None:
    if capacity < 1:
        raise ValueError(f"a cache has room for at least one object, not {capacity!r}")


def _filled(popularity: Popularity, capacity: int) -> Floats | None:
    """Return how likely each object is there, independently, if as many are there on average as there is room for."""
    time = hits(popularity, 1.0, capacity, eviction="fifo").characteristic_time
    if time is None:
        return None
    present: Floats = popularity.share * time / (1 + popularity.share * time)
    return present


def _transition(popularity: Popularity, capacity: int) -> tuple[float, Floats, Floats]:
    """Return the hits while fewer than `capacity` are sure to be asked for, and points and weights in time after it."""
    share, count = popularity.share, popularity.count

    def bound(time: float) -> tuple[float, float]:
        mean = float((count * -np.expm1(-share * time)).sum())
        return mean, capacity - mean + capacity * math.log(mean / capacity)

    def unsure(time: float) -> bool:
        mean, chance = bound(time)
        return mean > capacity or chance > _NEVER

    def over(time: float) -> bool:
        left = math.log(max(float((count * share * np.exp(-share * time)).sum()), 1e-300))
        mean, chance = bound(time)
        return left + (chance if mean > capacity else 0.0) < _NEVER

    near = 1 + 0.1 / math.sqrt(capacity)
    late = _first(over, capacity * 2.0, near)
    early = min(_first(unsure, capacity / 2, near) / near, late / near)
    nodes, weights = gauss_legendre(_POINTS)
    times, steps, surely = [], [], 0.0
    if early * popularity.busiest > 0.5:
        surely = float((count * share * -np.expm1(-share * early)).sum())
    else:
        early = min(0.5 / popularity.busiest, capacity / 4, late / 2)
        times, steps = [early * nodes], [early * weights]
    edges = np.linspace(math.log(early), math.log(late), max(4, math.ceil(math.log(late / early) / 2) + 1))
    for low, high in pairwise(edges):
        times.append(np.exp(low + (high - low) * nodes))
        steps.append((high - low) * weights * times[-1])
    return surely, np.concatenate(times), np.concatenate(steps)


def _first(reached: Callable[[float], bool], start: float, near: float) -> float:
    """Return a time at which something is reached that then stays so, too late by a factor of at most `near`."""
    low = high = start
    while reached(low) and low > 1e-9:
        low /= 8
    while not reached(high):
        high *= 8
    while high > near * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _others(popularity: Popularity, present: Floats, weight: Floats | None) -> tuple[Floats, int]:
    """Return sum of count * weight * P(k others are present) for k from `start` on; without weights P(k are present).

    The generating function of all others is that of all over the object's own, at the roots of unity.
    """
    mean = float((popularity.count * present).sum())
    variance = float((popularity.count * present * (1 - present)).sum())
    size = 1 << math.ceil(math.log2(15 * math.sqrt(variance) + 30))
    angles = np.linspace(0.0, math.pi, size // 2 + 1)
    roots = np.exp(-1j * angles)
    spectrum = np.empty_like(roots)
    # A law lists single objects first: their factors are multiplied, as logarithms are slow.
    single = int((np.cumsum(popularity.count != 1) == 0).sum())
    count = popularity.count[single:]
    step = max(1, _AT_ONCE // len(present))
    for part in range(0, len(roots), step):
        one = (1 - present) + present * roots[part : part + step, None]
        one[np.abs(one.real) < 1e-15] += 1e-15
        logarithms = _logarithms(present[single:], angles[part : part + step, None])
        whole = one[:, :single].prod(axis=1) * np.exp(logarithms @ count)
        spectrum[part : part + step] = (
            whole if weight is None else whole * ((popularity.count * weight / one).sum(axis=1))
        )
    start = max(0, math.floor(mean) - size // 2)
    found: Floats = np.roll(np.fft.irfft(spectrum, size), -(start % size))
    return found, start


def _logarithms(present: Floats, angles: Floats) -> NDArray[np.complex128]:
    """Return the logarithms of 1 - p + p exp(-i angle); next to 1, where counts of 1e11 magnify what is rounded off."""
    square = np.sin(angles / 2) ** 2
    size = np.log1p(np.maximum(-4 * square * present * (1 - present), 1e-30 - 1)) / 2
    turn = np.arctan2(-present * np.sin(angles), 1 - 2 * present * square)
    logarithms: NDArray[np.complex128] = size + 1j * turn
    return logarithms
