"""Partners with limits: what waits or is turned away at a rate or concurrency that is not ours to raise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from models.elementwise import (
    atanh,
    either,
    every,
    exp,
    expm1,
    larger,
    log,
    numbers,
    single,
    smaller,
    summed,
)
from models.erlang import UnstableQueueError
from models.queues import Wait, mgc_wait
from models.service_time import ServiceTime

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.elementwise import Array

_SUMMED: Final = 10
"""Up to this many tokens the alternating sum keeps its digits."""


def rate_limit_wait(arrival_rate: float, limit: float) -> Wait:
    """Return the wait before a limiter that lets one request pass every 1/limit seconds: M/D/1 (*exact*).

    Rates in 1/s. Raises UnstableQueueError when the arrivals reach the limit.
    """
    if arrival_rate >= limit:
        raise UnstableQueueError(limit, arrival_rate)
    return mgc_wait(arrival_rate, ServiceTime((), ((1.0, 1.0 / limit),)), 1)


@overload
def rate_limit_rejection(arrival_rate: float, limit: float, burst: int) -> float: ...
@overload
def rate_limit_rejection(arrival_rate: ArrayLike, limit: ArrayLike, burst: ArrayLike) -> Array | float: ...
def rate_limit_rejection(arrival_rate: Any, limit: Any, burst: Any) -> Any:
    """Return the share of Poisson arrivals that a token bucket of `burst` >= 1 tokens turns away.

    *Exact*: the workload of M/D/1 cut at `burst` (Tijms 2003, section 9.4.2). Beyond 10 tokens, where the
    alternating sum loses its digits, by its two dominant exponentials. Measured against 60 digits: relative error below
    2e-7 for shares above 1e-7, absolute error below 1e-12 for less.
    """
    arrival_rate, limit, burst = numbers(arrival_rate, limit, burst)
    rho = arrival_rate / limit
    few = burst <= _SUMMED
    if single(rho):
        return 0.0 if rho == 0 else (_rejection_by_sum if few else _rejection_by_exponentials)(rho, burst)
    found = np.zeros(rho.shape)
    for road, some in ((_rejection_by_sum, few & (rho > 0)), (_rejection_by_exponentials, ~few & (rho > 0))):
        if some.any():
            found[some] = road(rho[some], burst[some])
    return found


def _rejection_by_sum(rho: Any, burst: Any) -> Any:
    """Return the share turned away for few tokens; the sum is of all digits, as it is rounded once."""
    # The work is exp(700) times what comes with a token: the bucket is never full again.
    flooded = rho * (burst - 1) > 700

    def share() -> Any:
        most = burst if single(burst) else int(burst.max())
        work = summed([_term(rho, burst, j) for j in range(most)])
        return larger((1 - (1 - rho) * work) / (1 + rho * work), 0.0)

    return either(flooded, lambda: 1 - 1 / rho, share)


def _term(rho: Any, burst: Any, j: int) -> Any:
    return (rho * (j - burst + 1)) ** j / math.factorial(j) * exp(rho * (burst - 1 - j)) * (j < burst)


def _rejection_by_exponentials(rho: Any, burst: Any) -> Any:
    """Return the share turned away from the expected work W = (1 - Q) / (1 - rho), of which Q keeps all digits.

    Q falls with every token by the factor exp(-d) for which rho (exp(d) - 1) = d, d = 0 aside. Next to the limit d is
    nearly 2 (1 - rho), and differences of nearly equal numbers are replaced by their series.
    """
    spare, tokens = 1 - rho, burst - 1

    def next_to_the_limit() -> Any:
        d = 2 * spare
        for _ in range(10):
            d = 2 * (spare + d**2 / 12 - d**4 / 720)
        return -d * tokens - 2 * atanh(d / 6 - d**3 / 360 + d**5 / 15120)

    def elsewhere() -> Any:
        d = _decay(rho)
        return -d * tokens + log(spare / (rho * exp(d) - 1))

    def share() -> Any:
        exponent = smaller(either(abs(spare) < 0.01, next_to_the_limit, elsewhere), 700.0)
        work = -expm1(exponent) / spare
        return exp(exponent) / (1 + rho * work)

    return either(spare == 0, lambda: 1 / (1 + 2 * tokens + 2 / 3), share)


def _decay(rho: Any) -> Any:
    """Return the root d of rho (exp(d) - 1) = d that is not 0, for rho not next to 1: Newton's method."""
    d = -2 * log(rho)
    for _ in range(60):
        step = (rho * expm1(d) - d) / (rho * exp(d) - 1)
        d = d - step
        if every(abs(step) < 1e-15 * abs(d)):
            break
    return d
