"""Erlang's loss and delay formulas, exact, for one to millions of servers.

Three roads, chosen by where each one is accurate, none of which takes time in proportion to the servers: the
recursion up to 512 servers, Fortet's integral by 48 points of Gauss and Legendre around its peak beyond, and, for
single numbers far below saturation, the Poisson probability by its deviance. Their relative error stays below 1e-12
wherever the result is a normal double; `log_erlang_b` and `log_erlang_c` go on where it is not. What is asked the
other way round, servers or load for a wanted wait, is in `models.staffing`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np

from models.elementwise import Number, first, log, require, where
from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_RECURSION_LIMIT = 512
"""Up to here the recursion is both the fastest and the most accurate road."""

_TINY = 1e-290
"""Below it a probability has lost digits, or is 0."""

_FAR_BELOW = 10.0
"""Standard deviations below saturation from which P(more than c busy of infinitely many) is under 1e-22."""

_EXCESS = [1 / math.factorial(k) for k in range(11, 1, -1)]
"""The series of exp(u) - 1 - u, over u squared, highest power first."""

_LOAD = "the offered load must be a finite number of erlangs >= 0, not {!r}"

_NEGLIGIBLE_EXPONENT = 42.0
"""exp(-42) of a peak is beyond the sixteenth digit of the area under it."""


class UnstableQueueError(ValueError):
    """The offered load is at or above the servers, so that no steady state exists.

    `short` is by how many servers' worth of work it exceeds them: 0 where it just fills them, so that none is to spare.
    Of an array it is about the first one that is, and the message ends with where that is and how many there are.
    """

    def __init__(self, servers: float, offered_load: float, place: str = "") -> None:
        self.servers = servers
        self.offered_load = offered_load
        self.short = offered_load - servers
        super().__init__(
            f"{offered_load:g} erlangs offered to {servers:g} servers: the queue grows without end "
            f"(utilization {offered_load / servers:.4g}){place}"
        )


def require_stable(servers: Any, offered_load: Any) -> None:
    """Raise UnstableQueueError unless the load, or that of each element, is below the servers."""
    wrong = offered_load >= servers
    if isinstance(wrong, bool):
        if wrong:
            raise UnstableQueueError(servers, offered_load)
    elif wrong.any():
        counts, loads = (np.broadcast_to(x, wrong.shape).flat[first(wrong)].item() for x in (servers, offered_load))
        raise UnstableQueueError(counts, loads, where(wrong))


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
    if isinstance(servers, int) and isinstance(offered_load, float | int):
        return _erlang_b(servers, float(offered_load))
    counts, loads = _pairs(servers, offered_load)
    blocking = _erlang_b_array(counts, loads)
    return blocking if counts.ndim else float(blocking)


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
    if isinstance(servers, int) and isinstance(offered_load, float | int):
        return _erlang_c(servers, float(offered_load))
    counts, loads = _pairs(servers, offered_load)
    require(counts >= 1, "a queue needs at least one server, not {!r}", counts)
    require_stable(counts, loads)
    waits = _waits(counts, loads, _erlang_b_array(counts, loads))
    return waits if counts.ndim else float(waits)


@overload
def log_erlang_b(servers: int, offered_load: float) -> float: ...
@overload
def log_erlang_b(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float: ...
def log_erlang_b(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float:
    """Return the natural logarithm of `erlang_b` (*exact*), finite where the probability itself underflows.

    Scalars or arrays, broadcast together; of an array, those that underflow are taken one by one. Relative error of the
    logarithm below 1e-12. Raises as `erlang_b` does, and ValueError for a load of 0.
    """
    return cast("NDArray[np.float64] | float", blocking_and_logarithm(servers, offered_load)[1])


def blocking_and_logarithm(servers: Any, offered_load: Any) -> tuple[Any, Any]:
    """Return `erlang_b` and its logarithm, for the work of one; see there."""
    if isinstance(servers, int) and isinstance(offered_load, float | int):
        return _blocking_and_logarithm(servers, offered_load)
    counts, loads = _pairs(servers, offered_load)
    blocking = _erlang_b_array(counts, loads)
    logarithm = _logarithms(counts, loads, blocking, _log_erlang_b)
    return (blocking, logarithm) if counts.ndim else (float(blocking), logarithm)


@overload
def log_erlang_c(servers: int, offered_load: float) -> float: ...
@overload
def log_erlang_c(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float: ...
def log_erlang_c(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64] | float:
    """Return the natural logarithm of `erlang_c` (*exact*), finite where the probability itself underflows.

    Scalars or arrays; see `log_erlang_b`.
    """
    if isinstance(servers, int) and isinstance(offered_load, float | int):
        return _log_erlang_c(servers, float(offered_load))
    counts, loads = _pairs(servers, offered_load)
    return _logarithms(counts, loads, np.asarray(erlang_c(counts, loads)), _log_erlang_c)


def _logarithms(
    counts: NDArray[np.float64],
    loads: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    one: Callable[[int, float], float],
) -> NDArray[np.float64] | float:
    """Return the logarithms of probabilities; `one` gives that of one which is too small for a double."""
    tiny = np.asarray(probabilities <= _TINY)
    found = np.log(np.where(tiny, 1.0, probabilities))
    for i in np.flatnonzero(tiny):
        found.flat[i] = one(int(counts.flat[i]), float(loads.flat[i]))
    return found if counts.ndim else float(found)


def _blocking_and_logarithm(servers: int, offered_load: float) -> tuple[float, float]:
    _check(servers, offered_load)
    if offered_load == 0:
        raise ValueError("the logarithm of a blocking probability of 0 does not exist")
    probability = _erlang_b(servers, offered_load)
    if probability > _TINY:
        return probability, math.log(probability)
    if servers <= _RECURSION_LIMIT:
        # So little load that P(at most c busy) is 1 to all digits; Stirling's series is not good for so few servers.
        return probability, servers * math.log(offered_load) - offered_load - math.lgamma(servers + 1)
    return probability, log_poisson(servers, offered_load)


def _log_erlang_b(servers: int, offered_load: float) -> float:
    return _blocking_and_logarithm(servers, offered_load)[1]


def _log_erlang_c(servers: int, offered_load: float) -> float:
    _check_queue(servers, offered_load)
    return log_waits(servers, offered_load, *_blocking_and_logarithm(servers, offered_load))


def log_waits(servers: Any, offered_load: Number, blocking: Number, log_blocking: Number) -> Number:
    """Return the logarithm of Erlang C from Erlang B and its logarithm."""
    delayed = log(servers) - log((servers - offered_load) + offered_load * blocking)
    return cast("Number", log_blocking + delayed)


def _pairs(servers: ArrayLike, offered_load: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both, broadcast against each other and checked."""
    counts, loads = np.broadcast_arrays(np.asarray(servers, dtype=float), np.asarray(offered_load, dtype=float))
    require(
        np.isfinite(counts) & (counts == np.floor(counts)), "the servers must be whole and finite, not {!r}", counts
    )
    require(counts >= 0, "the number of servers must be finite and not negative, not {!r}", counts)
    require((loads >= 0) & (loads < math.inf), _LOAD, loads)
    return counts, loads


