"""Erlang's loss and delay formulas, exact, for one to millions of servers.

Three roads, chosen by where each one is accurate, none of which takes time in proportion to the servers:
the recursion up to 128 servers, the finite sum over O(sqrt(servers)) terms near and above saturation, and the
Poisson probability by its deviance far below saturation. Their relative error stays below 1e-12 wherever the
result is a normal double; `log_erlang_b` and `log_erlang_c` go on where it is not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_RECURSION_LIMIT = 128
"""Up to here the recursion is both the fastest and the most accurate road."""

_FAR_BELOW = 10.0
"""Standard deviations below saturation from which P(more than c busy of infinitely many) is under 1e-22."""


class UnstableQueueError(ValueError):
    """The offered load is at or above the servers, so that no steady state exists.

    `short` is by how many servers' worth of work it exceeds them.
    """

    def __init__(self, servers: float, offered_load: float) -> None:
        self.servers = servers
        self.offered_load = offered_load
        self.short = offered_load - servers
        super().__init__(
            f"{offered_load:g} erlangs offered to {servers:g} servers: the queue grows without end "
            f"(utilization {offered_load / servers:.4g})"
        )


@overload
def erlang_b(servers: int, offered_load: float) -> float: ...
@overload
def erlang_b(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float: ...
def erlang_b(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float:
    """Return the probability that an arrival finds all servers busy in M/G/c/c (*exact*).

    `servers` is an integer >= 0, `offered_load` in erlangs >= 0; scalars or arrays, broadcast together.
    Values below the smallest double come back as 0. Raises ValueError for negative, fractional or NaN input.
    Source: Erlang 1917; insensitive to the service distribution (Sevastyanov 1957).
    """
    return _broadcast(_erlang_b, servers, offered_load)


@overload
def erlang_c(servers: int, offered_load: float) -> float: ...
@overload
def erlang_c(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float: ...
def erlang_c(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float:
    """Return the probability that an arrival has to wait in M/M/c (*exact*).

    `servers` is an integer >= 1, `offered_load` in erlangs in [0, servers); scalars or arrays, broadcast together.
    Raises UnstableQueueError at or above saturation, ValueError for other input that has no meaning.
    Source: Erlang 1917. Evaluated as c*B / ((c - a) + a*B): every term is positive, so nothing cancels.
    """
    return _broadcast(_erlang_c, servers, offered_load)


def log_erlang_b(servers: int, offered_load: float) -> float:
    """Return the natural logarithm of `erlang_b` (*exact*), finite where the probability itself underflows.

    Relative error of the logarithm below 1e-12. Raises as `erlang_b` does, and ValueError for a load of 0.
    """
    _check(servers, offered_load)
    if offered_load == 0:
        raise ValueError("the logarithm of a blocking probability of 0 does not exist")
    probability = _erlang_b(servers, offered_load)
    if probability > 1e-290:
        return math.log(probability)
    if servers <= _RECURSION_LIMIT:
        # So little load that P(at most c busy) is 1 to all digits; Stirling's series is not good for so few servers.
        return servers * math.log(offered_load) - offered_load - math.lgamma(servers + 1)
    return _log_poisson(servers, offered_load)


def log_erlang_c(servers: int, offered_load: float) -> float:
    """Return the natural logarithm of `erlang_c` (*exact*), finite where the probability itself underflows."""
    if servers < 1:
        raise ValueError(f"a queue needs at least one server, not {servers!r}")
    if offered_load >= servers:
        raise UnstableQueueError(servers, offered_load)
    log_b = log_erlang_b(servers, offered_load)
    return log_b + math.log(servers) - math.log((servers - offered_load) + offered_load * math.exp(log_b))


def servers_for_blocking(offered_load: float, blocking: float) -> int:
    """Return the fewest servers whose `erlang_b` is at most `blocking`, which lies in (0, 1]."""
    if not 0 < blocking <= 1:
        raise ValueError(f"a blocking probability lies in (0, 1], not {blocking!r}")
    return _fewest(lambda servers: _erlang_b(servers, offered_load) <= blocking, 0, offered_load)


def servers_for_wait(offered_load: float, probability: float) -> int:
    """Return the fewest servers whose `erlang_c` is at most `probability`, which lies in (0, 1]."""
    if not 0 < probability <= 1:
        raise ValueError(f"a wait probability lies in (0, 1], not {probability!r}")
    _check(0, offered_load)
    return _fewest(lambda servers: _erlang_c(servers, offered_load) <= probability, int(offered_load) + 1, offered_load)


def _fewest(enough: Callable[[int], bool], least: int, offered_load: float) -> int:
    """Return the smallest count >= least that is enough: gallop up, then halve the interval."""
    _check(least, offered_load)
    if enough(least):
        return least
    step = 1
    while not enough(least + step):
        step *= 2
    low, high = least + step // 2, least + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _broadcast(
    function: Callable[[int, float], float], servers: ArrayLike, offered_load: ArrayLike
) -> NDArray[np.float64] | float:
    if isinstance(servers, int) and isinstance(offered_load, float | int):
        return function(servers, float(offered_load))
    counts, loads = np.broadcast_arrays(np.asarray(servers, dtype=float), np.asarray(offered_load, dtype=float))
    if not np.all(np.isfinite(counts) & (counts == np.floor(counts))):
        raise ValueError("the number of servers must be whole and finite")
    values = np.array([function(int(c), float(a)) for c, a in zip(counts.flat, loads.flat, strict=True)], dtype=float)
    return float(values[0]) if counts.ndim == 0 else values.reshape(counts.shape)


def _check(servers: int, offered_load: float) -> None:
    if not 0 <= servers < math.inf:
        raise ValueError(f"the number of servers must be finite and not negative, not {servers!r}")
    if not 0 <= offered_load < math.inf:
        raise ValueError(f"the offered load must be a finite number of erlangs >= 0, not {offered_load!r}")


def _erlang_b(servers: int, offered_load: float) -> float:
    _check(servers, offered_load)
    if offered_load == 0:
        return 0.0 if servers else 1.0
    if servers <= _RECURSION_LIMIT:
        blocking = 1.0
        for k in range(1, servers + 1):
            blocking = offered_load * blocking / (k + offered_load * blocking)
        return blocking
    if offered_load < servers - _FAR_BELOW * math.sqrt(servers):
        return math.exp(max(_log_poisson(servers, offered_load), -745.2))
    return 1.0 / _inverse_sum(servers, offered_load)


def _erlang_c(servers: int, offered_load: float) -> float:
    if servers < 1:
        raise ValueError(f"a queue needs at least one server, not {servers!r}")
    _check(servers, offered_load)
    if offered_load >= servers:
        raise UnstableQueueError(servers, offered_load)
    blocking = _erlang_b(servers, offered_load)
    return servers * blocking / ((servers - offered_load) + offered_load * blocking)


def _inverse_sum(servers: int, offered_load: float) -> float:
    """Return 1/B = sum over j of c(c-1)...(c-j+1)/a^j, of which O(sqrt(c)) terms matter near saturation."""
    below = max(0.0, servers - offered_load)
    terms = min(servers, int(below + 12.0 * math.sqrt(servers)) + 40)
    ratios = np.arange(servers, servers - terms, -1, dtype=float) / offered_load
    return 1.0 + math.fsum(np.cumprod(ratios).tolist())


def _log_poisson(count: int, mean: float) -> float:
    """Return ln(e^-a a^c / c!) by its deviance, which keeps 1e-15 where lgamma would lose ten digits.

    Source: Loader 2000, "Fast and accurate computation of binomial probabilities".
    """
    ratio = mean / count
    deviance = count * (ratio - 1.0 - math.log(ratio)) if not 0.3 < ratio < 3.0 else _small_deviance(count, mean)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680) / count**2) / count**2) / count**2) / count
    return -deviance - series - 0.5 * math.log(2.0 * math.pi * count)


def _small_deviance(count: float, mean: float) -> float:
    """Return c ln(c/a) + a - c for c within a factor 3 of a, by the series in (c-a)/(c+a) that does not cancel."""
    difference = count - mean
    v = difference / (count + mean)
    total = difference * v
    power, k = 2.0 * count * v, 1
    while True:
        power *= v * v
        updated = total + power / (2 * k + 1)
        if updated == total:
            return total
        total, k = updated, k + 1
