"""The search for a number that was left out, of which more is always worse."""

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