def _erlang_b_array(counts: NDArray[np.float64], loads: NDArray[np.float64]) -> NDArray[np.float64]:
    c, a = counts.ravel(), loads.ravel()
    values = np.where(c == 0, 1.0, 0.0)
    few = np.flatnonzero((c <= _RECURSION_LIMIT) & (a > 0))
    few = few[np.argsort(c[few], kind="stable")]
    blocking, done = np.ones(len(few)), 0
    for count, start in zip(*np.unique(c[few], return_index=True), strict=True):
        blocking[start:] = _recursion(done, int(count), a[few[start:]], blocking[start:])
        done = int(count)
    values[few] = blocking
    many = np.flatnonzero((c > _RECURSION_LIMIT) & (a > 0))
    for part in np.array_split(many, len(many) // 4096 + 1) if len(many) else ():
        with np.errstate(under="ignore"):
            values[part] = _by_integral(c[part, None], a[part, None])
    return values.reshape(counts.shape)


def _check(servers: float, offered_load: float) -> None:
    if not 0 <= servers < math.inf:
        raise ValueError(f"the number of servers must be finite and not negative, not {servers!r}")
    if not 0 <= offered_load < math.inf:
        raise ValueError(_LOAD.format(offered_load))


def _check_queue(servers: int, offered_load: float) -> None:
    if servers < 1:
        raise ValueError(f"a queue needs at least one server, not {servers!r}")
    _check(servers, offered_load)
    if offered_load >= servers:
        raise UnstableQueueError(servers, offered_load)


def _erlang_b(servers: int, offered_load: float) -> float:
    _check(servers, offered_load)
    if offered_load == 0:
        return 0.0 if servers else 1.0
    if servers <= _RECURSION_LIMIT:
        return _recursion(0, servers, offered_load, 1.0)
    if offered_load < servers - _FAR_BELOW * math.sqrt(servers):
        return math.exp(max(log_poisson(servers, offered_load), -745.2))
    return float(_by_integral(servers, offered_load))


def _recursion(first: int, last: int, offered_load: Number, blocking: Number) -> Number:
    """Return Erlang B at `last` servers from its value at `first`, for one load or an array of them."""
    for k in range(first + 1, last + 1):
        blocking = offered_load * blocking / (k + offered_load * blocking)
    return blocking


def _by_integral(servers: ArrayLike, offered_load: ArrayLike) -> NDArray[np.float64]:
    """Return Erlang B for many servers, for one pair or for arrays of shape (n, 1).

    1/B = a * integral over t > 0 of exp(-a t) (1 + t)^c (Fortet 1948; Jagerman 1974). With t = exp(u) - 1 the
    logarithm of the integrand is concave and its peak nearly normal, as many points resolve it at any size.
    """
    c, a = np.asarray(servers, dtype=float), np.asarray(offered_load, dtype=float)
    slope = c - a + 1.0
    peak = np.maximum(0.0, np.log((c + 1) / a))
    top = slope * peak - a * _exponential_excess(peak, a)
    curvature, falls = a * np.exp(peak), np.maximum(0.0, -slope)
    reach = 2 * _NEGLIGIBLE_EXPONENT
    first = np.maximum(0.0, peak - 1.15 * np.sqrt(reach / curvature))
    width = peak - first + reach / (falls + np.sqrt(falls * falls + reach * curvature))
    nodes, weights = gauss_legendre(48)
    u = first + width * nodes
    area = (np.exp(slope * u - a * _exponential_excess(u, a) - top) * weights).sum(axis=-1, keepdims=True)
    return np.asarray(np.exp(-top) / (a * width * area)).squeeze(-1)


def _exponential_excess(u: NDArray[np.float64], offered_load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(u) - 1 - u, by its series where the difference, times a large load, would lose digits."""
    difference = np.expm1(u) - u
    if np.all(offered_load <= 4096):
        return difference
    series = np.zeros_like(u)
    for coefficient in _EXCESS:
        series = series * u + coefficient
    return np.where(u < 0.12, series * u * u, difference)


def _erlang_c(servers: int, offered_load: float) -> float:
    _check_queue(servers, offered_load)
    return _waits(servers, offered_load, _erlang_b(servers, offered_load))


def _waits(servers: Number, offered_load: Number, blocking: Number) -> Number:
    """Return Erlang C from Erlang B."""
    return servers * blocking / ((servers - offered_load) + offered_load * blocking)


def log_poisson(count: int, mean: float) -> float:
    """Return ln(e^-a a^c / c!) by its deviance, which keeps 1e-15 where lgamma would lose ten digits.

    Source: Numberer 2000, "Fast and accurate computation of binomial probabilities".
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
