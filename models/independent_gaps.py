"""GI/M/c exactly: independent gaps between arrivals, constant ones too, before equal exponential servers.

Once all are busy, an arrival finds one request more sigma times as likely: sigma = A(c mu (1 - sigma)), where A is the
transform of the gaps. Whoever waits does so for an exponential time of rate c mu (1 - sigma), and

    1 / P(wait > 0) = 1 + (1 - sigma) sum over j of C(c, j) prod_{i < j} (m_i / A_i) / A_j r_j,
    m_j = 1 - A_j,   A_j = A(j mu),   r_j = (c m_j - j) / (c (1 - sigma) - j)

(Takacs 1962, Introduction to the Theory of Queues, chapter 2; Gross et al. 2008, section 5.3). As A is convex every
term is positive. r_j, which is 0/0 where j meets c (1 - sigma), is 1 - c times a difference quotient of A.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from models.erlang import UnstableQueueError
from models.loss import check_queue
from models.queues import NO_WAIT, Wait
from models.service_time import exponential
from models.steady import SteadyState, steady

_SMALLEST = -690.0
"""The logarithm of a probability below which nobody waits."""

if TYPE_CHECKING:
    from models.service_time import ServiceTime
    from models.transforms import Floats


def exponential_service(gaps: ServiceTime, service_time: float, servers: int) -> SteadyState:
    """Return the state of GI/M/c (*exact*): gaps between arrivals, mean service time in s, servers >= 1.

    Shares and means hold 1e-12 relative up to 1000 servers, 1e-9 up to a million; next to saturation they lose digits
    in proportion to the spare capacity. Raises UnstableQueueError when the load reaches the servers.
    """
    arrival_rate = 1 / gaps.mean
    check_queue(arrival_rate, service_time, servers)
    wait = exponential_service_wait(gaps, service_time, servers)
    return steady(f"GI/M/{servers}", arrival_rate, servers, exponential(service_time), wait, wait.probability)


def exponential_service_wait(gaps: ServiceTime, service_time: float, servers: int) -> Wait:
    """Return the wait alone."""
    load = service_time / gaps.mean
    if load >= servers:
        raise UnstableQueueError(servers, load)
    free = _free(gaps, servers / service_time, load / servers)
    probability = _wait_probability(gaps, service_time, servers, free)
    return Wait(probability, exponential(service_time / (servers * free)), exact=True) if probability else NO_WAIT


def _free(gaps: ServiceTime, whole_rate: float, utilization: float) -> float:
    """Return 1 - sigma, the root x above 0 of 1 - A(c mu x) = x: Newton from above, on a concave function."""
    x = min(1.0, 4 * (1 - utilization) / (1 + gaps.squared_cv))
    while x < 1 and _missing(gaps, whole_rate * x) > x:
        x = min(1.0, 2 * x)
    for _ in range(200):
        step = (_missing(gaps, whole_rate * x) - x) / (whole_rate * _slope(gaps, whole_rate * x) - 1)
        x -= step
        if abs(step) <= 1e-16 * x:
            break
    return x


def _missing(gaps: ServiceTime, s: float) -> float:
    """Return 1 - A(s), to its last digits where it is small."""
    phased = math.fsum(-weight * math.expm1(-count * math.log1p(s / rate)) for weight, count, rate in gaps.phases)
    return phased - math.fsum(weight * math.expm1(-s * value) for weight, value in gaps.constants)


def _slope(gaps: ServiceTime, s: float) -> float:
    """Return how fast 1 - A rises at s."""
    phased = math.fsum(w * count / (rate + s) * (1 + s / rate) ** -count for w, count, rate in gaps.phases)
    return phased + math.fsum(weight * value * math.exp(-s * value) for weight, value in gaps.constants)


def _wait_probability(gaps: ServiceTime, service_time: float, servers: int, free: float) -> float:
    """Return Takacs' sum, in logarithms; 0 where it is too small for a double."""
    j = np.arange(1.0, servers + 1)
    rates, root = j / service_time, servers * free / service_time
    near, apart = np.minimum(rates, root), np.abs(rates - root)
    parts, missing, quotient = [], np.zeros(servers), np.zeros(servers)
    for weight, count, rate in gaps.phases:
        parts.append(math.log(weight) - count * np.log1p(rates / rate))
        missing -= weight * np.expm1(-count * np.log1p(rates / rate))
        closest = weight * np.exp(-count * np.log1p(near / rate))
        quotient += closest * _per(count * np.log1p(apart / (rate + near)), apart, count / (rate + near))
    for weight, value in gaps.constants:
        parts.append(math.log(weight) - rates * value)
        missing -= weight * np.expm1(-rates * value)
        quotient += weight * np.exp(-near * value) * _per(apart * value, apart, value)
    ratio = np.maximum(1 - servers / service_time * quotient, 1e-300)
    transform = np.logaddexp.reduce(parts)
    # The product is of the j - 1 terms before, the binomial of all j.
    terms = np.cumsum(np.log((servers - j + 1) / j * missing) - transform) - np.log(missing) + np.log(ratio)
    logarithm = -float(np.logaddexp.reduce(np.append(terms + math.log(free), 0.0)))
    return math.exp(logarithm) if logarithm > _SMALLEST else 0.0


def _per(exponent: Floats, difference: Floats, limit: Floats | float) -> Floats:
    """Return (1 - exp(-exponent)) / difference, and its limit where both are 0."""
    with np.errstate(invalid="ignore"):
        result: Floats = np.where(difference > 0, -np.expm1(-exponent) / difference, limit)
    return result
