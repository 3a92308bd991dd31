"""Many caches of one popularity at once: what `models.cache.hits` answers when it is given arrays.

Each cache is a row of objects; the formulas are those for one. Characteristic times are found together, and where the
caches differ in their capacity alone, on one curve of how they fill.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.cache import held, most_popular, present, stay

if TYPE_CHECKING:
    from models.cache import Eviction
    from models.popularity import Popularity
    from models.transforms import Floats

_ROWS: Final = 32
"""Caches at a time: so many rows stay in a processor's cache, and are worth a call of NumPy."""

_CURVE: Final = 256
"""Points of the curve of how alike caches fill."""

_NEAR: Final = 1e-13


def many_hits(
    popularity: Popularity,
    read_rate: Floats,
    capacity: Floats,
    ttl: Floats,
    write_rate: Floats,
    *,
    eviction: Eviction,
    sliding: bool,
) -> tuple[Floats, ...]:
    """Return hit ratio, characteristic time (NaN where nothing is evicted) and objects held of each cache.

    Arrays of one shape; a `ttl` is infinite where there is none.
    """
    found = np.zeros((3, *capacity.shape))
    found[1] = math.nan
    used = (capacity > 0) & (read_rate > 0)
    for some in (used & np.isinf(ttl), used & np.isfinite(ttl)):
        room, rates = capacity[some], [part[some] for part in (read_rate, ttl, write_rate)]
        if len(room):
            alike = all((part == part[0]).all() for part in rates)
            caches = _Caches(popularity, eviction, *(part[:1] if alike else part for part in rates), sliding=sliding)
            found[:, some] = _figures(caches, room)
    return tuple(found)


def _figures(caches: _Caches, capacity: Floats) -> Floats:
    """Return the three figures of each cache, a column each."""
    curve = caches.curve(capacity) if caches.alike and len(capacity) >= _CURVE / 4 else None
    found = np.empty((3, len(capacity)))
    for start in range(0, len(capacity), _ROWS):
        part = slice(start, start + _ROWS)
        found[:, part] = (caches if caches.alike else caches.of(part)).figures(capacity[part], curve)
    return found


