"""Limits that count: fixed windows, sliding logs, concurrency; and shapers, which make wait what limiters turn away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast, overload

import numpy as np

from models.deterministic import ConstantServiceWait
from models.elementwise import larger, numbers, require
from models.erlang import UnstableQueueError, erlang_b, log_poisson
from models.limits import rate_limit_rejection
from models.quadrature import gauss_legendre
from models.staffing import servers_for_blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from models.elementwise import Array

_MOST: Final = 1 << 40
"""A limit or burst beyond this is not looked for."""


def fixed_window_rejection(arrival_rate: float, limit: int, window: float) -> float:
    """Return the share of Poisson arrivals turned away where each window of `window` s lets `limit` >= 1 pass.

    E[(X - L)+] / E[X] with X Poisson of mean a = rate * window (*exact*, 1e-12). Up to 2 L pass within any time longer
    than nothing across a boundary, which is what the limit is blind for. Rates in 1/s.
    """
    mean = cast("float", _checked(arrival_rate, limit, window))
    if mean == 0:
        return 0.0
    if mean <= limit:
        return _excess(limit, mean) / mean
    return (mean - limit + _shortfall(limit, mean)) / mean


@overload
def sliding_log_rejection(arrival_rate: float, limit: int, window: float) -> float: ...
@overload
def sliding_log_rejection(arrival_rate: ArrayLike, limit: ArrayLike, window: ArrayLike) -> Array | float: ...
def sliding_log_rejection(arrival_rate: Any, limit: Any, window: Any) -> Any:
    """Return the share of Poisson arrivals turned away where at most `limit` pass in any `window` seconds.

    What has passed holds its place for a window, so that this is M/D/L/L: Erlang B of L servers, `rate * window`
    erlangs (*exact*). Rates in 1/s.
    """
    arrival_rate, limit, window = numbers(arrival_rate, limit, window)
    return erlang_b(limit, _checked(arrival_rate, limit, window))


@overload
def concurrency_rejection(arrival_rate: float, duration: float, limit: int) -> float: ...
@overload
def concurrency_rejection(arrival_rate: ArrayLike, duration: ArrayLike, limit: ArrayLike) -> Array | float: ...
def concurrency_rejection(arrival_rate: Any, duration: Any, limit: Any) -> Any:
    """Return the share of Poisson arrivals turned away where at most `limit` are in progress (*exact*).

    `duration` is the mean time in s that one takes, however it is distributed: Erlang B, M/G/L/L (Sevastyanov 1957).
    """
    arrival_rate, duration, limit = numbers(arrival_rate, duration, limit)
    return erlang_b(limit, _checked(arrival_rate, limit, duration))


@overload
def concurrency_for(arrival_rate: float, duration: float, rejected: float) -> int: ...
@overload
def concurrency_for(arrival_rate: ArrayLike, duration: ArrayLike, rejected: ArrayLike) -> NDArray[np.int64] | int: ...
def concurrency_for(arrival_rate: Any, duration: Any, rejected: Any) -> Any:
    """Return the fewest places of which at most a share `rejected` in (0, 1] is turned away (*exact*)."""
    arrival_rate, duration, rejected = numbers(arrival_rate, duration, rejected)
    return larger(servers_for_blocking(_checked(arrival_rate, 1, duration), rejected), 1)


def burst_for(arrival_rate: float, limit: float, rejected: float) -> int | None:
    """Return the fewest tokens of a bucket that turns away at most this share, in (0, 1); None where none does.

    As exact as `models.limits.rate_limit_rejection`. Even an endless bucket turns away what exceeds the limit.
    """
    if not 0 < rejected < 1:
        raise ValueError(f"a share to be turned away lies in (0, 1), not {rejected!r}")
    if 1 - limit / arrival_rate >= rejected:
        return None
    return _fewest(lambda burst: rate_limit_rejection(arrival_rate, limit, burst) <= rejected)


def window_limit_for(law: Callable[[float, int, float], float], rate: float, window: float, rejected: float) -> int:
    """Return the smallest limit at which a law of this module turns away at most a share `rejected` in (0, 1)."""
    if not 0 < rejected < 1:
        raise ValueError(f"a share to be turned away lies in (0, 1), not {rejected!r}")
    found = _fewest(lambda limit: law(rate, limit, window) <= rejected)
    assert found is not None  # noqa: S101, a limit of many times what arrives turns nobody away
    return found


class ShaperWait:
    """The wait before a bucket of `burst` >= 1 tokens, refilled at `limit` per second, of whoever waits for a token.

    *Exact* for Poisson arrivals: a token is missing by as much as M/D/1 has more work than burst - 1 tokens, so that
    the wait is that of M/D/1 less (burst - 1) / limit seconds, if that is positive. Probability and tail within 1e-12.
    Raises UnstableQueueError when the arrivals reach the limit.
    """

    def __init__(self, arrival_rate: float, limit: float, burst: int) -> None:
        if not (limit > 0 and arrival_rate >= 0 and burst >= 1):
            raise ValueError(f"a shaper has a limit > 0 and a burst >= 1, not {limit!r} and {burst!r}")
        if arrival_rate >= limit:
            raise UnstableQueueError(limit, arrival_rate)
        self._work = ConstantServiceWait(arrival_rate, 1 / limit, 1)
        self._saved, self._step = (burst - 1) / limit, 1 / limit

    @property
    def probability(self) -> float:
        """P(no token is there)."""
        return self.tail(0.0)

    def tail(self, seconds: float) -> float:
        """Return P(wait > t), t >= 0."""
        tail, _ = self._work.tail_at(np.array([self._saved + seconds]))
        return float(tail[0])

    @property
    def mean(self) -> float:
        """Seconds: the tail summed between its kinks, and beyond 40 of them as the exponential that it then is."""
        first = math.ceil(self._saved / self._step - 1e-9) * self._step
        edges = np.unique(np.concatenate([[self._saved], first + self._step * np.arange(41)]))
        nodes, weights = gauss_legendre(12)
        widths = np.diff(edges)
        times = edges[:-1, None] + widths[:, None] * nodes
        tail, _ = self._work.tail_at(times.ravel())
        body = float((tail.reshape(times.shape) @ weights) @ widths)
        (late,), (density,) = (part.tolist() for part in self._work.tail_at(edges[-1:]))
        return body + (late * late / density if density > 0 else 0.0)

    def percentile(self, fraction: float) -> float:
        """Return the time within which this fraction, in (0, 1), has its token."""
        if not 0 < fraction < 1:
            raise ValueError(f"percentiles are asked for as fractions between 0 and 1, not {fraction!r}")
        late = 1 - fraction
        if self.probability <= late:
            return 0.0
        low, high = 0.0, self._step
        while self.tail(high) > late:
            low, high = high, 2 * high
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if self.tail(middle) > late else (low, middle)
        return high


def _checked(arrival_rate: Any, limit: Any, window: Any) -> Any:
    fine = (arrival_rate >= 0) & (arrival_rate < math.inf) & (limit >= 1) & (window > 0) & (window < math.inf)
    wanted = "a rate >= 0, a limit >= 1 and a time > 0 are needed, not {!r}, {!r} and {!r}"
    require(fine, wanted, arrival_rate, limit, window)
    return arrival_rate * window


def _poisson(count: int, mean: float) -> float:
    log = log_poisson(count, mean) if count > 30 else count * math.log(mean) - mean - math.lgamma(count + 1)
    return math.exp(max(log, -745.2))


def _excess(limit: int, mean: float) -> float:
    """Return E[(X - L)+] for a mean of at most the limit: terms that are all positive and fall."""
    total, weight, k = 0.0, _poisson(limit, mean), 0
    while True:
        k += 1
        weight *= mean / (limit + k)
        updated = total + k * weight
        # What is left is at most a geometric sum of this term.
        if weight == 0 or (updated == total and k > 3):
            return updated
        total = updated


def _shortfall(limit: int, mean: float) -> float:
    """Return E[(L - X)+] for a mean of at least the limit."""
    total, weight = 0.0, _poisson(limit, mean)
    for k in range(1, limit + 1):
        weight *= (limit - k + 1) / mean
        updated = total + k * weight
        if updated == total:
            break
        total = updated
    return total


def _fewest(enough: Callable[[int], bool]) -> int | None:
    high = 1
    while not enough(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
