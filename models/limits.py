"""Partners with limits: what waits or is turned away at a rate or concurrency that is not ours to raise."""

from __future__ import annotations

import math
from typing import Final

from models.erlang import UnstableQueueError
from models.queues import Wait, mgc_wait
from models.service_time import ServiceTime

_SUMMED: Final = 10
"""Up to this many tokens the alternating sum keeps its digits."""


def rate_limit_wait(arrival_rate: float, limit: float) -> Wait:
    """Return the wait before a limiter that lets one request pass every 1/limit seconds: M/D/1 (*exact*).

    Rates in 1/s. Raises UnstableQueueError when the arrivals reach the limit.
    """
    if arrival_rate >= limit:
        raise UnstableQueueError(limit, arrival_rate)
    return mgc_wait(arrival_rate, ServiceTime((), ((1.0, 1.0 / limit),)), 1)


def rate_limit_rejection(arrival_rate: float, limit: float, burst: int) -> float:
    """Return the share of Poisson arrivals that a token bucket of `burst` >= 1 tokens turns away.

    *Exact*: the workload of M/D/1 cut at `burst` (Tijms 2003, section 9.4.2). Beyond 10 tokens, where the
    alternating sum loses its digits, by its two dominant exponentials. Measured against 60 digits: relative error below
    2e-7 for shares above 1e-7, absolute error below 1e-12 for less.
    """
    rho = arrival_rate / limit
    if rho == 0:
        return 0.0
    if rho * (burst - 1) > 700 and burst <= _SUMMED:
        # The work is exp(700) times what comes with a token: the bucket is never full again.
        return 1 - 1 / rho
    if burst > _SUMMED:
        return _rejection_by_exponentials(rho, burst - 1)
    work = math.fsum(
        (rho * (j - burst + 1)) ** j / math.factorial(j) * math.exp(rho * (burst - 1 - j)) for j in range(burst)
    )
    return max(0.0, (1 - (1 - rho) * work) / (1 + rho * work))


def _rejection_by_exponentials(rho: float, tokens: int) -> float:
    """Return the share turned away from the expected work W = (1 - Q) / (1 - rho), of which Q keeps all digits.

    Q falls with every token by the factor exp(-d) for which rho (exp(d) - 1) = d, d = 0 aside. Next to the limit d is
    nearly 2 (1 - rho), and differences of nearly equal numbers are replaced by their series.
    """
    spare = 1 - rho
    if spare == 0:
        return 1 / (1 + 2 * tokens + 2 / 3)
    if abs(spare) < 0.01:
        d = 2 * spare
        for _ in range(10):
            d = 2 * (spare + d**2 / 12 - d**4 / 720)
        exponent = -d * tokens - 2 * math.atanh(d / 6 - d**3 / 360 + d**5 / 15120)
    else:
        d = _decay(rho)
        exponent = -d * tokens + math.log(spare / (rho * math.exp(d) - 1))
    exponent = min(exponent, 700.0)
    work = -math.expm1(exponent) / spare
    return math.exp(exponent) / (1 + rho * work)


def _decay(rho: float) -> float:
    """Return the root d of rho (exp(d) - 1) = d that is not 0, for rho not next to 1: Newton's method."""
    d = -2 * math.log(rho)
    for _ in range(60):
        step = (rho * math.expm1(d) - d) / (rho * math.exp(d) - 1)
        d -= step
        if abs(step) < 1e-15 * abs(d):
            break
    return d