class _Caches:
    """Caches that are read and written at some rates, a row for each, or one row for all where these are alike."""

    def __init__(
        self,
        popularity: Popularity,
        eviction: Eviction,
        read_rate: Floats,
        ttl: Floats,
        write_rate: Floats,
        *,
        sliding: bool,
    ) -> None:
        self._popularity, self._eviction, self._sliding = popularity, eviction, sliding
        self._rates = (read_rate, ttl, write_rate)
        self.alike = len(read_rate) == 1
        self._ttl: Any = ttl[:, None] if np.isfinite(ttl[0]) else None

    def of(self, part: slice) -> _Caches:
        """Return some of them."""
        return _Caches(self._popularity, self._eviction, *(rate[part] for rate in self._rates), sliding=self._sliding)

    def figures(self, capacity: Floats, curve: tuple[Floats, Floats] | None) -> tuple[Floats, Floats, Floats]:
        """Return hit ratio, characteristic time and objects held of each."""
        times, every = np.full(len(capacity), math.nan), np.arange(len(capacity))
        if self._eviction == "lfu":
            reads, writes, ttl = self._of_rows(every)
            there = most_popular(self._popularity, reads, writes, capacity[:, None], ttl, sliding=self._sliding)
            objects, hit_ratio = held(self._popularity, there)
            return hit_ratio, times, objects
        unbounded = np.zeros((len(capacity), 1)) + self._there(math.inf, every)
        objects, hit_ratio = held(self._popularity, unbounded)
        full = np.flatnonzero(objects > capacity * (1 + 1e-9))
        if len(full):
            times[full] = self._solved(capacity[full], full, curve)
            objects[full], hit_ratio[full] = held(self._popularity, self._there(times[full][:, None], full))
        return hit_ratio, times, objects

    def curve(self, capacity: Floats) -> tuple[Floats, Floats] | None:
        """Return logarithms of times, and of the objects held at these, over all that the capacities can need."""
        if self._eviction == "lfu":
            return None
        one = np.zeros(1, dtype=int)
        most = float(held(self._popularity, self._there(math.inf, one))[0][0])
        evicting = capacity[most > capacity * (1 + 1e-9)]
        if not len(evicting):
            return None
        ends = np.array([evicting.min(), evicting.max()])
        (low, _), (_, high), _, _ = self._brackets(ends, np.zeros(2, dtype=int))
        times = np.linspace(low, high, _CURVE)
        parts = [self._objects(part, one) for part in np.array_split(times, _CURVE // _ROWS)]
        return times, np.concatenate(parts)

    def _of_rows(self, rows: Any) -> tuple[Floats, Floats, Any]:
        rows = np.zeros(1, dtype=int) if self.alike else rows
        reads, _, writes = (rate[rows, None] * self._popularity.share for rate in self._rates)
        return reads, writes, None if self._ttl is None else self._ttl[rows]

    def _there(self, time: Any, rows: Any) -> Floats:
        """Return how likely each object is there, of these rows, for characteristic times: one, or a column."""
        reads, writes, ttl = self._of_rows(rows)
        return present(reads, stay(self._eviction, reads, writes, time, ttl, sliding=self._sliding))

    def _objects(self, times: Floats, rows: Any) -> Floats:
        """Return the logarithms of the objects held at those of characteristic times."""
        objects, _ = held(self._popularity, self._there(np.exp(times)[:, None], rows))
        return np.asarray(np.log(objects))

    def _solved(self, capacity: Floats, rows: Any, curve: tuple[Floats, Floats] | None) -> Floats:
        """Return the times at which caches are full: secants on logarithms, bracketed, as `models.cache.solve`.

        An end that stays weighs less (Anderson and Bjorck 1973), so that both ends close in.
        """
        wanted = np.log(capacity)
        low, high, at_low, at_high = self._brackets(capacity, rows) if curve is None else _between(*curve, wanted)
        found, opened = (low + high) / 2, np.flatnonzero(high > low)
        for _ in range(100):
            i = opened
            if not len(i):
                break
            middle = (low[i] * at_high[i] - high[i] * at_low[i]) / (at_high[i] - at_low[i])
            middle = np.clip(middle, np.nextafter(low[i], high[i]), np.nextafter(high[i], low[i]))
            value = self._objects(middle, rows[i]) - wanted[i]
            below = value < 0
            kept = 1 - value / np.where(below, at_low[i], at_high[i])
            kept = np.where(kept > 0, kept, 0.5)
            at_low[i], at_high[i] = np.where(below, value, at_low[i] * kept), np.where(below, at_high[i] * kept, value)
            low[i], high[i] = np.where(below, middle, low[i]), np.where(below, high[i], middle)
            found[i] = middle
            opened = i[(np.abs(value) >= _NEAR) & (high[i] - low[i] >= _NEAR)]
        return np.asarray(np.exp(found))

    def _brackets(self, capacity: Floats, rows: Any) -> tuple[Floats, Floats, Floats, Floats]:
        """Return logarithms of times at which each cache is not full and full, and how far it is from full."""
        start, wanted = np.log(capacity / self._rates[0][0 if self.alike else rows] / 2), np.log(capacity)
        value = self._objects(start, rows) - wanted
        low, high, at_low, at_high = start.copy(), start.copy(), value.copy(), value.copy()
        for sign, end, at_end in ((-1, low, at_low), (1, high, at_high)):
            while len(out := np.flatnonzero(sign * at_end < 0)):
                end[out] += 2 * sign
                at_end[out] = self._objects(end[out], rows[out]) - wanted[out]
        return low, high, at_low, at_high


def _between(times: Floats, objects: Floats, wanted: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the ends of the stretch of a curve in which it comes to what is wanted, and by how much they miss it."""
    place = np.clip(np.searchsorted(objects, wanted), 1, len(objects) - 1)
    return times[place - 1], times[place], objects[place - 1] - wanted, objects[place] - wanted
