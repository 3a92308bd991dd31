"""Partners with limits: what waits or is turned away at a rate or concurrency that is not ours to raise."""

from __future__ import annotations

import math

from models.erlang import UnstableQueueError
from models.queues import Wait, mgc_wait
from models.service_time import ServiceTime


def rate_limit_wait(arrival_rate: float, limit: float) -> Wait:
    """Return the wait before a limiter that lets one request pass every 1/limit seconds: M/D/1 (*exact*).

    Rates in 1/s. Raises UnstableQueueError when the arrivals reach the limit.
    """
    if arrival_rate >= limit:
        raise UnstableQueueError(limit, arrival_rate)
    return mgc_wait(arrival_rate, ServiceTime((), ((1.0, 1.0 / limit),)), 1)


def rate_limit_rejection(arrival_rate: float, limit: float, burst: int) -> float:
    """Return the share of Poisson arrivals that a token bucket of `burst` >= 1 tokens turns away.

    *Exact*: the workload of M/D/1 cut at `burst` (Tijms 2003, section 9.4.2). Beyond 15 tokens, where the
    alternating sum loses its digits, by its two dominant exponentials, which agree with it to 1e-9 there.
    """
    rho = arrival_rate / limit
    if rho == 0:
        return 0.0
    work = _cut_work(rho, burst)
    return max(0.0, 1 - work / (1 + rho * work))


def _cut_work(rho: float, burst: int) -> float:
    """Return the expected number of services in the cut workload's cycle, W in the source above."""
    if burst <= 15:
        return math.fsum(
            (rho * (j - burst + 1)) ** j / math.factorial(j) * math.exp(rho * (burst - 1 - j)) for j in range(burst)
        )
    if abs(rho - 1) < 1e-5:
        return 2 * burst - 4 / 3
    decay = -2 * math.log(rho)
    for _ in range(60):
        step = (rho * math.expm1(decay) - decay) / (rho * math.exp(decay) - 1)
        decay -= step
        if abs(step) < 1e-15 * abs(decay):
            break
    exponent = min(-decay * (burst - 1), 700.0)
    return (1 - (1 - rho) / (rho * math.exp(decay) - 1) * math.exp(exponent)) / (1 - rho)
