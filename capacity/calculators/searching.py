"""Searches for the number that was left out, of which more is always worse, or always better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST, _MOST = 1e-12, 1e12


def largest(good: Callable[[float], bool], guess: float) -> float | None:
    """Return the largest number > 0 that is good, to 1e-9, if all smaller ones are; None if none is; inf if all are."""
    low = high = guess
    while good(high):
        low, high = high, high * 4
        if high > _MOST * max(guess, 1.0):
            return math.inf
    while not good(low):
        low, high = low / 4, low
        if low < _LEAST * min(guess, 1.0):
            return None
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if good(middle) else (low, middle)
    return low


def fewest(good: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest whole number from 1 to `most` that is good, if all larger ones are; None if none is."""
    high = 1
    while not good(high):
        if high >= most:
            return None
        high = min(high * 2, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle, high)
    return high
