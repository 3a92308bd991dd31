"""Exact tails to 80 digits, and what percentiles are granted against them."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import mpmath

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.latency import Latency

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]

SMOOTH = 1e-4
"""Relative error granted to percentiles: a tenth of what the planner promises. The largest seen is 2e-5, at P99.99."""

SEARCH = 2e-5
"""Relative difference granted between two ways to one percentile: the search for it stops at steps of 1e-5."""


def assert_percentiles(latency: Latency, tail: Callable[[Any], Any], accuracy: float = SMOOTH) -> None:
    """Check that each percentile, moved by `accuracy` to either side, encloses what the exact tail says."""
    with mpmath.workdps(80):
        for fraction, time in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
            left, right = mpmath.mpf(time) * (1 - accuracy), mpmath.mpf(time) * (1 + accuracy)
            assert tail(right) < 1 - mpmath.mpf(fraction) < tail(left)


def total(parts: Sequence[Latency]) -> Latency:
    return reduce(add, parts)


def hypoexponential(means: Sequence[float]) -> Callable[[Any], Any]:
    """Return the exact tail of a sum of exponentials of distinct means, by partial fractions to 80 digits."""
    with mpmath.workdps(80):
        exact = [mpmath.mpf(m) for m in means]
        shares = [mpmath.fprod(m / (m - other) for other in exact if other is not m) for m in exact]
        return lambda t: mpmath.fsum(share * mpmath.exp(-t / m) for share, m in zip(shares, exact, strict=True))
