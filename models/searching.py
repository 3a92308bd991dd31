"""Many searches at once: the fewest servers and the largest loads of arrays, in a handful of evaluations of them all.

What `models.staffing` finds for one number by doubling, halving and Newton's method is found here for arrays. A rule is
a function of the count or load that is looked for and of what is given, which is 0 or below where the wish is met; it
is written once, for both. What is found already is not evaluated again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from models.elementwise import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Places = NDArray[np.intp]
    Rule = Callable[..., Array]

MOST: Final = 2.0**52
"""Counts beyond this are no longer told apart by what is computed of them."""

_TIE: Final = 1e-9
"""A rule so close to 0, relative to its wish, is left to the search for one."""

_NO_LOAD: Final = 1e-280

_CLOSE: Final = 1e-14
"""A step of Newton's method so short is the last: it squares the error, and what follows is rounding."""


def fewest(rule: Rule, least: int, given: tuple[Array, ...], one: Callable[..., int]) -> Counts:
    """Return for each element the smallest count at which a falling rule is met.

    It is at least `least` and, of a queue, where that is 1, more than the load. `given` are the load and the wish, the
    target of the rule last. From a guess outwards until the count is bracketed, then by secants in the bracket, each
    end that stays weighing half (Illinois), down to neighbours. Where rounding could decide, and without load, `one`
    finds it as for single numbers.
    """
    shape, given = given[0].shape, tuple(part.ravel() for part in given)
    load = given[0]
    require(load <= MOST, "arrays are searched up to 2^52 erlangs, not {!r}", load)
    found = _Bracket(np.floor(load) if least else np.full_like(load, -1.0))
    opened, count = np.flatnonzero(load > 0), _guess(found.low + 1, *given)
    while len(opened):
        found.narrow(opened, count[opened], rule(count[opened], *(part[opened] for part in given)))
        opened = opened[found.high[opened] - found.low[opened] > 1]
        count[opened] = found.between(opened)
    unsure = (np.minimum(np.abs(found.at_low), np.abs(found.at_high)) < _TIE * (1 + np.abs(given[-1]))) | (load == 0)
    answer = np.where(unsure, 0.0, found.high).astype(np.int64)
    for i in np.flatnonzero(unsure):
        answer[i] = one(*(float(part[i]) for part in given))
    return answer.reshape(shape)


def _guess(least: Array, load: Array, *wish: Array) -> Array:
    """Return about how many servers it takes: the load and some deviations, as of a normal number of busy servers."""
    target, wait = wish[-1], wish[0] if len(wish) > 1 else 0.0
    wanted = np.maximum(-target, 0.0)
    pull = wait + np.sqrt(wait**2 + 2 * wanted / np.maximum(load, _NO_LOAD) + _NO_LOAD)
    return np.maximum(least, np.ceil(load + 2 * wanted / pull))


class _Bracket:
    """Counts that are not enough, `low`, and such that are, `high`, with the values of a rule there."""

    def __init__(self, low: Array) -> None:
        self.low, self.high = low, np.full_like(low, math.inf)
        self.at_low, self.at_high = np.full_like(low, math.inf), np.full_like(low, -math.inf)
        self._weight_low, self._weight_high = self.at_low.copy(), self.at_high.copy()
        self._reach = np.maximum(1.0, np.sqrt(np.maximum(low, 0.0)) / 4)

    def narrow(self, i: Places, count: Array, value: Array) -> None:
        """Take in what the rule says at a count."""
        met = value <= 0
        self.low[i], self.high[i] = np.where(met, self.low[i], count), np.where(met, count, self.high[i])
        self.at_low[i], self.at_high[i] = np.where(met, self.at_low[i], value), np.where(met, value, self.at_high[i])
        self._weight_low[i] = np.where(met, self._weight_low[i] / 2, value)
        self._weight_high[i] = np.where(met, value, self._weight_high[i] / 2)

    def between(self, i: Places) -> Array:
        """Return where to look next: ever further beyond an end that is not known, else where the secant crosses 0."""
        low, high, at_low, at_high = self.low[i], self.high[i], self._weight_low[i], self._weight_high[i]
        reach = self._reach[i]
        self._reach[i] *= 2
        with np.errstate(invalid="ignore"):
            inner = low + (high - low) * at_low / (at_low - at_high)
            inner = np.where(np.isfinite(inner), inner, low + (high - low) / 2)
        found = np.where(np.isinf(at_low), high - reach, inner)
        found = np.where(np.isinf(high), low + reach, found)
        return np.clip(np.ceil(found), low + 1, np.where(np.isinf(high), math.inf, high - 1))


def counted(counts: Array) -> Counts:
    """Return counts as integers; raises ValueError where there are too many for them."""
    require(counts <= MOST, "arrays hold up to 2^52 servers, not {!r}", counts)
    return counts.astype(np.int64)


def above(rule: Callable[..., tuple[Array, Array]], given: tuple[Array, ...]) -> Array:
    """Return loads at which a rising rule is 0 or more: the servers, first of what is given, or doublings of them."""
    high = given[0].copy()
    opened = np.arange(len(high))
    while len(opened):
        opened = opened[rule(high[opened], *(part[opened] for part in given))[0] < 0]
        high[opened] *= 2
    return high


def largest(rule: Callable[..., tuple[Array, Array]], high: Array, smallest: float, given: tuple[Array, ...]) -> Array:
    """Return for each element the largest load up to `high` at which a rising rule is 0 or below.

    Flat arrays; the rule gives value and slope. Newton in the logarithm of the load, kept inside the bracket, as for
    one.
    """
    low, load = np.full_like(high, smallest), high / 2
    found, high = high.copy(), high.copy()
    opened = np.flatnonzero(rule(high, *given)[0] > 0)
    for _ in range(200):
        i = opened
        if not len(i):
            break
        at = load[i]
        value, slope = rule(at, *(x[i] for x in given))
        below = value <= 0
        low[i], high[i] = np.where(below, at, low[i]), np.where(below, high[i], at)
        step, done = _newton(at, value, slope, low[i], high[i])
        load[i] = found[i] = step
        opened = i[~done]
    return found


def _newton(load: Array, value: Array, slope: Array, low: Array, high: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the next load, and whether it is the last."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(slope > 0, load * np.exp(np.clip(-value / (load * slope), -700.0, 700.0)), 0.0)
    # Close to the end a step may leave the bracket by its rounding, which is no reason to halve it.
    near = np.abs(step - load) <= _CLOSE * load
    outside = ~near & (~((low < step) & (step < high)) | (high - low < 4e-16 * high))
    middle = np.where(high > 4 * low, np.sqrt(low) * np.sqrt(high), low + (high - low) / 2)
    narrow = np.nextafter(low, high) >= high
    return np.where(narrow, low, np.where(outside, middle, step)), narrow | near
